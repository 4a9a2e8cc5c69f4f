from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

pytest.importorskip("tchannel_thrift", reason="needs the extra `discover`")

from tchannel import Response, errors
from tchannel_hyperbahn import InvalidServiceName, NoPeersAvailable, discover
from tchannel_hyperbahn.discovery_messages import answer_discovery, read_discovery, write_query

pytestmark = pytest.mark.extra

DEAD = "127.0.0.1:1"


async def test_it_gives_the_addresses_of_all_instances(serve, router, make_channel):
    services = [await serve("keyvalue") for _ in range(3)]

    found = await discover(make_channel(), "keyvalue", [router.hostport])

    assert sorted(found) == sorted(service.hostport for service in services)


async def test_without_routers_it_asks_as_any_call_does(serve, router, make_channel):
    service = await serve("keyvalue")
    client = make_channel("client")
    client.advertise(routers=[router.hostport])

    assert await discover(client, "keyvalue") == [service.hostport]
    assert await discover(client, "keyvalue", affine=True) == [service.hostport]


async def test_the_two_exceptions_are_raised(router, make_channel):
    with pytest.raises(NoPeersAvailable) as none:
        await discover(make_channel(), "unknown", [router.hostport])
    with pytest.raises(InvalidServiceName):
        await discover(make_channel(), "", [router.hostport])

    assert none.value.service == "unknown"
    assert none.value.message == "no peer available for unknown"


async def test_a_dead_router_is_passed_over(serve, router, make_channel, ask_first):
    service = await serve("keyvalue")
    ask_first(DEAD)

    found = await discover(make_channel(), "keyvalue", [router.hostport, DEAD])

    assert found == [service.hostport]


async def test_with_all_routers_dead_the_error_is_that_of_the_last(make_channel):
    with pytest.raises(errors.NetworkError):
        await discover(make_channel(), "keyvalue", [DEAD])


async def test_an_answer_that_makes_no_sense_is_a_read_error(make_channel):
    liar = make_channel("hyperbahn")
    liar.register("raw", liar.FALLBACK, lambda request: Response(b"nonsense", b""))
    liar.listen()

    with pytest.raises(errors.ReadError, match="answered nonsense"):
        await discover(make_channel(), "keyvalue", [liar.hostport])


async def test_an_error_that_nobody_looks_at_makes_no_noise(make_channel):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))

    asking = discover(make_channel(), "keyvalue", [DEAD])
    await asyncio.wait([asking])
    del asking

    assert complaints == []


@pytest.mark.parametrize(
    ("service", "routers", "error"),
    [(5, None, TypeError), ("x", [], ValueError), ("x", "127.0.0.1:1", TypeError)],
)
async def test_a_mistake_is_refused_at_once(make_channel, service, routers, error):
    with pytest.raises(error):
        discover(make_channel(), service, routers)


async def test_arguments_that_make_no_sense_are_refused_by_the_router(router, make_channel):
    with pytest.raises(errors.BadRequestError, match="arguments of discover make no sense"):
        await make_channel().call(
            "thrift",
            "hyperbahn",
            "Hyperbahn::discover",
            b"\0\0",
            b"nonsense",
            hostport=router.hostport,
        )


async def test_who_does_not_listen_is_not_to_be_found(router, make_channel):
    client = make_channel("client")
    await client.json(
        "hyperbahn", "ad", {"services": [{"serviceName": "mute"}]}, hostport=router.hostport
    )
    assert "mute" in router.services

    with pytest.raises(NoPeersAvailable):
        await discover(client, "mute", [router.hostport])


def test_a_service_that_advertises_loads_neither_the_router_nor_thrift():
    code = (
        "import sys, tchannel_hyperbahn; "
        "print([name for name in sys.modules"
        " if name.startswith(('tchannel_thrift', 'tchannel_hyperbahn.router.'))])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_more_instances_than_fit_a_frame_are_answered():
    hosts = [f"10.0.{number // 256}.{number % 256}:4040" for number in range(10_000)]
    body = answer_discovery(write_query("x"), lambda service: hosts)[1]

    assert len(body) > 0xFFFF
    assert read_discovery(body) == hosts


async def test_instances_whose_address_discovery_cannot_say_are_left_out(
    router, serve, make_channel
):
    named = [await serve("keyvalue") for _ in range(2)]
    instance = router.directory.instance("example.invalid:4040", ephemeral=False)
    router.directory.advertise("keyvalue", instance)

    found = await discover(make_channel("client"), "keyvalue", [router.hostport])

    assert sorted(found) == sorted(channel.hostport for channel in named)
