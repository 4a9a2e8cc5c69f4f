"""A peer on a real socket that never reads; the time of calls moves by hand."""

import asyncio

import pytest

import tchannel_wire as wire
from tchannel import errors
from tchannel.lowlevel import inside
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
    (deaf,) = inside(stuck).connections
    deaf.transport.pause_reading()
    (connection,) = [one for one in inside(client).connections if one.address == stuck.hostport]

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


async def test_calls_of_one_turn_wait_like_those_of_many(tcp, client):
    server = tcp("server", hostport="127.0.0.1:0")
    await client.raw("server", "echo", b"x", hostport=serve(server))
    (connection,) = inside(client).connections

    calls = [
        client.raw("server", "echo", bytes(60 * KIB), hostport=server.hostport) for _ in range(100)
    ]

    assert connection.wire.buffered < BUFFER + 64 * KIB
    assert [(await call).body for call in calls] == [b"61440"] * 100


async def test_a_caller_that_never_reads_its_answers_is_not_read_from(tcp):
    server = tcp("server", hostport="127.0.0.1:0", options=Options(write_buffer=BUFFER))
    served = 0

    @server.raw.register("much")
    def much(request):
        nonlocal served
        served += 1
        return bytes(60 * KIB)

    server.listen()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    caller = wire.Connection(opener=True, host_port="0.0.0.0:0", process_name="deaf", now=0.0)
    writer.write(caller.data_to_send())
    while not caller.receive(await reader.read(1024), 0.0):
        pass
    writer.transport.pause_reading()
    much_of = wire.prepare_call("server", {"as": "raw", "cn": "deaf"}, b"much")

    for _ in range(40):
        for _ in range(100):
            caller.call(much_of, b"", bytes(KIB), 30.0, bytes(25), 0.0, None, False)
        while caller.has_data:
            writer.write(caller.data_to_send())
        for _ in range(20):
            await asyncio.sleep(0)
    (connection,) = inside(server).connections

    # What the system's buffers hold, and what one read of 256 KiB asked for.
    assert held(connection) < BUFFER + 256 * 60 * KIB
    assert served < 1_000
    writer.transport.abort()
