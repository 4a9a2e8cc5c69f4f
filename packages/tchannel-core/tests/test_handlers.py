"""Handlers of every kind, and what they may use."""

import asyncio
import contextvars
import functools
import sys

import anyio
import pytest
from tornado import gen

from tchannel import Request, Response, TChannel, errors, service
from tchannel.lowlevel import inside


async def call(joined, endpoint="handler", body=b"x", **kwargs):
    return await joined.client.raw("server", endpoint, body, hostport=joined.hostport, **kwargs)


def plain(request):
    return request.body * 2


async def coroutine(request):
    await asyncio.sleep(0)
    return request.body * 2


@gen.coroutine
def tornado_coroutine(request):
    yield gen.moment
    raise gen.Return(request.body * 2)


def returns_future(request):
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, request.body * 2)
    return future


class Callable:
    def __call__(self, request):
        return request.body * 2


class AsyncCallable:
    async def __call__(self, request):
        return request.body * 2


class Awaitable:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@pytest.mark.parametrize(
    "handler",
    [
        plain,
        coroutine,
        tornado_coroutine,
        returns_future,
        Callable(),
        AsyncCallable(),
        functools.partial(plain),
        functools.partial(coroutine),
        decorated(coroutine),
        lambda request: Awaitable(request.body * 2),
        lambda request: Response(request.body * 2),
    ],
    ids=[
        "plain",
        "coroutine",
        "gen.coroutine",
        "future",
        "callable",
        "async-callable",
        "partial",
        "partial-coroutine",
        "decorated",
        "awaitable",
        "response",
    ],
)
async def test_a_handler_is_judged_by_what_it_returns(joined, handler):
    joined.server.raw.register("handler", handler)

    assert (await call(joined)).body == b"xx"


@pytest.mark.parametrize("result", [0, 5, [], {"a": 1}, object()])
async def test_a_raw_result_that_is_no_body_is_answered_as_an_unexpected_error(joined, result):
    joined.server.raw.register("handler", lambda request: result)

    with pytest.raises(errors.UnexpectedError, match="TypeError"):
        await call(joined)


@pytest.mark.parametrize("status", [2, -1, "bad"])
async def test_a_status_that_is_neither_ok_nor_failed_is_an_unexpected_error(joined, status):
    joined.server.raw.register("handler", lambda request: Response(b"", status=status))

    with pytest.raises(errors.UnexpectedError, match="status"):
        await call(joined)


async def test_task_groups_timeouts_and_anyio_work_inside_a_handler(joined):
    seen = []

    @joined.server.raw.register
    async def handler(request):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(10)
        except TimeoutError:
            seen.append("timeout")
        with anyio.move_on_after(0.001):
            await anyio.sleep(10)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        await asyncio.wait_for(asyncio.sleep(0), 1)
        seen.append(asyncio.current_task() is not None)

    await call(joined)

    assert seen == ["timeout", True]


async def test_a_handler_that_does_not_wait_still_has_a_current_task(joined):
    seen = []

    @joined.server.raw.register
    async def handler(request):
        seen.append(asyncio.current_task())

    await call(joined)
    assert seen[0] is not None


variable = contextvars.ContextVar("variable", default="unset")


async def test_each_handler_has_a_context_of_its_own(joined):
    seen = []

    @joined.server.raw.register
    async def handler(request):
        seen.append(variable.get())
        variable.set("set by a handler")

    @joined.server.raw.register("plain")
    def plain_handler(request):
        seen.append(variable.get())
        variable.set("set by a plain handler")

    for endpoint in ("handler", "plain", "handler", "plain"):
        await call(joined, endpoint)

    assert seen == ["unset"] * 4
    assert variable.get() == "unset"


async def test_a_connection_opened_inside_a_handler_does_not_keep_the_handlers_context(tcp):
    seen = []
    inner = tcp("inner", hostport="127.0.0.1:0")

    @inner.raw.register
    async def back(request):
        # A call on the connection that the other side opened inside its handler.
        return (await inner.raw("outer", "look", hostport=request.transport.peer)).body

    inner.listen()
    outer = tcp("outer", hostport="127.0.0.1:0")

    @outer.raw.register
    async def handler(request):
        variable.set("leaked")
        return (await outer.raw("inner", "back", hostport=inner.hostport)).body

    @outer.raw.register
    def look(request):
        seen.append(variable.get())
        return variable.get()

    outer.listen()
    client = tcp("client")
    assert (await client.raw("outer", "handler", hostport=outer.hostport)).body == b"unset"
    assert seen == ["unset"]


async def test_the_request_shows_who_calls_what_and_how(joined):
    seen = []
    joined.server.raw.register("handler", seen.append)

    await call(
        joined,
        headers=b"h",
        timeout=7,
        shard_key="shard",
        caller_name="somebody",
        routing_delegate="rd",
        routing_key="canary",
    )

    (request,) = seen
    assert isinstance(request, Request)
    assert (request.service, request.endpoint) == ("server", "handler")
    assert (request.body, request.headers, request.timeout) == (b"x", b"h", 7.0)
    transport = request.transport
    assert (transport.caller_name, transport.shard_key) == ("somebody", "shard")
    assert (transport.routing_delegate, transport.retry_flags) == ("rd", "c")
    assert transport.routing_key == "canary"
    assert (transport.scheme, transport.ttl_ms, transport.flags) == ("raw", 7000, 0)
    assert transport.headers == {
        "as": "raw",
        "cn": "somebody",
        "re": "c",
        "sk": "shard",
        "rd": "rd",
        "rk": "canary",
    }
    assert transport.peer_certificate is None


async def test_changing_the_transport_headers_of_a_request_changes_no_other_request(joined):
    seen = []

    @joined.server.raw.register
    def handler(request):
        seen.append(dict(request.transport.headers))
        request.transport.headers.clear()

    await call(joined)
    await call(joined)

    assert seen[0] == seen[1] == {"as": "raw", "cn": "client", "re": "c"}


async def test_a_handler_may_close_the_channel(joined):
    closing = []

    @joined.server.raw.register
    async def handler(request):
        closing.append(joined.server.close(grace=1))
        return b"closing"

    response = await call(joined)
    assert response.body == b"closing"
    await joined.advance(6)
    await closing[0]


async def test_a_handler_that_is_cancelled_from_outside_answers_cancelled(joined):
    @joined.server.raw.register
    async def handler(request):
        asyncio.current_task().cancel()
        await asyncio.sleep(0)

    with pytest.raises(errors.CanceledError):
        await call(joined)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks begin with 3.12")
async def test_from_3_12_on_a_handler_begins_while_its_request_is_read(joined):
    begun = []

    @joined.server.raw.register
    async def handler(request):
        begun.append(True)
        await asyncio.sleep(0)

    joined.client.raw("server", "handler", hostport=joined.hostport)
    joined.to_server.protocol._flush()
    joined.to_client.deliver()

    assert begun == [True]
    await joined.advance(0)


# -- services as classes, and further services of one channel ---------------------------------


class Greeter:
    def __init__(self, greeting):
        self.greeting = greeting

    @service.json
    async def greet(self, request):
        return {"text": f"{self.greeting}, {request.body['name']}"}

    @service.raw("echo")
    def echo_bytes(self, request):
        return request.body

    @service.raw("read", stream=True)
    async def read(self, request):
        return await request.body.read()

    @property
    def explosive(self):
        raise AssertionError("never looked at")


async def test_the_marked_methods_of_an_object_are_registered(joined):
    joined.server.register_service(Greeter("Hello"))

    greeted = await joined.client.json("server", "greet", {"name": "you"}, hostport=joined.hostport)
    assert greeted.body == {"text": "Hello, you"}
    assert (await call(joined, "echo")).body == b"x"
    assert (await call(joined, "read", b"y" * 100_000)).body == b"y" * 100_000


async def test_a_class_or_an_object_without_marks_is_refused(joined):
    with pytest.raises(TypeError, match="Greeter"):
        joined.server.register_service(Greeter)
    with pytest.raises(ValueError, match="no method"):
        joined.server.register_service(object())


async def test_a_sub_channel_serves_its_own_service_name_alone(joined):
    other = joined.server.service("other")
    assert joined.server.service("other") is other
    joined.server.raw.register("who", lambda request: b"server")
    other.raw.register("who", lambda request: b"other")
    other.json.register("only", lambda request: {})

    async def who(name):
        return (await joined.client.raw(name, "who", hostport=joined.hostport)).body

    assert await who("server") == b"server"
    assert await who("other") == b"other"
    # A name without a sub-channel goes to the channel's own handlers.
    assert await who("anything") == b"server"
    with pytest.raises(errors.BadRequestError, match="not defined"):
        await joined.client.json("server", "only", hostport=joined.hostport)


async def test_calls_of_a_sub_channel_carry_its_name(joined):
    seen = []
    joined.server.raw.register("who", lambda request: seen.append(request.transport.caller_name))
    other = joined.client.service("other")

    await other.raw("server", "who", hostport=joined.hostport)
    await other.call("raw", "server", "who", hostport=joined.hostport)
    await other.raw("server", "who", hostport=joined.hostport, caller_name="third")

    assert seen == ["other", "other", "third"]


@pytest.mark.parametrize("name", ["", "server"])
async def test_a_sub_channel_needs_a_name_of_its_own(joined, name):
    with pytest.raises(ValueError):
        joined.server.service(name)


async def test_fallback_works_in_register_and_in_each_schemes_register(joined):
    channel = joined.server
    assert channel.fallback is channel.FALLBACK
    for register in (channel.register, channel.raw.register, channel.json.register):
        channel.endpoints.fallback = None

        @register(channel.fallback)
        def anything(request):
            return request.body

        assert (await call(joined, "unheard-of", b"z")).body == b"z"


async def test_register_takes_the_name_of_a_scheme(joined):
    @joined.server.register("json", "named")
    def handler(request):
        return {"a": 1}

    @joined.server.register("raw")
    def plain_name(request):
        return b"p"

    assert (await joined.client.json("server", "named", hostport=joined.hostport)).body == {"a": 1}
    assert (await call(joined, "plain_name")).body == b"p"
    with pytest.raises(ValueError, match="no arg scheme"):
        joined.server.register("made-up", "x")


async def test_meta_health_answers_ok_without_the_thrift_layer(joined):
    answers = [
        (
            await joined.client.call(
                "thrift", name, "Meta::health", b"\0\0", b"\0", hostport=joined.hostport
            )
        ).body
        for name in ("server", "tchannel", "whatever")
    ]
    # result { 0: HealthStatus { 1: ok = true } }
    assert answers == [bytes.fromhex("0c0000020001010000")] * 3


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("nothing to say")


class OutOfRange(errors.TChannelError):
    code = 0x1234


class OfTheUsersOwn(BaseException):
    pass


FAILURES = {
    "exception without a text": (Speechless(), errors.UnexpectedError, "Speechless"),
    "error about another error": (
        errors.BadRequestError(ValueError("no such key")),
        errors.BadRequestError,
        "no such key",
    ),
    "error with bytes": (errors.BusyError(b"x"), errors.BusyError, "b'x'"),
    "code that fits no byte": (OutOfRange("odd"), errors.UnexpectedError, "odd"),
    "GeneratorExit": (GeneratorExit(), errors.UnexpectedError, "GeneratorExit"),
    "CancelledError": (asyncio.CancelledError(), errors.CanceledError, "cancelled"),
    "BaseException": (OfTheUsersOwn("own"), errors.UnexpectedError, "OfTheUsersOwn: own"),
}


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
@pytest.mark.parametrize("name", FAILURES)
async def test_whatever_a_handler_raises_is_answered_and_costs_no_other_call(joined, name, kind):
    error, expected, text = FAILURES[name]
    go = asyncio.Event()

    @joined.server.raw.register
    async def slow(request):
        await go.wait()
        return b"slow"

    def failing(request):
        raise error

    async def failing_later(request):
        await asyncio.sleep(0)
        raise error

    joined.server.raw.register("fail", failing if kind == "plain" else failing_later)
    other = joined.client.raw("server", "slow", hostport=joined.hostport)
    with pytest.raises(expected, match=text):
        await joined.client.raw("server", "fail", hostport=joined.hostport)
    go.set()

    assert (await other).body == b"slow"
    assert inside(joined.server).incoming_calls == 0
    assert not joined.to_server.closing


async def test_a_handler_that_ends_its_connection_at_once_is_cancelled(joined):
    ended = []

    @joined.server.raw.register
    async def leave(request):
        request.connection.close()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(request.cancelled)

    call = joined.client.raw("server", "leave", hostport=joined.hostport)
    await joined.advance(0)

    assert ended == [True]
    assert isinstance(call.exception(), errors.NetworkError)


class Handlers:
    def method(self, request):
        return request.body


async def nothing():
    return None


def injecting(function):
    """As decorators do that give a handler something besides the request."""

    @functools.wraps(function)
    def wrapper(request):
        return function(request, "more")

    return wrapper


@injecting
def with_more(request, more):
    return more


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (nothing, r"handler nothing must take one argument, the request, but takes \(\)"),
        (Handlers.method, r"handler Handlers.method must .* but takes \(self, request\)"),
        (lambda request, response, proxy: None, r"but takes \(request, response, proxy\)"),
        (lambda request, *, key: None, r"but takes \(request, \*, key\)"),
    ],
)
@pytest.mark.parametrize("scheme", ["raw", "json"])
def test_a_handler_that_cannot_be_called_with_the_request_is_refused_at_once(handler, text, scheme):
    channel = TChannel("server")

    with pytest.raises(TypeError, match=text):
        getattr(channel, scheme).register("endpoint", handler)
    with pytest.raises(TypeError, match=text):
        channel.register(TChannel.FALLBACK, handler)


@pytest.mark.parametrize(
    "handler",
    [
        Handlers().method,
        lambda *args, **kwargs: None,
        lambda request, more=1: None,
        functools.partial(Handlers.method, None),
        dict,  # does not say what it takes
        with_more,
    ],
)
def test_whatever_takes_one_argument_is_a_handler(handler):
    assert TChannel("server").json.register("endpoint", handler) is handler


def test_annotations_of_a_handler_may_name_what_there_is_not():
    def handler(request: "NoSuchName") -> "NorThis":  # noqa: F821 - as where they are for checkers alone
        return request.body

    assert TChannel("server").json.register(handler) is handler


async def test_a_handler_may_stand_where_the_endpoint_does(joined):
    def named(request):
        return {"named": True}

    assert joined.server.register(joined.server.FALLBACK, lambda request: b"fallback")
    assert joined.server.register("json", named) is named

    answer = await joined.client.json("server", "named", {}, hostport=joined.hostport)
    assert answer.body == {"named": True}
    assert (await call(joined, "anything else")).body == b"fallback"


@pytest.mark.parametrize("rest", [(plain,), ()])
async def test_the_order_of_arguments_before_0_16_says_what_to_write(joined, rest):
    with pytest.raises(TypeError, match=r"write register\('json', 'named', \.\.\.\)"):
        joined.server.register("named", "json", *rest)


async def test_an_endpoint_may_have_the_name_of_a_scheme(joined):
    joined.server.register("raw", "json", plain)

    assert (await call(joined, "json")).body == b"xx"


@pytest.mark.parametrize(
    ("use", "write"),
    [
        (lambda response: response["a"], r"write response\.body\['a'\]"),
        (lambda response: response[0], r"write response\.body\[0\]"),
        (list, r"write response\.body$"),
    ],
)
def test_a_response_taken_for_its_body_says_what_to_write(use, write):
    with pytest.raises(TypeError, match=write):
        use(Response({"a": 1}))
