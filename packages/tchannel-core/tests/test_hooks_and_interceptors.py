"""What watches calls, and what stands in their way."""

import asyncio
import gc

import pytest

import tchannel_wire as wire
from tchannel import Response, errors, interceptors
from tchannel.event import EventHook, EventType
from tchannel.interceptors import Call, Reply
from tchannel.lowlevel import inside

# Those of tchannel-python 2.1.0; what is newer is tested where it belongs.
OLD = [event for event in EventType if event <= EventType.on_operational_error_per_attempt]


def watch(channel, events=OLD):
    """Record the names of a channel's events, with their arguments."""
    seen = []
    for event in events:
        channel.hooks.register(lambda *args, event=event: seen.append((event.name, args)), event)
    return seen


def names(seen):
    return [name for name, _ in seen]


async def test_a_call_fires_its_events_on_both_sides_in_order(joined):
    joined.server.json.register("echo", lambda request: request.body)
    client, server = watch(joined.client), watch(joined.server)

    await joined.client.json("server", "echo", {}, {"a": "b"}, hostport=joined.hostport)

    assert names(client) == [
        "before_serialize_request_headers",
        "before_send_request",
        "after_send_request",
        "before_receive_response",
        "after_receive_response",
    ]
    assert names(server) == [
        "after_receive_request",
        "before_receive_request",
        "before_send_response",
        "after_send_response",
    ]
    request = client[1][1][0]
    assert (request.service, request.endpoint) == ("server", "echo")
    assert isinstance(client[-1][1][1], Response)


async def test_a_failed_call_fires_the_events_of_its_failure(joined):
    def boom(request):
        raise KeyError("x")

    joined.server.raw.register("boom", boom)
    client, server = watch(joined.client), watch(joined.server)

    with pytest.raises(errors.UnexpectedError):
        await joined.client.raw("server", "boom", hostport=joined.hostport)

    assert names(client)[3:] == [
        "after_receive_error",
        "after_receive_system_error_per_attempt",
        "after_receive_system_error",
        "on_exception",
    ]
    assert names(server)[2:] == ["on_exception", "after_send_error"]


async def test_a_timeout_fires_operational_errors_one_for_each_attempt(joined):
    @joined.server.raw.register
    async def hang(request):
        await asyncio.Future()

    client = watch(joined.client)
    joined.client.raw(
        "server", "hang", hostport=joined.hostport, timeout=1, retry_on="t", retry_limit=1
    )
    await joined.advance(5)

    assert names(client) == [
        "before_serialize_request_headers",
        "before_send_request",
        "after_send_request",
        "after_receive_error",
        "on_operational_error_per_attempt",
        "before_send_request",
        "after_send_request",
        "after_receive_error",
        "on_operational_error_per_attempt",
        "on_operational_error",
        "on_exception",
    ]


async def test_the_end_of_a_call_is_told_at_both_ends_and_each_retry_to_its_caller(joined):
    answers = iter([errors.BusyError("later"), b"now"])

    @joined.server.raw.register("moody")
    def moody(request):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    events = [EventType.on_retry, EventType.on_call_ended, EventType.on_call_served]
    client, server = watch(joined.client, events), watch(joined.server, events)
    call = joined.client.raw("server", "moody", hostport=joined.hostport, retry_limit=1)
    await joined.advance(1)
    await call

    assert names(client) == ["on_retry", "on_call_ended"]
    assert client[0][1][1] == 1
    ended = client[1][1][1]
    assert (ended.outcome, ended.attempts) == ("success", 2)
    assert client[1][1][0].endpoint == "moody"
    assert [(name, args[0].endpoint, args[1].outcome) for name, args in server] == [
        ("on_call_served", "moody", "busy"),
        ("on_call_served", "moody", "success"),
    ]


async def test_every_event_of_the_old_library_is_really_fired(joined):
    """Union of the three tests above, so that no event is forgotten."""
    joined.server.json.register("echo", lambda request: request.body)

    def boom(request):
        raise KeyError("x")

    joined.server.raw.register("boom", boom)
    client, server = watch(joined.client), watch(joined.server)
    await joined.client.json("server", "echo", hostport=joined.hostport)
    with pytest.raises(errors.UnexpectedError):
        await joined.client.raw("server", "boom", hostport=joined.hostport)
    call = joined.client.raw("server", "echo", hostport="127.0.0.1:9")
    with pytest.raises(errors.TChannelError):
        await asyncio.wait_for(call, 20)

    assert {*names(client), *names(server)} == {event.name for event in OLD}


async def test_a_broken_hook_harms_no_call(joined, caplog):
    class Broken(EventHook):
        def before_send_request(self, request):
            raise OSError("hook")

    joined.client.hooks.register(Broken())
    joined.server.raw.register("echo", lambda request: request.body)

    assert (await joined.client.raw("server", "echo", b"x", hostport=joined.hostport)).body == b"x"
    assert "hook" in caplog.text


# -- interceptors -----------------------------------------------------------------------------


async def test_an_outgoing_interceptor_sees_bytes_and_may_change_the_call_and_the_reply(joined):
    seen = []

    async def interceptor(call, proceed):
        seen.append(
            (call.service, call.endpoint, call.scheme, call.arg3, call.outgoing, call.hostport)
        )
        reply = await proceed(call.replace(arg3=b'"changed"'))
        return Reply(reply.code, reply.arg2, b'{"seen":' + reply.arg3 + b"}", reply.headers)

    joined.client.interceptors.outgoing.append(interceptor)
    joined.server.json.register("echo", lambda request: request.body)

    response = await joined.client.json("server", "echo", {"a": 1}, hostport=joined.hostport)

    assert response.body == {"seen": "changed"}
    assert seen == [("server", "echo", "json", b'{"a":1}', True, joined.hostport)]


async def test_an_interceptor_may_answer_without_any_peer(make_channel):
    client = make_channel("client", interceptors=[])
    client.interceptors.outgoing.append(lambda call, proceed: Reply(0, b"", b"from nowhere"))

    assert (await client.raw("service", "endpoint")).body == b"from nowhere"
    await client.close()


async def test_interceptors_stand_above_retries(joined):
    tries, seen = [], []

    def busy(request):
        tries.append(1)
        raise errors.BusyError("no")

    def interceptor(call, proceed):
        seen.append(call)
        return proceed(call)

    joined.server.raw.register("busy", busy)
    joined.client.interceptors.outgoing.append(interceptor)
    call = joined.client.raw("server", "busy", hostport=joined.hostport, retry_limit=2)
    await joined.advance(5)

    assert isinstance(call.exception(), errors.BusyError)
    assert (len(seen), len(tries)) == (1, 3)


async def test_process_wide_interceptors_stand_outside_those_of_the_channel(joined):
    order = []

    def make(name):
        def interceptor(call, proceed):
            order.append(name)
            return proceed(call)

        return interceptor

    outer, incoming = make("process"), make("process incoming")
    interceptors.add_outgoing(outer)
    interceptors.add_incoming(incoming)
    try:
        joined.client.interceptors.outgoing += [make("first"), make("second")]
        joined.server.interceptors.incoming.append(make("incoming"))
        joined.server.raw.register("echo", lambda request: request.body)
        await joined.client.raw("server", "echo", hostport=joined.hostport)
    finally:
        interceptors.remove_outgoing(outer)
        interceptors.remove_incoming(incoming)

    assert order == ["process", "first", "second", "process incoming", "incoming"]


async def test_an_error_raised_by_an_interceptor_is_the_error_of_the_call(joined):
    def refuse(call, proceed):
        raise errors.BadRequestError("not allowed")

    async def refuse_later(call, proceed):
        raise LookupError("later")

    joined.client.interceptors.outgoing.append(refuse)
    with pytest.raises(errors.BadRequestError, match="not allowed"):
        await joined.client.raw("server", "x", hostport=joined.hostport)
    joined.client.interceptors.outgoing[:] = [refuse_later]
    with pytest.raises(LookupError):
        await joined.client.raw("server", "x", hostport=joined.hostport)


async def test_something_that_is_no_reply_is_a_clear_error(joined):
    joined.client.interceptors.outgoing.append(lambda call, proceed: b"bytes")

    with pytest.raises(TypeError, match="an interceptor returns"):
        await joined.client.raw("server", "x", hostport=joined.hostport)


async def test_cancelling_an_intercepted_call_reaches_the_handler(joined):
    ended = []

    @joined.server.raw.register
    async def hang(request):
        try:
            await asyncio.Future()
        finally:
            ended.append(request.cancelled)

    async def slow(call, proceed):
        return await proceed(call)

    for interceptor in (lambda call, proceed: proceed(call), slow):
        joined.client.interceptors.outgoing[:] = [interceptor]
        call = joined.client.raw("server", "hang", hostport=joined.hostport)
        await joined.advance(0)
        call.cancel()
        await joined.advance(0)
        assert call.cancelled()

    assert ended == [True, True]


async def test_an_incoming_interceptor_sees_the_same_shape_and_may_answer_itself(joined):
    seen = []

    async def interceptor(call, proceed):
        seen.append((call.service, call.endpoint, call.arg3, call.outgoing, call.headers["cn"]))
        if call.arg3 == b"cached":
            return Reply(0, b"", b"from the cache")
        reply = await proceed(call)
        return Reply(reply.code, b"h", reply.arg3 + b"!")

    joined.server.interceptors.incoming.append(interceptor)
    joined.server.raw.register("echo", lambda request: request.body)

    cached = await joined.client.raw("server", "echo", b"cached", hostport=joined.hostport)
    served = await joined.client.raw("server", "echo", b"x", hostport=joined.hostport)

    assert (cached.body, served.body, served.headers) == (b"from the cache", b"x!", b"h")
    assert seen[1] == ("server", "echo", b"x", False, "client")


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_an_incoming_interceptor_sees_what_the_handler_raised(joined, kind):
    seen = []

    async def interceptor(call, proceed):
        try:
            return await proceed(call)
        except KeyError as error:
            seen.append(error)
            raise errors.UnhealthyError("translated") from error

    def boom(request):
        raise KeyError("x")

    async def async_boom(request):
        await asyncio.sleep(0)
        raise KeyError("x")

    joined.server.interceptors.incoming.append(interceptor)
    joined.server.raw.register("boom", boom if kind == "plain" else async_boom)

    with pytest.raises(errors.UnhealthyError, match="translated"):
        await joined.client.raw("server", "boom", hostport=joined.hostport)
    assert len(seen) == 1


async def test_an_incoming_call_that_is_cancelled_ends_its_interceptor(joined):
    ended = []

    async def interceptor(call, proceed):
        try:
            return await proceed(call)
        finally:
            ended.append("interceptor")

    @joined.server.raw.register
    async def hang(request):
        try:
            await asyncio.Future()
        finally:
            ended.append("handler")

    joined.server.interceptors.incoming.append(interceptor)
    call = joined.client.raw("server", "hang", hostport=joined.hostport)
    await joined.advance(0)
    call.cancel()
    await joined.advance(0)

    assert sorted(ended) == ["handler", "interceptor"]
    assert inside(joined.server).incoming_calls == 0


@pytest.mark.parametrize(
    "answer", [None, b"bytes", Reply(0, "text", b""), Reply(1000), Reply(0, b"", 5)], ids=repr
)
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
async def test_an_incoming_interceptor_that_gives_no_sendable_reply_is_an_unexpected_error(
    joined, kind, answer
):
    async def later(call, proceed):
        await proceed(call)
        return answer

    joined.server.interceptors.incoming.append(
        later if kind == "coroutine" else lambda call, proceed: answer
    )
    joined.server.raw.register("echo", lambda request: request.body)

    with pytest.raises(errors.UnexpectedError):
        await joined.client.raw("server", "echo", hostport=joined.hostport)
    assert inside(joined.server).incoming_calls == 0


async def test_an_incoming_interceptor_that_is_cancelled_costs_its_call_alone(joined):
    def interceptor(call, proceed):
        raise asyncio.CancelledError

    joined.server.interceptors.incoming.append(interceptor)
    joined.server.raw.register("echo", lambda request: request.body)
    with pytest.raises(errors.CanceledError):
        await joined.client.raw("server", "echo", hostport=joined.hostport)
    joined.server.interceptors.incoming.clear()

    assert (await joined.client.raw("server", "echo", b"x", hostport=joined.hostport)).body == b"x"


async def test_a_hook_that_looks_at_a_cancelled_future_harms_no_call(joined, caplog):
    cancelled = asyncio.get_running_loop().create_future()
    cancelled.cancel()
    joined.server.hooks.before_receive_request(lambda request: cancelled.result())
    joined.server.raw.register("echo", lambda request: request.body)

    assert (await joined.client.raw("server", "echo", b"x", hostport=joined.hostport)).body == b"x"
    assert "CancelledError" in caplog.text


async def test_what_an_interceptor_makes_unsendable_is_the_error_of_the_call_and_leaves_nothing(
    joined,
):
    def interceptor(call, proceed):
        call.arg2 = "text"
        return proceed(call)

    joined.client.interceptors.outgoing.append(interceptor)
    with pytest.raises(TypeError, match="arg2"):
        await joined.client.raw("server", "echo", hostport=joined.hostport)

    assert inside(joined.client).peers_table.peers[joined.hostport].pending == 0


@pytest.mark.parametrize("how", ["answers early", "waits no more", "fails"])
async def test_a_handler_whose_interceptor_goes_on_without_it_is_cancelled(joined, settle, how):
    ended = []

    @joined.server.raw.register
    async def hang(request):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(how)

    async def interceptor(call, proceed):
        handled = asyncio.ensure_future(proceed(call))
        await settle()
        if how == "waits no more":
            handled.cancel()
            await settle()
            assert ended == [how]
        if how == "fails":
            raise errors.BusyError("no time")
        return Reply(0, b"", b"without it")

    joined.server.interceptors.incoming.append(interceptor)
    call = joined.client.raw("server", "hang", hostport=joined.hostport)
    await asyncio.wait([call])
    await joined.advance(0)

    assert ended == [how]
    assert inside(joined.server).incoming_calls == 0
    if how != "fails":
        assert call.result().body == b"without it"


async def test_what_a_cancelled_interceptor_raises_makes_no_noise(joined):
    noise = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
    joined.server.raw.register("hang", lambda request: asyncio.Future())

    async def interceptor(call, proceed):
        try:
            return await proceed(call)
        except asyncio.CancelledError:
            raise ValueError("while cancelled") from None

    joined.client.interceptors.outgoing.append(interceptor)
    call = joined.client.raw("server", "hang", hostport=joined.hostport)
    await joined.advance(0)
    call.cancel()
    await joined.advance(0)
    del call
    gc.collect()

    assert noise == []


@pytest.mark.parametrize("way", ["outgoing", "incoming"])
@pytest.mark.parametrize("when", ["at once", "later"])
async def test_an_interceptor_may_pass_a_call_on_and_still_look_at_its_reply(joined, way, when):
    tasks = []

    async def look(pending):
        return await pending

    def interceptor(call, proceed):
        pending = proceed(call)
        if when == "at once":
            pending.add_done_callback(lambda future: seen.append(future.result()))
        else:
            tasks.append(asyncio.ensure_future(look(pending)))
        return pending

    seen = []
    channel = joined.client if way == "outgoing" else joined.server
    getattr(channel.interceptors, way).append(interceptor)
    joined.server.raw.register("echo", lambda request: Response(request.body, b"head"))
    response = await joined.client.raw("server", "echo", b"body", hostport=joined.hostport)
    seen += await asyncio.gather(*tasks)
    await joined.advance(0)

    assert (response.body, response.headers, response.status) == (b"body", b"head", 0)
    (reply,) = seen
    assert isinstance(reply, Reply)
    assert (reply.code, reply.arg2, reply.arg3) == (0, b"head", b"body")
    assert reply.headers["as"] == "raw"


async def test_what_an_interceptor_changes_without_a_look_is_changed(joined):
    def interceptor(call, proceed):
        call.arg3 = b"changed"
        return proceed(call)

    joined.client.interceptors.outgoing.append(interceptor)
    joined.server.raw.register("echo", lambda request: request.body)

    response = await joined.client.raw("server", "echo", b"body", hostport=joined.hostport)
    assert response.body == b"changed"


async def test_an_interceptor_may_proceed_more_than_once(joined):
    async def interceptor(call, proceed):
        first = await proceed(call)
        second = await proceed(call.replace(arg3=first.arg3 + b"."))
        return await proceed(call.replace(arg3=second.arg3 + b"."))

    joined.client.interceptors.outgoing.append(interceptor)
    joined.server.raw.register("echo", lambda request: request.body)

    response = await joined.client.raw("server", "echo", b"body", hostport=joined.hostport)
    assert response.body == b"body.."


def test_a_call_has_no_other_attributes():
    call = Call(
        service="s", endpoint="e", scheme="raw", arg2=b"", arg3=b"", headers={}, channel=None,
        outgoing=True, timeout=1.0, tracing=wire.Tracing.new(),
    )  # fmt: skip

    with pytest.raises(AttributeError, match="colour"):
        call.colour  # noqa: B018 - the look alone is what is tested
