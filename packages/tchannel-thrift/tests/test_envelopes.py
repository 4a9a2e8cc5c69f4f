"""Requests in Thrift's message envelope, strict and not: they are recognised and answered in kind."""

from __future__ import annotations

import struct

import pytest

from tchannel.errors import BadRequestError, UnexpectedError
from tchannel_thrift.envelopes import Envelope, enclose, open_envelope
from tchannel_thrift.rw.errors import ThriftProtocolError

TEXT = struct.pack(">bhi", 11, 1, 3) + b"key\0"


def strict(name, message_type, seqid, body):
    head = struct.pack(">HHi", 0x8001, message_type, len(name))
    return head + name + struct.pack(">i", seqid) + body


def old(name, message_type, seqid, body):
    return struct.pack(">i", len(name)) + name + struct.pack(">bi", message_type, seqid) + body


FORMS = {"strict": strict, "not strict": old}
CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4


@pytest.fixture(params=FORMS)
def form(request):
    return FORMS[request.param]


async def called(client, function, body):
    return await client.call("thrift", "keyvalue", f"KeyValue::{function}", b"\0\0", body)


async def test_a_result_comes_in_an_envelope_of_the_same_kind(server, client, kind, form):
    @server.thrift.register(kind.service)
    def getValue(request):
        return f"value of {request.body.key}"

    answer = await called(client, "getValue", form(b"getValue", CALL, 77, TEXT))

    value = struct.pack(">bhi", 11, 0, 12) + b"value of key\0"
    assert bytes(answer.body) == form(b"getValue", REPLY, 77, value)


async def test_a_declared_exception_comes_in_an_envelope_too(server, client, kind, form):
    @server.thrift.register(kind.service)
    async def getValue(request):
        raise kind.types.NotFound(request.body.key)

    bare = await called(client, "getValue", TEXT)
    answer = await called(client, "getValue", form(b"getValue", CALL, -1, TEXT))

    assert bytes(answer.body) == form(b"getValue", REPLY, -1, bytes(bare.body))


async def test_a_function_without_arguments_tells_an_envelope_from_none(server, client, kind, form):
    @server.thrift.register(kind.service)
    def nothing(request):
        return None

    assert bytes((await called(client, "nothing", b"\0")).body) == b"\0"
    # As ever, what follows the arguments is not looked at.
    assert bytes((await called(client, "nothing", b"\0rest")).body) == b"\0"
    answer = await called(client, "nothing", form(b"nothing", CALL, 5, b"\0"))
    assert bytes(answer.body) == form(b"nothing", REPLY, 5, b"\0")


async def test_calls_beside_it_are_answered_as_they_came(server, client, load_kind):
    kind = load_kind("engine")

    @server.thrift.register(kind.service)
    async def getValue(request):
        return request.body.key

    bodies = [TEXT, strict(b"getValue", CALL, 1, TEXT), old(b"getValue", CALL, 2, TEXT), TEXT]
    answers = [bytes((await one).body) for one in [called(client, "getValue", b) for b in bodies]]

    value = struct.pack(">bhi", 11, 0, 3) + b"key\0"
    assert answers == [
        value,
        strict(b"getValue", REPLY, 1, value),
        old(b"getValue", REPLY, 2, value),
        value,
    ]


async def test_an_undeclared_exception_is_an_error_frame(server, client, load_kind, form):
    @server.thrift.register(load_kind("engine").service)
    def getValue(request):
        raise ValueError("broken")

    with pytest.raises(UnexpectedError, match="ValueError: broken"):
        await called(client, "getValue", form(b"getValue", CALL, 5, TEXT))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (strict(b"getValue", REPLY, 5, TEXT), "of the type REPLY, not of a CALL"),
        (strict(b"getValue", 9, 5, TEXT), "of the type 9, not of a CALL"),
        (struct.pack(">I", 0x80020001) + bytes(20), 'Unsupported version "2"'),
        (strict(b"getValue", CALL, 5, TEXT)[:10], "Expected"),
        (struct.pack(">HHi", 0x8001, CALL, -5) + bytes(20), "negative"),
        (strict(b"getValue", CALL, 5, TEXT[:5]), "cannot decode the request"),
        (old(b"getValue", CALL, 5, TEXT[:5]), "cannot decode the request"),
    ],
)
async def test_a_bad_envelope_is_a_bad_request(server, client, load_kind, body, reason):
    server.thrift.register(load_kind("engine").service, lambda request: "value", "getValue")

    with pytest.raises(BadRequestError, match=reason):
        await called(client, "getValue", body)


@pytest.mark.parametrize("form", FORMS.values())
@pytest.mark.parametrize("message_type", [CALL, ONEWAY])
def test_an_envelope_is_opened(form, message_type):
    opened = open_envelope(form(b"f", message_type, 3, b"body"))
    assert opened == (Envelope(b"f", 3, strict=form is strict), b"body")


@pytest.mark.parametrize(
    "rest", [b"", b"\0", b"\0\0\0\5abc", b"\0\0\1f\2\0\0\0\0", b"\0\0\0\1\0\0\0\0", b"\x7f" * 9]
)
def test_what_is_no_envelope_is_left_alone(rest):
    assert open_envelope(b"\0" + rest) is None


def test_a_strict_envelope_that_is_cut_off_is_an_error():
    with pytest.raises(ThriftProtocolError):
        open_envelope(b"\x80\1\0\1\0\0")


def test_an_answer_is_enclosed():
    assert enclose(Envelope(b"f", 3, strict=True), b"body") == strict(b"f", REPLY, 3, b"body")
    assert enclose(Envelope(b"f", 3, strict=False), b"body") == old(b"f", REPLY, 3, b"body")
