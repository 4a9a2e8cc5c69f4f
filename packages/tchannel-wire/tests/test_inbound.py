"""The peer's calls: received, answered, refused, cancelled, expired."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode, caches, inbound

TYPES = list(ChecksumType)


def test_request_arrives_with_all_its_fields(pair, prepared, tracing):
    event = pair.request(b"head", b"body", prepared=prepared(re="c"), ttl=1.5)

    assert event == wire.RequestReceived(
        id=event.id,
        flags=0,
        ttl_ms=1500,
        deadline=pair.now + 1.5,
        tracing=tracing,
        service="svc",
        headers={"as": "raw", "cn": "tests", "re": "c"},
        checksum_type=ChecksumType.CRC32C,
        arg1=b"echo",
        arg2=b"head",
        arg3=b"body",
        more=False,
    )
    assert set(pair.server.inbound) == {event.id}


@pytest.mark.parametrize("type", TYPES)
@pytest.mark.parametrize("size", [3, 70_000])
def test_answer_uses_the_checksum_type_and_tracing_of_the_request(
    pair, request_frame, raw, tracing, type, size, sent_by
):
    pair.server.receive(request_frame(7, checksum_type=type), pair.now)
    assert pair.server.respond(7, raw, b"head", bytes(size), code=1)
    first, *_ = sent_by(pair.server)

    assert isinstance(first, wire.CallResponse)
    assert (first.id, first.code, first.headers) == (7, 1, {"as": "raw"})
    assert first.checksum_type is type
    assert first.tracing == tracing
    assert wire.verify_chunks(type, first.checksum, first.chunks)
    assert first.chunks[0] == b""
    assert not pair.server.inbound
    assert pair.server.next_deadline() is None


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(TYPES), st.integers(0, 255))
def test_any_small_request_gives_the_same_event_on_the_fast_and_the_slow_way(
    arg2, arg3, type, extra
):
    """A frame that the fast way refuses (here by a flag) is read by the general code."""

    def receive(flags):
        server = wire.Connection(opener=False, host_port="h:1", process_name="s", now=0.0)
        client = wire.Connection(opener=True, host_port="", process_name="c", now=0.0)
        server.receive(client.data_to_send(), 0.0)
        message = wire.CallRequest(
            id=extra,
            flags=flags,
            ttl_ms=1 + extra,
            service="s",
            headers={"as": "raw", "cn": "é" * (extra % 3)},
            checksum_type=type,
            chunks=[b"arg1", arg2, arg3],
        )
        (event,) = server.receive(wire.encode(message), 0.0)
        event.flags = 0
        return event

    assert receive(0) == receive(wire.STREAMING)


def test_requests_with_changing_headers_are_told_apart(pair, prepared):
    for number in range(5):
        for header in ({}, {"sk": "1"}, {"sk": "2"}, {"rd": "1"}):
            event = pair.request(prepared=prepared(f"s{number}", **header))
            assert event.service == f"s{number}"
            assert event.headers == {"as": "raw", "cn": "tests"} | header


def test_caches_stay_small_whatever_peers_send(pair, prepared, raw):
    for number in range(caches.MAX_ENTRIES + 50):
        event = pair.request(prepared=prepared(sk=str(number)))
        pair.server.respond(
            event.id, wire.encode_headers({"as": "raw", "x": str(number)}), b"", b""
        )
        pair.to_client()
    many = {f"h{i}": "v" * 200 for i in range(5)}
    event = pair.request(prepared=prepared(**many))

    assert event.headers["h4"] == "v" * 200
    assert len(inbound._prefixes) <= caches.MAX_ENTRIES
    assert len(inbound._response_packers) <= caches.MAX_ENTRIES
    assert all(len(key) <= caches.MAX_BLOCK_SIZE for key in inbound._prefixes)


def test_id_can_be_used_again_once_its_call_is_answered(pair, request_frame, raw):
    for _ in range(3):
        (event,) = pair.server.receive(request_frame(5), pair.now)
        assert isinstance(event, wire.RequestReceived)
        assert pair.server.respond(5, raw, b"", b"")


@pytest.mark.parametrize("answer", ["respond", "fail", "start_response"])
def test_call_that_is_gone_is_not_answered_any_more(pair, raw, answer):
    event = pair.request()
    assert pair.server.fail(event.id, ErrorCode.UNEXPECTED, "first")
    pair.server.data_to_send()
    for id in (event.id, 12345):
        if answer == "respond":
            assert pair.server.respond(id, raw, b"", b"") is False
        elif answer == "fail":
            assert pair.server.fail(id, ErrorCode.UNEXPECTED, "again") is False
        else:
            writer = pair.server.start_response(id, raw, b"")
            assert writer.write(b"x") is False
            assert writer.finish() is False
    assert not pair.server.has_data


def test_failure_is_an_error_frame_with_the_call_s_id_and_tracing(pair, tracing, sent_by):
    event = pair.request()
    assert pair.server.fail(event.id, ErrorCode.UNHEALTHY, "x" * 70000)
    (answer,) = sent_by(pair.server)

    assert (answer.id, answer.code, answer.tracing) == (event.id, ErrorCode.UNHEALTHY, tracing)
    assert answer.description == "x" * 65491
    assert not pair.server.inbound
    assert pair.server.next_deadline() is None


@pytest.mark.parametrize("code", [0, 256, -1])
def test_code_of_a_failure_must_fit(pair, code):
    with pytest.raises(ValueError, match=f"code .*{code}"):
        pair.server.fail(pair.request().id, code, "")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((b"\0", b"", b""), ValueError, "header_block must have 'as'"),
        ((b"\1\2as", b"", b""), ValueError, "header_block must come from encode_headers"),
        ((b"", b"", b""), ValueError, "header_block"),
        ((b"\1\2as\3raw", "text", b""), TypeError, "arg2 must be bytes, not str"),
        ((b"\1\2as\3raw", b"", "text"), TypeError, "arg3 must be bytes, not str"),
        ((b"\1\2as\3raw", b"", None), TypeError, "arg3 must be bytes, not NoneType"),
        ((b"\1\2as\3raw", b"", b"", 256), ValueError, "code must be 0 to 255, not 256"),
        ((b"\1\2as\3raw", b"", b"", -1), ValueError, "code must be 0 to 255, not -1"),
        ((b"\1\2as\3raw", b"", bytes(70000), 256), ValueError, "code must be 0 to 255, not 256"),
        ((b"\1\2as\3raw", "x" * 70000, b""), TypeError, "arg2 must be bytes, not str"),
        ((b"\1\2as\3raw", b"", "x" * 70000), TypeError, "arg3 must be bytes, not str"),
    ],
)
def test_mistake_in_an_answer_raises_and_leaves_the_call_unanswered(
    pair, raw, arguments, error, text
):
    event = pair.request()
    with pytest.raises(error, match=text):
        pair.server.respond(event.id, *arguments)
    assert not pair.server.has_data
    assert pair.server.respond(event.id, raw, b"", b"")


def test_mistake_at_the_start_of_an_answer_raises(pair, raw):
    event = pair.request()
    with pytest.raises(ValueError, match="'as'"):
        pair.server.start_response(event.id, b"\0", b"")
    with pytest.raises(TypeError, match="arg2"):
        pair.server.start_response(event.id, raw, "text")
    with pytest.raises(ValueError, match="code"):
        pair.server.start_response(event.id, raw, b"", 256)
    assert pair.server.start_response(event.id, raw, b"").finish()


# --- the end of a call --------------------------------------------------------------------------


def test_cancel_ends_the_call_with_error_2_and_is_told(pair):
    event = pair.request(context="ctx")
    pair.client.cancel(event.id, "bored", now=pair.now)
    (cancelled,) = pair.to_server()

    assert cancelled == wire.CancelReceived(event.id, "bored")
    assert not pair.server.inbound
    assert wire.decode(pair.server.data_to_send()).code == ErrorCode.CANCELLED


@pytest.mark.parametrize("payload", [b"", b"abc", bytes(29) + b"\0\5ab"])
def test_cancel_without_a_readable_body_still_cancels(pair, payload):
    event = pair.request()
    frame = wire.Frame(wire.FrameType.CANCEL, event.id, payload).encode()
    (cancelled,) = pair.server.receive(frame, pair.now)

    assert cancelled == wire.CancelReceived(event.id, "")


def test_cancel_stops_a_large_answer_and_is_not_told_when_nobody_is_at_work(pair, raw):
    event = pair.request()
    pair.server.respond(event.id, raw, b"", bytes(1_000_000))
    pair.server.data_to_send(1)
    pair.client.cancel(event.id, now=pair.now)

    assert pair.to_server() == []
    assert pair.server.buffered < 200
    assert not pair.server.inbound


def test_cancel_of_an_incomplete_request_frees_it(pair, request_frame):
    pair.server.receive(request_frame(4, flags=1), pair.now)
    assert pair.server._reassembly > 0
    events = pair.server.receive(wire.encode(wire.Cancel(id=4)), pair.now)

    assert events == []
    assert pair.server._reassembly == 0


def test_ttl_that_runs_out_ends_the_call_with_a_timeout(pair):
    event = pair.request(ttl=2.0)
    assert pair.server.expire(event.deadline - 0.001) == []
    events = pair.server.expire(pair.server.next_deadline())

    assert events == [wire.RequestExpired(event.id)]
    assert not pair.server.inbound
    assert wire.decode(pair.server.data_to_send()).code == ErrorCode.TIMEOUT


def test_ttl_that_runs_out_before_a_request_is_complete_refuses_it(
    pair, request_frame, assert_refused
):
    pair.server.receive(request_frame(4, flags=1), pair.now)
    events = pair.server.expire(pair.now + 2)

    assert_refused(pair.server, events, 4, ErrorCode.TIMEOUT, "before the request was complete")


def test_ttl_that_runs_out_stops_a_streamed_answer(pair, raw):
    event = pair.request()
    writer = pair.server.start_response(event.id, raw, b"")
    pair.to_client()

    assert pair.server.expire(pair.now + 2) == [wire.RequestExpired(event.id)]
    assert writer.write(b"x") is False
    (error,) = pair.to_client()
    assert error.code == ErrorCode.TIMEOUT


def test_ttl_that_runs_out_frees_a_large_answer_that_nobody_reads(pair, raw):
    event = pair.request()
    pair.server.respond(event.id, raw, b"", bytes(1_000_000))

    assert pair.server.expire(pair.now + 2) == []
    assert pair.server.buffered < 200


def test_longest_ttl_is_kept(pair, request_frame):
    (event,) = pair.server.receive(request_frame(ttl_ms=0xFFFFFFFF), pair.now)

    assert event.deadline == pytest.approx(pair.now + 4294967.295)
    assert pair.server.expire(pair.now + 4294967) == []
