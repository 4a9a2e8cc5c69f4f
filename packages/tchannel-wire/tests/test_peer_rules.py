"""Rules that come from how the other implementations really behave.

The first part holds what existing peers force upon everybody who talks to them; the second what
hurts a Hyperbahn router. Each test names its rule.
"""

import pytest

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode


def drain(connection):
    """All messages that a connection has to say."""
    buffer = wire.FrameBuffer()
    messages = []
    while data := connection.data_to_send():
        messages += [wire.decode(frame) for frame in buffer.split(data)]
    assert buffer.error is None
    assert buffer.pending == 0
    return messages


# --- what peers do with what they are sent --------------------------------------------------------


def test_rule_1_fatal_errors_are_sent_only_for_a_peer_s_fatal_error(pair, request_frame):
    """tchannel-go and tchannel-node close everything on one."""
    pair.server.receive(request_frame(1, service=""), pair.now)
    pair.server.receive(request_frame(2, checksum=1), pair.now)
    pair.server.receive(request_frame(3, ttl_ms=0), pair.now)
    pair.server.receive(request_frame(4), pair.now)
    pair.server.receive(wire.encode(wire.Cancel(id=4)), pair.now)
    pair.server.receive(request_frame(5), pair.now)
    pair.server.expire(pair.now + 9)
    pair.server.drain("bye")
    pair.server.close(pair.now)

    errors = drain(pair.server)
    assert len(errors) == 6
    assert all(error.code != ErrorCode.FATAL for error in errors)
    assert [error.id for error in errors if error.code == ErrorCode.DECLINED] == [
        wire.NO_MESSAGE_ID
    ]


def test_rule_2_ttl_0_is_never_sent(pair):
    """tchannel-node resets the connection on it."""
    for ttl in (0, 1e-9, -1):
        pair.call(ttl=ttl)

    assert [message.ttl_ms for message in drain(pair.client)] == [1, 1, 1]


def test_rule_2_init_is_never_answered_with_0_0_0_0_0():
    """tchannel-node refuses such an answer."""
    with pytest.raises(ValueError, match=r"0\.0\.0\.0:0"):
        wire.Connection(opener=False, host_port="0.0.0.0:0", process_name="p", now=0.0)


def test_rule_3_every_request_has_as_and_cn():
    """tchannel-node refuses a call without."""
    for missing in ("as", "cn"):
        headers = {"as": "raw", "cn": "me"}
        del headers[missing]
        with pytest.raises(ValueError, match=missing):
            wire.prepare_call("svc", headers, b"")


def test_rule_3_every_response_has_as(pair):
    """tchannel-node and tchannel-java drop an answer without."""
    event = pair.request()
    for answer in (
        lambda: pair.server.respond(event.id, wire.encode_headers({}), b"", b""),
        lambda: pair.server.respond(event.id, wire.encode_headers({"x": "y"}), b"", bytes(99_999)),
        lambda: pair.server.start_response(event.id, wire.encode_headers({}), b""),
    ):
        with pytest.raises(ValueError, match="'as'"):
            answer()


@pytest.mark.parametrize("end", ["answered", "failed", "cancelled", "expired", "bad answer"])
def test_rule_3_no_fragment_is_sent_for_a_call_that_the_peer_has_forgotten(
    pair, response_frame, end
):
    """tchannel-node drops the connection on which one arrives."""
    call = pair.call(b"", bytes(1_000_000))
    first = wire.decode(pair.client.data_to_send(1))
    assert first.more
    if end == "answered":
        pair.client.receive(response_frame(call.id), pair.now)
    elif end == "failed":
        pair.client.receive(wire.encode(wire.ErrorMessage(id=call.id, code=3)), pair.now)
    elif end == "cancelled":
        pair.client.cancel(call.id, now=pair.now)
    elif end == "expired":
        pair.client.expire(pair.now + 9)
    else:
        pair.client.receive(response_frame(call.id, checksum=1), pair.now)

    assert all(isinstance(message, wire.Cancel) for message in drain(pair.client))
    assert pair.client.buffered == 0


def test_rule_3_a_request_is_written_on_while_its_answer_arrives_and_no_longer(
    pair, response_frame
):
    """A peer that answers as it reads has not forgotten the call before its answer is whole."""
    call = pair.call(b"", bytes(1_000_000))
    pair.client.data_to_send(1)
    pair.client.receive(response_frame(call.id, flags=1), pair.now)
    assert pair.client.buffered > 500_000

    pair.client.receive(wire.encode(wire.CallResponseContinue(id=call.id, chunks=[b""])), pair.now)

    assert drain(pair.client) == []


@pytest.mark.parametrize(
    "frame",
    [
        wire.CallRequestContinue(id=77, chunks=[b"x"]),
        wire.CallResponse(id=77, headers={}, chunks=[b""] * 3),
        wire.CallResponseContinue(id=77, chunks=[b"x"]),
        wire.ErrorMessage(id=77, code=5),
        wire.Cancel(id=77),
        wire.PingResponse(id=77),
    ],
    ids=lambda message: type(message).__name__,
)
def test_rule_3_what_is_about_no_known_call_is_ignored(pair, frame):
    """It crosses with answers, cancels and deadlines; node's reset over it is not repeated."""
    assert pair.server.receive(wire.encode(frame), pair.now) == []
    assert not pair.server.has_data
    assert pair.server.state is wire.ConnectionState.OPEN


def test_rule_4_no_ping_is_sent_unasked_and_silence_costs_nothing(pair):
    """tchannel-python and tchannel-java never answer pings."""
    pair.client.ping(pair.now)
    drain(pair.client)

    assert pair.client.next_deadline() is None
    assert pair.client.expire(pair.now + 1e6) == []
    assert drain(pair.client) == []


def test_rule_5_cancel_is_written_in_the_long_form(pair):
    """No peer minds a cancel; the short form of the protocol's table is not read by all."""
    call = pair.call()
    drain(pair.client)
    pair.client.cancel(call.id, now=pair.now)

    assert len(pair.client.data_to_send()) == 16 + 4 + 25 + 2


def test_rule_6_farmhash_is_never_our_choice(pair):
    """tchannel-go and tchannel-python drop such a call."""
    ours = wire.prepare_call("svc", {"as": "raw", "cn": "me"}, b"")
    pair.call(b"", b"", prepared=ours)
    pair.call(b"", bytes(200_000), prepared=ours)
    assert {message.checksum_type for message in drain(pair.client)} == {ChecksumType.CRC32C}
    with pytest.raises(ValueError, match="FARMHASH"):
        wire.prepare_call("svc", {"as": "raw", "cn": "me"}, b"", ChecksumType.FARMHASH)


@pytest.mark.parametrize("size", [0, 16384])
def test_rule_7_arg1_and_the_first_chunk_of_arg2_are_in_the_first_frame(pair, prepared, size):
    """tchannel-node answers "arg1-fragmented" otherwise; the longest headers leave room for it."""
    headers = {f"h{i}": "v" * 255 for i in range(126)}
    pair.call(b"", bytes(200_000), prepared=prepared(arg1=bytes(size), **headers))
    first = drain(pair.client)[0]

    assert first.chunks[0] == bytes(size)
    assert len(first.chunks) >= 2


def test_no_call_frame_is_without_a_chunk(pair, prepared, tracing, raw):
    """One such frame ends a whole tchannel-go process."""
    call = pair.client.start_call(prepared(), b"", ttl=1, tracing=tracing, now=pair.now)
    messages = drain(pair.client)
    call.writer.write(b"")
    messages += drain(pair.client)
    call.writer.finish()
    messages += drain(pair.client)
    event = pair.request()
    writer = pair.server.start_response(event.id, raw, b"")
    messages += drain(pair.server)
    writer.finish()
    messages += drain(pair.server)

    assert len(messages) == 4
    assert all(message.chunks for message in messages)


def test_frames_without_chunks_are_accepted(pair, request_frame):
    pair.server.receive(request_frame(4, flags=1, checksum_type=ChecksumType.NONE), pair.now)
    empty = wire.CallRequestContinue(id=4, flags=1, checksum_type=ChecksumType.NONE, chunks=[])
    assert pair.server.receive(wire.encode(empty), pair.now) == []
    empty.flags = 0
    (event,) = pair.server.receive(wire.encode(empty), pair.now)

    assert isinstance(event, wire.RequestReceived)


def test_streaming_flag_is_never_written_and_is_read_as_a_bit(pair, request_frame, raw):
    """tchannel-python compares flags as numbers."""
    (event,) = pair.server.receive(request_frame(4, flags=wire.STREAMING), pair.now)
    assert event.flags == wire.STREAMING
    pair.server.respond(4, raw, b"", bytes(200_000))
    pair.call(b"", bytes(200_000))

    for message in drain(pair.server) + drain(pair.client):
        assert message.flags in (0, 1)


def test_unknown_error_code_reaches_the_caller(pair):
    """tchannel-python leaves its caller waiting for the timeout."""
    call = pair.call()
    (event,) = pair.client.receive(
        wire.encode(wire.ErrorMessage(id=call.id, code=0x77, description="new")), pair.now
    )

    assert (event.code, event.description) == (0x77, "new")


def test_each_new_call_is_declined_by_one_who_drains(pair):
    """tchannel-go and tchannel-python ignore the announcement."""
    pair.server.drain("bye")
    for _ in range(3):
        pair.call()
    pair.to_server()

    assert [message.id for message in drain(pair.server)] == [wire.NO_MESSAGE_ID, 2, 3, 4]


# --- what hurts Hyperbahn -------------------------------------------------------------------------


@pytest.mark.parametrize("host_port", ["127.0.0.1:0", "10.0.0.1:0", "0.0.0.0:0", "0.0.0.0:4040"])
def test_hyperbahn_is_never_told_of_port_0_or_host_0_0_0_0(host_port):
    """An advertisement from port 0 ends its connecting back to anybody, for ever."""
    opener = wire.Connection(opener=True, host_port=host_port, process_name="p", now=0.0)
    (request,) = drain(opener)

    assert request.headers["host_port"] == "0.0.0.0:0"


@pytest.mark.parametrize("host_port", ["localhost:4040", "[::1]:4040", "/run/socket"])
def test_hyperbahn_is_told_dotted_ipv4_addresses_only(host_port):
    """Names and IPv6 addresses fail its assertions."""
    opener = wire.Connection(opener=True, host_port=host_port, process_name="p", now=0.0)
    (request,) = drain(opener)

    assert request.headers["host_port"] == "0.0.0.0:0"


def test_hyperbahn_is_never_asked_for_the_empty_service():
    """It throws inside and never answers."""
    with pytest.raises(ValueError, match="service"):
        wire.prepare_call("", {"as": "raw", "cn": "me"}, b"")


def test_hyperbahn_never_gets_a_frame_smaller_than_a_header(pair, raw):
    """It throws inside and falls silent."""
    pair.client.ping(pair.now)
    pair.call()
    event = pair.to_server()[0]
    pair.server.respond(event.id, raw, b"", b"")
    pair.server.drain("x")
    stream = pair.server.data_to_send()

    buffer = wire.FrameBuffer()
    frames = buffer.split(stream)
    assert b"".join(frames) == stream
    assert min(map(len, frames)) >= 16
