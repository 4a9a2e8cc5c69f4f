"""Channels joined without a socket."""

import asyncio

import pytest

from tchannel import Response, TChannel, errors
from tchannel.lowlevel import inside
from tchannel_testing.clock import ManualClock
from tchannel_testing.memory import Pair, join, memory_transports


@pytest.fixture
def pair():
    """A pair whose server echoes."""
    pair = Pair()

    @pair.server.raw.register("echo")
    def echo(request):
        return Response(request.body, request.headers)

    return pair


async def test_a_call_crosses_without_a_socket(pair):
    async with pair:
        response = await pair.client.raw("server", "echo", b"body", b"headers")

        assert (response.body, response.headers) == (b"body", b"headers")
        assert not pair.server.is_listening()


async def test_messages_of_many_frames_cross_under_back_pressure(pair):
    body = bytes(range(256)) * 8192

    async with pair:
        bodies = await asyncio.gather(*(pair.client.raw("server", "echo", body) for _ in range(5)))

    assert all(response.body == body for response in bodies)


async def test_the_server_can_call_back_over_the_same_connection(pair):
    pair._client.raw.register("name", lambda request: b"client")

    @pair.server.raw.register("ask")
    async def ask(request):
        (connection,) = inside(pair.server).connections
        answer = await pair.server.raw("client", "name", hostport=connection.address)
        return answer.body

    async with pair:
        assert (await pair.client.raw("server", "ask")).body == b"client"


async def test_closing_one_end_leaves_nothing_at_the_other(pair):
    async with pair:
        await pair.client.raw("server", "echo")
        await pair.client.close()
        for _ in range(5):
            await asyncio.sleep(0)

        assert not inside(pair.server).connections


def test_a_pair_works_in_one_loop_after_another(pair):
    async def call(*, last):
        response = await pair.client.raw("server", "echo", b"x")
        assert response.body == b"x"
        if last:
            await pair.close()

    asyncio.run(call(last=False))
    asyncio.run(call(last=True))


async def test_a_timeout_of_minutes_passes_at_once_on_a_clock_that_is_moved():
    clock = ManualClock()
    pair = Pair(clock=clock)
    pair.server.raw.register("sleep", lambda request: asyncio.get_running_loop().create_future())
    call = pair.client.raw("server", "sleep", timeout=300)

    await clock.elapse(299)
    assert not call.done()
    await clock.elapse(2)

    with pytest.raises(errors.TimeoutError):
        await call
    closing = asyncio.ensure_future(pair.close())
    await clock.elapse(60)
    await closing


async def test_any_two_channels_can_be_joined():
    async with TChannel("a") as a, TChannel("b") as b:
        b.json.register("double", lambda request: request.body * 2)
        join(a, b)

        assert (await a.json("b", "double", 21)).body == 42


async def test_a_closed_channel_cannot_be_joined():
    async with TChannel("a") as a, TChannel("b") as b:
        await b.close()

        with pytest.raises(RuntimeError, match=r"cannot join.*closed"):
            join(a, b)


class End(asyncio.Protocol):
    """Remembers what happens to it."""

    def __init__(self):
        self.events = []

    def data_received(self, data):
        self.events.append(data)

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")

    def eof_received(self):
        self.events.append("eof")

    def connection_lost(self, exc):
        self.events.append("lost")


@pytest.fixture
async def ends():
    """Two protocols on two joined transports."""
    one, two = memory_transports(asyncio.get_running_loop())
    near, far = End(), End()
    one.connect(near)
    two.connect(far)
    return one, near, two, far


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_bytes_of_one_turn_arrive_together_in_a_later_one(ends):
    one, _, _, far = ends

    one.write(b"a")
    one.write(bytearray(b"b"))
    assert far.events == []
    await settle()

    assert far.events == [b"ab"]


async def test_a_reader_that_pauses_makes_the_writer_pause(ends):
    one, near, two, far = ends
    one.set_write_buffer_limits(high=3)
    two.pause_reading()

    one.write(b"abcd")
    assert near.events == ["pause"]
    assert one.get_write_buffer_size() == 4
    two.resume_reading()
    await settle()

    assert far.events == [b"abcd"]
    assert near.events == ["pause", "resume"]


async def test_closing_delivers_what_was_written_and_aborting_does_not(ends):
    one, near, two, far = ends
    two.pause_reading()
    one.write(b"last words")
    one.close()
    one.write(b"too late")
    await settle()
    assert near.events == []

    two.resume_reading()
    await settle()

    assert far.events == [b"last words", "eof", "lost"]
    assert near.events == ["lost"]


async def test_aborting_drops_what_was_written(ends):
    one, near, _, far = ends
    one.write(b"last words")

    one.abort()
    await settle()

    assert far.events == ["eof", "lost"]
    assert near.events == ["lost"]


async def test_an_end_whose_last_words_nobody_will_read_is_lost_all_the_same(ends):
    one, near, two, far = ends
    two.write(b"to nobody")

    one.abort()
    await settle()

    assert far.events == ["eof", "lost"]
    assert near.events == ["lost"]
