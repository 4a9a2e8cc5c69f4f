"""Hooks that are coroutines: where the call waits for them, and for how long at most."""

import asyncio

import pytest

import tchannel_wire as wire
from tchannel import Response, TChannel, errors
from tchannel.event import EventHook, EventType


class Gate:
    """A hook that is reached, and goes on when it is told to."""

    def __init__(self, channel, event, change=None):
        self.reached = []
        self.opened = asyncio.Event()
        self.change = change
        channel.hooks.register(self.hook, event)

    async def hook(self, *args):
        self.reached.append(args)
        await self.opened.wait()
        if self.change is not None:
            self.change(*args)


def serve(joined):
    served = []
    joined.server.json.register("echo", lambda request: served.append(request) or request.headers)
    joined.server.raw.register("raw", lambda request: served.append(request) or b"raw")
    return served


async def test_headers_are_encoded_after_a_coroutine_has_changed_them(joined):
    serve(joined)
    gate = Gate(
        joined.client,
        EventType.before_serialize_request_headers,
        lambda headers, service: headers.update(token=service),
    )
    call = joined.client.json("server", "echo", None, {"a": "b"}, hostport=joined.hostport)
    await joined.advance(1)
    assert not call.done()
    gate.opened.set()

    assert (await call).body == {"a": "b", "token": "server"}


async def test_a_plain_hook_changes_headers_as_before(joined):
    serve(joined)
    joined.client.hooks.register(
        lambda headers, service: headers.update(token="t"),
        EventType.before_serialize_request_headers,
    )

    assert (await joined.client.json("server", "echo", hostport=joined.hostport)).body == {
        "token": "t"
    }


async def test_raw_calls_fire_before_serialize_request_headers_without_headers(joined):
    serve(joined)
    gate = Gate(joined.client, EventType.before_serialize_request_headers)
    call = joined.client.raw("server", "raw", b"", b"headers", hostport=joined.hostport)
    await joined.advance(1)
    assert gate.reached == [(None, "server")]
    assert not call.done()
    gate.opened.set()

    assert (await call).body == b"raw"


async def test_a_call_is_sent_after_before_send_request_has_ended(joined):
    served = serve(joined)
    gate = Gate(joined.client, EventType.before_send_request)
    call = joined.client.raw("server", "raw", hostport=joined.hostport)
    await joined.advance(1)
    assert served == []
    gate.opened.set()

    assert (await call).body == b"raw"
    assert len(gate.reached) == 1


async def test_every_attempt_waits_for_a_hook_of_its_own(joined):
    served = []

    @joined.server.raw.register
    def busy(request):
        served.append(request)
        if len(served) < 3:
            raise errors.BusyError("later")
        return b"done"

    gate = Gate(joined.client, EventType.before_send_request)
    gate.opened.set()
    call = joined.client.raw("server", "busy", hostport=joined.hostport, retry_limit=4)
    await joined.advance(20)

    assert (await call).body == b"done"
    assert len(gate.reached) == 3


async def test_a_handler_runs_after_before_receive_request_has_ended(joined):
    for name, handler in {"plain": lambda request: b"1", "coroutine": coroutine}.items():
        joined.server.raw.register(name, handler)
    gate = Gate(joined.server, EventType.before_receive_request)
    calls = [
        joined.client.raw("server", name, hostport=joined.hostport)
        for name in ("plain", "coroutine")
    ]
    await joined.advance(1)
    assert len(gate.reached) == 2
    assert not any(call.done() for call in calls)
    gate.opened.set()

    assert [(await call).body for call in calls] == [b"1", b"2"]


async def coroutine(request):
    return b"2"


@pytest.mark.parametrize(
    ("endpoint", "event", "waits"),
    [
        ("raw", EventType.after_receive_response, True),
        ("nothing", EventType.after_receive_error, True),
        ("nothing", EventType.on_exception, True),
        ("raw", EventType.after_send_request, False),
        ("raw", EventType.before_receive_response, False),
        ("nothing", EventType.after_receive_system_error, False),
    ],
)
async def test_the_caller_sees_the_outcome_after_the_hooks_about_it(joined, endpoint, event, waits):
    serve(joined)
    gate = Gate(joined.client, event)
    call = joined.client.raw("server", endpoint, hostport=joined.hostport)
    await joined.advance(1)
    assert len(gate.reached) == 1
    assert call.done() is not waits
    gate.opened.set()
    await joined.advance(1)

    assert call.done()
    assert (call.exception() is None) == (endpoint == "raw")


async def test_an_interceptor_gets_the_reply_after_the_hooks_about_it(joined):
    serve(joined)
    gate = Gate(joined.client, EventType.after_receive_response)
    seen = []

    async def interceptor(call, proceed):
        reply = await proceed(call)
        seen.append(reply.arg3)
        return reply

    joined.client.interceptors.outgoing.append(interceptor)
    call = joined.client.raw("server", "raw", hostport=joined.hostport)
    await joined.advance(1)
    assert seen == []
    gate.opened.set()

    assert (await call).body == b"raw"
    assert seen == [b"raw"]


@pytest.mark.parametrize(
    "event", [EventType.before_serialize_request_headers, EventType.before_send_request]
)
async def test_a_hook_holds_no_call_up_beyond_its_timeout(joined, event):
    served = serve(joined)
    Gate(joined.client, event)
    call = joined.client.raw("server", "raw", hostport=joined.hostport, timeout=2, retry_limit=0)
    await joined.advance(1.9)
    assert not call.done()
    await joined.advance(0.2)

    with pytest.raises(errors.TimeoutError, match="hooks held the call up"):
        await call
    assert served == []


@pytest.mark.parametrize("event", [EventType.after_receive_response, EventType.on_exception])
async def test_an_outcome_is_held_back_no_longer_than_the_timeout(joined, event):
    serve(joined)
    Gate(joined.client, event)
    endpoint = "raw" if event is EventType.after_receive_response else "nothing"
    call = joined.client.raw("server", endpoint, hostport=joined.hostport, timeout=2)
    await joined.advance(2.1)

    assert call.done()


@pytest.mark.parametrize(
    "event",
    [
        EventType.before_serialize_request_headers,
        EventType.before_send_request,
        EventType.after_receive_response,
    ],
)
async def test_a_call_that_hooks_hold_up_can_be_cancelled(joined, event):
    serve(joined)
    gate = Gate(joined.client, event)
    call = joined.client.raw("server", "raw", hostport=joined.hostport)
    await joined.advance(1)
    call.cancel()
    gate.opened.set()
    await joined.advance(1)

    assert call.cancelled()


async def test_a_coroutine_that_fails_is_logged_and_harms_no_call(joined, caplog):
    serve(joined)

    async def broken(*args):
        raise OSError("hook")

    for event in EventType:
        joined.client.hooks.register(broken, event)
        joined.server.hooks.register(broken, event)

    assert (await joined.client.raw("server", "raw", hostport=joined.hostport)).body == b"raw"
    assert "hook" in caplog.text


async def test_a_channel_that_closes_waits_for_hooks_as_for_calls(joined):
    serve(joined)
    Gate(joined.client, EventType.after_receive_response)
    call = joined.client.raw("server", "raw", hostport=joined.hostport, timeout=60)
    await joined.advance(1)
    closing = joined.client.close(grace=2)
    await joined.advance(5)
    await closing

    assert call.done()


def test_hooks_are_waited_for_before_the_loop_runs_too():
    async def change(headers, service):
        await asyncio.sleep(0)
        headers["a"] = "b"

    server, client = TChannel("server", hostport="127.0.0.1:0"), TChannel("client")
    server.json.register("echo", lambda request: request.headers)
    client.hooks.register(change, EventType.before_serialize_request_headers)

    async def main():
        server.listen()
        async with server, client:
            return await client.json("server", "echo", hostport=server.hostport)

    assert asyncio.run(main()).body == {"a": "b"}


# -- what hooks see ---------------------------------------------------------------------------


class Watch(EventHook):
    def __init__(self):
        self.requests = {}
        self.errors = {}

    def before_send_request(self, request):
        self.requests["before_send_request"] = request

    def after_receive_response(self, request, response):
        self.requests["after_receive_response"] = request

    def before_receive_request(self, request):
        self.requests["before_receive_request"] = request

    def after_receive_error(self, request, error):
        self.errors["after_receive_error"] = error

    def after_send_error(self, error):
        self.errors["after_send_error"] = error

    def on_exception(self, request, error):
        self.errors["on_exception"] = error


async def test_hooks_see_application_headers_as_a_dict_on_both_sides(joined):
    serve(joined)
    client, server = Watch(), Watch()
    joined.client.hooks.register(client)
    joined.server.hooks.register(server)
    await joined.client.json("server", "echo", None, {"a": "b"}, hostport=joined.hostport)

    for request in (*client.requests.values(), *server.requests.values()):
        assert request.headers == {"a": "b"}
        assert request.transport.headers["cn"] == "client"
        assert request.endpoint == "echo"


async def test_hooks_see_the_headers_of_raw_and_unknown_schemes_as_bytes(joined):
    serve(joined)
    watch = Watch()
    joined.client.hooks.register(watch)
    await joined.client.raw("server", "raw", b"", b"\xff", hostport=joined.hostport)
    assert watch.requests["before_send_request"].headers == b"\xff"

    with pytest.raises(errors.BadRequestError):
        await joined.client.call("json", "server", "echo", b"[", hostport=joined.hostport)
    assert watch.requests["before_send_request"].headers == b"["


@pytest.mark.parametrize("endpoint", ["nothing", "boom"])
async def test_errors_and_requests_have_the_tracing_of_the_call(joined, endpoint):
    def boom(request):
        raise KeyError("x")

    joined.server.raw.register("boom", boom)
    client, server = Watch(), Watch()
    joined.client.hooks.register(client)
    joined.server.hooks.register(server)

    with pytest.raises(errors.TChannelError) as caught:
        await joined.client.raw("server", endpoint, hostport=joined.hostport)

    tracing = client.requests["before_send_request"].tracing
    assert isinstance(tracing, wire.Tracing)
    assert tracing.span_id
    assert server.requests["before_receive_request"].tracing == tracing
    assert caught.value.tracing == tracing
    assert client.errors["after_receive_error"].tracing == tracing
    assert server.errors["after_send_error"].tracing == tracing


async def test_the_caller_s_on_exception_is_told_once_however_many_attempts_failed(joined):
    def busy(request):
        raise errors.BusyError("later")

    joined.server.raw.register("busy", busy)
    seen = []
    joined.client.hooks.register(
        lambda request, error: seen.append("error"), EventType.after_receive_error
    )
    joined.client.hooks.register(lambda request, error: seen.append(error), EventType.on_exception)
    call = joined.client.raw("server", "busy", hostport=joined.hostport, retry_limit=2)
    await joined.advance(20)

    assert seen == ["error", "error", "error", call.exception()]


async def test_a_json_handler_that_returns_nothing_answers_an_empty_object(joined):
    results = {"nothing": None, "empty": Response(), "none": Response(None, {"a": "b"})}
    for name, result in results.items():
        joined.server.json.register(name, lambda request, result=result: result)

    for name in results:
        assert (await joined.client.json("server", name, hostport=joined.hostport)).body == {}
