"""What a Go client and a Go service on YARPC sent each other, recorded: read, and written alike.

Blocks nh:2 of the Go service have their headers in random order; what is written here has them in an
order of its own, and so they are compared as pairs and by their length. Everything else is compared
byte for byte.
"""

import json

import pytest

pytest.importorskip("tchannel_thrift", reason="the extra `thrift`")
pytest.importorskip("google.protobuf", reason="the extra `protobuf`")

from google.protobuf import json_format

from tchannel import Response, thrift
from tchannel.errors import BusyError
from tchannel_wire import thrift_header_pairs
from tchannel_yarpc import ApplicationError, Code, YarpcError
from tchannel_yarpc.answers import error_in, read_headers
from tchannel_yarpc.errors import error_of
from tchannel_yarpc.headers import decode_headers, encode_headers

pytestmark = pytest.mark.extra

HEADERS = {"token-one": "Alpha", "second": "bé"}
SEEN = {
    "seen-service": "ystore",
    "seen-procedure": None,
    "seen-caller": "probe",
    "seen-encoding": None,
    "seen-transport": "tchannel",
    "seen-left-ms": "1999",
    "seen-sk": "",
    "seen-rk": "",
    "seen-rd": "",
    "seen-original": "",
    "seen-caller-procedure": "",
}


def seen(encoding, procedure):
    return {**SEEN, "seen-encoding": encoding, "seen-procedure": procedure}


# -- what the Go client asked ----------------------------------------------------------------------


def test_headers_of_every_request_are_read_and_written_alike(recorded_request):
    one = recorded_request
    headers = decode_headers(one.encoding, one.arg2)

    assert headers in ({}, HEADERS)
    assert encode_headers(one.encoding, headers) == one.arg2


async def test_every_request_is_made_alike(recorded_request, calling, answer, store, pb):
    one = recorded_request
    sent = answer(error=BusyError("it was seen"))
    options = {
        name: one.transport.get(key)
        for key, name in (("sk", "shard_key"), ("rk", "routing_key"), ("rd", "routing_delegate"))
    }
    headers = decode_headers(one.encoding, one.arg2)

    with pytest.raises(YarpcError):
        await make(one, calling, store, pb, headers, options)

    (call,) = sent
    assert (call.scheme, call.endpoint, call.service) == (one.encoding, one.procedure, "ystore")
    assert call.arg2 == one.arg2
    assert call.arg3 == one.arg3
    # YARPC sends no retry flags; here they say that a router shall not try again.
    assert call.headers == {**one.transport, "re": "n"}


def make(one, calling, store, pb, headers, options):
    if one.encoding == "raw":
        return calling.raw("ystore", one.procedure, one.arg3, headers, **options)
    if one.encoding == "thrift":
        _, _, function = one.procedure.partition("::")
        arguments = {
            "alive": (),
            "count": (),
            "fetch": (one.arg3[7:-1].decode(errors="replace"),),
            "put": (store.Entry("first", blob=b"\0\1\xff", tags=["a", "b"], counts={"x": 1}),),
        }[function]
        request = getattr(store.Store, function)(*arguments)
        return calling.thrift(request, headers, **options)
    service, _, name = one.procedure.partition("::")
    if service != "demo.echo.Echo":
        return calling.json("ystore", one.procedure, json.loads(one.arg3), headers, **options)
    descriptor = pb.DESCRIPTOR.services_by_name["Echo"]
    as_json = one.encoding == "json"
    echo = calling.proto(descriptor, "ystore", as_json=as_json, **options)
    message = {
        "Say": pb.SayRequest(text="ab", times=2, blob=b"\1\2\3", tags=["t"]),
        "Nothing": pb.Empty(),
        "Fail": pb.FailRequest(),
    }[name]
    if name == "Fail":
        json_format.Parse(one.arg3, message) if as_json else message.ParseFromString(one.arg3)
    return getattr(echo, name)(message, headers)


def test_every_kind_of_request_was_recorded(recorded_requests):
    assert {one.encoding for one in recorded_requests} == {"raw", "json", "thrift", "proto"}
    assert len(recorded_requests) == 22


# -- what the Go service answered, as our caller has it --------------------------------------------


async def test_a_raw_answer(recorded_answers, calling, answer):
    one = recorded_answers["raw", "echo"]
    answer(one.code, one.arg2, one.arg3)

    response = await calling.raw("ystore", "echo", b"hi")

    assert response.body == b"hi"
    assert response.headers == seen("raw", "echo")


async def test_an_error_of_a_raw_handler(recorded_answers, calling, answer):
    one = recorded_answers["raw", "fail"]
    answer(one.code, one.arg2, one.arg3)

    with pytest.raises(YarpcError) as caught:
        await calling.raw("ystore", "fail")

    error = caught.value
    assert (error.code, error.message, error.body) == (Code.NOT_FOUND, "gone", b"part")
    assert error.headers == seen("raw", "fail")


async def test_an_error_of_a_json_handler(recorded_answers, calling, answer):
    one = recorded_answers["json", "jfail"]
    answer(one.code, one.arg2, one.arg3)

    with pytest.raises(YarpcError) as caught:
        await calling.json("ystore", "jfail", {})

    error = caught.value
    assert (error.code, error.message) == (Code.NOT_FOUND, "gone")
    assert (error.body, error.headers) == ({"partial": "yes"}, {})


async def test_values_of_thrift_functions(recorded_answers, calling, answer, store):
    one = recorded_answers["thrift", "Store::count"]
    answer(one.code, one.arg2, one.arg3)
    counted = await calling.thrift(store.Store.count())
    one = recorded_answers["thrift", "Store::put"]
    answer(one.code, one.arg2, one.arg3)
    put = await calling.thrift(store.Store.put(store.Entry("a")))

    assert (counted.body, counted.headers) == (0, {})
    assert (put.body, put.headers) == (None, {})


async def test_a_declared_exception(recorded_answers, calling, answer, store):
    one = recorded_answers["thrift", "Store::fetch"]
    answer(one.code, one.arg2, one.arg3)

    with pytest.raises(store.MissingEntry) as caught:
        await calling.thrift(store.Store.fetch("absent"))

    assert caught.value == store.MissingEntry("absent")
    assert ApplicationError.of(caught.value) == ApplicationError(
        "MissingEntry", "MissingEntry{Name: absent}", Code.NOT_FOUND
    )
    assert thrift.headers_of(caught.value) == seen("thrift", "Store::fetch")


async def test_proto_answers(recorded_answers, calling, answer, pb):
    echo = pb.DESCRIPTOR.services_by_name["Echo"]
    for encoding, as_json in (("proto", False), ("json", True)):
        one = recorded_answers[encoding, "demo.echo.Echo::Nothing"]
        answer(one.code, one.arg2, one.arg3)
        response = await calling.proto(echo, "ystore", as_json=as_json).Nothing(pb.Empty())

        assert (response.body, response.headers) == (pb.Empty(), {})


async def test_an_error_of_a_proto_handler(recorded_answers, calling, answer, pb):
    one = recorded_answers["proto", "demo.echo.Echo::Fail"]
    answer(one.code, one.arg2, one.arg3)
    echo = calling.proto(pb.DESCRIPTOR.services_by_name["Echo"], "ystore")

    with pytest.raises(YarpcError) as caught:
        await echo.Fail(pb.FailRequest())

    error = caught.value
    assert (error.code, error.message, error.name) == (Code.ALREADY_EXISTS, "twice", "Reason")
    assert error.details == '[]{ Reason{text:"d0" } }'
    assert error.body == pb.SayResponse(text="partial")
    assert error.headers == {}


# -- what the Go service answered, as our service answers it ---------------------------------------


@pytest.fixture
def like_go(serving, store, pb):
    """Handlers that do what those of the recorded service did."""

    def headers_of(request):
        return seen(request.encoding, request.procedure)

    @serving.raw.register
    def echo(request):
        return Response(request.body, headers_of(request))

    @serving.raw.register
    def fail(request):
        raise error_of(Code.NOT_FOUND, "gone", headers=headers_of(request), body=b"part")

    @serving.json.register
    def jfail(request):
        raise error_of(Code.NOT_FOUND, "gone", body={"partial": "yes"})

    @serving.thrift.register(store.Store)
    def count(request):
        return 0

    @serving.thrift.register(store.Store)
    def put(request):
        return None

    @serving.thrift.register(store.Store)
    def fetch(request):
        error = store.MissingEntry(request.body.name)
        error.application_headers = headers_of(request)
        raise error

    class Echo:
        def Say(self, request):
            return pb.SayResponse(text=request.body.text)

        def Nothing(self, request):
            return request.body

        def Fail(self, request):
            raise error_of(
                Code.ALREADY_EXISTS,
                "twice",
                details=[pb.Reason(text="d0")],
                body=pb.SayResponse(text="partial"),
            )

    serving.proto.register(pb.DESCRIPTOR.services_by_name["Echo"], Echo())


ASKED = {
    "echo": b"hi",
    "fail": b"x",
    "jfail": b"{}",
    "Store::count": b"\0",
    "Store::put": b"\x0c\0\1\x0b\0\1\0\0\0\1a\0\0",
    "Store::fetch": b"\x0b\0\1\0\0\0\6absent\0",
    "demo.echo.Echo::Fail": b"",
}


@pytest.mark.parametrize(
    ("encoding", "procedure"),
    [
        ("raw", "echo"),
        ("raw", "fail"),
        ("json", "jfail"),
        ("thrift", "Store::count"),
        ("thrift", "Store::put"),
        ("thrift", "Store::fetch"),
        ("proto", "demo.echo.Echo::Nothing"),
        ("proto", "demo.echo.Echo::Fail"),
        ("json", "demo.echo.Echo::Nothing"),
    ],
)
async def test_an_answer_is_written_alike(like_go, client, recorded_answers, encoding, procedure):
    one = recorded_answers[encoding, procedure]
    asked = ASKED.get(procedure, b"{}" if encoding == "json" else b"")
    arg2 = b"{}\n" if encoding == "json" else b"\0\0"

    response = await client.call(encoding, "ystore", procedure, arg2, asked)

    assert response.status == one.code
    assert response.transport.scheme == encoding
    # Go writes a line's end behind what an encoder of JSON made.
    assert response.body == one.arg3.removesuffix(b"\n")
    if encoding == "json":
        assert response.headers == one.arg2
    else:
        ours = thrift_header_pairs(response.headers)
        theirs = thrift_header_pairs(one.arg2)
        lasting = [(key, "1999" if value is None else value) for key, value in theirs]
        assert sorted(ours) == sorted(lasting)
        assert len(response.headers) == len(one.arg2)


def test_every_answer_was_looked_at(recorded_answers):
    assert len(recorded_answers) == 9


def test_answers_are_read_without_a_channel(recorded_answers):
    one = recorded_answers["raw", "fail"]
    headers = read_headers("raw", one.arg2, "ystore")
    error = error_in(headers, one.arg3, bytes)

    assert error.body == b"part"
    assert headers.reserved == {
        "$rpc$-error-code": "not-found",
        "$rpc$-error-message": "gone",
        "$rpc$-service": "ystore",
    }
