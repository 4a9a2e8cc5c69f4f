"""Calls of procedures by name: raw and json, both ends."""

import asyncio
import copy
import logging
import pickle

import pytest

from tchannel import Request as ChannelRequest
from tchannel import Response, TChannel, errors, sync
from tchannel.authorization import authorize
from tchannel.event import EventType
from tchannel_yarpc import (
    Code,
    DeadlineExceededError,
    Headers,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    Request,
    UnavailableError,
    UnknownError,
    Yarpc,
    YarpcError,
)


async def test_a_raw_call_carries_bytes_and_headers_both_ways(serving, calling):
    @serving.raw.register
    async def echo(request):
        return Response(request.body, {"Seen-Token": request.headers["TOKEN"]})

    response = await calling.raw("ystore", "echo", b"\x00\xff", {"Token": "a"})

    assert response.body == b"\x00\xff"
    assert response.headers == {"seen-token": "a"}
    assert response.headers["SEEN-token"] == "a"
    assert response.transport.scheme == "raw"
    assert response.status == 0


async def test_a_json_call_carries_any_json_and_headers_both_ways(serving, calling):
    @serving.json.register("any-name")
    def echo(request):
        return Response({"got": request.body}, request.headers)

    body = {"text": "é", "large": 9007199254740993, "none": None}
    response = await calling.json("ystore", "any-name", body, {"Token": "b\udcff"})

    assert response.body == {"got": body}
    # JSON cannot say a byte that is not UTF-8; what is no YARPC service in between reads it as here.
    assert response.headers == {"token": "b\udcff"}


@pytest.mark.parametrize("body", [b"a", bytearray(b"a"), memoryview(b"a"), "a"])
async def test_raw_takes_every_kind_of_bytes_and_str(serving, calling, body):
    serving.raw.register("echo", lambda request: request.body)

    assert (await calling.raw("ystore", "echo", body)).body == b"a"


async def test_nothing_is_an_empty_body_of_raw_and_null_of_json(serving, calling):
    serving.raw.register("nothing", lambda request: None)
    serving.json.register("nothing", lambda request: None)

    assert (await calling.raw("ystore", "nothing")).body == b""
    assert (await calling.json("ystore", "nothing")).body is None


async def test_a_handler_sees_who_calls_what_and_how(serving, calling, server):
    seen = []
    serving.raw.register("see", seen.append)

    await calling.raw(
        "ystore",
        "see",
        b"x",
        timeout=7,
        shard_key="shard7",
        routing_key="canary",
        routing_delegate="proxy",
        caller_name="somebody",
    )

    (request,) = seen
    assert isinstance(request, Request)
    assert (request.service, request.procedure, request.endpoint) == ("ystore", "see", "see")
    assert (request.encoding, request.body, request.headers) == ("raw", b"x", {})
    assert request.timeout == 7
    assert not request.cancelled
    assert request.caller_procedure is None
    assert request.transport.headers == {
        "as": "raw",
        "cn": "somebody",
        "re": "n",
        "sk": "shard7",
        "rd": "proxy",
        "rk": "canary",
    }


async def test_a_call_made_by_a_handler_names_its_procedure(serving, calling, server):
    seen = []
    serving.raw.register("inner", seen.append)

    @serving.raw.register
    async def outer(request):
        await Yarpc(server).raw("ystore", "inner", hostport=server.hostport)

    await calling.raw("ystore", "outer")

    assert seen[0].caller_procedure == "outer"
    assert seen[0].headers == {}


async def test_forms_of_registering(serving, calling):
    @serving.raw.register
    def bare(request):
        return b"1"

    @serving.raw.register("named")
    def other(request):
        return b"2"

    def third(request):
        return b"3"

    assert serving.raw.register("third", third) is third
    for name, body in (("bare", b"1"), ("named", b"2"), ("third", b"3")):
        assert (await calling.raw("ystore", name)).body == body


@pytest.mark.parametrize("arguments", [("", len), (3, len), ("a", 3)])
async def test_what_is_no_handler_or_no_name_is_refused(serving, arguments):
    with pytest.raises(TypeError, match=r"handler must be|procedure must be"):
        serving.raw.register(*arguments)


async def test_a_handler_that_takes_no_request_is_refused(serving):
    with pytest.raises(TypeError, match=r"must take one argument, the request, but takes \(\)"):
        serving.raw.register("name", lambda: None)


async def test_a_handler_without_a_name_needs_one(serving):
    class Handler:
        def __call__(self, request):
            return b""

    with pytest.raises(ValueError, match="say which procedure"):
        serving.raw.register(None, Handler())


async def test_a_sub_channel_is_a_service_of_its_own(server, client, serving, calling):
    part = Yarpc(server.service("part"))
    part.raw.register("who", lambda request: request.service)
    serving.raw.register("who", lambda request: request.service)
    seen = []
    serving.raw.register("caller", lambda request: seen.append(request.transport.caller_name))

    assert (await calling.raw("part", "who")).body == b"part"
    assert (await calling.raw("ystore", "who")).body == b"ystore"
    await Yarpc(client.service("sub")).raw("ystore", "caller")
    assert seen == ["sub"]


async def test_a_service_of_another_name_is_not_served(serving, calling):
    serving.raw.register("get", lambda request: b"")

    with pytest.raises(InvalidArgumentError) as caught:
        await calling.raw("other", "get")

    assert caught.value.message == (
        'unrecognized service name "other", available services: "ystore"'
    )
    assert caught.value.__cause__.code == errors.BAD_REQUEST


async def test_an_unknown_procedure_and_another_encoding_are_invalid_arguments(serving, calling):
    serving.raw.register("get", lambda request: b"")

    with pytest.raises(InvalidArgumentError, match="Endpoint 'nosuch' is not defined"):
        await calling.raw("ystore", "nosuch")
    with pytest.raises(InvalidArgumentError, match="expected a 'raw' but request is 'json'"):
        await calling.json("ystore", "get")


async def test_one_name_serves_several_encodings(serving, calling):
    serving.raw.register("get", lambda request: b"raw")
    serving.json.register("get", lambda request: "json")

    assert (await calling.raw("ystore", "get")).body == b"raw"
    assert (await calling.json("ystore", "get")).body == "json"


async def test_handlers_of_the_channel_may_stand_beside(server, serving, calling):
    server.raw.register("plain", lambda request: Response(b"x", b"\0\0"))

    assert (await calling.raw("ystore", "plain")).body == b"x"


# -- errors of handlers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "body"), [("raw", b"part"), ("json", {"partial": "yes"})])
async def test_an_error_carries_all_it_says_and_the_body_beside_it(serving, calling, kind, body):
    def fail(request):
        raise NotFoundError("gone", name="Gone", details="more", headers={"Retry": "no"}, body=body)

    getattr(serving, kind).register("fail", fail)
    with pytest.raises(NotFoundError) as caught:
        await getattr(calling, kind)("ystore", "fail")

    error = caught.value
    assert (error.code, error.message) == (Code.NOT_FOUND, "gone")
    assert (error.name, error.details) == ("Gone", "more")
    assert (error.headers, error.body) == ({"retry": "no"}, body)
    assert (error.service, error.procedure) == ("ystore", "fail")
    assert error.__cause__ is None


async def test_an_error_of_a_call_that_a_handler_lets_through_loses_what_was_said_to_it(
    serving, calling, server
):
    def inner(request):
        raise NotFoundError("gone", name="Gone", headers={"secret": "x"}, body=b"secret")

    serving.raw.register("inner", inner)

    @serving.raw.register
    async def outer(request):
        await Yarpc(server).raw("ystore", "inner", hostport=server.hostport)

    with pytest.raises(NotFoundError) as caught:
        await calling.raw("ystore", "outer")

    assert (caught.value.message, caught.value.name) == ("gone", "Gone")
    assert (caught.value.headers, caught.value.body) == ({}, None)
    assert caught.value.procedure == "outer"


async def test_an_exception_that_is_no_yarpc_error_is_unknown_and_logged(serving, calling, caplog):
    @serving.raw.register
    def boom(request):
        raise KeyError("k")

    with caplog.at_level(logging.ERROR), pytest.raises(UnknownError) as caught:
        await calling.raw("ystore", "boom")

    assert caught.value.message == (
        'error for service "ystore" and procedure "boom": KeyError: \'k\''
    )
    assert "handler of boom failed" in caplog.text


async def test_without_expose_errors_only_its_type_is_told(server, serving, calling):
    server.expose_errors = False

    @serving.raw.register
    def boom(request):
        raise ValueError("password=1")

    with pytest.raises(UnknownError) as caught:
        await calling.raw("ystore", "boom")
    assert caught.value.message.endswith(": ValueError")


async def test_an_error_of_the_channel_goes_out_as_its_frame(serving, calling):
    @serving.raw.register
    def busy(request):
        raise errors.BusyError("full")

    with pytest.raises(YarpcError) as caught:
        await calling.raw("ystore", "busy")

    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    assert isinstance(caught.value.__cause__, errors.BusyError)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (Response(b"", {"$RPC$-service": "x"}), "cannot use reserved header key: $rpc$-service"),
        (NotFoundError(headers={"$rpc$-error-code": "x"}), "reserved header key: $rpc$-error-code"),
    ],
)
async def test_a_reserved_header_of_a_handler_is_an_internal_error_and_logged(
    serving, calling, caplog, result, text
):
    @serving.raw.register
    def answer(request):
        if isinstance(result, Exception):
            raise result
        return result

    with pytest.raises(InternalError) as caught:
        await calling.raw("ystore", "answer")

    assert text in caught.value.message
    assert caught.value.__cause__.code == errors.UNEXPECTED_ERROR
    assert "handler of answer failed" in caplog.text


@pytest.mark.parametrize(
    "result",
    [Response(b"", status=1), Response(b"", {"a": 1}), Response(b"", "text"), 3, object()],
)
async def test_what_a_handler_may_not_return_is_unknown_and_logged(
    serving, calling, caplog, result
):
    serving.raw.register("odd", lambda request: result)

    with pytest.raises(UnknownError, match=r"TypeError|ValueError"):
        await calling.raw("ystore", "odd")
    assert "handler of odd failed" in caplog.text


async def test_a_message_too_long_for_a_header_is_cut(serving, calling):
    @serving.raw.register
    def fail(request):
        raise NotFoundError("é" * 100_000)

    with pytest.raises(NotFoundError) as caught:
        await calling.raw("ystore", "fail")
    assert 65_000 < len(caught.value.message.encode()) < 65_536


async def test_requests_that_cannot_be_read_are_invalid_arguments(client, serving, server):
    seen = []
    serving.json.register("see", seen.append)

    for arg2, arg3 in ((b"{}", b""), (b"{}", b"{"), (b"[]", b"1"), (b"{}", b"[" * 100_000)):
        with pytest.raises(errors.BadRequestError, match="cannot decode the request of see"):
            await client.call("json", "ystore", "see", arg2, arg3)
    assert seen == []


@pytest.mark.parametrize(
    "arg2",
    [
        b"\xff\xff",  # 65,535 headers, and none there
        b"\x00\x01\xff\xffk",  # a name of 65,535 bytes
        b"\x00\x01\x00\x01k",  # no value
        b"\x00\x00x",  # bytes behind the block
        b"\x00",
    ],
)
async def test_hostile_headers_cost_their_call_alone(client, serving, server, arg2):
    seen = []
    serving.raw.register("see", seen.append)

    with pytest.raises(errors.BadRequestError, match="cannot decode the request of see"):
        await client.call("raw", "ystore", "see", arg2, b"")
    await client.call("raw", "ystore", "see", b"\0\2\0\1K\0\x011\0\1k\0\x012", b"")

    assert [dict(request.headers) for request in seen] == [{"k": "2"}]


async def test_a_handler_can_be_called_by_a_test_of_its_own():
    request = Request(ChannelRequest(b"body", {"Token": "t"}, endpoint="get"), "raw")

    assert (request.body, request.headers["token"], request.procedure) == (b"body", "t", "get")
    assert Request(ChannelRequest(), "raw").headers == {}


async def test_tracing_headers_are_kept_apart(serving, calling):
    seen = []
    serving.raw.register("see", seen.append)

    await calling.raw("ystore", "see", b"", {"$tracing$uber-trace-id": "1:2:3:1", "Token": "t"})

    (request,) = seen
    assert request.headers == {"token": "t"}
    assert request.tracing_headers == {"uber-trace-id": "1:2:3:1"}


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
async def test_a_request_can_be_copied_and_pickled(serving, calling, copied):
    seen = []
    serving.json.register("see", seen.append)
    await calling.json("ystore", "see", {"a": [1]}, {"$tracing$x": "y", "Token": "t"})

    request = copied(seen[0])

    assert type(request) is Request
    assert (request.body, request.headers, request.encoding) == ({"a": [1]}, {"token": "t"}, "json")
    assert request.tracing_headers == {"x": "y"}
    assert (request.procedure, request.transport.caller_name) == ("see", "ycaller")
    assert not request.cancelled


def test_calls_from_threads_go_by_a_sync_channel():
    async def nobody(channel):
        return await Yarpc(channel).raw("nobody", "get", timeout=1)

    with sync.TChannel("threads") as channel, pytest.raises(UnavailableError):
        channel.submit(nobody, channel.channel).result(10)
    with sync.TChannel("threads") as channel, pytest.raises(UnavailableError):
        channel.submit(Yarpc(channel.channel).raw, "nobody", "get").result(10)


# -- answers ---------------------------------------------------------------------------------------


async def test_an_answer_of_another_service_is_an_internal_error(calling, answer):
    answer(0, b"\0\1\0\x0d$rpc$-service\0\5other")

    with pytest.raises(InternalError) as caught:
        await calling.raw("ystore", "get")

    assert "sent 'ystore', got 'other'" in caught.value.message
    assert (caught.value.service, caught.value.procedure) == ("ystore", "get")


async def test_an_answer_without_a_service_is_fine(calling, answer):
    answer(0, b"\0\0", b"x")

    assert (await calling.raw("ystore", "get")).body == b"x"


async def test_code_1_alone_is_no_error(calling, answer):
    answer(1, b"\0\0", b"x")

    response = await calling.raw("ystore", "get")

    assert (response.body, response.status) == (b"x", 1)


async def test_a_code_that_nobody_knows_is_an_unknown_error(calling, answer):
    answer(1, b'{"$rpc$-error-code":"teapot","$rpc$-error-message":"short"}', b"{}")

    with pytest.raises(UnknownError) as caught:
        await calling.json("ystore", "get")
    assert (caught.value.message, caught.value.body) == ("short", {})


async def test_a_body_beside_an_error_that_cannot_be_read_is_left_out_and_noted(calling, answer):
    answer(1, b'{"$rpc$-error-code":"NOT-FOUND"}', b"{no")

    with pytest.raises(NotFoundError) as caught:
        await calling.json("ystore", "get")
    assert caught.value.body is None
    assert "could not be decoded" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("kind", "arg2", "arg3"),
    [
        ("raw", b"\0\1\0", b""),
        ("json", b"[]", b"1"),
        ("json", b"{}", b""),
        ("json", b"{}", b"{no"),
    ],
)
async def test_answers_that_cannot_be_read_are_internal_errors(calling, answer, kind, arg2, arg3):
    answer(0, arg2, arg3)

    with pytest.raises(InternalError, match="cannot") as caught:
        await getattr(calling, kind)("ystore", "get")
    assert isinstance(caught.value.__cause__, errors.ReadError)


# -- calls -----------------------------------------------------------------------------------------


async def test_a_call_that_is_refused_is_made_once(serving, calling, answer):
    tried = []

    @serving.raw.register
    def busy(request):
        tried.append(request.procedure)
        raise errors.DeclinedError("after work was done")

    with pytest.raises(UnavailableError):
        await calling.raw("ystore", "busy")
    assert tried == ["busy"]

    with pytest.raises(UnavailableError) as caught:
        await calling.raw("ystore", "busy", retry_on="c", retry_limit=1)
    assert tried == ["busy"] * 3
    assert caught.value.__cause__.attempts == 2


async def test_nobody_there_is_unavailable():
    async with TChannel("alone") as channel:
        with pytest.raises(UnavailableError) as caught:
            await Yarpc(channel).raw("nobody", "get")
        assert isinstance(caught.value.__cause__, errors.NoAvailablePeerError)
        with pytest.raises(UnavailableError):
            await Yarpc(channel).raw("nobody", "get", hostport="127.0.0.1:1")


async def test_no_answer_in_time_is_a_deadline_exceeded(serving, calling):
    @serving.raw.register
    async def wait(request):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        await calling.raw("ystore", "wait", timeout=0.01)
    assert isinstance(caught.value, DeadlineExceededError)


async def test_cancelling_a_call_stops_its_handler(serving, calling):
    begun, ended = asyncio.Event(), asyncio.Event()

    @serving.raw.register
    async def wait(request):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    call = calling.raw("ystore", "wait")
    await begun.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    await ended.wait()


async def test_an_error_that_nobody_looks_at_makes_no_noise(calling, answer, caplog):
    answer(error=errors.BusyError("full"))
    call = calling.raw("ystore", "get")
    await asyncio.wait([call])
    del call

    assert caplog.text == ""


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("ystore", "get", 3), {}, TypeError),
        (("ystore", "get", b"", ["a"]), {}, ValueError),
        (("ystore", "get", b"", {"a": 1}), {}, ValueError),
        (("ystore", "get", b"", {"a": "\ud800"}), {}, ValueError),
        (("ystore", "get", b"", {"a": "x" * 70_000}), {}, ValueError),
        (("", "get"), {}, ValueError),
        (("ystore", ""), {}, ValueError),
        (("ystore", "get"), {"timeout": -1}, ValueError),
        (("ystore", "get"), {"timout": 1}, TypeError),
        (("ystore", "get"), {"routing_key": 3}, TypeError),
        (("ystore", "get"), {"retry_on": "x"}, ValueError),
    ],
)
async def test_mistakes_of_the_caller_fail_before_anything_is_sent(
    calling, answer, arguments, options, error
):
    sent = answer()

    with pytest.raises(error):
        calling.raw(*arguments, **options)
    assert sent == []


@pytest.mark.parametrize("body", [float("nan"), {1, 2}, b"x"])
async def test_a_body_that_cannot_become_json_fails_before_anything_is_sent(calling, body):
    with pytest.raises((TypeError, ValueError), match="body cannot become JSON"):
        calling.json("ystore", "get", body)


async def test_hooks_may_add_headers(client, calling, serving):
    def add(headers, service):
        headers["added"] = service

    client.hooks.register(add, EventType.before_serialize_request_headers)
    serving.raw.register("see", lambda request: request.headers["added"])

    assert (await calling.raw("ystore", "see")).body == b"ystore"
    given = {"a": "b"}
    await calling.raw("ystore", "see", b"", given)
    assert given == {"a": "b"}


@pytest.mark.parametrize("channel", [None, "name", TChannel, object()])
def test_what_is_no_channel_is_refused(channel):
    with pytest.raises(TypeError, match=r"Yarpc takes a tchannel.TChannel"):
        Yarpc(channel)


async def test_headers_given_as_headers_are_taken(serving, calling):
    serving.raw.register("see", lambda request: Response(b"", request.headers))

    assert (await calling.raw("ystore", "see", b"", Headers({"A": "b"}))).headers == {"a": "b"}


async def test_a_check_before_a_handler_refuses_calls(serving, calling):
    @serving.json.register
    @authorize(lambda access: False)
    def guarded(request):
        raise AssertionError("it never runs")

    with pytest.raises(Exception, match="not authorized"):
        await calling.json("ystore", "guarded", {})
