"""Frames, messages and header blocks: what is read is the same again when it is written."""

import contextlib

from fuzzing.choices import Choices

import tchannel_wire as wire

__all__ = ["frames", "messages", "thrift_headers"]


def frames(data: bytes) -> None:
    """However a stream is cut, it has the same frames, and breaks at the same place."""
    choices = Choices(data)
    cuts = [choices.number(1 << 16) for _ in range(choices.number(6))]
    stream = choices.rest()
    whole = wire.FrameBuffer()
    expected = whole.split(stream)

    bounds = sorted(cut % (len(stream) + 1) for cut in cuts)
    pieces = wire.FrameBuffer()
    found = []
    for start, end in zip([0, *bounds], [*bounds, len(stream)], strict=True):
        found += pieces.split(stream[start:end])

    assert found == expected
    assert str(pieces.error) == str(whole.error)
    assert pieces.pending == whole.pending or whole.error is not None
    assert b"".join(found) == stream[: sum(map(len, found))]
    for frame in found:
        _read(frame)


def messages(data: bytes) -> None:
    """One frame with any payload: read and written again it means the same."""
    choices = Choices(data)
    type = choices.one_of([*map(int, wire.FrameType), choices.number(256)])
    payload = choices.rest()[: wire.MAX_PAYLOAD_SIZE]
    header = (16 + len(payload)).to_bytes(2) + bytes([type, 0]) + (7).to_bytes(4) + bytes(8)
    _read(header + payload)


def _read(frame: bytes) -> None:
    try:
        message = wire.decode(frame)
    except wire.ProtocolError as error:
        assert error.description
    else:
        repr(message)
        # What nobody may send is written neither (a header with an empty key, say).
        with contextlib.suppress(ValueError, wire.ProtocolError):
            assert wire.decode(wire.encode(message)) == message
    # A relay looks at frames that it has not decoded.
    for peek in (
        *(wire.peek_arg1, wire.peek_checksum_type, wire.peek_flags, wire.peek_has_chunks),
        *(wire.peek_headers, wire.peek_id, wire.peek_more, wire.peek_service, wire.peek_tracing),
        *(wire.peek_ttl_ms, wire.peek_type),
    ):
        with contextlib.suppress(wire.ProtocolError):
            peek(frame)


def thrift_headers(data: bytes) -> None:
    """Application headers in arg2 survive being sent on."""
    try:
        pairs = wire.thrift_header_pairs(data)
    except wire.ProtocolError as error:
        assert error.description
        return
    assert wire.decode_thrift_headers(data) == dict(pairs)
    assert wire.thrift_header_pairs(wire.encode_thrift_headers(pairs)) == pairs
    assert not data or wire.encode_thrift_headers(pairs) == data
