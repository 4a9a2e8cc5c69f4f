"""Calls under interceptors end in time, whatever the interceptors do; time moves by hand."""

import asyncio

import pytest
import tornado
from tornado import gen

from tchannel import TChannel, errors
from tchannel.event import EventType
from tchannel.interceptors import Reply
from tchannel.lowlevel import inside

HERE = "127.0.0.1:1"

# How a call says when it ends, and what its error says about that.
BOUNDS = [
    ({"timeout": 2}, "held the call up for 2 s"),
    ({"timeout": 30, "deadline": 2}, "before the deadline"),
    ({"timeout": 2, "deadline": 2}, "before the deadline"),
]


@pytest.fixture
def served(joined):
    """The requests that the server got."""
    seen = []

    @joined.server.raw.register
    async def echo(request):
        seen.append(request)
        return request.body

    @joined.server.raw.register
    async def hang(request):
        seen.append(request)
        await asyncio.Event().wait()

    return seen


class Waiting:
    """An interceptor that waits for ever before it proceeds, or after it."""

    def __init__(self, where):
        self.where = where
        self.cancelled = False

    async def __call__(self, call, proceed):
        try:
            if self.where == "before":
                await asyncio.Event().wait()
            reply = await proceed(call)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return reply


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize(("bound", "text"), BOUNDS)
async def test_a_call_ends_in_time_however_long_an_interceptor_waits(
    joined, served, where, bound, text
):
    waiting = Waiting(where)
    joined.client.interceptors.outgoing.append(waiting)
    call = joined.client.raw("server", "echo", b"x", hostport=HERE, **bound)
    await joined.advance(1.9)
    assert not call.done()
    assert not waiting.cancelled
    await joined.advance(0.2)

    with pytest.raises(errors.TimeoutError, match=text) as caught:
        await call
    assert waiting.cancelled
    assert (caught.value.service, caught.value.endpoint) == ("server", "echo")
    assert caught.value.attempts == len(served) == (where == "after")


async def test_the_deadline_ends_an_attempt_that_is_being_made_and_the_interceptors(joined, served):
    seen = []

    async def look(call, proceed):
        try:
            return await proceed(call)
        except BaseException as error:
            seen.append(type(error))
            raise

    joined.client.interceptors.outgoing.append(look)
    call = joined.client.raw("server", "hang", hostport=HERE, deadline=2)
    await joined.advance(2.1)

    with pytest.raises(errors.TimeoutError, match="deadline"):
        await call
    assert len(seen) == 1
    assert served[0].cancelled


async def test_attempts_keep_their_own_timeouts_under_interceptors(joined, served):
    async def look(call, proceed):
        return await proceed(call)

    joined.client.interceptors.outgoing.append(look)
    call = joined.client.raw(
        "server", "hang", hostport=HERE, timeout=2, retry_on="t", retry_limit=2
    )
    await joined.advance(5)
    assert not call.done()
    await joined.advance(5)

    with pytest.raises(errors.TimeoutError, match="no answer within 2 s") as caught:
        await call
    assert caught.value.attempts == len(served) == 3


async def test_an_interceptor_may_answer_when_the_attempt_has_timed_out(joined, served):
    async def fall_back(call, proceed):
        try:
            return await proceed(call)
        except errors.TimeoutError:
            return Reply(arg3=b"from elsewhere")

    joined.client.interceptors.outgoing.append(fall_back)
    call = joined.client.raw("server", "hang", hostport=HERE, timeout=2)
    await joined.advance(2.1)

    assert (await call).body == b"from elsewhere"


async def test_an_interceptor_that_proceeds_again_has_time_for_each(joined, served):
    async def twice(call, proceed):
        try:
            return await proceed(call)
        except errors.TimeoutError:
            return await proceed(call.replace(endpoint="echo"))

    joined.client.interceptors.outgoing.append(twice)
    call = joined.client.raw("server", "hang", b"x", hostport=HERE, timeout=2)
    await joined.advance(2.1)

    assert (await call).body == b"x"


async def test_the_deadline_ends_every_attempt_of_an_interceptor_that_proceeds_again(
    joined, served
):
    async def hedge(call, proceed):
        await asyncio.wait([asyncio.ensure_future(proceed(call)) for _ in range(3)])

    joined.client.interceptors.outgoing.append(hedge)
    call = joined.client.raw("server", "hang", hostport=HERE, deadline=2)
    await joined.advance(2.1)

    with pytest.raises(errors.TimeoutError):
        await call
    assert [request.cancelled for request in served] == [True] * 3


@pytest.mark.parametrize("ending", ["time", "cancel"])
async def test_an_interceptor_that_cannot_be_stopped_makes_no_call_for_nobody(
    joined, served, ending
):
    go = asyncio.Event()
    ended = []

    @gen.coroutine
    def stubborn(call, proceed):
        yield asyncio.ensure_future(go.wait())
        try:
            yield proceed(call)
        except (errors.TimeoutError, asyncio.CancelledError) as error:
            ended.append(type(error))
        return Reply()

    joined.client.interceptors.outgoing.append(stubborn)
    call = joined.client.raw("server", "echo", hostport=HERE, timeout=2)
    await joined.advance(1)
    if ending == "time":
        await joined.advance(2)
        with pytest.raises(errors.TimeoutError):
            await call
    else:
        call.cancel()
    go.set()
    await joined.advance(1)

    if ending == "time":
        assert ended == [errors.TimeoutError]
    else:
        # Before 6.6 Tornado's coroutines heard of no cancellation: they never went on.
        assert ended == [asyncio.CancelledError][: tornado.version_info >= (6, 6)]
    assert served == []


async def test_a_later_deadline_of_an_interceptor_counts(joined, served):
    async def extend(call, proceed):
        call.deadline += 10
        return await proceed(call)

    joined.client.interceptors.outgoing.append(extend)
    call = joined.client.raw("server", "hang", hostport=HERE, deadline=2)
    await joined.advance(11)
    assert not call.done()
    await joined.advance(2)
    assert isinstance(call.exception(), errors.TimeoutError)


async def test_hooks_hear_once_that_interceptors_used_up_the_time(joined, served):
    heard = []
    joined.client.hooks.register(
        lambda request, error: heard.append((request.endpoint, type(error))),
        EventType.on_operational_error,
    )
    joined.client.interceptors.outgoing.append(Waiting("before"))
    call = joined.client.raw("server", "echo", hostport=HERE, timeout=2)
    await joined.advance(2.1)

    assert isinstance(call.exception(), errors.TimeoutError)
    assert heard == [("echo", errors.TimeoutError)]


@pytest.mark.parametrize("kind", ["passed on", "future", "awaited"])
async def test_no_timer_is_left_when_the_answer_has_come(joined, served, kind):
    async def look(call, proceed):
        return await proceed(call)

    joined.client.interceptors.outgoing.append(
        {
            "passed on": lambda call, proceed: proceed(call),
            "future": lambda call, proceed: proceed(call).future,
            "awaited": look,
        }[kind]
    )
    before = joined.clock.waiting
    for _ in range(3):
        assert (await joined.client.raw("server", "echo", b"x", hostport=HERE)).body == b"x"

    assert joined.clock.waiting <= before + 1  # the one of all attempts' deadlines


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_what_an_interceptor_lets_through_and_then_fails_is_cancelled(
    joined, served, kind, times
):
    def fail(call, proceed):
        for _ in range(times):
            proceed(call)
        raise ValueError("as it says")

    async def fail_later(call, proceed):
        fail(call, proceed)

    interceptor = fail if kind == "function" else fail_later
    joined.client.interceptors.outgoing.append(interceptor)
    call = joined.client.raw("server", "hang", hostport=HERE)
    await joined.advance(0)

    with pytest.raises(ValueError, match="as it says"):
        await call
    assert all(request.cancelled for request in served)
    assert joined.to_server.protocol.wire.outbound == {}
    assert inside(joined.server).incoming_calls == 0


async def forgetful(call, proceed):
    await proceed(call)


def forgetful_at_once(call, proceed):
    proceed(call)


@pytest.mark.parametrize("interceptor", [forgetful, forgetful_at_once])
@pytest.mark.parametrize("side", ["client", "server"])
async def test_an_interceptor_that_returns_nothing_is_told_what_to_return(
    joined, served, interceptor, side
):
    lists = getattr(joined, side).interceptors
    (lists.outgoing if side == "client" else lists.incoming).append(interceptor)
    told = "not None: return what proceed\\(call\\) gives, or what came of awaiting it"

    with pytest.raises(TypeError if side == "client" else errors.UnexpectedError, match=told):
        await joined.client.raw("server", "echo", b"x", hostport=HERE)


def test_one_interceptor_is_no_list_of_them():
    with pytest.raises(TypeError, match="interceptors must be a list of callables, not <function"):
        TChannel("client", interceptors=forgetful)
