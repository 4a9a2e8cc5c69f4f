"""Frames, and cutting a stream into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire import Frame, FrameBuffer, FrameType, ProtocolError

BYTES = (
    b"\x00\x13"  # size:2 = 19
    b"\xd0"  # type:1 = ping req
    b"\x00"  # reserved:1
    b"\x00\x00\x00\x2a"  # id:4 = 42
    b"\x00\x00\x00\x00\x00\x00\x00\x00"  # reserved:8
    b"abc"  # payload
)
FRAMES = st.lists(
    st.builds(Frame, st.integers(0, 255), st.integers(0, 0xFFFFFFFF), st.binary(max_size=60)),
    max_size=6,
)


def test_frame_both_ways():
    frame = Frame(FrameType.PING_REQUEST, 42, b"abc")

    assert frame.encode() == BYTES
    assert frame == Frame.decode(BYTES)


def test_reserved_bytes_are_ignored_when_read_and_zero_when_written():
    noisy = BYTES[:3] + b"\xff" + BYTES[4:8] + b"\xff" * 8 + BYTES[16:]

    assert Frame.decode(noisy).encode() == BYTES


def test_frame_that_is_cut_off_anywhere_is_a_protocol_error():
    for end in range(len(BYTES)):
        with pytest.raises(ProtocolError, match=f"frame of {end} bytes"):
            Frame.decode(BYTES[:end])


@pytest.mark.parametrize(
    ("fields", "name"),
    [((256, 1), "type"), ((1, -1), "id"), ((1, 2**32), "id"), ((1, 1, bytes(65520)), "payload")],
)
def test_fields_that_do_not_fit_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=name):
        Frame(*fields)


def test_largest_payload_fits():
    frame = Frame(1, 1, bytes(65519))

    assert len(frame.encode()) == 65535
    assert frame == Frame.decode(frame.encode())


def test_repr_names_the_type_and_elides_the_payload():
    assert repr(Frame(0xD0, 1, b"abc")) == "Frame(PING_REQUEST, id=1, payload=b'abc')"
    shown = repr(Frame(0x55, 1, b"x" * 1000))
    assert "0x55" in shown
    assert "(1000 bytes)" in shown
    assert len(shown) < 120


@given(FRAMES, st.data())
def test_stream_gives_the_same_frames_however_it_is_cut(frames, data):
    stream = b"".join(frame.encode() for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    buffer = FrameBuffer()
    seen = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        buffer.feed(stream[start:end])
        seen += buffer

    assert frames == seen
    assert buffer.pending == 0
    assert buffer.offset == len(stream)


@given(FRAMES)
def test_stream_gives_the_same_frames_whole_and_byte_by_byte(frames):
    stream = b"".join(frame.encode() for frame in frames)
    whole, single = FrameBuffer(), FrameBuffer()
    by_byte = []
    for index in range(len(stream)):
        by_byte += single.split(stream[index : index + 1])

    assert whole.split(stream) == by_byte


@pytest.mark.parametrize("size", [0, 5, 15])
def test_good_frames_come_out_before_a_size_that_no_frame_can_have(size):
    buffer = FrameBuffer()
    buffer.feed(BYTES + BYTES + size.to_bytes(2, "big") + b"whatever")

    frames = iter(buffer)

    assert next(frames) == next(frames) == Frame.decode(BYTES)
    with pytest.raises(ProtocolError, match=f"{size} bytes"):
        next(frames)
    assert buffer.offset == 2 * len(BYTES)


def test_nothing_is_read_after_a_bad_size():
    buffer = FrameBuffer()
    buffer.split(b"\0\5")

    assert buffer.split(BYTES) == []
    assert buffer.error is not None


def test_large_frame_that_trickles_in_is_kept_once():
    frame = Frame(1, 1, bytes(65519)).encode()
    buffer = FrameBuffer()
    for index in range(0, len(frame) - 7, 7):
        assert buffer.split(frame[index : index + 7]) == []
    rest = len(frame) - buffer.pending

    assert buffer.split(frame[-rest:]) == [frame]
    assert buffer.pending == 0


def test_beginning_of_a_frame_that_is_arriving_can_be_seen():
    buffer = FrameBuffer()

    assert (buffer.missing, buffer.peek(9)) == (0, b"")
    for length in range(1, len(BYTES)):
        buffer.split(BYTES[length - 1 : length])
        assert buffer.peek(9) == BYTES[: min(9, length)]
        assert buffer.missing == (len(BYTES) - length if length > 1 else 0)
    assert buffer.split(BYTES[-1:]) == [BYTES]
    assert (buffer.missing, buffer.peek(9)) == (0, b"")
