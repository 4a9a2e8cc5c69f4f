"""What a relay reads and rewrites in a whole frame."""

import pytest

import tchannel_wire as wire

TRACING = wire.Tracing(1, 2, 3, 1).pack()
HEADERS = {"as": "raw", "cn": "me", "rd": "elsewhere"}
REQUEST = wire.encode(
    wire.CallRequest(
        id=5,
        flags=1,
        ttl_ms=700,
        tracing=TRACING,
        service="svc",
        headers=HEADERS,
        checksum_type=wire.ChecksumType.CRC32,
        chunks=[b"echo", b"", b"body"],
    )
)
RESPONSE = wire.encode(
    wire.CallResponse(
        id=5,
        tracing=TRACING,
        headers={"as": "raw"},
        checksum_type=wire.ChecksumType.NONE,
        chunks=[b"", b"", b""],
    )
)
CONTINUE = wire.encode(wire.CallRequestContinue(id=5, flags=1, chunks=[b"x"]))
ERROR = wire.encode(wire.ErrorMessage(id=5, code=3, tracing=TRACING))


def test_fields_of_a_request():
    assert wire.peek_type(REQUEST) == wire.FrameType.CALL_REQUEST
    assert wire.peek_id(REQUEST) == 5
    assert wire.peek_flags(REQUEST) == 1
    assert wire.peek_more(REQUEST)
    assert wire.peek_ttl_ms(REQUEST) == 700
    assert wire.peek_tracing(REQUEST) == TRACING
    assert wire.peek_service(REQUEST) == "svc"
    assert wire.peek_headers(REQUEST) == HEADERS
    assert wire.peek_checksum_type(REQUEST) == wire.ChecksumType.CRC32
    assert wire.peek_has_chunks(REQUEST)
    assert wire.peek_arg1(REQUEST) == b"echo"


def test_fields_of_the_other_frames():
    assert wire.peek_headers(RESPONSE) == {"as": "raw"}
    assert wire.peek_tracing(RESPONSE) == wire.peek_tracing(ERROR) == TRACING
    assert not wire.peek_more(RESPONSE)
    assert wire.peek_checksum_type(RESPONSE) == 0
    assert wire.peek_has_chunks(RESPONSE)
    assert wire.peek_checksum_type(CONTINUE) == wire.ChecksumType.CRC32C
    assert wire.peek_more(CONTINUE)


@pytest.mark.parametrize("type", [wire.CallRequestContinue, wire.CallResponseContinue])
@pytest.mark.parametrize("checksum_type", wire.ChecksumType)
def test_frames_without_chunks_are_found_before_they_crash_a_go_peer(type, checksum_type):
    for chunks, expected in (([], False), ([b""], True)):
        frame = wire.encode(type(id=1, checksum_type=checksum_type, chunks=chunks))
        assert wire.peek_has_chunks(frame) is expected


def test_checksum_types_that_crash_a_go_peer_are_found():
    frame = bytearray(CONTINUE)
    frame[17] = 9

    assert wire.peek_checksum_type(bytes(frame)) == 9


def test_id_is_replaced_in_any_frame_and_nothing_else():
    for frame in (REQUEST, RESPONSE, CONTINUE, ERROR):
        message = wire.decode(wire.replace_id(frame, 0xFFFFFFFE))
        assert message.id == 0xFFFFFFFE
        message.id = 5
        assert message == wire.decode(frame)


def test_ttl_is_replaced_and_nothing_else():
    message = wire.decode(wire.replace_ttl_ms(REQUEST, 1))

    assert message.ttl_ms == 1
    message.ttl_ms = 700
    assert message == wire.decode(REQUEST)


@pytest.mark.parametrize("ttl_ms", [0, -1, 2**32])
def test_ttl_of_0_is_never_passed_on(ttl_ms):
    with pytest.raises(ValueError, match="ttl_ms"):
        wire.replace_ttl_ms(REQUEST, ttl_ms)


@pytest.mark.parametrize(
    ("peek", "frame"),
    [
        (wire.peek_flags, REQUEST),
        (wire.peek_ttl_ms, REQUEST),
        (wire.peek_tracing, REQUEST),
        (wire.peek_service, REQUEST),
        (wire.peek_headers, REQUEST),
        (wire.peek_checksum_type, REQUEST),
        (wire.peek_has_chunks, REQUEST),
        (wire.peek_arg1, REQUEST),
        (wire.peek_headers, RESPONSE),
        (wire.peek_checksum_type, CONTINUE),
        (lambda frame: wire.replace_ttl_ms(frame, 5), REQUEST),
    ],
)
def test_frame_that_is_cut_off_is_a_protocol_error_with_its_id_or_is_read_right(peek, frame):
    expected = peek(frame)
    failed = 0
    for end in range(16, len(frame)):
        try:
            value = peek(frame[:end])
        except wire.ProtocolError as error:
            failed += 1
            assert error.message_id == 5  # noqa: PT017 - both outcomes are right
        else:
            assert value == expected or value is False or len(value) == end
    assert failed


def test_service_and_headers_that_are_not_utf8_are_bad_requests():
    for old, peek in ((b"svc", wire.peek_service), (b"raw", wire.peek_headers)):
        with pytest.raises(wire.ProtocolError) as caught:
            peek(REQUEST.replace(old, b"\xff\xff\xff"))
        assert caught.value.code == wire.ErrorCode.BAD_REQUEST
