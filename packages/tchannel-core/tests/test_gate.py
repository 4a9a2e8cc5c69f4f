"""How many connections others may open, and for how long without using them."""

import asyncio
import logging
import resource

import pytest

import tchannel_wire as wire
from tchannel._links.connection import Connection
from tchannel._links.gate import Gate
from tchannel.lowlevel import inside
from tchannel.options import Options


class Transport(asyncio.Transport):
    """An end of a connection that somebody opened to us, who never reads."""

    def __init__(self, protocol):
        super().__init__({"peername": ""})
        self.protocol = protocol
        self.closing = False
        self.written = []

    def is_closing(self):
        return self.closing

    def write(self, data):
        self.written.append(bytes(data))

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def close(self):
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


@pytest.fixture
async def server(make_channel, clock, settle):
    """A function that makes a channel with limits, and one that opens connections to it."""

    def make(**options):
        channel = make_channel("server", options=Options(**options))
        channel.raw.register("work", lambda request: b"")
        channel.use_loop()

        def connect(*, shake=True):
            connection = Connection(inside(channel), None)
            connection.connection_made(Transport(connection))
            if shake:
                headers = {"host_port": "0.0.0.0:0", "process_name": "q"}
                connection.data_received(wire.encode(wire.InitRequest(id=1, headers=headers)))
            return connection

        return channel, connect

    yield make
    for channel in make_channel.made:
        closing = channel.close(grace=0)
        for _ in range(10):
            await clock.advance(1)
        await closing


def call(connection, id=5, **fields):
    """Let a call come on a connection."""
    request = {
        "ttl_ms": 1000,
        "tracing": wire.NO_TRACING,
        "service": "server",
        "headers": {"as": "raw", "cn": "caller"},
        "chunks": [b"work", b"", b""],
    }
    connection.data_received(wire.encode(wire.CallRequest(id=id, **{**request, **fields})))


def pong(connection):
    """Answer the ping behind the notice that a connection is to be closed."""
    frame = wire.encode(wire.PingResponse(id=connection.drain_ping))
    connection.data_received(frame)


def closing(connections):
    return [connection.transport.is_closing() for connection in connections]


async def test_at_the_limit_the_one_goes_that_has_been_of_no_use_for_longest(server, settle):
    channel, connect = server(max_connections=3)
    connections = [connect() for _ in range(3)]
    call(connections[0])
    connections += [connect()]
    assert closing(connections) == [False, True, False, False]
    await settle()
    call(connections[2], chunks=[b"work", b"", b"x"], checksum_type=wire.ChecksumType.NONE)
    connections += [connect()]
    assert closing(connections) == [False, True, False, True, False]
    await settle()
    assert len(inside(channel).connections) == 3


async def test_where_all_have_calls_under_way_the_new_one_goes(server, settle):
    channel, connect = server(max_connections=2)
    channel.raw.register("wait", lambda request: asyncio.get_running_loop().create_future())
    connections = [connect() for _ in range(2)]
    for connection in connections:
        call(connection, chunks=[b"wait", b"", b""])
    await settle()
    assert closing([*connections, connect()]) == [False, False, True]
    await settle()
    assert len(inside(channel).connections) == 2


async def test_where_all_have_carried_calls_the_one_goes_that_was_quiet_for_longest(
    server, clock, settle
):
    channel, connect = server(max_connections=3)
    channel.raw.register("wait", lambda request: asyncio.get_running_loop().create_future())
    waiting, quiet, latest = (connect() for _ in range(3))
    call(waiting, chunks=[b"wait", b"", b""], ttl_ms=60_000)
    for connection in (quiet, latest):
        await clock.advance(1)
        call(connection)
    await settle()
    newest = connect()
    assert closing([waiting, quiet, latest, newest]) == [False] * 4
    await settle()
    pong(quiet)

    assert closing([waiting, quiet, latest, newest]) == [False, True, False, False]
    await settle()
    assert len(inside(channel).connections) == 3
    assert inside(channel).gate.closed == 1


async def test_what_comes_before_the_peer_knows_that_it_is_closed_is_served(server, clock, settle):
    channel, connect = server(max_connections=1)
    served = []
    channel.raw.register("work", lambda request: served.append(request.id) or b"")
    used = connect()
    call(used)
    await settle()
    connect()
    await settle()
    assert b"draining" in b"".join(used.transport.written)
    call(used, id=6)
    await settle()

    assert served == [5, 6]
    assert not used.transport.is_closing()
    pong(used)
    assert used.transport.is_closing()


async def test_a_peer_that_says_nothing_to_it_has_half_a_second(server, clock, settle):
    _, connect = server(max_connections=1)
    used = connect()
    call(used)
    await settle()
    connect()
    await clock.advance(0.49)
    assert not used.transport.is_closing()
    await clock.advance(0.02)
    assert used.transport.is_closing()


async def test_callers_that_come_by_thousands_are_not_looked_at_each_time(
    server, clock, settle, monkeypatch
):
    _, connect = server(max_connections=200)
    connections = [connect() for _ in range(200)]
    for connection in connections:
        call(connection)
    await settle()
    looked = []
    may_go = Gate._may_go
    monkeypatch.setattr(Gate, "_may_go", lambda self, it: looked.append(it) or may_go(self, it))
    for _ in range(100):
        await clock.advance(0.01)
        call(connect())
        await settle(2)

    # Twelve or so are found by one look at two hundred.
    assert len(looked) < 100 * 200 / 4
    assert len([each for each in connections if each.leaving or each.closed]) == 100


async def test_however_many_come_few_have_more_than_the_limit(server, clock, settle):
    channel, connect = server(max_connections=20)
    for _ in range(200):
        call(connect())
        await settle(2)
    assert len(inside(channel).connections) <= 20 + 16 + 1
    await clock.advance(1)
    assert len(inside(channel).connections) == 20


async def test_of_too_many_that_shake_hands_the_oldest_goes(server, settle):
    _, connect = server(max_handshakes=3)
    done = [connect() for _ in range(10)]
    shaking = [connect(shake=False) for _ in range(5)]
    assert closing(done) == [False] * 10
    assert closing(shaking) == [True, True, False, False, False]
    await settle()


async def test_who_never_calls_is_closed_after_a_minute_and_others_stay_for_ever(server, clock):
    channel, connect = server()
    caller, ponger, idle = (connect() for _ in range(3))
    call(caller)
    ping = ponger.wire.ping(clock.time())
    ponger.data_received(wire.encode(wire.PingResponse(id=ping)))
    await clock.advance(30)
    later = connect()
    await clock.advance(29.9)
    assert closing([caller, ponger, idle, later]) == [False] * 4
    await clock.advance(0.2)
    assert closing([caller, ponger, idle, later]) == [False, False, True, False]
    await clock.advance(30)
    assert closing([caller, ponger, later]) == [False, False, True]
    await clock.advance(100_000)
    assert closing([caller, ponger]) == [False, False]
    assert inside(channel).gate.closed == 2


async def test_who_asks_whether_we_are_there_stays(server, clock):
    _, connect = server()
    connection = connect()
    connection.data_received(wire.encode(wire.PingRequest(id=3)))
    await clock.advance(61)
    assert not connection.transport.is_closing()


async def test_by_default_who_has_called_stays_and_with_an_idle_timeout_until_it_is_over(
    server, clock
):
    for timeout in (None, 100):
        channel, connect = server(idle_timeout=timeout)
        channel.raw.register("wait", lambda request: asyncio.get_running_loop().create_future())
        once, regular, waiting = (connect() for _ in range(3))
        call(once)
        call(waiting, chunks=[b"wait", b"", b""], ttl_ms=1_000_000)
        for turn in range(10):
            call(regular, id=10 + turn)
            await clock.advance(25)
            if turn == 3:
                assert closing([once, regular, waiting]) == [False] * 3
        assert closing([once, regular, waiting]) == [timeout is not None, False, False]
        await clock.advance(300)
        assert regular.transport.is_closing() == (timeout is not None)
        assert not waiting.transport.is_closing()


async def test_idle_connections_that_we_opened_go_as_well_and_the_next_call_opens_another(tcp):
    server = tcp(hostport="127.0.0.1:0")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    client = tcp("client", options=Options(idle_timeout=0.05))
    assert (await client.raw("server", "echo", b"1", hostport=server.hostport)).body == b"1"
    (first,) = inside(client).connections
    await first.lost
    assert not inside(client).connections
    assert inside(client).gate._idle_timer is None
    assert (await client.raw("server", "echo", b"2", hostport=server.hostport)).body == b"2"
    (second,) = inside(client).connections
    assert second is not first


@pytest.mark.parametrize("turns", range(4))
async def test_calls_beside_the_end_of_an_idle_connection_are_not_lost(
    server, make_channel, join, clock, settle, turns
):
    channel, _ = server(idle_timeout=10)
    client = make_channel("client")
    join(client, channel, "127.0.0.1:1")
    await settle()

    def call():
        # One attempt alone.
        return client.raw("server", "work", hostport="127.0.0.1:1", retry_limit=0)

    await call()
    (connection,) = inside(channel).connections
    (own,) = inside(client).connections
    await clock.advance(9)
    connection.leave()
    await settle(turns)
    late = None if own.peer_draining else call()
    assert (late is None) == (turns > 1)
    await settle()
    assert late is None or late.result().body == b""
    assert not inside(channel).connections
    assert not inside(client).connections


async def test_a_limit_that_is_reached_is_logged_once_in_ten_seconds(server, clock, caplog):
    _, connect = server(max_connections=2)
    for _ in range(100):
        connect()
        await clock.advance(0.05)
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(lines) == 1
    assert "the limit of 2 connections is reached" in lines[0]
    await clock.advance(6)
    connect()
    assert "99 so far" in caplog.records[-1].getMessage()


async def test_nothing_of_it_is_left_when_all_connections_are_gone(server, clock, settle):
    channel, connect = server()
    before = clock.waiting
    connections = [connect() for _ in range(3)]
    for connection in connections:
        call(connection)
        connection.abort()
    await settle()
    await clock.advance(10)  # the one timer of all handshakes and calls
    assert clock.waiting == before
    assert len(inside(channel).connections) == 0


def test_the_default_leaves_descriptors_for_other_things(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert Options().max_connections == 960
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000, 1_000_000))
    assert Options().max_connections == 10_000
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert Options().max_connections == 10_000


async def test_of_what_a_handshake_says_a_few_thousand_characters_are_kept(server):
    channel, _ = server()
    connection = Connection(inside(channel), None)
    connection.connection_made(Transport(connection))
    headers = {"host_port": "0.0.0.0:0", "process_name": "n" * 30_000}
    headers |= {f"more-{n}": "m" * 250 for n in range(100)}
    connection.data_received(wire.encode(wire.InitRequest(id=1, headers=headers)))
    kept = connection.wire.remote.headers
    assert kept["process_name"] == "n" * 1024
    assert sum(len(key) + len(value) for key, value in kept.items()) <= 4096
    connection.abort()
