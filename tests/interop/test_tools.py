"""The commands of ``tchannel`` on peers of other makers: what they list, examine and discover."""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from thirdparty.process import run_command

from tchannel import TChannel

TOOL = (sys.executable, "-m", "tchannel_tools")


@dataclass(frozen=True)
class Ran:
    """What a run of a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def run(*argv: str) -> Ran:
    """Run a command while this loop goes on, so that it can serve calls."""
    done = await asyncio.to_thread(run_command, [*TOOL, *argv], seconds=60)
    return Ran(done.returncode, done.stdout, done.stderr)


def verdicts(ran: Ran) -> dict[str, str]:
    return {one["check"]: one["verdict"] for peer in ran.json for one in peer["findings"]}


async def test_health_is_asked_of_every_peer(peer):
    assert (await run("health", peer.service, "-p", peer.hostport)).out == "OK\n"


@pytest.mark.parametrize("kind", ["node4", "node3"])
async def test_methods_and_types_are_what_nodes_reflection_tells(kind, request):
    peer = request.getfixturevalue(kind)
    listed = await run("list", peer.service, "-p", peer.hostport)
    described = await run("describe", peer.service, "Point", "-p", peer.hostport)

    assert listed.code == described.code == 0
    assert "Everything KeyValue::echo(1: required Everything everything)" in listed.out
    assert described.out == "struct Point {\n  1: required i32 x\n  2: required i32 y\n}\n"


async def test_a_service_of_tchannel_python_tells_no_idl_and_that_is_said(py21):
    ran = await run("list", py21.service, "-p", py21.hostport)

    assert (ran.code, ran.out) == (125, "")
    assert "does not tell its IDL, so give the file with -t" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("kind", ["node4", "node3"])
async def test_nothing_is_wrong_with_node(kind, request):
    peer = request.getfixturevalue(kind)
    ran = await run("doctor", peer.hostport, "--service", peer.service, "--json")

    assert ran.code == 0
    found = verdicts(ran)
    assert set(found.values()) == {"ok", "skipped"}
    assert found["fragments"] == found["health"] == found["reflection"] == "ok"


async def test_of_tchannel_python_the_silence_on_pings_is_a_note(py21):
    ran = await run("doctor", py21.hostport, "--service", py21.service, "--timeout", "2s", "--json")

    assert ran.code == 0
    found = verdicts(ran)
    assert {name for name, verdict in found.items() if verdict == "note"} == {"ping", "reflection"}
    assert "wrong" not in found.values()


async def test_nothing_is_wrong_with_hyperbahn_itself(hyperbahn):
    ran = await run("doctor", hyperbahn.hostports[0], "--service", "hyperbahn", "--json")

    assert ran.code == 0
    assert "wrong" not in verdicts(ran).values()


async def test_hyperbahn_tells_where_a_service_is_and_what_it_routes(hyperbahn, service_name):
    router = hyperbahn.hostports[0]
    async with TChannel(service_name, hostport="127.0.0.1:0") as channel:
        channel.listen()
        before = await run(
            "doctor", channel.hostport, "--service", service_name, "--router", router, "--json"
        )
        assert before.code == 124
        assert verdicts(before)["advertised"] == "wrong"

        await channel.advertise(routers=[router])
        discovered = await run("discover", service_name, "--router", router)
        routes = await run("routes", "--router", router, "--json")
        after = await run(
            "doctor", channel.hostport, "--service", service_name, "--router", router, "--json"
        )

        assert (discovered.code, discovered.out) == (0, f"{channel.hostport}\n")
        assert routes.json[service_name] == {channel.hostport: [router]}
        assert after.code == 0
        assert verdicts(after)["through it"] == "ok"


async def test_a_name_that_hyperbahn_does_not_know_is_declined(hyperbahn):
    ran = await run("discover", "nobody-has-this-name", "--router", hyperbahn.hostports[0])

    assert (ran.code, ran.out) == (4, "")
    assert "nobody has advertised 'nobody-has-this-name'" in ran.err


async def test_top_shows_who_is_up_and_tells_nothing_beside_who_is_down(node4, py21):
    ran = await run("top", node4.hostport, py21.hostport, "127.0.0.1:1", "--once", "--json")

    assert ran.code == 125
    node, python, down = ran.json["hosts"]
    for host in (node, python):
        assert host["down"] is False
        assert "does not tell what it serves" in host["problem"]
    assert down["down"] is True
