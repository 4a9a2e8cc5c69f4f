"""Time limits that reach across calls, and cancellation both ways; time moves by hand."""

import asyncio
import gc
import sys

import pytest
from tornado import gen

from tchannel import errors
from tchannel.lowlevel import inside


@pytest.fixture
def hang(joined):
    """An endpoint that never answers; shows the requests it got and how they ended."""
    state = {"requests": [], "ended": []}

    @joined.server.raw.register
    async def hang(request):
        state["requests"].append(request)
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            state["ended"].append("cancelled")
            raise

    return state


async def test_a_call_without_an_answer_ends_with_a_timeout_error_after_its_timeout(joined, hang):
    call = joined.client.raw("server", "hang", hostport=joined.hostport, timeout=3)
    await joined.advance(2.9)
    assert not call.done()
    await joined.advance(0.2)

    assert isinstance(call.exception(), errors.TimeoutError)
    assert isinstance(call.exception(), TimeoutError)


async def test_the_error_says_which_limit_was_reached(joined, hang):
    by_timeout = joined.client.raw("server", "hang", hostport=joined.hostport, timeout=3)
    by_deadline = joined.client.raw("server", "hang", hostport=joined.hostport, deadline=3)
    await joined.advance(3.1)

    assert "no answer within 3 s" in str(by_timeout.exception())
    assert "no answer before the deadline" in str(by_deadline.exception())


@pytest.mark.parametrize("timeout", [None, 0])
async def test_the_default_timeout_is_thirty_seconds(joined, hang, timeout):
    call = joined.client.raw("server", "hang", hostport=joined.hostport, timeout=timeout)
    await joined.advance(29.9)
    assert not call.done()
    await joined.advance(0.2)
    assert isinstance(call.exception(), errors.TimeoutError)
    assert hang["requests"][0].timeout == 30


@pytest.mark.parametrize("deadline", [None, 0])
async def test_by_default_there_is_no_deadline_and_each_attempt_has_its_time(
    joined, hang, deadline
):
    call = joined.client.raw(
        "server", "hang", hostport=joined.hostport, timeout=50, deadline=deadline
    )
    await joined.advance(49)
    assert not call.done()
    await joined.advance(1.1)
    assert isinstance(call.exception(), errors.TimeoutError)


async def test_the_handler_is_cancelled_when_the_time_is_up(joined, hang):
    joined.client.raw("server", "hang", hostport=joined.hostport, timeout=1)
    await joined.advance(1.1)

    assert hang["ended"] == ["cancelled"]
    assert hang["requests"][0].cancelled


async def test_the_server_keeps_the_ttl_by_itself(joined, hang):
    joined.client.raw("server", "hang", hostport=joined.hostport, timeout=1)
    await joined.advance(0)
    joined.to_server.cut = True  # the client's own cancel does not arrive
    await joined.advance(1.1)

    assert hang["ended"] == ["cancelled"]
    assert inside(joined.server).incoming_calls == 0


async def test_cancelling_the_awaiting_task_cancels_the_handler(joined, hang):
    async def caller():
        await joined.client.raw("server", "hang", hostport=joined.hostport)

    task = asyncio.ensure_future(caller())
    await joined.advance(0)
    assert len(hang["requests"]) == 1
    task.cancel()
    await joined.advance(0)

    assert task.cancelled()
    assert hang["ended"] == ["cancelled"]
    assert inside(joined.server).incoming_calls == 0


async def test_wait_for_and_asyncio_timeout_cancel_the_call(joined, hang):
    calls = [joined.client.raw("server", "hang", hostport=joined.hostport) for _ in range(2)]
    await joined.advance(0)  # so that both have arrived, however slow this machine is
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calls[0], 0.001)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await calls[1]
    await joined.advance(0)

    assert hang["ended"] == ["cancelled", "cancelled"]


async def test_a_lost_connection_cancels_the_handler(joined, hang):
    call = joined.client.raw("server", "hang", hostport=joined.hostport)
    await joined.advance(0)
    joined.to_server.abort()
    await joined.advance(0)

    assert hang["ended"] == ["cancelled"]
    assert isinstance(call.exception(), errors.NetworkError)


async def test_a_late_answer_to_a_cancelled_call_is_ignored(joined):
    go = asyncio.Event()

    @joined.server.raw.register
    async def stubborn(request):
        try:
            await go.wait()
        except asyncio.CancelledError:
            await go.wait()
        return b"late"

    call = joined.client.raw("server", "stubborn", hostport=joined.hostport)
    await joined.advance(0)
    call.cancel()
    go.set()
    await joined.advance(0)
    joined.server.raw.register("echo", lambda request: request.body)

    assert (
        await joined.client.raw("server", "echo", b"on", hostport=joined.hostport)
    ).body == b"on"


async def test_a_coroutine_of_tornado_cannot_be_stopped_but_sees_that_it_is_not_wanted(joined):
    seen = []
    go = asyncio.Event()

    @joined.server.raw.register
    @gen.coroutine
    def old(request):
        seen.append(request.cancelled)
        yield go.wait()
        seen.append(request.cancelled)
        return b"dropped"

    call = joined.client.raw("server", "old", hostport=joined.hostport, timeout=1)
    await joined.advance(1.1)
    go.set()
    await joined.advance(0)

    assert isinstance(call.exception(), errors.TimeoutError)
    assert seen == [False, True]


async def test_a_nested_call_inherits_the_time_that_is_left(joined):
    seen = []

    @joined.client.raw.register
    async def inner(request):
        seen.append(request.timeout)

    @joined.server.raw.register
    async def outer(request):
        joined.clock.now += 4
        await joined.server.raw("client", "inner", hostport=request.transport.peer)

    await joined.client.raw("server", "outer", hostport=joined.hostport, timeout=10)

    assert seen[0] == pytest.approx(6, abs=0.02)


async def test_a_nested_call_never_outlives_its_handlers_request(joined):
    failures = []

    @joined.client.raw.register
    async def inner(request):
        await asyncio.Future()

    @joined.server.raw.register
    async def outer(request):
        try:
            await joined.server.raw("client", "inner", hostport=request.transport.peer, timeout=60)
        except errors.TimeoutError as error:
            failures.append(error)
            raise

    joined.client.raw("server", "outer", hostport=joined.hostport, timeout=2)
    await joined.advance(2.1)

    assert inside(joined.client).incoming_calls == 0
    assert inside(joined.server).incoming_calls == 0


async def test_a_task_that_outlives_its_handler_is_not_bound_by_the_dead_deadline(joined):
    seen = []

    @joined.client.raw.register
    async def inner(request):
        seen.append(request.timeout)

    tasks = []

    @joined.server.raw.register
    async def outer(request):
        peer = request.transport.peer

        async def later():
            await joined.server.raw("client", "inner", hostport=peer, timeout=50)

        tasks.append(asyncio.ensure_future(later()))

    await joined.client.raw("server", "outer", hostport=joined.hostport, timeout=1)
    await joined.advance(5)
    await asyncio.gather(*tasks)

    assert seen == [50]


async def test_finished_calls_leave_one_deadline_per_connection_at_most(joined):
    joined.server.raw.register("echo", lambda request: request.body)
    await asyncio.gather(
        *[joined.client.raw("server", "echo", hostport=joined.hostport) for _ in range(100)]
    )

    assert len(inside(joined.client).timers.queue) <= len(inside(joined.client).connections)
    assert len(inside(joined.server).timers.queue) <= len(inside(joined.server).connections)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy does not count references")
async def test_finished_calls_are_no_garbage_for_the_cycle_collector(joined):
    joined.server.raw.register("echo", lambda request: request.body)
    await joined.client.raw("server", "echo", hostport=joined.hostport)
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            await joined.client.raw("server", "echo", hostport=joined.hostport)
        # The calls of a plain handler are freed by their reference counts alone.
        found = gc.collect()
    finally:
        gc.enable()
    assert found < 50


async def test_a_call_that_a_hook_cancels_before_it_is_sent_is_not_sent(tcp):
    server, client = tcp("server", hostport="127.0.0.1:0"), tcp("client")
    served = []
    server.raw.register("echo", lambda request: served.append(request.body))
    server.listen()
    cancelled = client.raw("server", "echo", b"cancelled", hostport=server.hostport)

    @client.hooks.before_send_request
    def cancel(request):
        cancelled.cancel()

    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await client.raw("server", "echo", b"sent", hostport=server.hostport)

    assert served == [b"sent"]
    (connection,) = inside(client).connections
    assert connection.wire.outbound == {}
    assert connection.peer.pending == 0
