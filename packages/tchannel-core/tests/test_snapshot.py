"""What a channel tells of itself: calls in flight, connections, peers, limits."""

import asyncio

import pytest

from tchannel import TChannel
from tchannel.options import Options


@pytest.fixture(name="held")
def held_fixture(joined):
    """A client and a server in memory, whose handler waits until ``held.go`` is set."""
    joined.go = asyncio.Event()

    @joined.server.raw.register("wait")
    async def wait(request):
        await joined.go.wait()
        return request.body

    return joined


async def test_a_call_in_flight_is_told_at_both_ends_with_its_age(held, settle):
    call = held.client.raw("server", "wait", b"", hostport=held.hostport, timeout=30)
    await held.advance(2)

    (out,), (in_,) = held.client.stats().in_flight, held.server.stats().in_flight

    assert (out.direction, in_.direction) == ("outgoing", "incoming")
    for one in (out, in_):
        assert (one.service, one.endpoint, one.caller) == ("server", "wait", "client")
        assert one.age == pytest.approx(2)
        assert one.deadline_left == pytest.approx(28)
        assert one.waits == ""
    assert out.peer == held.hostport
    assert out.id == in_.id
    assert out.trace_id == in_.trace_id
    (row,) = held.server.stats().incoming
    assert (row.in_flight, row.ended) == (1, 0)
    held.go.set()
    await call
    assert held.client.stats().in_flight == []
    assert held.server.stats().incoming_in_flight == 0


async def test_the_oldest_calls_come_first_and_no_more_than_asked_for(held):
    calls = []
    for _ in range(3):
        calls.append(held.client.raw("server", "wait", b"", hostport=held.hostport))
        await held.advance(1)

    snapshot = held.client.stats(most=2)

    assert [round(one.age) for one in snapshot.in_flight] == [3, 2]
    assert snapshot.outgoing_in_flight == 3
    held.go.set()
    await asyncio.gather(*calls)


async def test_a_call_that_waits_for_a_connection_says_so(clock):
    client = TChannel("client", clock=clock, known_peers=["192.0.2.1:4040"])
    call = client.raw("server", "echo", b"")

    snapshot = client.stats()

    (one,) = snapshot.in_flight
    assert (one.waits, one.id, one.peer) == ("connection", None, "192.0.2.1:4040")
    (peer,) = snapshot.peers
    assert (peer.state, peer.waiting, peer.known) == ("connecting", 1, True)
    call.cancel()
    assert client.stats().in_flight == []
    await client.close(grace=0)


async def test_a_connection_tells_its_bytes_and_calls_both_ways(held):
    held.go.set()
    await held.client.raw("server", "wait", bytes(1000), hostport=held.hostport)
    await held.advance(0.5)

    (mine,) = held.client.stats().connections
    (theirs,) = held.server.stats().connections

    assert (mine.direction, theirs.direction) == ("outgoing", "incoming")
    assert mine.bytes_sent == theirs.bytes_received > 1000
    assert mine.bytes_received == theirs.bytes_sent > 1000
    assert (mine.calls_sent, mine.calls_received) == (1, 0)
    assert (theirs.calls_sent, theirs.calls_received) == (0, 1)
    assert mine.idle == pytest.approx(0.5)
    assert mine.age == pytest.approx(0.5)
    assert (mine.state, mine.tls) == ("open", False)
    assert mine.process_name == held.server.process_name


async def test_bytes_and_attempts_outlive_their_connection(held, settle):
    held.client.peers.add(held.hostport)
    held.go.set()
    await held.client.raw("server", "wait", bytes(1000))
    before = held.client.stats()
    held.to_server.abort()
    await settle()

    after = held.client.stats()

    assert after.connections == []
    assert after.bytes_sent == before.bytes_sent > 1000
    assert after.bytes_received == before.bytes_received > 1000
    assert after.connections_made == {"incoming": 0, "outgoing": 1}
    assert [peer.chosen for peer in after.peers] == [1]


async def test_limits_say_how_near_they_are(held):
    call = held.client.raw("server", "wait", bytes(5000), hostport=held.hostport)
    await held.advance(0)

    limits = {limit.name: limit for limit in held.server.stats().limits}

    assert (limits["max_calls"].used, limits["max_calls_per_connection"].used) == (1, 1)
    assert limits["max_connections"].used == 1
    assert limits["incoming_memory"].used == 5000
    assert limits["incoming_memory"].share == 5000 / limits["incoming_memory"].limit
    held.go.set()
    await call


async def test_a_peer_that_was_penalised_says_for_how_long(clock):
    client = TChannel("client", clock=clock, options=Options(penalty_min=8, penalty_max=8))
    client.use_loop()
    peer = client.peers.add("192.0.2.1:4040")
    client.peers.penalise(peer, clock.time())
    await clock.advance(1)

    (told,) = client.stats().peers

    assert told.state == "penalised"
    assert told.penalty == 8
    assert 5 <= told.penalised_for <= 7
    await client.close(grace=0)


async def test_the_lag_of_the_loop_is_measured_once_somebody_has_looked():
    async with TChannel("svc") as channel:
        assert channel.stats().loop_lag.last is None
        await asyncio.sleep(0.25)

        lag = channel.stats().loop_lag

        assert lag.histogram.count >= 1
        assert 0 <= lag.last <= lag.longest


async def test_peers_that_failed_come_first_and_callers_last(clock, running):
    server = await running("server", clock=clock)
    caller = await running("caller")
    server.peers.add("192.0.2.1:4040")
    failed = server.peers.add("192.0.2.2:4040")
    server.peers.penalise(failed, clock.time())
    await caller.raw("server", "echo", b"", hostport=server.hostport)

    snapshot = server.stats()

    assert [(peer.hostport, peer.known) for peer in snapshot.peers[:2]] == [
        ("192.0.2.2:4040", True),
        ("192.0.2.1:4040", True),
    ]
    assert [peer.known for peer in snapshot.peers[2:]] == [False]
    for most in range(4):
        part = server.stats(most)
        assert [one.hostport for one in part.peers] == [
            one.hostport for one in snapshot.peers[:most]
        ]
        assert part.peers_total == 3


async def test_connections_without_calls_are_told_after_the_busy_ones(running):
    server, idle, busy = await running("server"), await running("idle"), await running("busy")
    await idle.raw("server", "echo", b"", hostport=server.hostport)
    call = busy.raw("server", "wait", b"", hostport=server.hostport)
    while not server.stats().in_flight:
        await asyncio.sleep(0)

    assert [one.pending_received for one in server.stats().connections] == [1, 0]
    assert [one.pending_received for one in server.stats(1).connections] == [1]
    assert server.stats(0).connections == []
    assert server.stats(0).connections_open == {"incoming": 2, "outgoing": 0}
    call.cancel()


@pytest.fixture
async def running():
    """A function that gives a channel that listens and has the endpoints "echo" and "wait"."""
    made = []

    async def start(name, **options):
        channel = TChannel(name, hostport="127.0.0.1:0", **options)
        channel.listen()
        made.append(channel)

        @channel.raw.register
        async def echo(request):
            return request.body

        @channel.raw.register
        async def wait(request):
            await asyncio.sleep(60)

        return channel

    yield start
    for channel in made:
        await channel.close(grace=0)
