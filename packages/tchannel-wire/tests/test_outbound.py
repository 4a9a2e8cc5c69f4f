"""Our calls: made, answered, failed, cancelled, expired."""

import pytest

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode, caches, outbound


@pytest.mark.parametrize("type", [ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C])
def test_call_is_written_as_the_protocol_says(pair, prepared, tracing, type, sent_by):
    pair.call(b"head", b"body", prepared=prepared(checksum_type=type, re="c"), ttl=2.5)
    (message,) = sent_by(pair.client)

    assert message == wire.CallRequest(
        id=2,
        ttl_ms=2500,
        tracing=tracing,
        service="svc",
        headers={"as": "raw", "cn": "tests", "re": "c"},
        checksum_type=type,
        chunks=[b"echo", b"head", b"body"],
    )


@pytest.mark.parametrize(
    ("ttl", "ttl_ms"),
    [(0, 1), (-5, 1), (0.0004, 1), (0.0019, 1), (0.25, 250), (30, 30_000), (1e9, 0xFFFFFFFF)],
)
@pytest.mark.parametrize("size", [0, 70_000])
def test_ttl_is_written_as_1_to_0xffffffff_milliseconds_and_never_0(
    pair, ttl, ttl_ms, size, sent_by
):
    pair.call(b"", bytes(size), ttl=ttl)
    first, *_ = sent_by(pair.client)

    assert first.ttl_ms == ttl_ms


@pytest.mark.parametrize("size", [0, 70_000])
@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"arg2": "text"}, TypeError, "arg2 must be bytes, not str"),
        ({"arg3": "text"}, TypeError, "arg3 must be bytes, not str"),
        ({"arg3": None}, TypeError, "arg3 must be bytes, not NoneType"),
        ({"tracing": b"short"}, ValueError, "tracing must be 25 bytes, not 5"),
        ({"tracing": None}, TypeError, "tracing must be bytes, not NoneType"),
        ({"ttl": float("nan")}, ValueError, "ttl must be a finite number of seconds, not nan"),
        ({"ttl": float("inf")}, ValueError, "ttl must be a finite number of seconds, not inf"),
        ({"ttl": "1"}, TypeError, "ttl must be a number of seconds, not '1'"),
    ],
)
def test_mistake_in_a_call_raises_and_sends_nothing(
    pair, prepared, tracing, size, change, error, text
):
    arguments = {"arg2": b"", "arg3": bytes(size), "ttl": 1.0, "tracing": tracing} | change
    with pytest.raises(error, match=text):
        pair.client.call(prepared(), now=pair.now, **arguments)
    assert not pair.client.has_data
    assert not pair.client.outbound

    if "arg3" not in change:
        del arguments["arg3"]
        with pytest.raises(error, match=text):
            pair.client.start_call(prepared(), now=pair.now, **arguments)
        assert not pair.client.has_data


def test_response_comes_with_the_context_of_its_call(pair, raw, tracing):
    context = object()
    event = pair.request(b"", b"ping", context=context)
    pair.server.respond(event.id, raw, b"head", b"pong", 1)
    (response,) = pair.to_client()

    assert response == wire.ResponseReceived(
        id=event.id,
        context=context,
        code=1,
        tracing=tracing,
        headers={"as": "raw"},
        checksum_type=ChecksumType.CRC32C,
        arg2=b"head",
        arg3=b"pong",
        more=False,
    )
    assert not pair.client.outbound
    assert pair.client.next_deadline() is None


def test_call_that_is_over_does_not_hold_its_context(pair, raw):
    call = pair.call(context="ctx")
    (event,) = pair.to_server()
    pair.server.respond(event.id, raw, b"", b"")
    pair.to_client()

    assert call.context is None
    assert repr(call) == f"OutboundCall(id={call.id}, context=None)"


def test_calls_go_both_ways_on_one_connection_with_the_same_ids(pair, prepared, tracing, raw):
    ours = pair.call(context="client's")
    theirs = [
        pair.server.call(
            prepared(), b"", b"", ttl=1, tracing=tracing, context="server's", now=pair.now
        )
        for _ in range(2)
    ]
    assert ours.id == theirs[1].id == 2
    (at_server,) = pair.to_server()
    at_client = pair.to_client()
    pair.server.respond(at_server.id, raw, b"", b"to client")
    pair.client.respond(at_client[1].id, raw, b"", b"to server")

    assert pair.to_client()[0].arg3 == b"to client"
    (response,) = pair.to_server()
    assert (response.arg3, response.context) == (b"to server", "server's")


def test_response_without_as_or_with_an_arg1_is_accepted(pair, response_frame):
    for fields in ({"headers": {}}, {"chunks": [b"surprise", b"", b""]}):
        call = pair.call()
        (response,) = pair.client.receive(response_frame(call.id, **fields), pair.now)
        assert isinstance(response, wire.ResponseReceived)


def test_responses_with_changing_headers_are_told_apart(pair, raw):
    for number in range(3):
        for header in ({}, {"fd": "1"}, {"fd": "2"}):
            event = pair.request()
            headers = {"as": f"s{number}"} | header
            pair.server.respond(event.id, wire.encode_headers(headers), b"", b"")
            (response,) = pair.to_client()
            assert response.headers == headers


def test_cache_of_response_headers_stays_small(pair, response_frame):
    for number in range(caches.MAX_ENTRIES + 20):
        call = pair.call()
        frame = response_frame(call.id, headers={"as": "raw", "x": str(number)})
        pair.client.receive(frame, pair.now)
    call = pair.call()
    pair.client.receive(
        response_frame(call.id, headers={f"h{i}": "v" * 200 for i in range(5)}), 0.0
    )

    assert len(outbound._prefixes) <= caches.MAX_ENTRIES
    assert all(len(key) <= caches.MAX_BLOCK_SIZE for key in outbound._prefixes)


@pytest.mark.parametrize("code", [ErrorCode.BUSY, ErrorCode.FATAL, 0x42])
def test_error_frame_ends_its_call_whatever_its_code(pair, tracing, code):
    call = pair.call(context="ctx")
    frame = wire.encode(
        wire.ErrorMessage(id=call.id, code=code, tracing=tracing, description="text")
    )
    (event,) = pair.client.receive(frame, pair.now)

    assert event == wire.ErrorReceived(call.id, "ctx", code, "text", tracing)
    assert not pair.client.outbound
    assert pair.client.state is wire.ConnectionState.OPEN


# --- cancel and expiry ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 300_000])
def test_cancel_of_a_call_that_was_not_sent_takes_it_back(pair, size):
    other = pair.call(b"", b"other")
    call = pair.call(b"", bytes(size))
    assert not call.written
    pair.client.cancel(call.id, now=pair.now)
    (event,) = pair.to_server()

    assert event.id == other.id
    assert pair.client.buffered == 0


@pytest.mark.parametrize("size", [0, 300_000])
def test_cancel_of_a_call_that_was_sent_tells_the_peer_and_stops_writing(
    pair, tracing, size, sent_by
):
    call = pair.call(b"", bytes(size))
    pair.client.data_to_send(1)
    assert call.written
    pair.client.cancel(call.id, "bored", now=pair.now)
    assert pair.client.outbound == {}
    (cancel,) = sent_by(pair.client)

    assert cancel == wire.Cancel(id=call.id, tracing=tracing, why="bored")


def test_cancel_of_a_call_that_is_over_does_nothing(pair):
    pair.client.cancel(99, now=pair.now)

    assert not pair.client.has_data


@pytest.mark.parametrize("late", ["response", "error", "continuation"])
def test_answer_that_crosses_a_cancel_is_ignored(pair, response_frame, late):
    call = pair.call()
    pair.to_server()
    pair.client.cancel(call.id, now=pair.now)
    frame = {
        "response": response_frame(call.id),
        "error": wire.encode(wire.ErrorMessage(id=call.id, code=2)),
        "continuation": wire.encode(wire.CallResponseContinue(id=call.id, chunks=[b"x"])),
    }[late]

    assert pair.client.receive(frame, pair.now) == []
    assert pair.client.state is wire.ConnectionState.OPEN


def test_call_expires_with_an_event_and_a_cancel(pair, sent_by):
    call = pair.call(ttl=2.0, context="ctx")
    pair.client.data_to_send()
    assert pair.client.expire(pair.now + 1.999) == []
    due = pair.client.next_deadline()
    assert pair.now + 2.0 <= due <= pair.now + 2.02

    assert pair.client.expire(due) == [wire.CallExpired(call.id, "ctx")]
    (cancel,) = sent_by(pair.client)
    assert (cancel.id, cancel.why) == (call.id, "the deadline has passed")
    assert pair.client.next_deadline() is None


def test_call_that_expires_unsent_is_taken_back(pair):
    pair.call(ttl=2.0)
    (event,) = pair.client.expire(pair.now + 3)

    assert isinstance(event, wire.CallExpired)
    assert not pair.client.has_data


def test_streamed_response_that_is_not_complete_in_time_expires(pair, raw):
    event = pair.request(stream_response=True)
    pair.server.start_response(event.id, raw, b"")
    pair.to_client()

    assert pair.client.expire(pair.now + 2) == [wire.CallExpired(event.id, None)]


# --- ids --------------------------------------------------------------------------------------------


def test_ids_start_at_1_and_are_shared_with_pings_and_claims(pair, tracing):
    server = pair.server
    assert server.ping(pair.now) == 1
    server.claim(tracing, 1.0, now=pair.now)
    assert server.ping(pair.now) == 3


def test_after_0xfffffffe_comes_1_and_0_is_never_used(pair):
    pair.client._next_id = 0xFFFFFFFD
    ids = [pair.call().id for _ in range(4)]

    assert ids == [0xFFFFFFFD, 0xFFFFFFFE, 1, 2]


def test_ids_in_flight_or_remembered_are_not_used_again(pair):
    in_flight = pair.call(ttl=60).id
    cancelled = pair.call(ttl=60).id
    pair.client.data_to_send()
    pair.client.cancel(cancelled, now=pair.now)
    ping = pair.client.ping(pair.now)
    pair.client._next_id = 0xFFFFFFFE
    ids = [pair.call(ttl=60).id for _ in range(3)]
    assert not {in_flight, cancelled, ping} & set(ids)
    assert ids == [0xFFFFFFFE, 1, 5]

    pair.now += 5.01
    pair.client._next_id = cancelled
    assert pair.call().id == cancelled


def test_claim_takes_no_id_that_is_in_flight(pair, tracing, sent_by):
    assert pair.call(ttl=60).id == 2
    sent_by(pair.client)
    pair.client._next_id = 0xFFFFFFFE
    pings = [pair.client.ping(pair.now) for _ in range(2)]
    pair.client.claim(tracing, 1.0, now=pair.now)

    assert [message.id for message in sent_by(pair.client)] == [*pings, 3] == [0xFFFFFFFE, 1, 3]


@pytest.mark.parametrize(("ttl", "life"), [(1.0, 1.5), (60, 5.0)])
def test_cancelled_id_is_remembered_for_its_ttl_and_a_margin_up_to_5_seconds(pair, ttl, life):
    for _ in range(3):
        call = pair.call(ttl=ttl)
        pair.client.data_to_send()
        pair.client.cancel(call.id, now=pair.now)
    assert len(pair.client._tombstones) == 3
    pair.client._wrapped = True
    pair.now += life - 0.01
    pair.call()
    assert len(pair.client._tombstones) == 3
    pair.now += 0.02
    pair.call()

    assert pair.client._tombstones == {}
