"""The connection as a whole: bytes, pings, claims, and its end."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tchannel_wire as wire
from tchannel_wire import ConnectionState, ErrorCode

counts_references = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="PyPy does not count references"
)


def test_same_input_whole_and_byte_by_byte_gives_the_same_events(unopened_pair, raw):
    def conversation(cut):
        pair = unopened_pair()
        log = []

        def carry(source, target):
            while data := source.data_to_send(100_000):
                for piece in cut(data):
                    log.extend(target.receive(piece, pair.now))

        carry(pair.client, pair.server)
        carry(pair.server, pair.client)
        pair.call(b"h", b"small")
        pair.call(b"h" * 70_000, b"b" * 70_000)
        pair.client.ping(pair.now)
        carry(pair.client, pair.server)
        pair.server.respond(2, raw, b"", b"x" * 70_000)
        pair.server.fail(3, ErrorCode.BUSY, "no")
        pair.server.drain("test")
        carry(pair.server, pair.client)
        return [repr(event) for event in log]

    whole = conversation(lambda data: [data])
    single = conversation(lambda data: [data[i : i + 1] for i in range(len(data))])

    assert whole == single
    assert len(whole) == 8


def test_sizes_of_reads_do_not_matter(unopened_pair):
    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(1, 70_000), min_size=1, max_size=20))
    def check(sizes):
        pair = unopened_pair()
        pair.open()
        pair.call(b"", bytes(150_000))
        stream = b""
        while data := pair.client.data_to_send():
            stream += data
        events, offset = [], 0
        while offset < len(stream):
            size = sizes[offset % len(sizes)]
            events += pair.server.receive(stream[offset : offset + size], pair.now)
            offset += size
        (event,) = events
        assert event.arg3 == bytes(150_000)

    check()


def test_nothing_is_sent_unasked(pair):
    assert (pair.client.data_to_send(), pair.client.buffered, pair.client.has_data) == (
        b"",
        0,
        False,
    )


def test_buffered_counts_frames_and_args_that_are_in_no_frame_yet(pair):
    pair.call(b"", b"x" * 100)
    small = pair.client.buffered
    assert 100 < small < 250
    pair.call(b"", bytes(1_000_000))
    assert 1_000_000 < pair.client.buffered < 1_000_100 + small
    before = pair.client.buffered
    data = pair.client.data_to_send(100_000)

    assert 100_000 <= len(data) <= 200_000
    assert before - len(data) <= pair.client.buffered < before - len(data) + 200
    while pair.client.data_to_send():
        pass
    assert pair.client.buffered == 0


def test_about_256_kib_leave_at_once_by_default(pair):
    pair.call(b"", bytes(2_000_000))

    assert 256 * 1024 <= len(pair.client.data_to_send()) < 256 * 1024 + 65536


def test_small_call_does_not_wait_for_a_large_one(pair):
    large = pair.call(b"", bytes(5_000_000))
    pair.client.data_to_send(65_535)
    small = pair.call(b"", b"small")
    data = pair.client.data_to_send(1)

    assert wire.peek_id(data) == small.id
    assert wire.peek_id(pair.client.data_to_send(1)) == large.id


# --- pings and claims -----------------------------------------------------------------------------


def test_ping_is_answered_with_its_id(pair):
    id = pair.client.ping(pair.now)
    assert pair.to_server() == []

    assert pair.to_client() == [wire.PongReceived(id)]


def test_what_a_peer_makes_us_say_is_counted_whether_it_reads_it_or_not(pair):
    assert pair.server.replied == 0
    pair.client.ping(pair.now)
    pair.to_server()
    pongs = pair.server.replied
    pair.call()
    pair.to_server()
    assert pongs == pair.server.replied == 16
    (call,) = pair.server.inbound
    pair.server.fail(call, ErrorCode.BUSY, "no")

    assert pair.server.replied == 16 + 46
    assert len(pair.server.data_to_send()) == 16 + 46


def test_pong_that_nobody_asked_for_is_ignored(pair):
    frame = wire.encode(wire.PingResponse(id=99))

    assert pair.client.receive(frame, pair.now) == []


def test_claim_is_told(pair, tracing):
    pair.client.claim(tracing, 0.25, now=pair.now)

    assert pair.to_server() == [wire.ClaimReceived(250, tracing)]


def test_claim_that_cannot_be_read_is_ignored(pair):
    frame = wire.Frame(wire.FrameType.CLAIM, 1, b"short").encode()

    assert pair.server.receive(frame, pair.now) == []
    assert pair.server.state is ConnectionState.OPEN


def test_claim_must_have_25_bytes_of_tracing(pair):
    with pytest.raises(ValueError, match="tracing"):
        pair.client.claim(b"", 1.0, now=pair.now)
    assert not pair.client.has_data


# --- the end --------------------------------------------------------------------------------------


def test_fatal_error_of_the_peer_closes_without_an_answer(pair):
    frame = wire.encode(wire.ErrorMessage(code=ErrorCode.FATAL, description="you broke it"))
    (closed,) = pair.client.receive(frame, pair.now)

    assert isinstance(closed.error, wire.PeerError)
    assert "you broke it" in str(closed.error)
    assert not pair.client.has_data


@pytest.mark.parametrize(
    "bad", [b"\0\5", wire.Frame(0x55, 1).encode(), wire.Frame(0xFF, 2**32 - 1).encode()]
)
def test_good_frames_before_a_fatal_one_take_effect(pair, request_frame, bad):
    events = pair.server.receive(
        request_frame(1) + request_frame(2) + bad + request_frame(3), pair.now
    )

    assert [type(event).__name__ for event in events] == [
        "RequestReceived",
        "RequestReceived",
        "ConnectionClosed",
    ]
    assert events[-1].requests == [1, 2]
    assert isinstance(events[-1].error, wire.ProtocolError)
    answer = wire.decode(pair.server.data_to_send())
    assert (answer.id, answer.code) == (wire.NO_MESSAGE_ID, ErrorCode.FATAL)
    assert pair.server.receive(request_frame(4), pair.now) == []


@pytest.mark.parametrize("end", ["close", "receive_eof", "fatal"])
def test_end_tells_of_every_call_that_is_not_answered(pair, prepared, tracing, raw, end):
    sent = pair.call(b"", b"", context="sent")
    large = pair.call(b"", bytes(300_000), context="large, begun")
    pair.client.data_to_send(1)
    pair.client.data_to_send(1)
    unsent = pair.call(b"", b"", context="unsent")
    large_unsent = pair.client.start_call(
        prepared(), b"", ttl=1, tracing=tracing, context="large, unsent", now=pair.now
    )
    if end == "fatal":
        (closed,) = pair.client.receive(b"\0\5", pair.now)
    else:
        (closed,) = getattr(pair.client, end)(pair.now)

    assert closed.calls == [
        (sent.id, "sent", True),
        (large.id, "large, begun", True),
        (unsent.id, "unsent", False),
        (large_unsent.id, "large, unsent", False),
    ]
    assert closed.error is None or end == "fatal"
    assert pair.client.next_deadline() is None
    assert pair.client.expire(pair.now + 99) == []
    assert large_unsent.writer.write(b"x") is False
    assert not pair.client.outbound
    assert not pair.client.inbound


def test_end_tells_of_the_requests_that_somebody_is_at_work_on(new_pair, request_frame, raw):
    pair = new_pair(server={"stream_request": lambda info: info.arg1 == b"stream"})
    server = pair.server
    for id in (1, 2, 3):
        server.receive(request_frame(id), pair.now)
    server.receive(request_frame(4, flags=1), pair.now)  # not complete, so never told
    server.receive(request_frame(5, flags=1, chunks=[b"stream", b"", b""]), pair.now)
    server.respond(2, raw, b"", bytes(200_000))  # answered, only not sent
    writer = server.start_response(3, raw, b"")
    (closed,) = server.close(pair.now)

    assert closed.requests == [1, 3, 5]
    assert writer.write(b"x") is False
    assert server.buffered == 0


def test_what_was_queued_whole_can_still_be_sent_after_closing(pair, raw, decode_all):
    event = pair.request()
    pair.server.respond(event.id, raw, b"", b"last words")
    pair.server.close(pair.now)
    (response,) = pair.to_client()

    assert response.arg3 == b"last words"


def test_answers_after_the_end_write_nothing(pair, raw):
    event = pair.request()
    pair.server.close(pair.now)

    assert pair.server.respond(event.id, raw, b"", b"") is False
    assert pair.server.fail(event.id, ErrorCode.BUSY, "") is False
    assert pair.server.start_response(event.id, raw, b"").finish() is False
    pair.server.cancel(1, now=pair.now)
    assert not pair.server.has_data


def test_closing_never_writes_a_fatal_error(pair):
    pair.call()
    pair.client.data_to_send()
    pair.client.close(pair.now)
    pair.server.receive_eof(pair.now)

    assert not pair.client.has_data
    assert not pair.server.has_data


def test_stream_that_ends_in_a_frame_is_an_error_and_between_frames_is_not(pair):
    pair.server.receive(b"\0", pair.now)
    (closed,) = pair.server.receive_eof(pair.now)
    assert isinstance(closed.error, wire.PeerError)
    (closed,) = pair.client.receive_eof(pair.now)

    assert closed.error is None


def test_many_connections_share_a_queue_of_deadlines(unopened_pair, raw):
    queue = wire.DeadlineQueue()
    pairs = [unopened_pair(deadlines=queue) for _ in range(3)]
    for pair in pairs:
        pair.open()
    assert len(queue) == 0
    for number, pair in enumerate(pairs):
        pair.call(context=number, ttl=1 + number)
        pair.client.data_to_send()
    events = []
    for item in queue.pop_expired(102.5):
        events += item.connection.expire_item(item, 102.5)

    assert [event.context for event in events] == [0, 1]
    assert len(queue) == 1


def test_item_that_has_ended_meanwhile_does_not_expire(pair):
    request = pair.request(ttl=1.0)
    call = pair.call(ttl=1.0)
    pair.client.cancel(call.id, now=pair.now)
    pair.client.cancel(request.id, now=pair.now)
    pair.server.fail(request.id, ErrorCode.BUSY, "")

    assert pair.client.expire(pair.now + 9) == []
    assert pair.server.expire(pair.now + 9) == []


def test_item_of_another_connection_does_not_expire(pair):
    pair.call(ttl=1.0)
    (item,) = pair.client.deadlines.pop_expired(pair.now + 9)

    assert pair.server.expire_item(item, pair.now + 9) == []


def test_calls_that_end_leave_one_entry_in_the_queue_at_most(pair, raw):
    for _ in range(1000):
        request = pair.request(ttl=30.0)
        pair.server.respond(request.id, raw, b"", b"")
        pair.to_client()

    assert len(pair.client.deadlines) <= 1
    assert len(pair.server.deadlines) <= 1


def test_earlier_deadline_of_a_later_call_is_kept(pair):
    late, early = pair.call(ttl=5.0, context="late"), pair.call(ttl=1.0, context="early")

    assert pair.client.expire(pair.now + 2) == [wire.CallExpired(early.id, "early")]
    assert pair.now + 5.0 <= pair.client.next_deadline() <= pair.now + 5.02
    assert pair.client.expire(pair.now + 6) == [wire.CallExpired(late.id, "late")]


def test_repr_shows_the_state(pair):
    pair.request()

    assert repr(pair.server).startswith("Connection(OPEN, remote=RemotePeer(")
    assert "inbound=1" in repr(pair.server)
    assert repr(next(iter(pair.server.inbound.values()))).startswith("RequestReceived(id=")


@counts_references
def test_call_leaves_no_reference_cycle(pair, raw):
    import gc
    import weakref

    class Context:
        pass

    context = Context()
    call = pair.call(b"", b"x", context=context)
    context.call = call
    seen = weakref.ref(context)
    (event,) = pair.to_server()
    pair.server.respond(event.id, raw, b"", b"")
    gc.disable()
    try:
        pair.to_client()
        del context, call
        assert seen() is None
    finally:
        gc.enable()


@counts_references
def test_large_call_leaves_no_reference_cycle(pair, raw):
    import gc

    body = bytes(200_000)
    gc.collect()
    gc.disable()
    try:
        pair.call(b"", body)
        (event,) = pair.to_server()
        pair.server.respond(event.id, raw, b"", event.arg3)
        (answer,) = pair.to_client()
        assert answer.arg3 == body
        del event, answer
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "argument", ["host_port", "process_name", "options", "headers", "deadlines"]
)
def test_argument_of_another_type_is_refused_by_its_name(argument):
    arguments = {"opener": True, "host_port": "1.2.3.4:5", "process_name": "p", "now": 0.0}

    with pytest.raises(TypeError, match=f"{argument} must be .*5"):
        wire.Connection(**{**arguments, argument: 5})


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"prepared": None}, TypeError, "prepared"),
        ({"arg2": "text"}, TypeError, "arg2"),
        ({"arg3": None}, TypeError, "arg3"),
        ({"ttl": "1"}, TypeError, "ttl"),
        ({"ttl": float("inf")}, ValueError, "ttl"),
        ({"tracing": bytes(24)}, ValueError, "tracing"),
    ],
)
def test_call_with_a_bad_argument_names_it_and_sends_nothing(
    pair, prepared, tracing, arguments, error, name
):
    call = {"prepared": prepared(), "arg2": b"", "arg3": b"", "ttl": 1.0, "tracing": tracing}

    with pytest.raises(error, match=name):
        pair.client.call(**{**call, "now": pair.now, **arguments})
    assert pair.client.outbound == {}
    assert not pair.client.has_data


def test_bad_arguments_of_an_error_leave_the_call_to_be_answered(pair):
    pair.call()
    pair.to_server()
    (id,) = pair.server.inbound

    with pytest.raises(TypeError, match="description"):
        pair.server.fail(id, ErrorCode.BUSY, None)
    for code in (0, 256, 1.5, None):
        with pytest.raises(ValueError, match="code"):
            pair.server.fail(id, code, "")
    assert pair.server.fail(id, ErrorCode.BUSY, "no")


def test_claims_and_drains_refuse_what_they_cannot_say(pair, tracing):
    for ttl, error in (("1", TypeError), (float("nan"), ValueError)):
        with pytest.raises(error, match="ttl"):
            pair.client.claim(tracing, ttl, now=pair.now)
    with pytest.raises(TypeError, match="tracing"):
        pair.client.claim(None, 1.0, now=pair.now)
    with pytest.raises(TypeError, match="reason"):
        pair.client.drain(5)
