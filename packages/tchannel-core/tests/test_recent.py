"""The calls that failed last, and those that were slow, as both ends tell them."""

import asyncio
import time
from types import SimpleNamespace

import pytest

from tchannel import TChannel, errors
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.stats import Snapshot

OPTIONS = Options(slow_call=0.2, recent_calls=3, retry_delay=0.001)


@pytest.fixture(name="serving")
async def serving_fixture():
    """A server and a client that keep three calls of each kind, and find 0.2 s slow."""
    server = TChannel("server", hostport="127.0.0.1:0", options=OPTIONS)
    client = TChannel("client", options=OPTIONS)

    @server.raw.register
    async def echo(request):
        return request.body

    @server.raw.register
    async def slow(request):
        await asyncio.sleep(0.21)
        return request.body

    @server.raw.register
    async def broken(request):
        raise KeyError("what " + "x" * 900)

    @server.raw.register
    async def never(request):
        await asyncio.get_running_loop().create_future()

    server.listen()
    yield SimpleNamespace(server=server, client=client)
    await client.close(grace=0)
    await server.close(grace=0)


async def call(serving, endpoint, **options):
    options = {"hostport": serving.server.hostport, **options}
    try:
        await serving.client.raw("server", endpoint, b"", **options)
    except errors.TChannelError as error:
        return error


async def test_what_went_well_and_fast_is_not_kept(serving):
    await call(serving, "echo")

    for channel in (serving.client, serving.server):
        assert (channel.stats().failed, channel.stats().slow) == ([], [])


async def test_a_failed_call_is_told_at_both_ends_with_its_error(serving):
    before = time.time()
    await call(serving, "broken")

    (out,), (in_,) = serving.client.stats().failed, serving.server.stats().failed

    assert (out.direction, in_.direction) == ("outgoing", "incoming")
    for one in (out, in_):
        assert (one.service, one.endpoint, one.caller) == ("server", "broken", "client")
        assert one.outcome == "unexpected-error"
        assert one.error.startswith("KeyError: 'what xxx")
        assert len(one.error) <= 300
        assert before - 1 <= one.ended_at <= time.time() + 1
        assert 0 <= one.seconds < 30
        assert one.attempts == 1
        assert len(one.trace_id) == 16
    assert out.trace_id == in_.trace_id
    assert out.peer == serving.server.hostport
    assert in_.peer == serving.server.stats().connections[0].address


async def test_a_slow_call_is_told_at_both_ends(serving):
    await call(serving, "slow")

    (out,), (in_,) = serving.client.stats().slow, serving.server.stats().slow

    assert out.seconds >= 0.2
    assert in_.seconds >= 0.2
    assert (out.outcome, out.error, in_.outcome, in_.error) == ("success", "", "success", "")
    assert (out.endpoint, in_.endpoint) == ("slow", "slow")
    assert serving.client.stats().failed == []


async def test_a_call_that_nobody_serves_and_one_that_nobody_answers(serving):
    await call(serving, "nowhere")
    await call(serving, "never", timeout=0.05)
    while len(serving.server.stats().failed) < 2:
        await asyncio.sleep(0)

    for channel in (serving.client, serving.server):
        assert [(one.endpoint, one.outcome) for one in channel.stats().failed] == [
            ("never", "timeout"),
            ("nowhere", "bad-request"),
        ]


async def test_a_call_that_was_tried_again_says_how_often(serving):
    await call(serving, "echo", hostport="127.0.0.1:1", retry_limit=2)

    (one,) = serving.client.stats().failed
    assert (one.outcome, one.peer) == ("network-error", "127.0.0.1:1")
    assert "refused" in one.error
    assert one.attempts == 3


async def test_who_cancels_a_call_does_not_fill_the_list(serving):
    pending = serving.client.raw("server", "never", b"", hostport=serving.server.hostport)
    while not serving.server.stats().in_flight:
        await asyncio.sleep(0)

    pending.cancel()
    while serving.server.stats().in_flight:
        await asyncio.sleep(0)

    assert serving.client.stats().failed == []
    assert serving.server.stats().failed == []


async def test_a_caller_that_is_gone_is_told(serving):
    pending = serving.client.raw("server", "never", b"", hostport=serving.server.hostport)
    while not serving.server.stats().in_flight:
        await asyncio.sleep(0)

    for connection in list(inside(serving.client).connections):
        connection.transport.abort()
    with pytest.raises(errors.NetworkError):
        await pending
    while serving.server.stats().in_flight:
        await asyncio.sleep(0)

    (one,) = serving.server.stats().failed
    assert (one.outcome, one.error) == ("connection-lost", "")
    (one,) = serving.client.stats().failed
    assert (one.outcome, one.attempts) == ("network-error", 1)


async def test_no_more_are_kept_than_told_to_and_none_grows_with_its_names(serving):
    long = "e" * 10_000
    for number in range(5):
        await call(serving, f"{number}{long}")

    for channel in (serving.client, serving.server):
        kept = channel.stats().failed
        assert [one.endpoint[0] for one in kept] == ["4", "3", "2"]
        assert max(len(one.endpoint) for one in kept) == 300
        assert len(channel.stats(most=1).failed) == 1


async def test_json_takes_them_there_and_back(serving):
    await call(serving, "broken")
    snapshot = serving.server.stats()

    assert Snapshot.from_dict(snapshot.to_dict()).failed == snapshot.failed


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("slow_call", 0.09, ValueError),
        ("slow_call", 0, ValueError),
        ("slow_call", "1", TypeError),
        ("recent_calls", 0, ValueError),
    ],
)
def test_a_wrong_option_is_named(name, value, error):
    with pytest.raises(error, match=name):
        Options(**{name: value})
