"""Peers that vanish without a word; time moves by hand."""

import asyncio
import itertools
import logging
import socket

import pytest

import tchannel_wire as wire
from tchannel import errors
from tchannel._links.keepalive import TRANSITIONS, PingInput, PingState, after
from tchannel.lowlevel import inside
from tchannel.options import Options


@pytest.fixture
def work(joined):
    """The server answers ``echo`` at once, and ``hang`` never."""
    joined.server.raw.register("echo", lambda request: request.body)

    @joined.server.raw.register
    async def hang(request):
        await asyncio.Event().wait()

    return joined


@pytest.fixture
def known(joined):
    """The client knows its server, so that penalties can be seen."""
    peer = joined.client.peers.add(joined.hostport)
    joined.client.peers.file(peer)
    return peer


def state(joined):
    keepalive = inside(joined.client).peers_table.keepalive
    return keepalive._watched[joined.to_server.connection].state


def pings(transport):
    """How many pings were written on it."""
    return sum(
        frame[2] == wire.FrameType.PING_REQUEST
        for data in transport.written
        for frame in frames(data)
    )


def frames(data):
    while data:
        size = int.from_bytes(data[:2], "big")
        yield data[:size]
        data = data[size:]


def vanish(joined):
    """Nothing passes any more, and nobody is told."""
    joined.to_server.cut = joined.to_client.cut = True


def call(joined, endpoint="echo", **kwargs):
    return joined.client.raw("server", endpoint, hostport=joined.hostport, **kwargs)


# -- the machine ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "input"), list(itertools.product(PingState, PingInput)))
def test_every_pair_is_in_the_table_or_raises(before, input):
    if input in TRANSITIONS[before]:
        assert after(before, input) is TRANSITIONS[before][input]
    else:
        with pytest.raises(RuntimeError, match="a peer that is"):
            after(before, input)


# -- learning -----------------------------------------------------------------------------------------


async def test_whether_a_peer_answers_pings_is_learnt_in_the_first_quiet_second(work):
    assert state(work) is PingState.UNKNOWN
    await work.advance(1)
    assert pings(work.to_server) == 1
    assert state(work) is PingState.ANSWERS


async def test_a_busy_connection_is_asked_all_the_same(work):
    for _ in range(12):
        await call(work)
        await work.advance(0.5)
    assert state(work) is PingState.ANSWERS
    assert pings(work.to_server) == 1


async def test_a_peer_that_answers_no_pings_is_asked_once(work, make_mute):
    make_mute(work.to_server)
    for _ in range(30):
        await call(work)
        await work.advance(4)
    assert state(work) is PingState.MUTE
    assert pings(work.to_server) == 1


async def test_an_idle_connection_is_pinged_once_a_minute(work):
    await call(work)  # one that never carries a call is closed after a minute
    await work.advance(600)
    assert pings(work.to_server) in {10, 11}
    assert pings(work.to_client) == 0
    assert work.to_server.connection in inside(work.client).connections


async def test_without_keepalive_nobody_is_pinged(make_channel, join, clock):
    client = make_channel("client", options=Options(keepalive=False))
    server = make_channel("server")
    mine, _ = join(client, server, "127.0.0.1:1")
    await clock.advance(200)
    assert pings(mine) == 0
    for channel in (client, server):
        closing = channel.close(grace=0)
        await clock.advance(5)
        await closing


# -- silence ------------------------------------------------------------------------------------------


async def test_while_a_call_waits_silence_is_found_within_ten_seconds(work, known, caplog):
    await work.advance(2)
    waiting = call(work, "hang", timeout=60)
    await work.advance(0)
    vanish(work)
    await work.advance(9)

    assert state(work) is PingState.SILENT
    assert known.connections == []
    assert known.penalty
    assert not waiting.done()  # it keeps its own deadline
    assert "is silent (it answers no ping, and nothing came for" in caplog.text


async def test_on_an_idle_connection_the_first_call_that_times_out_finds_it(work, known):
    await work.advance(30)
    vanish(work)
    await work.advance(10)
    first = call(work, timeout=1)
    await work.advance(1.1)

    assert isinstance(first.exception(), errors.TimeoutError)
    assert known.connections == []
    assert known.penalised_until > work.clock.now


async def test_a_retry_of_the_call_that_found_it_goes_elsewhere(work, join, make_channel, known):
    other = make_channel("other")
    other.raw.register("echo", lambda request: b"other")
    join(work.client, other, "127.0.0.1:2")
    await work.advance(30)
    vanish(work)
    work.client.peers.add("127.0.0.1:2")
    other_peer = inside(work.client).peers_table.peers["127.0.0.1:2"]
    answers = []
    for _ in range(10):
        made = work.client.raw("server", "echo", timeout=1, retry_on="ct")
        await work.advance(2)
        answers.append((await made).body)

    assert answers == [b"other"] * 10
    assert other_peer.connections
    closing = other.close(grace=0)
    await work.advance(5)
    await closing


async def test_a_peer_that_only_was_slow_comes_back(work, known):
    await work.advance(2)
    connection = work.to_server.connection
    work.to_client.pause_reading()  # its handler blocks the loop for 12 s
    waiting = call(work, timeout=60)
    await work.advance(12)
    assert known.connections == []

    work.to_client.resume_reading()
    await work.advance(1)

    assert (await waiting).body == b""
    assert known.connections == [connection]
    assert not known.penalised_until
    assert state(work) in {PingState.ANSWERS, PingState.UNKNOWN}


async def test_a_handler_that_is_slow_costs_its_peer_no_connection(work, known):
    await work.advance(2)
    connection = work.to_server.connection
    for _ in range(5):
        slow = call(work, "hang", timeout=0.2)
        await work.advance(0.3)
        assert isinstance(slow.exception(), errors.TimeoutError)
        assert known.connections == [connection]  # it answers the ping that followed
        assert not known.penalised_until


async def test_a_call_that_times_out_while_others_are_answered_is_no_sign(work, known):
    await work.advance(2)
    sent = pings(work.to_server)
    slow = call(work, "hang", timeout=2)
    for _ in range(5):
        await call(work)
        await work.advance(0.5)
    assert slow.done()
    assert pings(work.to_server) == sent
    assert known.connections == [work.to_server.connection]


async def test_of_a_peer_that_answers_no_pings_a_short_silence_is_no_sign(work, known, make_mute):
    make_mute(work.to_server)
    for _ in range(3):
        await call(work)
        await work.advance(4)
    assert state(work) is PingState.MUTE
    await call(work)
    vanish(work)
    for _ in range(2):
        short = call(work, timeout=1)
        await work.advance(1.1)
        assert short.done()
        assert known.connections
    last = call(work, timeout=1)
    await work.advance(1.1)
    assert last.done()
    assert known.connections == []


async def test_a_caller_that_is_slow_can_still_be_called_back(work):
    @work.client.raw.register
    async def hang(request):
        await asyncio.Event().wait()

    work.client.raw.register("echo", lambda request: request.body)
    caller = work.to_client.connection.address
    slow = work.server.raw("client", "hang", hostport=caller, timeout=20)
    await work.advance(21)
    assert isinstance(slow.exception(), errors.TimeoutError)
    assert (await work.server.raw("client", "echo", b"x", hostport=caller)).body == b"x"


async def test_before_it_is_known_to_answer_pings_a_peer_is_chosen_last_at_the_first_sign(
    work, known
):
    vanish(work)
    made = call(work, timeout=0.2)
    await work.advance(0.3)
    assert made.done()
    assert known.penalised_until > work.clock.now
    assert known.connections == [work.to_server.connection]


async def test_long_polls_to_a_peer_that_answers_no_pings_are_left_alone(work, known, make_mute):
    make_mute(work.to_server)
    poll = call(work, "hang", timeout=300)
    await work.advance(200)
    assert not poll.done()
    assert known.connections == [work.to_server.connection]


async def test_a_second_silent_period_without_calls_ends_the_connection(work):
    await work.advance(2)
    waiting = call(work, "hang", timeout=20)
    await work.advance(0)
    vanish(work)
    await work.advance(19)
    assert work.to_server.connection in inside(work.client).connections
    await work.advance(2)
    assert isinstance(waiting.exception(), errors.TimeoutError)
    assert work.to_server.connection not in inside(work.client).connections


async def test_a_connection_that_was_replaced_is_closed_when_it_comes_back(work, join, known):
    await work.advance(2)
    work.to_client.pause_reading()
    waiting = call(work, timeout=60)
    await work.advance(9)
    fresh, _ = join(work.client, work.server, work.hostport)
    await work.advance(0)
    work.to_client.resume_reading()
    await work.advance(3)

    assert (await waiting).body == b""
    assert known.connections == [fresh.connection]
    assert work.to_server.connection not in inside(work.client).connections


# -- whom not to ping -----------------------------------------------------------------------------------


async def test_a_peer_that_drains_is_not_pinged(work):
    await work.advance(2)
    before = pings(work.to_server)
    work.to_client.connection.wire.drain("leaving")
    work.to_client.connection.flush_soon()
    await work.advance(200)
    assert pings(work.to_server) == before


async def test_tchannel_go_is_not_pinged_while_calls_wait(work):
    work.to_server.connection.wire.remote.headers["tchannel_language"] = "go"
    call(work, "hang", timeout=30)
    await work.advance(29)
    assert pings(work.to_server) == 0
    await work.advance(3)
    assert pings(work.to_server) == 1


# -- the kernel -------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has none")
async def test_the_kernel_is_asked_to_look_too_on_both_sides(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.raw.register("e", lambda request: b"")
    server.listen()
    clients = [tcp("client"), tcp("without", options=Options(keepalive=False))]
    for client in clients:
        await client.raw("server", "e", hostport=server.hostport)

    for channel in (server, clients[0]):
        for connection in inside(channel).connections:
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
    (connection,) = inside(clients[1]).connections
    sock = connection.transport.get_extra_info("socket")
    assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_looking_leaves_no_timer_behind(joined, clock):
    await joined.advance(2)
    joined.to_server.abort()
    await joined.advance(2)
    assert inside(joined.client).connections == set()
    assert inside(joined.client).peers_table.keepalive._timer is None


async def test_lines_about_silence_say_whose_it_is(work, caplog):
    caplog.set_level(logging.INFO)
    await work.advance(30)
    vanish(work)
    call(work, timeout=1)
    await work.advance(20)
    lines = [record for record in caplog.records if "silent" in record.message]
    assert [record.peer for record in lines] == [work.hostport] * 2
