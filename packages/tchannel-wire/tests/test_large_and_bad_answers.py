"""Our calls that are not small, and answers that are not small and good."""

import pytest

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode


@pytest.mark.parametrize("type", list(ChecksumType))
def test_response_of_every_checksum_type_is_received(pair, response_frame, type):
    call = pair.call()
    frame = response_frame(call.id, [b"", b"h", b"b"], checksum_type=type)
    (response,) = pair.client.receive(frame, pair.now)

    assert (response.checksum_type, response.arg2, response.arg3) == (type, b"h", b"b")


def test_answers_of_several_frames_are_gathered(pair, raw):
    event = pair.request()
    pair.server.respond(event.id, raw, b"h" * 100_000, b"b" * 300_000)
    (response,) = pair.to_client()

    assert (response.arg2, response.arg3, response.more) == (b"h" * 100_000, b"b" * 300_000, False)
    assert pair.client._reassembly == 0


def test_response_is_streamed_when_the_call_wants_it(pair, raw):
    event = pair.request(stream_response=True, context="ctx")
    writer = pair.server.start_response(event.id, raw, b"h" * 100_000)
    (response,) = pair.to_client()
    assert (response.arg2, response.arg3, response.more) == (b"h" * 100_000, b"", True)
    writer.write(b"one")
    assert pair.to_client() == [wire.ResponseChunk(event.id, "ctx", b"one", False)]
    writer.finish()

    assert pair.to_client() == [wire.ResponseChunk(event.id, "ctx", b"", True)]
    assert not pair.client.outbound
    assert pair.client.next_deadline() is None
    assert pair.client._reassembly == 0


def test_small_response_to_a_call_that_streams_is_whole(pair, raw):
    event = pair.request(stream_response=True)
    pair.server.respond(event.id, raw, b"", b"small")
    (response,) = pair.to_client()

    assert (response.arg3, response.more) == (b"small", False)


BAD = {
    "bad checksum": {"checksum": 1},
    "too few args": {"chunks": [b"", b""]},
    "too many args": {"chunks": [b""] * 4},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_answer_fails_its_call_at_once_and_the_connection_lives_on(pair, response_frame, name):
    call = pair.call(context="ctx")
    (failed,) = pair.client.receive(response_frame(call.id, **BAD[name]), pair.now)

    assert isinstance(failed, wire.CallFailed)
    assert (failed.id, failed.context) == (call.id, "ctx")
    assert failed.error.code == ErrorCode.BAD_REQUEST
    assert failed.error.message_id == call.id
    assert not pair.client.outbound
    assert pair.client.state is wire.ConnectionState.OPEN


@pytest.mark.parametrize("type", [wire.FrameType.CALL_RESPONSE, wire.FrameType.ERROR])
@pytest.mark.parametrize("size", [0, 5, 27])
def test_answer_that_cannot_be_read_fails_its_call(pair, type, size):
    call = pair.call(context="ctx")
    (failed,) = pair.client.receive(wire.Frame(type, call.id, bytes(size)).encode(), pair.now)

    assert isinstance(failed, wire.CallFailed)
    assert failed.context == "ctx"


def test_rest_of_a_bad_answer_is_cancelled_and_ignored(pair, response_frame, sent_by):
    call = pair.call()
    sent_by(pair.client)
    (failed,) = pair.client.receive(response_frame(call.id, flags=1, checksum=1), pair.now)
    assert isinstance(failed, wire.CallFailed)
    (cancel,) = sent_by(pair.client)
    assert isinstance(cancel, wire.Cancel)
    rest = wire.encode(wire.CallResponseContinue(id=call.id, chunks=[b"x"]))

    assert pair.client.receive(rest, pair.now) == []


def test_continuation_before_the_first_frame_of_an_answer_fails_the_call(pair):
    call = pair.call()
    frame = wire.encode(wire.CallResponseContinue(id=call.id, chunks=[b"x"]))
    (failed,) = pair.client.receive(frame, pair.now)

    assert isinstance(failed, wire.CallFailed)


def test_second_first_frame_of_an_answer_fails_the_call(pair, response_frame):
    call = pair.call()
    pair.client.receive(response_frame(call.id, flags=1), pair.now)
    (failed,) = pair.client.receive(response_frame(call.id), pair.now)

    assert "second call response" in str(failed.error)
    assert pair.client._reassembly == 0


def test_bad_later_frame_of_a_streamed_answer_fails_the_call(pair, response_frame):
    call = pair.call(stream_response=True)
    (response,) = pair.client.receive(response_frame(call.id, [b"", b"", b"x"], flags=1), pair.now)
    assert response.more
    bad = wire.encode(wire.CallResponseContinue(id=call.id, checksum=1, chunks=[b"x"]))
    (failed,) = pair.client.receive(bad, pair.now)

    assert isinstance(failed, wire.CallFailed)
    assert not pair.client.outbound


def test_good_answers_before_and_after_a_bad_one_in_the_same_read_are_received(
    pair, response_frame
):
    calls = [pair.call() for _ in range(3)]
    data = b"".join(
        response_frame(call.id, **({"checksum": 1} if call is calls[1] else {})) for call in calls
    )
    events = pair.client.receive(data, pair.now)

    assert [type(event).__name__ for event in events] == [
        "ResponseReceived",
        "CallFailed",
        "ResponseReceived",
    ]


# --- streaming requests ---------------------------------------------------------------------------


def test_request_is_sent_in_pieces(pair, prepared, tracing, sent_by):
    call = pair.client.start_call(prepared(), b"head", ttl=1, tracing=tracing, now=pair.now)
    (first,) = sent_by(pair.client)
    assert (first.chunks, first.more) == ([b"echo", b"head", b""], True)
    assert call.writer.write(b"one")
    assert call.writer.buffered == 3
    (second,) = sent_by(pair.client)
    assert (second.id, second.chunks) == (call.id, [b"one"])
    assert call.writer.finish()
    (third,) = sent_by(pair.client)

    assert (third.chunks, third.more) == ([b""], False)
    assert call.writer is None


def test_pieces_written_before_anything_was_sent_make_one_frame(pair, prepared, tracing, sent_by):
    call = pair.client.start_call(prepared(), b"head", ttl=1, tracing=tracing, now=pair.now)
    call.writer.write(b"one")
    call.writer.finish()
    (only,) = sent_by(pair.client)

    assert (only.chunks, only.more) == ([b"echo", b"head", b"one"], False)
