"""Results, exceptions and bad bodies: what each end makes of the other's bytes."""

import asyncio
import logging

import pytest

from tchannel import Response, TChannel, interceptors
from tchannel.errors import (
    BadRequestError,
    BusyError,
    ReadError,
    TChannelError,
    UnexpectedError,
    ValueExpectedError,
)
from tchannel.interceptors import Reply
from tchannel.lowlevel import inside
from tchannel_thrift import UndeclaredExceptionError, rw, thrift_request_builder

FALSE_VALUES = {
    "toBool": ("text", "no", False),
    "toNumber": ("number", 0, 0),
    "toDouble": ("number", 0.0, 0.0),
    "getValue": ("key", "", ""),
    "toBinary": ("data", b"", b""),
    "toList": ("numbers", [], []),
    "toMap": ("numbers", {}, {}),
    "toSet": ("numbers", set(), set()),
}


def serve(server, kind, function, result):
    """Let the function return what `result` returns for its request, or raise it."""

    def handler(request):
        value = result(request) if callable(result) else result
        if isinstance(value, BaseException):
            raise value
        return value

    server.thrift.register(kind.service, handler, function)


# -- results ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FALSE_VALUES)
async def test_values_that_are_false_are_results(server, client, kind, function):
    argument, value, expected = FALSE_VALUES[function]
    serve(server, kind, function, expected)

    body = (await client.thrift(kind.request(function, **{argument: value}))).body

    assert body == expected
    assert type(body) is type(expected)


async def test_none_of_a_function_that_returns_something_is_an_unexpected_error(
    server, client, kind, caplog
):
    serve(server, kind, "getValue", None)
    serve(server, kind, "toNumber", lambda request: Response(None, {"a": "b"}))

    for request in (kind.request("getValue", "a"), kind.request("toNumber", 1)):
        with pytest.raises(UnexpectedError) as caught:
            await client.thrift(request)
        assert f"{request.endpoint} returned None" in caught.value.description
        assert f"handler of {request.endpoint} failed" in caplog.text


async def test_a_void_function_returns_none_whatever_its_handler_does(server, client, kind):
    serve(server, kind, "nothing", 5)
    serve(server, kind, "setValue", lambda request: Response(5, {"a": "b"}))

    assert (await client.thrift(kind.request("nothing"))).body is None
    response = await client.thrift(kind.request("setValue", "a", "b"))
    assert (response.body, response.headers) == (None, {"a": "b"})


async def test_structs_unions_and_enums_go_both_ways(server, client, kind):
    serve(server, kind, "move", lambda request: request.body.point)
    serve(server, kind, "toAnswer", lambda request: request.body.answer)
    serve(server, kind, "toColour", lambda request: request.body.colour)
    point = kind.shared.Point(x=1, y=-2)
    answer = kind.types.Answer(text="forty-two")

    assert (await client.thrift(kind.request("move", point, by=3))).body == point
    assert (await client.thrift(kind.request("toAnswer", answer))).body == answer
    assert (await client.thrift(kind.request("toColour", kind.types.Colour.GREEN))).body == 2


async def test_a_dict_is_taken_for_a_struct(server, client, kind):
    point = kind.shared.Point(x=1, y=2)
    serve(server, kind, "move", {"x": 1, "y": 2})
    serve(server, kind, "points", lambda request: [{"x": 1, "y": 2}, point])
    serve(server, kind, "places", lambda request: {"here": {"x": 1, "y": 2}})
    serve(
        server,
        kind,
        "draw",
        {"begin": {"x": 1, "y": 2}, "rest": [point, {"x": 1, "y": 2}], "named": {"a": point}},
    )

    assert (await client.thrift(kind.request("move", point, None))).body == point
    assert (await client.thrift(kind.request("points", 2))).body == [point, point]
    assert (await client.thrift(kind.request("places"))).body == {"here": point}
    line = (await client.thrift(kind.request("draw", [point]))).body
    assert (line.begin, line.rest, line.named) == (point, [point, point], {"a": point})


async def test_a_dict_with_an_unknown_field_is_an_unexpected_error(server, client, kind):
    serve(server, kind, "move", {"x": 1, "y": 2, "zett": 3})

    with pytest.raises(UnexpectedError, match="zett"):
        await client.thrift(kind.request("move", kind.shared.Point(1, 2), None))


async def test_a_result_of_a_wrong_type_is_an_unexpected_error_naming_the_field(
    server, client, kind
):
    serve(server, kind, "toNumber", "three")
    serve(server, kind, "toList", ["three"])

    for function, argument in (("toNumber", 3), ("toList", [3])):
        with pytest.raises(UnexpectedError, match=r"Field success of .*(_response|_result)"):
            await client.thrift(kind.request(function, argument))


async def test_a_response_with_a_failed_status_is_refused(server, client, kind):
    serve(server, kind, "getValue", lambda request: Response("value", status=1))

    with pytest.raises(UnexpectedError, match="raise an exception that the IDL declares"):
        await client.thrift(kind.request("getValue", "a"))


# -- exceptions ------------------------------------------------------------------------------------


async def test_a_declared_exception_is_raised_at_the_caller(server, client, kind):
    serve(server, kind, "getValue", kind.types.NotFound("a"))

    with pytest.raises(kind.types.NotFound) as caught:
        await client.thrift(kind.request("getValue", "a"))
    assert caught.value.key == "a"


async def test_each_declared_exception_has_its_own_field(server, client, kind):
    point = kind.shared.Point(1, 2)
    serve(server, kind, "getValue", kind.types.Expired(at=1 << 40, where=point))

    with pytest.raises(kind.types.Expired) as caught:
        await client.thrift(kind.request("getValue", "a"))
    assert (caught.value.at, caught.value.where) == (1 << 40, point)


async def test_a_declared_exception_of_a_void_function_is_raised(server, client, kind):
    serve(server, kind, "setValue", kind.types.NotFound("a"))

    with pytest.raises(kind.types.NotFound):
        await client.thrift(kind.request("setValue", "a", "b"))


async def test_a_subclass_of_a_declared_exception_is_sent_as_that(server, client, kind):
    class Lost(kind.types.NotFound):
        pass

    serve(server, kind, "getValue", Lost("a"))

    with pytest.raises(kind.types.NotFound) as caught:
        await client.thrift(kind.request("getValue", "a"))
    assert caught.value.key == "a"


async def test_a_declared_exception_is_an_application_error_on_the_wire(server, client, kind):
    serve(server, kind, "getValue", kind.types.NotFound("a"))
    request = kind.request("getValue", "a")

    response = await client.call(
        "thrift", "keyvalue", request.endpoint, b"\0\0", request.method.codec.dump_args(
            request.call_args
        ),
    )  # fmt: skip

    # Field 1, a struct, whose field 1 is the string "a".
    assert response.body == b"\x0c\0\x01\x0b\0\x01\0\0\0\x01a\0\0"
    assert (response.status, response.headers) == (1, b"\0\0")


async def test_a_declared_exception_is_no_failure_of_the_server(server, client, kind, caplog):
    serve(server, kind, "getValue", kind.types.NotFound("a"))

    with caplog.at_level(logging.INFO), pytest.raises(kind.types.NotFound):
        await client.thrift(kind.request("getValue", "a"))
    assert "failed" not in caplog.text


async def test_an_exception_that_is_not_declared_is_an_unexpected_error(
    server, client, kind, caplog
):
    serve(server, kind, "getValue", KeyError("a"))
    serve(server, kind, "setValue", kind.types.Expired(at=1))

    with pytest.raises(UnexpectedError, match="KeyError: 'a'"):
        await client.thrift(kind.request("getValue", "a"))
    with pytest.raises(UnexpectedError, match="Expired"):
        await client.thrift(kind.request("setValue", "a", "b"))
    assert "handler of KeyValue::getValue failed" in caplog.text


async def test_an_error_of_tchannel_goes_out_as_it_is(server, client, kind):
    serve(server, kind, "getValue", BusyError("come back later"))

    with pytest.raises(BusyError, match="come back later"):
        await client.thrift(kind.request("getValue", "a"), retry_on="n")


# -- bad bodies ------------------------------------------------------------------------------------

# For getValue(1: required string key): a struct of a string.
BAD_REQUESTS = {
    "nothing": b"",
    "cut off": b"\x0b\0\x01\0\0\0\x05hel",
    "no end": b"\x0b\0\x01\0\0\0\x01a",
    "negative length": b"\x0b\0\x01\xff\xff\xff\xff",
    "huge length": b"\x0b\0\x01\x7f\xff\xff\xff",
    "negative length in an unknown field": b"\x0b\0\x09\xff\xff\xff\xf0" + bytes(20),
    "huge list in an unknown field": b"\x0f\0\x09\x0b\x7f\xff\xff\xff\0",
    "unknown type": b"\x55\0\x09\0",
    "nested too deeply": b"\x0c\0\x02" * 100_000,
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_body_that_does_not_decode_is_a_bad_request_naming_the_method(
    server, client, kind, name
):
    serve(server, kind, "getValue", lambda request: called.append(request) or "value")
    called = []

    with pytest.raises(BadRequestError, match=r"cannot decode the request of KeyValue::getValue"):
        await client.call("thrift", "keyvalue", "KeyValue::getValue", b"\0\0", BAD_REQUESTS[name])

    assert called == []
    assert len(inside(client).connections) == 1
    assert (await client.thrift(kind.request("getValue", "a"))).body == "value"


async def test_a_required_argument_that_is_missing_is_a_bad_request(server, client, load_kind):
    # Apache's dynamic code does not know which fields are required.
    for name in ("loaded", "engine", "apache_plain"):
        kind = load_kind(name)
        serve(server, kind, "getValue", "value")

        with pytest.raises(BadRequestError, match=r"KeyValue::getValue.*key"):
            await client.call("thrift", "keyvalue", "KeyValue::getValue", b"\0\0", b"\0")


@pytest.mark.parametrize("arg2", [b"\0", b"\0\x01", b"\0\x01\0\x01a\0\x05b", b"\0\0more"])
async def test_headers_that_do_not_decode_are_a_bad_request(server, client, kind, arg2):
    serve(server, kind, "getValue", "value")
    request = kind.request("getValue", "a")
    body = request.method.codec.dump_args(request.call_args)

    with pytest.raises(BadRequestError, match=r"cannot decode the request of KeyValue::getValue"):
        await client.call("thrift", "keyvalue", request.endpoint, arg2, body)


async def test_each_call_has_a_dict_of_headers_of_its_own(server, client, kind):
    def getValue(request):
        assert request.headers == {}
        request.headers["spoilt"] = "yes"
        return Response("value", {})

    server.thrift.register(kind.service, getValue)
    for _ in range(2):
        response = await client.thrift(kind.request("getValue", "a"))
        assert response.headers == {}
        response.headers["spoilt"] = "yes"


async def test_no_headers_at_all_are_none(server, client, kind):
    serve(server, kind, "getValue", lambda request: str(request.headers))
    request = kind.request("getValue", "a")
    body = request.method.codec.dump_args(request.call_args)

    response = await client.call("thrift", "keyvalue", request.endpoint, b"", body)

    assert response.body == b"\x0b\0\0\0\0\0\x02{}\0"


def answering(client, reply):
    """Let every call of the client be answered with `reply`."""
    client.interceptors.outgoing.append(lambda call, proceed: reply)


BAD_ANSWERS = {
    "nothing": b"",
    "cut off": b"\x0b\0\0\0\0\0\x05hel",
    "negative length": b"\x0b\0\0\xff\xff\xff\xff",
    "huge length": b"\x0b\0\0\x7f\xff\xff\xff",
    "negative length in an unknown field": b"\x0b\0\0\xff\xff\xff\xf0" + bytes(20),
    "unknown type": b"\x55\0\x09\0",
    "nested too deeply": b"\x0c\0\0" * 100_000,
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
@pytest.mark.parametrize("code", [0, 1])
async def test_an_answer_that_does_not_decode_is_a_read_error(client, kind, name, code):
    answering(client, Reply(code, b"\0\0", BAD_ANSWERS[name]))

    with pytest.raises(ReadError, match=r"cannot decode the answer of KeyValue::getValue"):
        await client.thrift(kind.request("getValue", "a"))


async def test_headers_of_an_answer_that_do_not_decode_are_a_read_error(client, kind):
    answering(client, Reply(0, b"\0\x01", b"\x0b\0\0\0\0\0\x01a\0"))

    with pytest.raises(ReadError, match=r"cannot decode the answer of KeyValue::getValue"):
        await client.thrift(kind.request("getValue", "a"))


async def test_an_answer_that_does_not_decode_costs_no_connection(server, client, kind):
    serve(server, kind, "getValue", "value")
    # Beneath the Thrift scheme, the server answers what makes no sense as a string.
    broken = [True]

    async def break_once(call, proceed):
        reply = await proceed(call)
        return Reply(0, b"\0\0", b"\x0b\0\0\0") if broken.pop() else reply

    server.interceptors.incoming.append(break_once)
    with pytest.raises(ReadError) as caught:
        await client.thrift(kind.request("getValue", "a"))
    assert (caught.value.service, caught.value.endpoint) == ("keyvalue", "KeyValue::getValue")

    (connection,) = inside(client).connections
    broken.append(False)
    assert (await client.thrift(kind.request("getValue", "a"))).body == "value"
    assert list(inside(client).connections) == [connection]


async def test_an_answer_without_the_value_is_a_value_expected_error(client, kind):
    answering(client, Reply(0, b"\0\0", b"\0"))

    with pytest.raises(ValueExpectedError, match="KeyValue::getValue returns a value"):
        await client.thrift(kind.request("getValue", "a"))


@pytest.mark.parametrize("function", ["getValue", "setValue"])
async def test_an_exception_that_the_idl_lacks_is_an_undeclared_exception_error(
    client, kind, function
):
    # Field 9, a struct.
    answering(client, Reply(1, b"\0\0", b"\x0c\0\x09\0\0"))
    arguments = ("a", "b") if function == "setValue" else ("a",)

    with pytest.raises(UndeclaredExceptionError) as caught:
        await client.thrift(kind.request(function, *arguments))

    assert isinstance(caught.value, ReadError)
    assert isinstance(caught.value, rw.UnknownExceptionError)
    assert isinstance(caught.value, TChannelError)
    assert caught.value.thrift_response is None


async def test_an_empty_answer_of_a_void_function_is_none(client, kind):
    answering(client, Reply(0, b"\0\0", b"\0"))

    assert (await client.thrift(kind.request("nothing"))).body is None


# -- interceptors ----------------------------------------------------------------------------------


async def test_declared_exceptions_cross_interceptors_on_both_sides(server, client, kind):
    serve(server, kind, "getValue", kind.types.NotFound("a"))

    async def watch(call, proceed):
        reply = await proceed(call)
        seen.append((call.outgoing, reply.code))
        return reply

    seen = []
    server.interceptors.incoming.append(watch)
    client.interceptors.outgoing.append(watch)
    interceptors.add_outgoing(lambda call, proceed: proceed(call))
    try:
        with pytest.raises(kind.types.NotFound) as caught:
            await client.thrift(kind.request("getValue", "a"))
    finally:
        interceptors.process_wide.outgoing.clear()
    assert caught.value.key == "a"
    assert seen == [(False, 1), (True, 1)]


async def test_declared_exceptions_cross_tasks_and_groups(server, client, kind):
    async def getValue(request):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0))
        await task
        async with asyncio.timeout(5):
            try:
                raise kind.types.NotFound(request.body.key)
            finally:
                await asyncio.sleep(0)

    server.thrift.register(kind.service, getValue)

    results = await asyncio.gather(
        *(client.thrift(kind.request("getValue", key)) for key in "ab"), return_exceptions=True
    )
    assert [result.key for result in results] == ["a", "b"]


async def test_a_declared_exception_passes_through_a_server_that_calls_another(
    server, client, kind
):
    serve(server, kind, "getValue", lambda request: kind.types.NotFound(request.body.key))
    async with TChannel("between", hostport="127.0.0.1:0", known_peers=[server.hostport]) as middle:

        @middle.thrift.register(kind.service)
        async def getValue(request):
            return (await middle.thrift(kind.request("getValue", request.body.key))).body

        middle.listen()
        with pytest.raises(kind.types.NotFound) as caught:
            await client.thrift(kind.request("getValue", "a"), hostport=middle.hostport)
    assert caught.value.key == "a"


async def test_every_kind_understands_every_other(server, client, kind, load_kind, kinds):
    serve(server, kind, "getValue", lambda request: request.body.key * 2)
    serve(server, kind, "setValue", lambda request: kind.types.NotFound(request.body.key))

    for other in map(load_kind, kinds):
        assert (await client.thrift(other.request("getValue", "é"))).body == "éé"
        with pytest.raises(other.types.NotFound) as caught:
            await client.thrift(other.request("setValue", "k", "v"))
        assert caught.value.key == "k"


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_thrown_and_is_no_exception_is_an_undeclared_one(strict):
    document = """
        struct S { 1: optional i32 a }
        service Odd { void f() throws (1: string why, 2: S s) }
    """
    service = rw.Loader(strict=strict).loads("odd", document).Odd
    decode = thrift_request_builder("odd", service).f().method.decode_response
    for value in (
        service.f.response(why="because"),
        service.f.response(s=service.f.request.__thrift_module__.S(1)),
    ):
        answer = service.f.request.__thrift_module__.dumps(value)
        with pytest.raises(UndeclaredExceptionError, match="although it is no exception"):
            decode(1, b"\0\0", answer, {})
