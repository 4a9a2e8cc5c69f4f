"""``tchannel discover`` and ``routes``: who serves what."""

import json

import pytest

from tchannel_hyperbahn import Router
from tchannel_tools.doctor.link import Link, Request


@pytest.fixture
async def router():
    async with Router("127.0.0.1:0") as router:
        yield router


@pytest.fixture
async def advertised(tcp, router):
    """Two instances of "one" and one of "two", advertised."""
    made = []
    for name in ("one", "one", "two"):
        channel = tcp(name, hostport="127.0.0.1:0")
        channel.listen()
        await channel.advertise(routers=[router.hostport])
        made.append(channel.hostport)
    return made


async def test_the_instances_of_a_service_are_printed_a_line_each(tool, router, advertised):
    ran = await tool("discover", "one", "--router", router.hostport)

    assert ran.code == 0
    assert ran.out.splitlines() == sorted(advertised[:2])


async def test_several_services_are_told_apart(tool, router, advertised):
    ran = await tool("discover", "one", "two", "-p", router.hostport, "--json")

    assert ran.json == {"one": sorted(advertised[:2]), "two": advertised[2:]}


async def test_a_name_that_nobody_serves_ends_as_a_call_of_it_would(tool, router, advertised):
    ran = await tool("discover", "one", "three", "--router", router.hostport)

    assert ran.code == 4
    assert ran.out.splitlines() == [f"one  {one}" for one in sorted(advertised[:2])]
    assert ran.err == "tchannel discover: nobody has advertised 'three'\n"


async def test_routes_list_every_name_with_its_instances(tool, router, advertised):
    ran = await tool("routes", "--router", router.hostport)

    assert ran.code == 0
    one, another = sorted(advertised[:2])
    assert [line.split() for line in ran.out.splitlines()] == [
        ["service", "instance"],
        ["one", one],
        ["one", another],
        ["two", advertised[2]],
    ]


async def test_json_says_which_router_knows_an_instance(tool, router, advertised):
    async with Router("127.0.0.1:0") as other:
        ran = await tool("routes", "--router", router.hostport, "-p", other.hostport, "--json")
        both = await tool(
            "routes", "--router", router.hostport, "--router", other.hostport, "--json"
        )

    assert ran.json == {}  # as everywhere, -p goes before --router
    assert both.json["two"] == {advertised[2]: [router.hostport]}


async def test_an_instance_that_does_not_listen_is_told_as_that(tool, router):
    link = await Link.connect(router.hostport, 5.0)
    await link.handshake(5.0)
    body = json.dumps({"services": [{"serviceName": "quiet", "cost": 0}]}).encode()
    await link.call(Request("hyperbahn", b"ad", b"{}", body, scheme="json"), 5.0)

    ran = await tool("routes", "--router", router.hostport)
    await link.close()

    assert ran.code == 0
    assert ran.out.splitlines()[1].split(maxsplit=1) == ["quiet", "(none that listens)"]


async def test_a_name_is_no_markup(tool, tcp, router):
    channel = tcp("[red]:smile:[/red]", hostport="127.0.0.1:0")
    channel.listen()
    await channel.advertise(routers=[router.hostport])

    ran = await tool("routes", "--router", router.hostport)
    assert ran.out.splitlines()[1].split() == ["[red]:smile:[/red]", channel.hostport]


async def test_one_router_that_is_down_leaves_what_the_others_know(tool, router, advertised):
    ran = await tool("routes", "--router", "127.0.0.1:1", "--router", router.hostport)

    assert ran.code == 0
    assert advertised[2] in ran.out
    assert ran.err.startswith("tchannel routes: 127.0.0.1:1: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", [["discover", "one"], ["routes"]])
async def test_no_router_at_all_is_the_exit_code(tool, command):
    ran = await tool(*command, "--router", "127.0.0.1:1")

    assert (ran.code, ran.out) == (125, "")
    assert "127.0.0.1:1: " in ran.err
    assert ran.err.count("\n") == 1


async def test_a_router_of_the_context_is_asked(tool, router, advertised, config):
    config.parent.mkdir()
    config.write_text(f'[defaults]\nrouters = ["{router.hostport}"]\npeers = ["127.0.0.1:1"]\n')

    assert (await tool("discover", "two")).out == f"{advertised[2]}\n"


async def test_a_peer_that_is_no_router_is_told_in_a_line(tool, service):
    ran = await tool("routes", "-p", service.hostport)

    assert ran.code == 6
    assert ran.err.startswith(f"tchannel routes: {service.hostport}: it does not tell what")
    assert ran.err.endswith("is it a Hyperbahn, or the router for development?\n")
    assert ran.err.count("\n") == 1


async def test_without_a_router_it_says_how_to_name_one(tool):
    ran = await tool("routes")

    assert (ran.code, ran.out) == (125, "")
    assert "say which router to ask: --router HOST:PORT" in ran.err
