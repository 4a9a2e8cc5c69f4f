"""Calls and their answers, in memory."""

import asyncio
import logging

import pytest

from tchannel import Response, TChannel, errors
from tchannel.lowlevel import Endpoint, inside
from tchannel.schemes.raw import encode_result


async def test_raw_call_returns_body_headers_and_status_of_the_handler(joined):
    @joined.server.raw.register
    async def echo(request):
        return Response(request.body, request.headers)

    response = await joined.client.raw("server", "echo", b"body", b"head", hostport=joined.hostport)

    assert (response.body, response.headers, response.status) == (b"body", b"head", 0)
    assert response.transport.scheme == "raw"


@pytest.mark.parametrize("body", [b"abc", bytearray(b"abc"), memoryview(b"abc"), "abc"])
async def test_raw_takes_every_kind_of_bytes_and_str(joined, body):
    seen = []
    joined.server.raw.register("see", lambda request: seen.append((request.body, request.headers)))

    await joined.client.raw("server", "see", body, body, hostport=joined.hostport)

    assert seen == [(b"abc", b"abc")]
    assert type(seen[0][0]) is bytes


@pytest.mark.parametrize("body", [1, [b"x"], {"a": 1}])
async def test_a_raw_body_of_another_type_fails_before_anything_is_sent(joined, body):
    with pytest.raises(TypeError, match="body must be bytes"):
        joined.client.raw("server", "see", body, hostport=joined.hostport)


async def test_json_call_carries_any_json_and_str_headers(joined):
    @joined.server.json.register
    def echo(request):
        return Response({"got": request.body}, request.headers)

    response = await joined.client.json(
        "server", "echo", {"a": [1, None, "ü"]}, {"k": "v"}, hostport=joined.hostport
    )

    assert response.body == {"got": {"a": [1, None, "ü"]}}
    assert response.headers == {"k": "v"}


@pytest.mark.parametrize("headers", [["a"], {"a": 1}, {1: "a"}, "text"])
async def test_json_headers_that_are_not_str_to_str_are_a_value_error(joined, headers):
    with pytest.raises(ValueError, match="headers must be"):
        joined.client.json("server", "echo", {}, headers, hostport=joined.hostport)


async def test_json_none_is_sent_as_null_and_zero_bytes_are_an_empty_object(joined):
    seen = []
    joined.server.json.register("see", lambda request: seen.append(request.body))

    await joined.client.json("server", "see", None, hostport=joined.hostport)
    await joined.client.call("json", "server", "see", hostport=joined.hostport)

    assert seen == [None, {}]


async def test_a_json_body_that_is_no_json_is_a_bad_request_and_the_handler_does_not_run(joined):
    seen = []
    joined.server.json.register("see", seen.append)

    with pytest.raises(errors.BadRequestError, match="cannot decode the request of see"):
        await joined.client.call("json", "server", "see", arg3="{no", hostport=joined.hostport)
    assert seen == []


async def test_status_failed_is_returned_not_raised(joined):
    joined.server.json.register("fail", lambda request: Response({"type": "t"}, status=1))

    response = await joined.client.json("server", "fail", hostport=joined.hostport)

    assert (response.status, response.body) == (1, {"type": "t"})


async def test_an_undeclared_exception_is_an_unexpected_error_without_source_location(
    joined, caplog
):
    @joined.server.raw.register
    def boom(request):
        raise KeyError("secret.py")

    with caplog.at_level(logging.ERROR), pytest.raises(errors.UnexpectedError) as caught:
        await joined.client.raw("server", "boom", hostport=joined.hostport)

    assert caught.value.description == "KeyError: 'secret.py'"
    assert caught.value.code == 5
    assert "handler of boom failed" in caplog.text


async def test_the_text_of_an_exception_is_cut_to_a_kilobyte(joined):
    def boom(request):
        raise ValueError("ü" * 5000)

    joined.server.raw.register("boom", boom)

    with pytest.raises(errors.UnexpectedError) as caught:
        await joined.client.raw("server", "boom", hostport=joined.hostport)
    assert 990 <= len(caught.value.description.encode()) <= 1000


async def test_expose_errors_false_sends_the_type_alone(joined):
    joined.server.expose_errors = False

    def boom(request):
        raise ValueError("password=1")

    joined.server.raw.register("boom", boom)

    with pytest.raises(errors.UnexpectedError) as caught:
        await joined.client.raw("server", "boom", hostport=joined.hostport)
    assert caught.value.description == "ValueError"


@pytest.mark.parametrize(
    "kind",
    [
        errors.TimeoutError,
        errors.CanceledError,
        errors.BusyError,
        errors.DeclinedError,
        errors.UnexpectedError,
        errors.BadRequestError,
        errors.NetworkError,
        errors.UnhealthyError,
    ],
)
async def test_a_tchannel_error_of_a_handler_goes_out_as_it_is(joined, kind):
    def refuse(request):
        raise kind("as asked")

    joined.server.raw.register("refuse", refuse)

    with pytest.raises(kind) as caught:
        await joined.client.raw("server", "refuse", hostport=joined.hostport, retry_limit=0)

    error = caught.value
    assert error.description == "as asked"
    assert (error.service, error.endpoint, error.peer) == ("server", "refuse", joined.hostport)
    assert error.attempts == 1


async def test_an_unknown_endpoint_is_reported_as_unknown_whatever_its_scheme(joined):
    for scheme in ("raw", "json", "made-up"):
        with pytest.raises(errors.BadRequestError, match="Endpoint 'nothing' is not defined"):
            await joined.client.call(scheme, "server", "nothing", hostport=joined.hostport)


async def test_a_registered_endpoint_refuses_another_scheme(joined):
    joined.server.json.register("get", lambda request: None)

    with pytest.raises(
        errors.BadRequestError, match="Server expected a 'json' but request is 'raw'"
    ):
        await joined.client.raw("server", "get", hostport=joined.hostport)


async def test_fallback_takes_every_call_that_nobody_else_takes(joined):
    seen = []

    @joined.server.register(TChannel.FALLBACK)
    def anything(request):
        seen.append((request.endpoint, request.transport.scheme, request.body))
        return b"ok"

    joined.server.raw.register("known", lambda request: b"known")

    answers = [
        (await joined.client.raw("server", "known", hostport=joined.hostport)).body,
        (await joined.client.raw("server", "unknown", b"x", hostport=joined.hostport)).body,
        (
            await joined.client.call(
                "thrift", "server", "A::b", arg3=b"y", hostport=joined.hostport
            )
        ).body,
    ]

    assert answers == [b"known", b"ok", b"ok"]
    assert seen == [("unknown", "raw", b"x"), ("A::b", "thrift", b"y")]


@pytest.mark.parametrize("size", [0, 1, 65_000, 65_535, 65_536, 300_000, 2_000_000])
async def test_bodies_of_any_size_come_back_as_they_were(joined, size):
    joined.server.raw.register("echo", lambda request: request.body)
    body = bytes(range(256)) * (size // 256 + 1)

    response = await joined.client.raw("server", "echo", body[:size], hostport=joined.hostport)

    assert response.body == body[:size]


async def test_a_call_starts_at_once_without_being_awaited(joined):
    seen = []
    joined.server.raw.register("see", lambda request: seen.append(request.body))

    joined.client.raw("server", "see", b"fire", hostport=joined.hostport)
    await joined.advance(0)

    assert seen == [b"fire"]


async def test_a_failed_call_that_nobody_awaits_makes_no_noise(joined, caplog):
    joined.client.raw("server", "nothing", hostport=joined.hostport)
    await joined.advance(0)
    import gc

    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_parallel_calls_get_their_own_answers(joined):
    @joined.server.raw.register
    async def wait(request):
        for _ in range(int(request.body) % 7):
            await asyncio.sleep(0)
        return request.body

    calls = [
        joined.client.raw("server", "wait", str(n), hostport=joined.hostport) for n in range(200)
    ]

    assert [(await call).body for call in calls] == [str(n).encode() for n in range(200)]


async def test_calls_go_both_ways_on_one_connection(joined):
    joined.client.raw.register("who", lambda request: b"the client")

    @joined.server.raw.register
    async def ask_back(request):
        back = await joined.server.raw("client", "who", hostport=request.transport.peer)
        return back.body

    response = await joined.client.raw("server", "ask_back", hostport=joined.hostport)

    assert response.body == b"the client"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"service": ""}, errors.ServiceNameIsRequiredError, "service"),
        ({"service": 5}, TypeError, "service"),
        ({"endpoint": ""}, ValueError, "endpoint"),
        ({"endpoint": None}, (TypeError, ValueError), "endpoint"),
        ({"endpoint": "x" * 20_000}, ValueError, "endpoint"),
        ({"service": ["s"]}, TypeError, r"service must be a str, not \['s'\]"),
        ({"service": 0}, TypeError, "service"),
        ({"service": "\ud800"}, ValueError, "service"),
        ({"endpoint": {}}, TypeError, "endpoint"),
        ({"retry_on": ["c"]}, TypeError, "retry_on"),
        ({"routing_delegate": []}, TypeError, "routing_delegate"),
        ({"shard_key": "\ud800"}, ValueError, "shard_key"),
        ({"routing_key": "\ud800"}, ValueError, "routing_key"),
        ({"caller_name": 5}, TypeError, "caller_name"),
        ({"caller_name": []}, TypeError, "caller_name"),
        ({"hostport": ["127.0.0.1:1"]}, TypeError, "127"),
        ({"hostport": "127.0.0.1:0"}, ValueError, "hostport.*127.0.0.1:0"),
        ({"body": "\ud800"}, ValueError, "body"),
        ({"headers": "\ud800"}, ValueError, "headers"),
        ({"retry_on": "sometimes"}, ValueError, "retry_on"),
        ({"retry_limit": -1}, ValueError, "retry_limit"),
        ({"retry_limit": "2"}, TypeError, "retry_limit"),
        ({"timeout": -1}, ValueError, "timeout"),
        ({"timeout": float("nan")}, ValueError, "timeout"),
        ({"timeout": True}, TypeError, "timeout"),
        ({"timeout": "1"}, TypeError, "timeout"),
        ({"deadline": -1}, ValueError, "deadline"),
        ({"hostport": "nonsense"}, ValueError, "nonsense"),
        ({"hostport": 80}, TypeError, "hostport"),
        ({"shard_key": "x" * 300}, ValueError, "shard_key"),
        ({"shard_key": 3}, TypeError, "shard_key"),
        ({"routing_key": "x" * 300}, ValueError, "routing_key"),
        ({"routing_key": 3}, TypeError, "routing_key"),
        ({"caller_name": "x" * 300}, ValueError, "caller_name"),
        ({"trace": 7}, ValueError, "trace"),
        ({"trace": "yes"}, TypeError, "trace"),
    ],
)
async def test_a_callers_mistake_fails_before_anything_is_sent_and_names_the_argument(
    joined, arguments, error, text
):
    sent = len(joined.to_server.written)
    call = {"service": "server", "endpoint": "echo", "hostport": joined.hostport, **arguments}

    with pytest.raises(error, match=text):
        joined.client.raw(**call)
    await joined.advance(0)

    assert len(joined.to_server.written) == sent


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"scheme": ""}, ValueError, "scheme"),
        ({"scheme": 5}, TypeError, "scheme"),
        ({"tracing_span": "span"}, TypeError, "tracing_span.*'span'"),
        ({"arg2": 5}, TypeError, "arg2"),
        ({"arg3": [b"x"]}, TypeError, "arg3"),
    ],
)
async def test_a_mistake_in_a_call_on_bytes_names_the_argument_too(joined, arguments, error, text):
    call = {"scheme": "raw", "service": "server", "arg1": "echo", "hostport": joined.hostport}

    with pytest.raises(error, match=text):
        joined.client.call(**{**call, **arguments})


def nested(depth):
    body = []
    for _ in range(depth):
        body = [body]
    return body


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({1, 2}, TypeError),
        (b"x", TypeError),
        ({(1, 2): 3}, TypeError),
        (float("nan"), ValueError),
        (nested(100_000), ValueError),
    ],
    ids=["set", "bytes", "tuple as key", "nan", "nested too deeply"],
)
async def test_what_cannot_become_json_is_named_and_not_sent(joined, body, error):
    sent = len(joined.to_server.written)
    with pytest.raises(error, match="body cannot become JSON"):
        joined.client.json("server", "echo", body, hostport=joined.hostport)
    await joined.advance(0)

    assert len(joined.to_server.written) == sent


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"name": 0}, TypeError, "name"),
        ({"name": "x" * 256}, ValueError, "name"),
        ({"hostport": 80}, TypeError, "80"),
        ({"process_name": 5}, TypeError, "process_name"),
        ({"process_name": "x" * 70_000}, ValueError, "process_name"),
        ({"known_peers": 5}, TypeError, "known_peers"),
        ({"options": {}}, TypeError, "options"),
        ({"clock": 5}, TypeError, "clock"),
        ({"ssl_server": True}, TypeError, "ssl_server"),
        ({"ssl_client": "context"}, TypeError, "ssl_client"),
        ({"server_name": 5}, TypeError, "server_name"),
        ({"interceptors": ["log"]}, TypeError, "interceptors.*log"),
    ],
)
def test_a_mistake_in_making_a_channel_names_the_argument(arguments, error, text):
    with pytest.raises(error, match=text):
        TChannel(**{"name": "channel", **arguments})


@pytest.mark.parametrize("name", [5, "x" * 256])
def test_a_sub_channel_needs_a_name_that_can_be_sent(name):
    with pytest.raises((TypeError, ValueError), match="name"):
        TChannel("channel").service(name)


def test_what_runs_at_the_close_must_be_callable():
    with pytest.raises(TypeError, match=r"callback.*5"):
        TChannel("channel").on_close(5)


@pytest.mark.parametrize("body", ["whole", "streamed"])
async def test_a_call_on_a_connection_that_ends_in_the_same_read_fails_as_lost(joined, body):
    (incoming,) = inside(joined.server).connections
    outcomes = []

    async def stream():
        yield b"x"

    @joined.server.raw.register
    def call_back(request):
        arg = b"x" if body == "whole" else stream()
        call = joined.server.raw("client", "x", arg, hostport=incoming.address)
        outcomes.append(call)
        return b""

    made = joined.client.raw("server", "call_back", hostport=joined.hostport)
    request = joined.to_server.protocol.wire.data_to_send()
    joined.to_client.protocol.data_received(request + bytes(16))
    await joined.advance(1)

    assert isinstance(outcomes[0].exception(), errors.NetworkError)
    assert isinstance(made.exception(), errors.NetworkError)
    assert inside(joined.server).peers_table.peers == {}
    assert inside(joined.server).waiting == {}


async def test_a_hook_that_ends_the_connection_of_a_call_fails_it_as_lost(joined):
    joined.client.hooks.before_send_request(lambda request: joined.to_server.protocol.close())

    with pytest.raises(errors.NetworkError, match="before the call was sent"):
        await joined.client.raw("server", "x", hostport=joined.hostport)
    await joined.advance(1)
    assert inside(joined.client).peers_table.peers == {}


# -- the routing key ------------------------------------------------------------------------------


async def test_a_routing_key_goes_with_the_calls_of_every_scheme_and_of_sub_channels(joined):
    seen = []

    def note(request):
        seen.append((request.transport.scheme, request.transport.routing_key))

    for scheme in ("raw", "json"):
        joined.server.register(scheme, "note", note)
    where = {"hostport": joined.hostport, "routing_key": "canary"}

    await joined.client.raw("server", "note", **where)
    await joined.client.json("server", "note", **where)
    await joined.client.call("raw", "server", "note", **where)
    await joined.client.service("part").raw("server", "note", **where)
    await joined.client.service("part").json("server", "note", **where)
    await joined.client.service("part").call("raw", "server", "note", **where)
    await joined.client.raw("server", "note", hostport=joined.hostport)

    kinds = ["raw", "json", "raw"]
    assert seen == [(kind, "canary") for kind in kinds * 2] + [("raw", None)]


# -- headers that are strings ---------------------------------------------------------------------


async def test_string_headers_of_raw_calls_are_a_mapping_on_both_sides(joined):
    seen = []

    @joined.server.raw.register("echo", string_headers=True)
    def echo(request):
        seen.append(request.headers)
        return Response(request.body, {**request.headers, "more": "b"})

    @joined.server.raw.register("plain", string_headers=True)
    def plain(request):
        seen.append(request.headers)
        return b"x"

    @joined.server.raw.register("bytes")
    def see_bytes(request):
        seen.append(request.headers)
        return Response(b"", b"\0\1\0\1a\0\0")

    async def call(endpoint, headers=None):
        response = await joined.client.raw(
            "server", endpoint, b"x", headers, hostport=joined.hostport, string_headers=True
        )
        return response.body, response.headers

    assert await call("echo", {"k": "v"}) == (b"x", {"k": "v", "more": "b"})
    assert await call("plain") == (b"x", {})
    assert await call("bytes", {"k": ""}) == (b"", {"a": ""})
    assert seen == [{"k": "v"}, {}, b"\0\1\0\1k\0\0"]


async def test_bytes_that_are_not_utf8_pass_through_string_headers(joined):
    @joined.server.raw.register("echo", string_headers=True)
    def echo(request):
        return Response(b"", request.headers)

    block = b"\0\1\0\1\xff\0\3a\xfeb"
    response = await joined.client.raw("server", "echo", b"", block, hostport=joined.hostport)

    assert response.headers == block


async def test_a_json_header_that_is_not_utf8_does_not_break_the_call(joined):
    @joined.server.json.register
    def echo(request):
        return Response(None, request.headers)

    response = await joined.client.call(
        "json", "server", "echo", b'{"k":"\xff"}', b"null", hostport=joined.hostport
    )
    again = await joined.client.json(
        "server", "echo", None, {"k": "\udcff"}, hostport=joined.hostport
    )

    assert response.headers == b'{"k":"\\udcff"}'
    assert again.headers == {"k": "\udcff"}


@pytest.mark.parametrize("headers", [b"abc", "abc", ["a"], {"a": 1}, {1: "a"}, {"a": "\ud800"}])
async def test_string_headers_that_are_none_are_a_value_error(joined, headers):
    with pytest.raises(ValueError, match=r"headers must be|surrogate"):
        joined.client.raw(
            "server", "x", b"", headers, hostport=joined.hostport, string_headers=True
        )


async def test_string_headers_go_with_streams(joined):
    @joined.server.raw.register("size", stream=True, string_headers=True)
    async def size(request):
        size = sum([len(chunk) async for chunk in request.body])
        return Response(str(size), request.headers)

    response = await joined.client.raw(
        "server",
        "size",
        b"x" * 200_000,
        {"k": "v"},
        hostport=joined.hostport,
        stream=True,
        string_headers=True,
    )

    assert response.headers == {"k": "v"}
    assert await response.body.read() == b"200000"


async def test_string_headers_that_cannot_be_read_cost_the_call_alone(joined):
    joined.server.raw.register("see", lambda request: b"", string_headers=True)
    joined.server.raw.register("answer", lambda request: Response(b"", b"\0\1\0"))

    with pytest.raises(errors.BadRequestError, match="headers are cut off"):
        await joined.client.raw("server", "see", b"", b"\0\1\0", hostport=joined.hostport)
    with pytest.raises(errors.ReadError, match="the headers of the answer are no strings"):
        await joined.client.raw("server", "answer", hostport=joined.hostport, string_headers=True)


# -- one name, several schemes --------------------------------------------------------------------


async def test_one_endpoint_name_serves_several_schemes(joined):
    joined.server.raw.register("get", lambda request: b"raw")
    joined.server.json.register("get", lambda request: "first")
    joined.server.json.register("get", lambda request: "json")

    raw = await joined.client.raw("server", "get", hostport=joined.hostport)
    json = await joined.client.json("server", "get", hostport=joined.hostport)

    assert (raw.body, json.body) == (b"raw", "json")
    assert (raw.transport.scheme, json.transport.scheme) == ("raw", "json")
    with pytest.raises(
        errors.BadRequestError, match="expected a 'raw' or 'json' but request is 'http'"
    ):
        await joined.client.call("http", "server", "get", hostport=joined.hostport)


async def test_a_streamed_body_beside_one_that_is_not(joined):
    async def size(request):
        return str(sum([len(chunk) async for chunk in request.body]))

    joined.server.json.register("size", lambda request: len(request.body))
    joined.server.raw.register("size", size, stream=True)
    text = "x" * 200_000

    json = await joined.client.json("server", "size", text, hostport=joined.hostport)
    raw = await joined.client.raw("server", "size", text, hostport=joined.hostport)

    assert (json.body, raw.body) == (200_000, b"200000")


# -- what an endpoint makes of exceptions ---------------------------------------------------------


async def test_an_endpoint_may_answer_exceptions_that_nobody_declared_once_they_are_logged(
    joined, caplog
):
    def fail(request):
        raise KeyError("k")

    def encode_failure(error, text):
        return 1, repr(error).encode(), text.encode()

    endpoint = Endpoint("raw", fail, None, encode_result, encode_failure=encode_failure)
    joined.server.add_endpoint("fail", endpoint)
    with caplog.at_level(logging.ERROR):
        response = await joined.client.raw("server", "fail", hostport=joined.hostport)

    assert (response.status, response.headers) == (1, b"KeyError('k')")
    assert response.body == b"KeyError: 'k'"
    assert "handler of fail failed" in caplog.text
