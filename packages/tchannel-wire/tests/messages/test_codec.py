"""Every message as bytes, field by field, in both directions and cut off at every prefix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel_wire import (
    MORE_FRAGMENTS,
    CallRequest,
    CallRequestContinue,
    CallResponse,
    CallResponseContinue,
    Cancel,
    ChecksumType,
    Claim,
    ErrorCode,
    ErrorMessage,
    InitRequest,
    InitResponse,
    PingRequest,
    PingResponse,
    ProtocolError,
    Tracing,
    decode,
    encode,
)

TRACING = Tracing(1, 2, 3, 1).pack()
TRACING_BYTES = (
    b"\0\0\0\0\0\0\0\1"  # spanid:8
    b"\0\0\0\0\0\0\0\2"  # parentid:8
    b"\0\0\0\0\0\0\0\3"  # traceid:8
    b"\1"  # traceflags:1
)


def header(type, id=b"\0\0\0\1"):
    """type:1 reserved:1 id:4 reserved:8"""
    return type + b"\0" + id + bytes(8)


TABLE = {
    "init request": (
        InitRequest(id=1, headers={"host_port": "1.2.3.4:5", "process_name": "p"}),
        header(b"\x01")
        + b"\0\2"  # version:2
        + b"\0\2"  # nh:2
        + b"\0\x09host_port"  # key~2
        + b"\0\x091.2.3.4:5"  # value~2
        + b"\0\x0cprocess_name"
        + b"\0\x01p",
    ),
    "init response": (
        InitResponse(id=1, version=3, headers={"é": ""}),
        header(b"\x02") + b"\0\3" + b"\0\1" + b"\0\2\xc3\xa9" + b"\0\0",
    ),
    "call request": (
        CallRequest(
            id=0x01020304,
            flags=MORE_FRAGMENTS,
            ttl_ms=1000,
            tracing=TRACING,
            service="svc",
            headers={"as": "raw", "cn": "me"},
            checksum_type=ChecksumType.CRC32,
            checksum=0xCBF43926,
            chunks=[b"echo", b"", b"body"],
        ),
        header(b"\x03", b"\1\2\3\4")
        + b"\1"  # flags:1
        + b"\0\0\3\xe8"  # ttl:4
        + TRACING_BYTES
        + b"\3svc"  # service~1
        + b"\2"  # nh:1
        + b"\2as\3raw"  # hk~1 hv~1
        + b"\2cn\2me"
        + b"\1"  # csumtype:1
        + b"\xcb\xf4\x39\x26"  # csum:4
        + b"\0\4echo"  # arg1~2
        + b"\0\0"  # arg2~2
        + b"\0\4body",  # arg3~2
    ),
    "call response": (
        CallResponse(
            id=1,
            code=1,
            tracing=TRACING,
            headers={"as": "raw"},
            checksum_type=ChecksumType.NONE,
            chunks=[b"", b"h", b"b"],
        ),
        header(b"\x04")
        + b"\0"  # flags:1
        + b"\1"  # code:1
        + TRACING_BYTES
        + b"\1\2as\3raw"  # nh:1 hk~1 hv~1
        + b"\0"  # csumtype:1, and no csum
        + b"\0\0"  # arg1~2
        + b"\0\1h"  # arg2~2
        + b"\0\1b",  # arg3~2
    ),
    "call request continue": (
        CallRequestContinue(
            id=1,
            flags=MORE_FRAGMENTS,
            checksum_type=ChecksumType.CRC32C,
            checksum=0xE3069283,
            chunks=[b"", b"123456789"],
        ),
        header(b"\x13") + b"\1" + b"\3" + b"\xe3\x06\x92\x83" + b"\0\0" + b"\0\x09123456789",
    ),
    "call response continue": (
        CallResponseContinue(
            id=1, checksum_type=ChecksumType.FARMHASH, checksum=0x79969366, chunks=[b"hello"]
        ),
        header(b"\x14") + b"\0" + b"\2" + b"\x79\x96\x93\x66" + b"\0\5hello",
    ),
    "cancel": (
        Cancel(id=1, ttl_ms=5, tracing=TRACING, why="late"),
        header(b"\xc0") + b"\0\0\0\5" + TRACING_BYTES + b"\0\4late",
    ),
    "claim": (
        Claim(id=1, ttl_ms=5, tracing=TRACING),
        header(b"\xc1") + b"\0\0\0\5" + TRACING_BYTES,
    ),
    "ping request": (PingRequest(id=1), header(b"\xd0")),
    "ping response": (PingResponse(id=1), header(b"\xd1")),
    "error": (
        ErrorMessage(id=1, code=ErrorCode.BUSY, tracing=TRACING, description="tired"),
        header(b"\xff") + b"\3" + TRACING_BYTES + b"\0\5tired",
    ),
    "error about the connection": (
        ErrorMessage(code=ErrorCode.FATAL, description=""),
        header(b"\xff", b"\xff\xff\xff\xff") + b"\xff" + bytes(25) + b"\0\0",
    ),
}


def sized(rest):
    """size:2 and the rest of the frame."""
    return (len(rest) + 2).to_bytes(2, "big") + rest


@pytest.mark.parametrize("name", TABLE)
def test_message_as_bytes_both_ways(name):
    message, rest = TABLE[name]

    assert sized(rest) == encode(message)
    assert message == decode(sized(rest))


# What a shorter frame still means: cancel without a body, and chunks that end where one ends.
WHOLE_AT = {
    "cancel": {16},
    "ping request": {16},
    "ping response": {16},
    "call request": {69, 75, 77},
    "call response": {52, 54, 57},
    "call request continue": {22, 24},
    "call response continue": {22},
}


@pytest.mark.parametrize("name", TABLE)
def test_message_that_is_cut_off_at_any_byte_is_a_protocol_error(name):
    frame = encode(TABLE[name][0])
    whole_at = set()
    for end in range(16, len(frame)):
        try:
            decode(sized(frame[2:end]))
        except ProtocolError as caught:
            error = caught
        else:
            whole_at.add(end)
            continue
        assert "cut off" in error.description
        assert error.message_id == TABLE[name][0].id

    assert whole_at == WHOLE_AT.get(name, set()) - {len(frame)}


@pytest.mark.parametrize("name", TABLE)
def test_frame_whose_size_field_does_not_fit_is_a_fatal_protocol_error(name):
    frame = encode(TABLE[name][0])
    for end in range(len(frame)):
        with pytest.raises(ProtocolError) as caught:
            decode(frame[:end])
        assert caught.value.code == ErrorCode.FATAL


@pytest.mark.parametrize(
    "name", ["init request", "init response", "ping request", "error", "cancel", "claim"]
)
def test_trailing_bytes_are_ignored_where_the_protocol_says_so(name):
    message, rest = TABLE[name]

    assert message == decode(sized(rest + b"more"))


def test_unknown_type_is_fatal():
    with pytest.raises(ProtocolError, match="unknown frame type 0x55") as caught:
        decode(sized(header(b"\x55")))
    assert caught.value.code == ErrorCode.FATAL


@pytest.mark.parametrize("name", ["init request", "call request", "call response"])
def test_strings_that_are_not_utf8_are_told_with_the_message_s_id(name):
    message, rest = TABLE[name]
    text = {"init request": b"1.2.3.4:5", "call request": b"svc", "call response": b"raw"}[name]

    with pytest.raises(ProtocolError, match="not UTF-8") as caught:
        decode(sized(rest.replace(text, b"\xff" * len(text))))
    assert caught.value.message_id == message.id


def test_texts_for_people_are_read_whatever_they_are():
    error = decode(sized(header(b"\xff") + b"\3" + bytes(25) + b"\0\2a\xff"))
    cancel = decode(sized(header(b"\xc0") + bytes(29) + b"\0\2a\xff"))

    assert error.description == cancel.why == "a\ufffd"


IDS = st.integers(0, 0xFFFFFFFF)
TRACINGS = st.binary(min_size=25, max_size=25)
HEADERS = st.dictionaries(st.text(min_size=1, max_size=3), st.text(max_size=20), max_size=5)
CALL_FIELDS = {
    "id": IDS,
    "flags": st.integers(0, 255),
    "checksum_type": st.sampled_from(ChecksumType),
    "chunks": st.lists(st.binary(max_size=40), max_size=5),
}
MESSAGES = st.one_of(
    st.builds(InitRequest, id=IDS, version=st.integers(0, 65535), headers=HEADERS),
    st.builds(InitResponse, id=IDS, version=st.integers(0, 65535), headers=HEADERS),
    st.builds(
        CallRequest,
        **CALL_FIELDS,
        ttl_ms=IDS,
        tracing=TRACINGS,
        service=st.text(max_size=60),
        headers=HEADERS,
    ),
    st.builds(
        CallResponse, **CALL_FIELDS, code=st.integers(0, 255), tracing=TRACINGS, headers=HEADERS
    ),
    st.builds(CallRequestContinue, **CALL_FIELDS),
    st.builds(CallResponseContinue, **CALL_FIELDS),
    st.builds(Cancel, id=IDS, ttl_ms=IDS, tracing=TRACINGS, why=st.text(max_size=99)),
    st.builds(Claim, id=IDS, ttl_ms=IDS, tracing=TRACINGS),
    st.builds(PingRequest, id=IDS),
    st.builds(PingResponse, id=IDS),
    st.builds(
        ErrorMessage,
        id=IDS,
        code=st.integers(0, 255),
        tracing=TRACINGS,
        description=st.text(max_size=99),
    ),
)


@settings(max_examples=300)
@given(MESSAGES)
def test_any_message_survives_the_way_there_and_back(message):
    assert message == decode(encode(message))


@given(st.binary(min_size=16, max_size=200), st.sampled_from([1, 2, 3, 4, 0x13, 0x14, 0xC0, 0xFF]))
def test_decoding_any_bytes_raises_nothing_but_protocol_error(data, type):
    frame = sized(data)
    frame = frame[:2] + bytes([type]) + frame[3:]
    try:
        message = decode(frame)
    except ProtocolError:
        return
    assert repr(message)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (CallRequest(id=1, ttl_ms=2**32, service="s", headers={}, chunks=[]), "CallRequest"),
        (CallRequest(id=1, ttl_ms=1, service="s" * 256, headers={}, chunks=[]), "service"),
        (CallRequest(id=1, ttl_ms=1, service="s", headers={"k" * 16: ""}, chunks=[]), "k{16}"),
        (CallResponse(id=1, code=256, headers={}, chunks=[]), "256"),
        (CallResponse(id=1, headers={}, chunks=[bytes(65536)]), "chunk"),
        (CallResponse(id=1, headers={}, chunks=[bytes(40000)] * 2), "65535"),
        (PingRequest(id=-1), "PingRequest"),
        (ErrorMessage(id=1, code=300), "300"),
        (InitRequest(headers={"k": "v" * 65536}), "k"),
    ],
)
def test_field_that_does_not_fit_the_wire_is_a_value_error_that_names_it(message, name):
    with pytest.raises(ValueError, match=name):
        encode(message)


@pytest.mark.parametrize("name", TABLE)
def test_repr_names_the_class_and_id_and_stays_short(name):
    message = TABLE[name][0]
    shown = repr(message)

    assert shown.startswith(f"{type(message).__name__}(id={message.id}")
    assert len(shown) < 400


@pytest.mark.parametrize("value", [None, 5, "text", object()])
def test_what_is_no_message_and_what_is_no_frame_is_a_type_error(value):
    with pytest.raises(TypeError, match="message"):
        encode(value)
    with pytest.raises(TypeError, match="frame must be bytes"):
        decode(value)
