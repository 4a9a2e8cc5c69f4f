"""The peer's calls that are not small and good: refused, in several frames, in pieces."""

import pytest

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode

TYPES = list(ChecksumType)


@pytest.mark.parametrize("type", TYPES)
def test_request_of_every_checksum_type_is_received(pair, request_frame, type):
    frame = request_frame(chunks=[b"echo", b"h", b"b"], checksum_type=type)
    (event,) = pair.server.receive(frame, pair.now)

    assert (event.checksum_type, event.arg1, event.arg2, event.arg3) == (type, b"echo", b"h", b"b")


def test_farmhash_is_accepted_as_go_and_as_the_protocol_write_it(pair, request_frame):
    from tchannel_wire.farmhash import fingerprint32_with_seed

    chained = 0
    for chunk in (b"echo", b"h", b"b"):
        chained = fingerprint32_with_seed(chunk, chained)
    for id, checksum in ((1, 0), (2, chained)):
        frame = request_frame(
            id, chunks=[b"echo", b"h", b"b"], checksum_type=ChecksumType.FARMHASH, checksum=checksum
        )
        (event,) = pair.server.receive(frame, pair.now)
        assert isinstance(event, wire.RequestReceived)


REFUSED = {
    "missing as": ({"headers": {"cn": "x"}}, ErrorCode.BAD_REQUEST, "'as' is missing"),
    "missing cn": ({"headers": {"as": "x"}}, ErrorCode.BAD_REQUEST, "'cn' is missing"),
    "empty service": ({"service": ""}, ErrorCode.BAD_REQUEST, "no service name"),
    "ttl 0": ({"ttl_ms": 0}, ErrorCode.TIMEOUT, "ttl"),
    "long arg1": ({"chunks": [bytes(16385), b"", b""]}, ErrorCode.BAD_REQUEST, "16385 bytes"),
    "too few args": ({"chunks": [b"a", b"b"]}, ErrorCode.BAD_REQUEST, "2 args"),
    "too many args": ({"chunks": [b""] * 4}, ErrorCode.BAD_REQUEST, "more than three"),
    "no args": ({"chunks": []}, ErrorCode.BAD_REQUEST, "0 args"),
    "bad crc32": (
        {"checksum_type": ChecksumType.CRC32, "checksum": 1},
        ErrorCode.BAD_REQUEST,
        "bad CRC32 checksum",
    ),
    "bad crc32c": ({"checksum": 1}, ErrorCode.BAD_REQUEST, "bad CRC32C checksum"),
    "bad farmhash": (
        {"checksum_type": ChecksumType.FARMHASH, "checksum": 1},
        ErrorCode.BAD_REQUEST,
        "bad FARMHASH checksum",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_call_is_refused_with_an_error_of_its_own_and_the_connection_stays(
    pair, request_frame, tracing, name, assert_refused
):
    fields, code, text = REFUSED[name]
    events = pair.server.receive(request_frame(9, **fields), pair.now)
    refused, answer = assert_refused(pair.server, events, 9, code, text)

    assert answer.tracing == tracing
    assert refused.service == fields.get("service", "svc")
    assert isinstance(pair.request(), wire.RequestReceived)


BAD_BYTES = {
    "cut off": lambda frame: frame[:60],
    "cut off in the first fields": lambda frame: frame[:30],
    "checksum type 4": lambda frame: frame.replace(b"\x05tests\x03", b"\x05tests\x04"),
    "service is not UTF-8": lambda frame: frame.replace(b"svc", b"\xff\xff\xff"),
    "header is not UTF-8": lambda frame: frame.replace(b"tests", b"\xff" * 5),
    "header twice": lambda frame: frame.replace(b"\x02cn", b"\x02as"),
    "129 headers": lambda frame: frame.replace(
        b"\x02\x02as\x03raw",
        b"\x83" + b"".join(b"\1%c\0" % i for i in range(129)) + b"\x02as\x03raw",
    ),
}


@pytest.mark.parametrize("name", BAD_BYTES)
def test_call_that_cannot_be_read_is_a_bad_request(pair, request_frame, name, assert_refused):
    frame = BAD_BYTES[name](request_frame(9))
    frame = len(frame).to_bytes(2, "big") + frame[2:]
    events = pair.server.receive(frame, pair.now)

    assert_refused(pair.server, events, 9, ErrorCode.BAD_REQUEST, "")


def test_good_calls_before_and_after_a_bad_one_in_the_same_read_are_received(pair, request_frame):
    data = request_frame(1) + request_frame(2, service="") + request_frame(3)
    events = pair.server.receive(data, pair.now)

    assert [(type(event).__name__, event.id) for event in events] == [
        ("RequestReceived", 1),
        ("RequestRefused", 2),
        ("RequestReceived", 3),
    ]


def test_id_that_is_in_flight_is_fatal(pair, request_frame, sent_by):
    pair.server.receive(request_frame(5), pair.now)
    (closed,) = pair.server.receive(request_frame(5), pair.now)

    assert isinstance(closed.error, wire.ProtocolError)
    assert closed.error.code == ErrorCode.FATAL
    assert closed.requests == [5]
    (answer,) = sent_by(pair.server)
    assert (answer.id, answer.code) == (wire.NO_MESSAGE_ID, ErrorCode.FATAL)


def test_reserved_id_is_fatal(pair, request_frame):
    (closed,) = pair.server.receive(request_frame(wire.NO_MESSAGE_ID), pair.now)

    assert isinstance(closed, wire.ConnectionClosed)


def test_id_0_is_accepted(pair, request_frame):
    (event,) = pair.server.receive(request_frame(0), pair.now)

    assert event.id == 0
    assert pair.server.fail(0, ErrorCode.UNEXPECTED, "no")


# --- fragments ----------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C])
def test_large_request_is_gathered_whole(pair, prepared, type):
    arg2, arg3 = b"h" * 100_000, b"b" * 300_000
    event = pair.request(arg2, arg3, prepared=prepared(checksum_type=type))

    assert (event.arg1, event.arg2, event.arg3, event.more) == (b"echo", arg2, arg3, False)
    assert pair.server._reassembly == 0


def test_interleaved_requests_are_gathered_apart(pair, request_frame):
    def part(id, data, last):
        return wire.encode(
            wire.CallRequestContinue(
                id=id, flags=not last, checksum_type=ChecksumType.NONE, chunks=[data]
            )
        )

    events = []
    for id in (1, 2):
        events += pair.server.receive(
            request_frame(
                id, flags=1, checksum_type=ChecksumType.NONE, chunks=[b"e", b"", b"%d" % id]
            ),
            pair.now,
        )
    for last in (False, True):
        for id in (2, 1):
            events += pair.server.receive(part(id, b"%d" % id, last), pair.now)

    assert [(event.id, event.arg3) for event in events] == [(2, b"222"), (1, b"111")]


def test_bad_later_frame_refuses_the_call_and_the_rest_of_it_is_ignored(
    pair, request_frame, assert_refused
):
    assert pair.server.receive(request_frame(4, flags=1), pair.now) == []
    bad = wire.encode(wire.CallRequestContinue(id=4, flags=1, checksum=1, chunks=[b"x"]))
    events = pair.server.receive(bad, pair.now)
    refused, _ = assert_refused(pair.server, events, 4, ErrorCode.BAD_REQUEST, "bad CRC32C")
    assert (refused.service, refused.endpoint) == ("svc", b"echo")

    assert pair.server.receive(bad, pair.now) == []
    assert not pair.server.has_data


@pytest.mark.parametrize(
    "payload", [b"", b"\0", b"\1\1\0", b"\0\0\0", b"\0\0\0\5abc", b"\0\7\0\0\0\0"]
)
def test_later_frame_that_cannot_be_read_refuses_the_call(
    pair, request_frame, payload, assert_refused
):
    pair.server.receive(request_frame(4, flags=1, checksum_type=ChecksumType.NONE), pair.now)
    frame = wire.Frame(wire.FrameType.CALL_REQUEST_CONTINUE, 4, payload).encode()
    events = pair.server.receive(frame, pair.now)

    assert_refused(
        pair.server,
        events,
        4,
        ErrorCode.BAD_REQUEST,
        "cut off" if len(payload) != 6 else "type 7",
    )


def test_bad_first_frame_of_a_large_call_has_its_rest_ignored(pair, request_frame, assert_refused):
    events = pair.server.receive(request_frame(4, flags=1, ttl_ms=0), pair.now)
    assert_refused(pair.server, events, 4, ErrorCode.TIMEOUT, "ttl")
    rest = wire.encode(wire.CallRequestContinue(id=4, chunks=[b"x"]))

    assert pair.server.receive(rest, pair.now) == []


# --- streaming ----------------------------------------------------------------------------------


@pytest.fixture
def streaming(new_pair):
    """A pair whose server streams the requests for endpoints that begin with "s"."""
    asked = []

    def stream_request(info):
        asked.append(info)
        return info.arg1.startswith(b"s")

    pair = new_pair(server={"stream_request": stream_request})
    pair.asked = asked
    return pair


def test_streamed_request_is_told_as_it_comes(streaming, prepared, tracing):
    call = streaming.client.start_call(
        prepared(arg1=b"stream"), b"head", ttl=1, tracing=tracing, now=streaming.now
    )
    (request,) = streaming.to_server()
    assert (request.arg2, request.arg3, request.more) == (b"head", b"", True)
    call.writer.write(b"one")
    (chunk,) = streaming.to_server()
    assert chunk == wire.RequestChunk(request.id, b"one", False)
    call.writer.finish()
    (chunk,) = streaming.to_server()

    assert chunk == wire.RequestChunk(request.id, b"", True)
    assert streaming.server._reassembly == 0


def test_user_is_asked_once_with_what_the_first_frame_says(streaming, prepared):
    streaming.request(b"", bytes(200_000), prepared=prepared(arg1=b"echo"))
    streaming.request(b"", b"small", prepared=prepared(arg1=b"stream"))

    (info,) = streaming.asked
    assert (info.service, info.arg1, info.ttl_ms) == ("svc", b"echo", 1000)


def test_large_arg2_is_gathered_before_a_streamed_request_is_told(streaming, prepared):
    streaming.call(b"h" * 150_000, b"b" * 150_000, prepared=prepared(arg1=b"stream"))
    request, *chunks = streaming.to_server()

    assert request.arg2 == b"h" * 150_000
    assert request.more
    assert request.arg3 + b"".join(chunk.data for chunk in chunks) == b"b" * 150_000
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_streamed_request_may_be_larger_than_a_gathered_one(new_pair):
    options = wire.Options(
        max_message_size=100_000, max_frames_per_message=2, reassembly_memory=80_000
    )
    pair = new_pair(server={"stream_request": lambda info: True, "options": options})
    pair.call(b"", bytes(1_000_000))
    request, *chunks = pair.to_server()

    assert len(request.arg3) + sum(len(chunk.data) for chunk in chunks) == 1_000_000
    assert chunks[-1].last


def test_bad_frame_in_a_stream_ends_it_with_a_refusal(streaming, request_frame, assert_refused):
    (request,) = streaming.server.receive(
        request_frame(4, flags=1, chunks=[b"stream", b"", b"x"]), streaming.now
    )
    assert request.more
    bad = wire.encode(wire.CallRequestContinue(id=4, flags=1, checksum=1, chunks=[b"x"]))
    events = streaming.server.receive(bad, streaming.now)

    assert_refused(streaming.server, events, 4, ErrorCode.BAD_REQUEST, "bad CRC32C")


def test_streamed_request_can_be_answered_before_its_end(streaming, prepared, tracing, raw):
    call = streaming.client.start_call(
        prepared(arg1=b"stream"), b"", ttl=1, tracing=tracing, now=streaming.now
    )
    (request,) = streaming.to_server()
    assert streaming.server.respond(request.id, raw, b"", b"enough")
    (response,) = streaming.to_client()
    assert response.arg3 == b"enough"

    assert call.writer is None or call.writer.write(b"more") is False
    assert streaming.to_server() == []
    assert streaming.server.state is wire.ConnectionState.OPEN


def test_request_that_is_not_complete_cannot_be_answered(pair, request_frame, raw):
    pair.server.receive(request_frame(4, flags=1), pair.now)

    assert pair.server.respond(4, raw, b"", b"") is False
    assert pair.server.fail(4, ErrorCode.BUSY, "") is False
    assert pair.server.start_response(4, raw, b"").write(b"") is False
    assert not pair.server.has_data


def test_response_is_streamed_in_pieces(pair, raw, sent_by):
    event = pair.request()
    writer = pair.server.start_response(event.id, raw, b"head", 1)
    (first,) = sent_by(pair.server)
    writer.write(b"one")
    (second,) = sent_by(pair.server)
    writer.write(b"two")
    writer.finish()
    (third,) = sent_by(pair.server)

    assert (first.chunks, first.code, first.more) == ([b"", b"head", b""], 1, True)
    assert (second.chunks, second.more) == ([b"one"], True)
    assert (third.chunks, third.more) == ([b"two"], False)
    assert not pair.server.inbound
    assert pair.server.next_deadline() is None


def test_response_begun_can_be_given_up_with_an_error(pair, raw):
    event = pair.request()
    writer = pair.server.start_response(event.id, raw, b"")
    writer.write(bytes(100_000))
    pair.server.data_to_send(1)
    assert pair.server.fail(event.id, ErrorCode.UNEXPECTED, "broken")
    (error,) = pair.to_client()

    assert isinstance(error, wire.ErrorReceived)
    assert writer.write(b"more") is False
    assert pair.server.buffered == 0


def test_only_the_first_answer_counts_while_a_large_one_is_being_written(pair, raw):
    event = pair.request()
    assert pair.server.respond(event.id, raw, b"", bytes(200_000))
    assert pair.server.respond(event.id, raw, b"", b"") is False
    assert pair.server.fail(event.id, ErrorCode.UNEXPECTED, "") is False
    (response,) = pair.to_client()

    assert response.arg3 == bytes(200_000)


def test_what_is_left_on_a_request_at_its_first_frame_comes_with_it(new_pair):
    def stream_request(request):
        assert request.context is None
        request.context = "seen"
        return False

    pair = new_pair(server={"stream_request": stream_request})
    large, small = pair.request(arg3=bytes(100_000)), pair.request(arg3=b"x")
    assert (large.context, len(large.arg3)) == ("seen", 100_000)
    assert small.context is None
