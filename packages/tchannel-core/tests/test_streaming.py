"""Bodies that are sent and read as they arrive."""

import asyncio

import pytest

from tchannel import Response, errors
from tchannel.lowlevel import inside
from tchannel.options import Options


async def chunks(*parts):
    for part in parts:
        yield part


async def test_a_streamed_request_arrives_chunk_by_chunk(joined):
    seen = []

    @joined.server.raw.register(stream=True)
    async def take(request):
        async for chunk in request.body:
            seen.append(chunk)
        return str(len(seen))

    async def body():
        for n in range(3):
            yield b"x" * 10 + str(n).encode()
            await joined.advance(0)
            # It is there before the next one was made.
            assert b"".join(seen).endswith(str(n).encode())

    response = await joined.client.raw("server", "take", body(), b"head", hostport=joined.hostport)

    assert int(response.body) >= 3
    assert b"".join(seen) == b"".join(b"x" * 10 + str(n).encode() for n in range(3))


async def test_a_plain_handler_gets_a_streamed_request_whole(joined):
    joined.server.raw.register("echo", lambda request: request.body)

    response = await joined.client.raw(
        "server", "echo", chunks(b"a" * 70_000, b"", b"b"), hostport=joined.hostport
    )

    assert response.body == b"a" * 70_000 + b"b"


async def test_a_streaming_handler_gets_a_small_request_too(joined):
    @joined.server.raw.register("read", stream=True)
    async def read(request):
        return await request.body.read()

    for body in (b"", b"small", b"x" * 200_000):
        response = await joined.client.raw("server", "read", body, hostport=joined.hostport)
        assert response.body == body


async def test_an_async_generator_streams_the_response(joined):
    more = asyncio.Event()

    @joined.server.raw.register("count")
    async def count(request):
        yield b"one,"
        await more.wait()
        yield b"two"

    response = await joined.client.raw("server", "count", hostport=joined.hostport, stream=True)
    first = await anext(response.body)
    more.set()

    assert first == b"one,"
    assert await response.body.read() == b"two"


async def test_a_streamed_response_is_read_whole_by_a_plain_call(joined):
    @joined.server.raw.register("count")
    async def count(request):
        for n in range(5):
            yield str(n)

    response = await joined.client.raw("server", "count", hostport=joined.hostport)

    assert response.body == b"01234"


async def test_a_handler_may_stream_with_headers_and_status(joined):
    @joined.server.raw.register("answer")
    def answer(request):
        return Response(chunks(b"a", b"b"), headers=b"h", status=1)

    response = await joined.client.raw("server", "answer", hostport=joined.hostport, stream=True)

    assert (response.headers, response.status) == (b"h", 1)
    assert await response.body.read() == b"ab"


async def test_an_error_before_the_first_chunk_is_the_error_of_the_call(joined):
    @joined.server.raw.register("fail")
    async def fail(request):
        raise errors.BadRequestError("no")
        yield b""

    with pytest.raises(errors.BadRequestError, match="no"):
        await joined.client.raw("server", "fail", hostport=joined.hostport, stream=True)


async def test_an_error_in_the_middle_reaches_the_reader_after_what_arrived(joined):
    @joined.server.raw.register("fail")
    async def fail(request):
        yield b"begun"
        await asyncio.sleep(0)
        raise ValueError("broken")

    response = await joined.client.raw("server", "fail", hostport=joined.hostport, stream=True)
    seen = []
    with pytest.raises(errors.UnexpectedError, match="broken"):
        async for chunk in response.body:
            seen.append(chunk)
    assert seen == [b"begun"]


async def test_the_timeout_holds_for_the_whole_body(joined):
    @joined.server.raw.register("endless")
    async def endless(request):
        yield b"begun"
        await asyncio.Future()

    response = await joined.client.raw(
        "server", "endless", hostport=joined.hostport, stream=True, timeout=2
    )
    await joined.advance(2.1)

    with pytest.raises(errors.TimeoutError):
        await response.body.read()


async def test_a_body_that_fails_is_the_callers_own_error_and_cancels_the_call(joined):
    ended = []

    @joined.server.raw.register(stream=True)
    async def take(request):
        try:
            return await request.body.read()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def body():
        yield b"begun"
        await joined.advance(0)
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        await joined.client.raw("server", "take", body(), hostport=joined.hostport)
    await joined.advance(0)
    assert ended == ["cancelled"]


async def test_a_streamed_chunk_of_another_type_is_a_type_error(joined):
    joined.server.raw.register("echo", lambda request: request.body)

    with pytest.raises(TypeError, match="bytes"):
        await joined.client.raw("server", "echo", chunks(b"a", 7), hostport=joined.hostport)


async def test_a_slow_reader_stops_the_producer(clock, make_channel, join, settle):
    options = Options(stream_buffer=100_000, write_buffer=200_000)
    client, server = (
        make_channel("client", options=options),
        make_channel("server", options=options),
    )
    made = []

    @server.raw.register("flood")
    async def flood(request):
        for n in range(200):
            made.append(n)
            yield b"x" * 50_000

    join(client, server, "127.0.0.1:1")
    await settle()
    response = await client.raw("server", "flood", hostport="127.0.0.1:1", stream=True)
    await settle(300)
    stopped_at = len(made)

    assert stopped_at < 40
    assert len(await response.body.read()) == 200 * 50_000
    for channel in (client, server):
        closing = channel.close(grace=1)
        await clock.advance(5)
        await closing


async def test_a_slow_handler_stops_the_caller(clock, make_channel, join, settle):
    options = Options(stream_buffer=100_000, write_buffer=200_000)
    client, server = (
        make_channel("client", options=options),
        make_channel("server", options=options),
    )
    go = asyncio.Event()
    made = []

    @server.raw.register("sink", stream=True)
    async def sink(request):
        await go.wait()
        return str(len(await request.body.read()))

    async def body():
        for n in range(200):
            made.append(n)
            yield b"x" * 50_000

    join(client, server, "127.0.0.1:1")
    await settle()
    call = client.raw("server", "sink", body(), hostport="127.0.0.1:1")
    await settle(300)
    stopped_at = len(made)
    go.set()

    assert stopped_at < 40
    assert (await call).body == str(200 * 50_000).encode()
    for channel in (client, server):
        closing = channel.close(grace=1)
        await clock.advance(5)
        await closing


async def test_a_caller_that_goes_away_ends_the_streaming_handler(joined):
    ended = []

    @joined.server.raw.register("endless")
    async def endless(request):
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    response = await joined.client.raw("server", "endless", hostport=joined.hostport, stream=True)
    await anext(response.body)
    await response.body.aclose()
    await joined.advance(0)

    assert ended == [True]
    assert inside(joined.server).incoming_calls == 0


async def test_a_body_that_nobody_reads_holds_the_connection_up_no_longer_than_its_call(joined):
    @joined.server.raw.register
    async def big(request):
        yield b"x" * 1_000_000
        await asyncio.Event().wait()

    joined.server.raw.register("small", lambda request: b"ok")
    unread = await joined.client.raw(
        "server", "big", hostport=joined.hostport, stream=True, timeout=5
    )
    await joined.advance(1)
    blocked = joined.client.raw("server", "small", hostport=joined.hostport)
    await joined.advance(1)
    assert not blocked.done()
    await joined.advance(4)

    assert (await blocked).body == b"ok"
    assert unread.status == 0  # kept until here: dropped, it would be cancelled


async def test_a_body_that_is_there_whole_holds_nothing_up(clock, make_channel, join, settle):
    client = make_channel("client", options=Options(stream_buffer=10_000))
    server = make_channel("server")
    server.raw.register("echo", lambda request: request.body)
    join(client, server, "127.0.0.1:1")
    await settle()
    unread = await client.raw("server", "echo", b"x" * 50_000, hostport="127.0.0.1:1", stream=True)
    await settle()

    assert (await client.raw("server", "echo", b"y", hostport="127.0.0.1:1")).body == b"y"
    assert len(await unread.body.read()) == 50_000
    for channel in (client, server):
        closing = channel.close(grace=1)
        await clock.advance(5)
        await closing


async def test_a_stream_whose_call_a_hook_has_ended_is_not_begun(joined):
    async def endless():
        await asyncio.Event().wait()
        yield b""

    @joined.server.raw.register("stream")
    def stream(request):
        return Response(endless())

    @joined.server.hooks.before_send_response
    def hang_up(response):
        joined.to_client.protocol.close()

    before = asyncio.all_tasks()
    call = joined.client.raw("server", "stream", hostport=joined.hostport, retry_limit=0)
    await joined.advance(0)

    assert isinstance(call.exception(), errors.NetworkError)
    assert asyncio.all_tasks() == before


async def test_a_stream_that_a_coroutine_returns_ends_with_its_call(joined):
    ended = []

    async def body():
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    @joined.server.raw.register
    async def endless(request):
        await asyncio.sleep(0)
        return body()

    call = joined.client.raw("server", "endless", hostport=joined.hostport)
    await joined.advance(0)
    call.cancel()
    await joined.advance(0)
    assert ended == [True]

    response = await joined.client.raw("server", "endless", hostport=joined.hostport, stream=True)
    await response.body.aclose()
    await joined.advance(0)
    assert ended == [True, True]


@pytest.mark.parametrize("chunk", [5, None, 10**12])
async def test_a_handlers_chunk_of_another_type_is_an_unexpected_error(joined, chunk):
    @joined.server.raw.register
    async def odd(request):
        yield chunk

    with pytest.raises(errors.UnexpectedError, match="made of bytes"):
        await joined.client.raw("server", "odd", hostport=joined.hostport)


async def test_a_body_that_cannot_be_closed_is_logged_and_harms_nothing(joined, caplog):
    class Body:
        def __init__(self):
            self.parts = [b"a", b"b"]

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.parts:
                raise StopAsyncIteration
            return self.parts.pop(0)

        async def aclose(self):
            raise OSError("stuck")

    joined.server.raw.register("echo", lambda request: request.body)
    joined.server.raw.register("stream", lambda request: Body())

    sent = await joined.client.raw("server", "echo", Body(), hostport=joined.hostport)
    read = await joined.client.raw("server", "stream", hostport=joined.hostport)
    await joined.advance(0)

    assert (sent.body, read.body) == (b"ab", b"ab")
    assert caplog.text.count("OSError: stuck") == 2


async def test_many_small_bodies_that_nobody_reads_are_bounded_together(
    clock, make_channel, join, settle
):
    client = make_channel("client")
    server = make_channel("server", options=Options(reassembly_memory=200_000))
    go = asyncio.Event()

    @server.raw.register("sink", stream=True)
    async def sink(request):
        await go.wait()
        return str(len(await request.body.read()))

    async def body():
        yield b"x" * 20_000
        await go.wait()
        yield b"y"

    _, to_client = join(client, server, "127.0.0.1:1")
    await settle()
    calls = []
    for _ in range(50):
        calls.append(client.raw("server", "sink", body(), hostport="127.0.0.1:1"))
        await settle(10)
    assert not to_client.reading
    assert 10 <= inside(server).incoming_calls < 20
    calls[0].cancel()
    go.set()
    answers = await asyncio.gather(*calls[1:])

    assert {answer.body for answer in answers} == {b"20001"}
    assert to_client.reading
    assert to_client.protocol._streamed == 0
    for channel in (client, server):
        closing = channel.close(grace=1)
        await clock.advance(5)
        await closing


async def test_leaving_a_body_early_ends_the_call(joined):
    ended = []

    @joined.server.raw.register("endless")
    async def endless(request):
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    response = await joined.client.raw("server", "endless", hostport=joined.hostport, stream=True)
    async with response.body as body:
        async for chunk in body:
            assert chunk
            break
    await joined.advance(0)

    assert ended == [True]


async def three_parts(request):
    for n in range(3):
        yield b"%d" % n


async def test_a_body_tells_once_that_its_end_has_come(joined):
    joined.server.raw.register("count", three_parts)
    ends = []

    response = await joined.client.raw("server", "count", hostport=joined.hostport, stream=True)
    response.body.add_done_callback(ends.append)
    assert await response.body.read() == b"012"
    await response.body.aclose()

    assert ends == [None]


async def test_a_body_that_has_ended_tells_at_once(joined):
    joined.server.raw.register("count", three_parts)
    ends = []

    response = await joined.client.raw("server", "count", hostport=joined.hostport, stream=True)
    await response.body.read()
    response.body.add_done_callback(ends.append)

    assert ends == [None]


async def test_a_body_tells_why_the_rest_does_not_come(joined):
    begun = asyncio.Event()

    @joined.server.raw.register
    async def fail(request):
        yield b"0"
        await begun.wait()
        raise errors.BusyError("no more")

    ends = []
    response = await joined.client.raw("server", "fail", hostport=joined.hostport, stream=True)
    response.body.add_done_callback(ends.append)
    begun.set()
    with pytest.raises(errors.BusyError):
        await response.body.read()

    assert [type(error) for error in ends] == [errors.BusyError]


async def test_a_body_tells_of_a_reader_that_stops(joined):
    @joined.server.raw.register
    async def hang(request):
        yield b"0"
        await asyncio.Event().wait()

    ends = []
    response = await joined.client.raw("server", "hang", hostport=joined.hostport, stream=True)
    response.body.add_done_callback(ends.append)
    await response.body.aclose()

    assert ends == [None]


async def test_a_callback_of_a_body_that_fails_is_logged_and_harms_nothing(joined, caplog):
    joined.server.raw.register("count", three_parts)
    ends = []

    response = await joined.client.raw("server", "count", hostport=joined.hostport, stream=True)
    response.body.add_done_callback(lambda error: 1 / 0)
    response.body.add_done_callback(ends.append)

    assert await response.body.read() == b"012"
    assert ends == [None]
    assert "a callback at the end of a streamed body failed" in caplog.text
