"""What one connection may cost others: work per turn of the loop, time, refusals, memory."""

import asyncio
from collections import Counter

import pytest

import tchannel_wire as wire
from tchannel import errors
from tchannel._links.back_pressure import HOLD_STREAMS
from tchannel._serving import queue
from tchannel.lowlevel import inside
from tchannel.options import Options

KINDS = ["plain", "coroutine"]


def slow_handler(server, clock, kind, seconds, endpoint="work"):
    """Register a handler that takes time of the clock, and return the bodies that it was run with."""
    ran = []

    def work(request):
        ran.append(request.body)
        clock.now += seconds
        return request.body

    async def awork(request):
        return work(request)

    server.raw.register(endpoint, work if kind == "plain" else awork)
    return ran


def call(client, body=b"", timeout=1.0, endpoint="work", hostport="127.0.0.1:1", **kwargs):
    return client.raw(
        "server", endpoint, body, timeout=timeout, hostport=hostport, retry_limit=0, **kwargs
    )


def outcomes(calls):
    return Counter("ok" if c.exception() is None else type(c.exception()).__name__ for c in calls)


async def ended(calls, settle):
    for _ in range(200):
        if all(each.done() for each in calls):
            return
        await settle()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_out_of_time_is_answered_with_timeout_and_never_run(joined, settle, kind):
    ran = slow_handler(joined.server, joined.clock, kind, 0.06)
    calls = [call(joined.client, str(n).encode(), timeout=0.1) for n in range(8)]
    await ended(calls, settle)

    assert outcomes(calls) == {"ok": 2, "TimeoutError": 6}
    assert ran == [b"0", b"1"]
    assert "before the handler began" in str(calls[-1].exception())
    assert inside(joined.server).incoming_calls == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_request_out_of_time_behind_interceptors_is_never_run(joined, settle, kind):
    seen = []

    async def look(call, proceed):
        try:
            return await proceed(call)
        except errors.TimeoutError:
            seen.append(call.arg3)
            raise

    joined.server.interceptors.incoming.append(look)
    ran = slow_handler(joined.server, joined.clock, kind, 0.06)
    calls = [call(joined.client, str(n).encode(), timeout=0.1) for n in range(8)]
    await ended(calls, settle)

    assert ran == [b"0", b"1"]
    assert seen == [b"2", b"3", b"4", b"5", b"6", b"7"]
    assert outcomes(calls) == {"ok": 2, "TimeoutError": 6}


@pytest.mark.parametrize("kind", KINDS)
async def test_answers_leave_between_handlers_not_after_all_that_was_read(joined, settle, kind):
    answered = []

    def work(request):
        answered.append(len(joined.to_client.written))
        joined.clock.now += queue.SHARE
        return b""

    async def awork(request):
        return work(request)

    joined.server.raw.register("work", work if kind == "plain" else awork)
    calls = [call(joined.client) for _ in range(40)]
    await ended(calls, settle)

    assert outcomes(calls) == {"ok": 40}
    # What one turn of the loop starts before anything is measured leaves together, the rest bit by bit.
    assert len(set(answered)) >= (40 if kind == "plain" else 2)


async def test_frames_beyond_those_of_one_turn_wait_for_the_next_and_nothing_is_read(joined):
    await asyncio.sleep(0)
    server_side = joined.to_client.protocol
    before = server_side.wire.replied
    pings = b"".join(wire.encode(wire.PingRequest(id=n)) for n in range(1, 151))
    server_side.data_received(pings)
    pong = 16

    assert (server_side.wire.replied - before) // pong == 64
    assert not joined.to_client.reading
    await asyncio.sleep(0)
    assert (server_side.wire.replied - before) // pong == 128
    await asyncio.sleep(0)
    assert (server_side.wire.replied - before) // pong == 150
    assert joined.to_client.reading


async def test_reasons_to_stop_reading_that_come_and_go_add_no_turns(joined):
    await asyncio.sleep(0)
    server_side = joined.to_client.protocol
    before = server_side.wire.replied
    server_side.data_received(
        b"".join(wire.encode(wire.PingRequest(id=n)) for n in range(1, 64 * 4))
    )
    for _ in range(3):
        server_side.hold(HOLD_STREAMS)
        server_side.release(HOLD_STREAMS)
    pong = 16

    await asyncio.sleep(0)
    assert (server_side.wire.replied - before) // pong == 128
    await asyncio.sleep(0)
    assert (server_side.wire.replied - before) // pong == 192


async def test_frames_are_taken_in_order_however_they_are_cut(joined, settle):
    served = []
    joined.server.raw.register("work", lambda request: served.append(request.body) or b"")
    calls = [call(joined.client, b"%d" % n) for n in range(300)]
    written = joined.to_server.written
    await settle()
    data = b"".join(written)
    assert len(data) > 10_000
    await ended(calls, settle)
    assert served == [b"%d" % n for n in range(300)]


async def test_handlers_of_one_turn_are_bounded_by_their_time(joined, settle):
    turn, turns = 0, []

    def work(request):
        turns.append(turn)
        joined.clock.now += queue.SHARE / 2
        return b""

    joined.server.raw.register("work", work)
    calls = [call(joined.client) for _ in range(30)]
    while not all(each.done() for each in calls):
        turn += 1
        await asyncio.sleep(0)

    assert max(Counter(turns).values()) <= 2


async def test_a_connection_with_one_call_does_not_wait_for_one_with_many(joined, join, settle):
    join(joined.client, joined.server, "127.0.0.1:2")
    await settle()
    ran = slow_handler(joined.server, joined.clock, "plain", 0.003)
    many = [call(joined.client, b"many", timeout=60) for _ in range(200)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    one = call(joined.client, b"one", timeout=60, hostport="127.0.0.1:2")
    await ended([*many, one], settle)

    assert outcomes([*many, one]) == {"ok": 201}
    assert ran.index(b"one") < 12


@pytest.mark.parametrize("kind", KINDS)
async def test_what_cannot_start_within_its_ttl_is_refused_busy_when_it_is_read(
    joined, settle, kind
):
    ran = slow_handler(joined.server, joined.clock, kind, 0.01)
    calls = [call(joined.client) for _ in range(600)]
    await ended(calls, settle)

    count = outcomes(calls)
    assert count["ok"] == len(ran)
    assert count["ok"] >= 70  # of the hundred that one second has room for
    assert count["BusyError"] >= 150  # the others were read before there was a delay to be seen
    busy = next(c.exception() for c in calls if isinstance(c.exception(), errors.BusyError))
    assert "overloaded: a handler would begin after about" in str(busy)


async def test_a_queue_that_is_empty_again_leaves_no_trace(joined, settle):
    slow_handler(joined.server, joined.clock, "plain", 0.01)
    calls = [call(joined.client) for _ in range(600)]
    await ended(calls, settle)
    await joined.advance(1)
    later = call(joined.client)
    await ended([later], settle)
    assert outcomes([later]) == {"ok": 1}
    assert not inside(joined.server).queue.active
    assert len(inside(joined.server).queue) == 0


async def test_polls_that_wait_within_their_handlers_are_not_refused(joined, settle):
    go = asyncio.Event()

    async def poll(request):
        await go.wait()
        return b""

    joined.server.raw.register("poll", poll)
    calls = [call(joined.client, endpoint="poll", timeout=60) for _ in range(1000)]
    await settle()
    await joined.advance(59)
    assert inside(joined.server).incoming_calls == 1000
    go.set()
    await ended(calls, settle)
    assert outcomes(calls) == {"ok": 1000}


async def test_a_batch_that_fits_into_its_ttl_is_served_whole(joined, settle):
    ran = slow_handler(joined.server, joined.clock, "plain", 0.004)
    calls = [call(joined.client, timeout=60) for _ in range(10_000)]
    for _ in range(60):
        await ended(calls, settle)
    assert outcomes(calls) == {"ok": 10_000}
    assert len(ran) == 10_000


async def test_one_long_pause_does_not_make_the_next_requests_busy(joined, settle):
    pauses = iter([5.0])

    def work(request):
        joined.clock.now += next(pauses, 0.0)
        return b""

    joined.server.raw.register("work", work)
    calls = [call(joined.client, timeout=60) for _ in range(200)]
    await settle()
    later = [call(joined.client, timeout=1) for _ in range(200)]
    await ended([*calls, *later], settle)
    assert outcomes([*calls, *later]) == {"ok": 400}


async def test_a_request_that_is_cancelled_while_it_queues_is_never_run(joined, settle):
    ran = slow_handler(joined.server, joined.clock, "plain", 0.003)
    calls = [call(joined.client, b"%d" % n, timeout=60) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls[-1].cancel()
    await ended(calls, settle)
    assert b"49" not in ran
    assert inside(joined.server).incoming_calls == 0


async def test_a_connection_gets_no_more_turns_by_cancelling_what_queues(joined, join, settle):
    join(joined.client, joined.server, "127.0.0.1:2")
    await settle()
    ran = slow_handler(joined.server, joined.clock, "plain", 0.003)
    to_server = joined.to_server.protocol.wire
    first = call(joined.client, timeout=60)
    read = to_server.data_to_send()
    for _ in range(20):
        cancelled = call(joined.client, timeout=60)
        read += to_server.data_to_send()
        cancelled.cancel()
        read += to_server.data_to_send()
    greedy = [call(joined.client, b"greedy", timeout=60) for _ in range(20)]
    read += to_server.data_to_send()
    joined.to_client.protocol.data_received(read)  # the first is served, and the others queue
    greedy += [call(joined.client, b"greedy", timeout=60) for _ in range(40)]
    fair = [call(joined.client, b"fair", timeout=60, hostport="127.0.0.1:2") for _ in range(10)]
    await ended([first, *greedy, *fair], settle)

    assert outcomes([first, *greedy, *fair]) == {"ok": 71}
    last = len(ran) - 1 - ran[::-1].index(b"fair")
    assert last < 25


async def test_what_queues_for_a_connection_that_ends_is_never_run(joined, settle):
    ran = slow_handler(joined.server, joined.clock, "plain", 0.003)
    calls = [call(joined.client, timeout=60) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    joined.to_server.abort()
    await ended(calls, settle)
    assert len(ran) < 50
    assert inside(joined.server).incoming_calls == 0
    assert len(inside(joined.server).queue) == 0


# -- memory -----------------------------------------------------------------------------------


@pytest.fixture
def limited(make_channel, join, settle):
    async def make(connections=1, **options):
        client = make_channel("client")
        server = make_channel("server", options=Options(**options))
        ends = [join(client, server, f"127.0.0.1:{n}") for n in range(1, connections + 1)]
        await settle()
        return client, server, ends

    return make


@pytest.fixture(autouse=True)
async def closed(make_channel, clock):
    yield
    closing = [channel.close(grace=1) for channel in make_channel.made]
    for _ in range(10):
        await clock.advance(1)
    await asyncio.gather(*closing)


def unfinished(id, size, last=False):
    """The first frame of a request that goes on."""
    return wire.encode(
        wire.CallRequest(
            id=id,
            flags=0 if last else wire.MORE_FRAGMENTS,
            ttl_ms=60_000,
            tracing=wire.NO_TRACING,
            service="server",
            headers={"as": "raw", "cn": "peer"},
            checksum_type=wire.ChecksumType.NONE,
            chunks=[b"work", b"", b"x" * size],
        )
    )


async def test_unfinished_requests_of_all_connections_have_one_bound(limited):
    _, server, ends = await limited(10, incoming_memory=1_000_000)
    for n in range(1, 20):
        for _, to_client in ends:
            to_client.protocol.data_received(unfinished(n, 50_000))
        assert inside(server).incoming_bytes <= 1_000_000
    assert inside(server).incoming_bytes > 500_000


async def test_who_has_most_unfinished_requests_gives_way_to_others(limited, settle):
    client, server, ends = await limited(3, incoming_memory=1_000_000)
    server.raw.register("work", lambda request: b"%d" % len(request.body))
    for n in range(1, 19):
        ends[0][1].protocol.data_received(unfinished(1000 + n, 50_000))
    held = inside(server).incoming_bytes
    answer = call(client, b"y" * 400_000, hostport="127.0.0.1:2")
    await ended([answer], settle)

    assert held > 900_000
    assert (await answer).body == b"400000"
    assert server.stats().limits_reached == {"incoming_memory": 18}
    assert inside(server).incoming_bytes == 0


async def test_streamed_bodies_of_all_connections_have_one_bound_and_go_on(limited, clock, settle):
    client, server, ends = await limited(
        4, incoming_memory=1_000_000, stream_buffer=10_000_000, write_buffer=10_000_000
    )
    go = asyncio.Event()

    async def put(request):
        await go.wait()
        return b"%d" % len(await request.body.read())

    server.raw.register("put", put, stream=True)

    async def body():
        for _ in range(10):
            yield b"z" * 60_000
        await go.wait()

    calls = [
        call(client, body(), endpoint="put", timeout=60, hostport=f"127.0.0.1:{n}")
        for n in range(1, 5)
    ]
    await settle(200)
    held = inside(server).incoming_bytes
    assert 900_000 < held <= 1_000_000 + 4 * 300_000  # one read of each connection more
    assert not all(to_client.reading for _, to_client in ends)
    go.set()
    for _ in range(20):
        await settle()
    assert [(await each).body for each in calls] == [b"600000"] * 4
    assert inside(server).incoming_bytes == 0


async def test_of_one_read_no_more_is_served_than_the_write_buffer_holds(limited, settle):
    client, server, [(to_server, to_client)] = await limited(write_buffer=1_000_000)
    ran = []

    def big(request):
        ran.append(1)
        return b"x" * 200_000

    server.raw.register("work", big)
    to_server.pause_reading()
    calls = [call(client, timeout=60) for _ in range(50)]
    await settle()
    assert len(ran) <= 12
    assert to_client.protocol.wire.buffered <= 2_500_000
    to_server.resume_reading()
    for _ in range(20):
        await settle()
    assert outcomes(calls) == {"ok": 50}
    assert inside(server).unsent_bytes == 0


async def test_answers_that_wait_for_slow_readers_have_one_bound(limited, settle):
    client, server, ends = await limited(5, write_buffer=10_000_000, unsent_memory=2_000_000)
    go = asyncio.Event()

    async def big(request):
        await go.wait()
        return b"x" * 200_000

    server.raw.register("work", big)
    calls = [
        call(client, timeout=60, hostport=f"127.0.0.1:{n}") for n in range(1, 6) for _ in range(20)
    ]
    await settle()
    for to_server, _ in ends:
        to_server.pause_reading()
    go.set()
    await settle()
    waiting = sum(to_client.protocol.wire.buffered for _, to_client in ends)
    assert waiting < 5_000_000
    for to_server, _ in ends:
        to_server.resume_reading()
    for _ in range(40):
        await settle()
    count = outcomes(calls)
    assert set(count) == {"ok", "UnexpectedError"}
    assert count["ok"] >= 10
    assert inside(server).unsent_bytes == 0


async def test_nothing_is_written_to_a_transport_that_closes(limited, settle):
    client, server, [(_, to_client)] = await limited(write_buffer=1_000_000)

    def big(request):
        to_client.closing = True  # as after a write that failed: it asserts that nothing is written
        return b"x" * 300_000

    server.raw.register("work", big)
    calls = [call(client, timeout=60) for _ in range(10)]
    await settle()
    to_client._end()
    await ended(calls, settle)
    assert outcomes(calls) == {"NetworkError": 10}


async def test_streamed_bodies_on_their_way_when_reading_stops_have_a_bound_too(
    limited, settle, monkeypatch
):
    monkeypatch.setattr("tchannel._links.memory._ON_THE_WAY", 100_000)
    client, server, _ = await limited(
        20, incoming_memory=1_000_000, stream_buffer=10_000_000, write_buffer=10_000_000
    )
    go = asyncio.Event()

    async def put(request):
        await go.wait()
        return b"%d" % len(await request.body.read())

    server.raw.register("put", put, stream=True)

    async def body():
        for _ in range(10):
            yield b"z" * 60_000
        await go.wait()

    calls = [
        call(client, body(), endpoint="put", timeout=60, hostport=f"127.0.0.1:{n}")
        for n in range(1, 21)
    ]
    await settle(200)
    assert inside(server).incoming_bytes <= 1_000_000 + 100_000 + 300_000
    count = outcomes([each for each in calls if each.done()])
    assert set(count) == {"BusyError"}
    assert inside(server).incoming_calls == 20 - count["BusyError"] >= 1
    assert server.stats().limits_reached == {"incoming_memory": count["BusyError"]}
    go.set()
    await ended(calls, settle)
    assert outcomes(calls)["ok"] == 20 - count["BusyError"]
    assert inside(server).incoming_bytes == 0
