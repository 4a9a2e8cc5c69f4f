"""A peer on a real socket that never reads; the time of calls moves by hand."""

import asyncio

import pytest

from tchannel import errors
from tchannel.options import Options

KIB = 1024
BUFFER = 256 * KIB

# What the transport and one flush may hold besides the buffer.
SLACK = 512 * KIB


@pytest.fixture
async def client(make_channel, clock):
    """A client on the test's clock, with real sockets and a small write buffer."""
    client = make_channel("client", options=Options(write_buffer=BUFFER))
    yield client
    closing = client.close(grace=0)
    for _ in range(10):
        await clock.advance(1)
    await closing


def serve(channel):
    channel.raw.register("echo", lambda request: b"%d" % len(request.body))
    channel.listen()
    return channel.hostport


def held(connection):
    """The bytes that wait in this process for the peer to read."""
    return connection.wire.buffered + connection.transport.get_write_buffer_size()


async def test_calls_to_a_peer_that_never_reads_time_out_in_bounded_memory(tcp, client, clock):
    stuck = tcp("server", hostport="127.0.0.1:0")
    good = tcp("server", hostport="127.0.0.1:0")
    for server in (stuck, good):
        assert (await client.raw("server", "echo", b"x", hostport=serve(server))).body == b"1"
    (deaf,) = stuck.connections
    deaf.transport.pause_reading()
    (connection,) = [one for one in client.connections if one.address == stuck.hostport]

    calls = []
    for _ in range(1_000):
        body = bytes(64 * KIB)
        calls.append(client.raw("server", "echo", body, hostport=stuck.hostport, timeout=2))
        await asyncio.sleep(0)  # what one turn makes is written at its end
    await clock.advance(1)
    assert not any(call.done() for call in calls)
    assert connection.congested
    assert held(connection) < BUFFER + SLACK
    answer = await client.raw("server", "echo", bytes(64 * KIB), hostport=good.hostport)
    assert answer.body == b"65536"

    await clock.advance(2)
    assert all(call.done() for call in calls)
    assert {type(call.exception()) for call in calls} == {errors.TimeoutError}
    assert held(connection) < BUFFER + SLACK
    assert not connection.waiting
    assert (await client.raw("server", "echo", b"x", hostport=good.hostport)).body == b"1"
