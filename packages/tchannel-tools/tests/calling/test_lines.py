"""Connections that many calls go over."""

import asyncio
import json

import pytest

pytest.importorskip("hdrh", reason="the extra `load`")

from tchannel import errors
from tchannel.lowlevel import inside
from tchannel_tools._calling.calls import Message, Target
from tchannel_tools._calling.lines import Lines, Request, outcome_of
from tchannel_tools._calling.load import OK
from tchannel_tools._terminal.failures import ToolError

pytestmark = pytest.mark.extra


@pytest.fixture
async def lines():
    """Make lines to peers; closed with the test."""
    made = []

    def make(*peers, count=None, timeout=5.0):
        target = Target("keyvalue-server", peers, "load", timeout)
        made.append(Lines(target, None, len(peers) if count is None else count))
        return made[-1]

    yield make
    for one in made:
        await one.close()


def request(endpoint="echo", body=b"hi", **options):
    return Request("keyvalue-server", Message("raw", endpoint, b"", body), **options)


async def test_calls_go_over_each_connection_in_turn(lines, service):
    callers = []

    @service.raw.register("who")
    def who(request):
        callers.append(request.transport.caller_name)
        return ""

    found = lines(service.hostport, count=3)
    await found.connect()

    assert len(inside(service).connections) == 3
    for _ in range(6):
        assert outcome_of(await ended(found.call(request("who")))) is OK
    assert callers == ["load"] * 6


async def ended(call):
    await asyncio.wait([call])
    return call


async def test_connections_are_spread_over_the_peers(lines, service, tcp):
    other = tcp("keyvalue-server")
    other.listen()

    await lines(service.hostport, other.hostport, count=4).connect()

    assert [len(inside(one).connections) for one in (service, other)] == [2, 2]


async def test_fewer_connections_than_peers_are_a_mistake(lines):
    with pytest.raises(ToolError, match="--connections 1 does not reach all of the 2 peers"):
        lines("127.0.0.1:1", "127.0.0.1:2", count=1)


async def test_a_peer_that_is_not_there_is_told_before_any_call(lines, service, unused_port):
    with pytest.raises(ToolError, match="nothing listens there; is the service running"):
        await lines(service.hostport, f"127.0.0.1:{unused_port}").connect()


async def test_the_ways_in_which_a_call_ends_are_told_apart(lines, service):
    @service.raw.register("busy")
    def busy(request):
        raise errors.BusyError("too much to do")

    @service.raw.register("never")
    async def never(request):
        await asyncio.Event().wait()

    found = lines(service.hostport, timeout=0.2)
    await found.connect()
    told = {}
    for endpoint in ("echo", "sorry", "busy", "nowhere", "never"):
        outcome = outcome_of(await ended(found.call(request(endpoint))))
        told[endpoint] = (outcome.exit_code, outcome.name)

    assert told == {
        "echo": (0, "ok"),
        "sorry": (126, "application error"),
        "busy": (3, "busy"),
        "nowhere": (6, "bad-request"),
        "never": (1, "timeout"),
    }


async def test_a_connection_that_fails_is_no_error_of_the_peers(lines, service):
    found = lines(service.hostport, timeout=1.0)
    await found.connect()
    await service.close(grace=0)

    outcome = outcome_of(await ended(found.call(request())))

    assert (outcome.exit_code, outcome.name) == (7, "connection failed")


async def test_keys_for_routers_are_sent(lines, service):
    found = lines(service.hostport)
    call = await ended(
        found.call(
            Request(
                *("keyvalue-server", Message("json", "info", b"", b"{}")),
                *("a shard", "a delegate", "a key"),
            )
        )
    )

    assert json.loads(call.result().body) == {
        "caller": "load",
        "shard_key": "a shard",
        "routing_delegate": "a delegate",
        "routing_key": "a key",
    }
