"""How calls are counted, by how they ended, at both ends."""

import asyncio

import pytest

import tchannel_wire as wire
from tchannel import TChannel, errors
from tchannel.event import EventType, register_everywhere, unregister_everywhere
from tchannel.lowlevel import Endpoint, inside
from tchannel.options import Options
from tchannel.stats import OTHERS


@pytest.fixture(name="serving")
def serving_fixture(joined):
    """A client and a server in memory, with handlers that end in different ways."""

    @joined.server.raw.register("echo")
    async def echo(request):
        return request.body

    @joined.server.raw.register("plain")
    def plain(request):
        return request.body

    @joined.server.raw.register("never")
    async def never(request):
        await asyncio.get_running_loop().create_future()

    @joined.server.raw.register("busy")
    def busy(request):
        raise errors.BusyError("no")

    @joined.server.raw.register("broken")
    async def broken(request):
        raise KeyError("what")

    @joined.server.json.register("slow")
    async def slow(request):
        joined.clock.now += 0.25
        return {}

    return joined


def row_of(rows, endpoint):
    (row,) = [row for row in rows if row.endpoint == endpoint]
    return row


def rows_at_both_ends(pair, endpoint):
    client, server = pair.client.stats(), pair.server.stats()
    return row_of(client.outgoing, endpoint), row_of(server.incoming, endpoint)


@pytest.mark.parametrize("endpoint", ["echo", "plain"])
async def test_a_response_counts_as_success_at_both_ends(serving, endpoint):
    for _ in range(3):
        await serving.client.raw("server", endpoint, b"", hostport=serving.hostport)

    for row in rows_at_both_ends(serving, endpoint):
        assert (row.service, row.caller) == ("server", "client")
        assert row.outcomes == {"success": 3}
        assert (row.in_flight, row.started, row.latency.count) == (0, 3, 3)


@pytest.mark.parametrize(
    ("endpoint", "outcome"),
    [("busy", "busy"), ("broken", "unexpected-error"), ("nowhere", "bad-request")],
)
async def test_an_error_frame_counts_by_its_code_at_both_ends(serving, endpoint, outcome):
    with pytest.raises(errors.TChannelError):
        await serving.client.raw("server", endpoint, b"", hostport=serving.hostport)

    for row in rows_at_both_ends(serving, endpoint):
        assert row.outcomes == {outcome: 1}
        assert row.errors == row.error_latency.count == 1
    assert rows_at_both_ends(serving, endpoint)[0].attempt_errors == {outcome: 1}


async def test_a_response_with_an_application_error_counts_as_one(serving):
    @serving.server.raw.register("declared")
    def declared(request):
        from tchannel import Response

        return Response(b"", status=1)

    await serving.client.raw("server", "declared", b"", hostport=serving.hostport)

    for row in rows_at_both_ends(serving, "declared"):
        assert row.outcomes == {"app-error": 1}
        assert (row.errors, row.latency.count) == (0, 1)


async def test_a_timeout_is_counted_with_the_time_it_took(serving):
    call = serving.client.raw("server", "never", b"", hostport=serving.hostport, timeout=2)
    await serving.advance(3)
    with pytest.raises(errors.TimeoutError):
        await call

    mine, theirs = rows_at_both_ends(serving, "never")
    assert mine.outcomes == {"timeout": 1}
    assert theirs.outcomes == {"cancelled": 1}  # its caller says so when the time is up
    for row in (mine, theirs):
        assert row.error_latency.percentile(50) == pytest.approx(2, rel=0.07)
        assert (row.in_flight, row.latency.count) == (0, 0)


async def test_a_cancelled_call_is_counted_once_at_both_ends(serving, settle):
    call = serving.client.raw("server", "never", b"", hostport=serving.hostport)
    await settle()
    call.cancel()
    call.cancel()
    await settle()

    for row in rows_at_both_ends(serving, "never"):
        assert row.outcomes == {"cancelled": 1}


async def test_a_lost_connection_is_a_network_error_to_its_caller(serving, settle):
    call = serving.client.raw("server", "never", b"", hostport=serving.hostport, retry_on="n")
    await settle()
    serving.to_server.abort()
    await settle()
    with pytest.raises(errors.NetworkError):
        await call

    mine, theirs = rows_at_both_ends(serving, "never")
    assert mine.outcomes == {"network-error": 1}
    assert theirs.outcomes == {"connection-lost": 1}


async def test_latency_is_by_the_channels_clock(serving):
    await serving.client.json("server", "slow", {}, hostport=serving.hostport)

    for row in rows_at_both_ends(serving, "slow"):
        assert row.latency.percentile(50) == pytest.approx(0.25, rel=0.07)
        assert row.latency.sum == pytest.approx(0.25)


async def test_retries_and_their_attempts_are_counted_beside_the_whole_call(serving):
    answers = iter([errors.BusyError("later"), b"now"])

    @serving.server.raw.register("moody")
    def moody(request):
        serving.clock.now += 0.1
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    call = serving.client.raw(
        "server", "moody", b"", hostport=serving.hostport, retry_limit=1, retry_on="c"
    )
    await serving.advance(1)
    await call

    mine, theirs = rows_at_both_ends(serving, "moody")
    assert mine.outcomes == {"success": 1}
    assert (mine.retries, mine.attempt_errors) == (1, {"busy": 1})
    assert (mine.latency.count, mine.attempt_latency.count) == (1, 1)
    assert mine.attempt_latency.sum == pytest.approx(0.1)
    assert mine.latency.sum >= 0.2
    assert theirs.outcomes == {"success": 1, "busy": 1}


async def test_no_peer_is_an_outcome_of_its_own(make_channel):
    client = make_channel("client")
    with pytest.raises(errors.NoAvailablePeerError):
        await client.raw("server", "echo", b"")

    assert row_of(client.stats().outgoing, "echo").outcomes == {"no-peer": 1}


async def test_a_streamed_answer_is_in_flight_until_its_end(serving):
    go = asyncio.Event()

    @serving.server.raw.register("stream")
    async def stream(request):
        yield b"begin"
        await go.wait()
        yield b"end"

    response = await serving.client.raw(
        "server", "stream", b"", hostport=serving.hostport, stream=True
    )
    assert row_of(serving.client.stats().outgoing, "stream").outcomes == {}
    go.set()
    await response.body.read()

    for row in rows_at_both_ends(serving, "stream"):
        assert row.outcomes == {"success": 1}
        assert row.in_flight == 0


async def test_a_streamed_answer_that_is_read_no_further_was_cancelled(serving, settle):
    @serving.server.raw.register("endless")
    async def endless(request):
        while True:
            yield bytes(50_000)

    response = await serving.client.raw(
        "server", "endless", b"", hostport=serving.hostport, stream=True
    )
    await response.body.aclose()
    await settle()

    assert row_of(serving.client.stats().outgoing, "endless").outcomes == {"cancelled": 1}


async def test_counters_go_without_times(clock, join, settle):
    options = Options(latency_histograms=False)
    client, server = (TChannel(name, clock=clock, options=options) for name in ("client", "server"))
    join(client, server, "127.0.0.1:1")
    server.raw.register("echo", lambda request: request.body)
    await settle()
    await client.raw("server", "echo", b"", hostport="127.0.0.1:1")

    for row in (*client.stats().outgoing, *server.stats().incoming):
        assert row.outcomes == {"success": 1}
        assert not row.latency
    await asyncio.gather(client.close(grace=0), server.close(grace=0))


async def test_a_window_counts_what_happened_in_it(serving):
    await serving.client.raw("server", "echo", b"", hostport=serving.hostport)
    before = serving.server.stats()
    await serving.client.raw("server", "echo", b"", hostport=serving.hostport)
    await serving.client.raw("server", "plain", b"", hostport=serving.hostport)

    window = serving.server.stats().since(before)

    assert {row.endpoint: row.ended for row in window.incoming} == {"echo": 1, "plain": 1}
    assert window.total("incoming").latency.count == 2


async def test_names_that_callers_make_up_are_summed_up_and_real_endpoints_are_told(
    clock, join, settle
):
    client = TChannel("client", clock=clock)
    server = TChannel("server", clock=clock, options=Options(max_stats_rows=8))
    join(client, server, "127.0.0.1:1")
    server.raw.register("echo", lambda request: request.body)
    await settle()

    for number in range(20):
        with pytest.raises(errors.BadRequestError):
            await client.raw(f"made-up-{number}", f"x{number}", b"", hostport="127.0.0.1:1")
    for number in range(20):
        await client.raw(
            "server", "echo", b"", hostport="127.0.0.1:1", caller_name=f"caller-{number}"
        )

    snapshot = server.stats()
    assert len(snapshot.incoming) <= 10
    rows = {(row.endpoint, row.caller): row.ended for row in snapshot.incoming}
    assert rows[OTHERS, OTHERS] == 18
    assert rows["echo", "caller-0"] == 1
    assert rows["echo", OTHERS] == 15
    assert snapshot.total("incoming").ended == 40
    await asyncio.gather(client.close(grace=0), server.close(grace=0))


async def test_what_is_called_in_ever_new_names_is_summed_up(clock, join, settle):
    client = TChannel("client", clock=clock, options=Options(max_stats_rows=3))
    server = TChannel("server", clock=clock)
    join(client, server, "127.0.0.1:1")
    server.raw.register(server.FALLBACK, lambda request: request.body)
    await settle()
    for number in range(10):
        await client.raw("server", f"shard-{number}", b"", hostport="127.0.0.1:1")

    assert [row.ended for row in client.stats().outgoing] == [1, 1, 1, 7]
    assert client.stats().outgoing[-1].endpoint == OTHERS
    assert len(server.stats().incoming) == 10
    await asyncio.gather(client.close(grace=0), server.close(grace=0))


async def test_an_endpoint_object_in_two_channels_is_counted_in_each(clock, join, settle):
    shared = Endpoint("raw", lambda request: b"", None, lambda body: (0, b"", body))
    client, one, other = (TChannel(name, clock=clock) for name in ("client", "one", "other"))
    for port, server in ((1, one), (2, other)):
        server.add_endpoint("shared", shared)
        join(client, server, f"127.0.0.1:{port}")
    await settle()
    await client.raw("one", "shared", b"", hostport="127.0.0.1:1")
    await client.raw("other", "shared", b"", hostport="127.0.0.1:2")

    assert [row.ended for row in one.stats().incoming] == [1]
    assert [row.ended for row in other.stats().incoming] == [1]
    await asyncio.gather(*[each.close(grace=0) for each in (client, one, other)])


class Served:
    """A hook that notes how incoming calls ended."""

    def __init__(self):
        self.ended = []

    def on_call_served(self, request, ended):
        self.ended.append((request.service, request.endpoint, ended.outcome))


def request_in_two_frames(endpoint, second):
    """The bytes of a call whose body goes on in a second frame, with the checksum type of that one."""
    caller = wire.Connection(opener=True, host_port="0.0.0.0:0", process_name="by hand", now=0.0)
    prepared = wire.prepare_call(
        "server", {"as": "raw", "cn": "by hand"}, endpoint, wire.ChecksumType.CRC32
    )
    other = wire.Connection(opener=False, host_port="1.1.1.1:1", process_name="", now=0.0)
    other.receive(caller.data_to_send(), 0.0)
    caller.receive(other.data_to_send(), 0.0)
    caller.call(prepared, b"", bytes(70_000), ttl=10.0, tracing=wire.NO_TRACING, now=0.0)
    frames = wire.FrameBuffer().split(caller.data_to_send())
    frames = [bytearray(frame) for frame in frames]
    frames[0][4:8] = frames[1][4:8] = (1000).to_bytes(4)  # an id that nobody has
    second(frames[1])
    return [bytes(frame) for frame in frames]


def damaged(frame):
    frame[-1] ^= 1


async def test_a_streamed_request_that_is_refused_in_its_body_has_ended(serving, settle):
    hook = serving.server.hooks.register(Served())
    failed = []

    @serving.server.raw.register("upload", stream=True)
    async def upload(request):
        try:
            async for _ in request.body:
                pass
        except errors.TChannelError as error:
            failed.append(error)
            raise

    await settle()
    first, second = request_in_two_frames(b"upload", damaged)
    serving.to_client.protocol.data_received(first)
    await settle()
    assert inside(serving.server).incoming_calls == 1
    serving.to_client.protocol.data_received(second)
    await settle()

    assert inside(serving.server).incoming_calls == 0
    assert serving.server.stats().in_flight == []
    assert hook.ended == [("server", "upload", "bad-request")]
    assert row_of(serving.server.stats().incoming, "upload").outcomes == {"bad-request": 1}
    assert [type(error) for error in failed] in ([], [errors.BadRequestError])


async def test_what_the_wire_refuses_is_told_to_hooks_as_well(serving, settle):
    hook = serving.server.hooks.register(Served())
    await settle()

    for frame in request_in_two_frames(b"echo", damaged):
        serving.to_client.protocol.data_received(frame)
    await settle()

    assert hook.ended == [("server", "echo", "bad-request")]
    (row,) = serving.server.stats().incoming
    assert row.outcomes == {"bad-request": 1}


async def test_a_hook_may_watch_every_channel_those_to_come_as_well(serving, settle):
    hook = Served()
    register_everywhere(hook)
    try:
        async with TChannel("later", clock=serving.clock) as later:
            assert later.hooks.event_emitter.callbacks[EventType.on_call_served] == (
                hook.on_call_served,
            )
            await serving.client.raw("server", "echo", b"", hostport=serving.hostport)
        assert hook.ended == [("server", "echo", "success")]
    finally:
        unregister_everywhere(hook)
    await serving.client.raw("server", "echo", b"", hostport=serving.hostport)
    unregister_everywhere(hook)

    assert hook.ended == [("server", "echo", "success")]
