"""Args into frames and back, at every boundary."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel_wire import (
    ChecksumType,
    FragmentReader,
    FragmentWriter,
    FrameType,
    Options,
    ProtocolError,
    chunks_checksum,
    decode,
    encode_headers,
)

FIELDS = b"\0" + bytes(25) + encode_headers({"as": "raw"})
ROOM = 65535 - 16 - 1 - len(FIELDS) - 1
TYPES = [ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C]


def writer_of(arg1, arg2, checksum_type=ChecksumType.CRC32):
    return FragmentWriter(9, FrameType.CALL_RESPONSE, FIELDS, checksum_type, arg1, arg2)


def write(args, checksum_type=ChecksumType.CRC32):
    """The messages of all frames of a message."""
    writer = writer_of(args[0], args[1], checksum_type)
    writer.write(args[2])
    writer.finish()
    frames = []
    while (frame := writer.next_frame()) is not None:
        frames.append(frame)
    assert writer.done
    assert writer.buffered == 0
    return [decode(frame) for frame in frames]


def read(messages):
    reader = FragmentReader(messages[0].checksum_type, Options())
    for message in messages:
        reader.feed(message.checksum_type, message.checksum, message.chunks, last=not message.more)
    return tuple(reader.take(arg) for arg in range(3))


def check_rules(messages):
    """What the protocol says to write."""
    first, *later = messages
    assert first.TYPE == FrameType.CALL_RESPONSE
    assert all(message.TYPE == FrameType.CALL_RESPONSE_CONTINUE for message in later)
    assert [message.more for message in messages] == [True] * len(later) + [False]
    assert len(first.chunks) >= 2, "the first frame holds arg1 and the first chunk of arg2"
    seed = 0
    for message in messages:
        assert message.chunks, "a frame without chunks crashes tchannel-go"
        assert message.checksum == chunks_checksum(message.checksum_type, message.chunks, seed)
        seed = message.checksum
    assert sum(len(message.chunks) - 1 for message in messages) == 2


# Sizes around the places where arg2 and arg3 end at the edge of the first and of the second frame.
EDGES = [0, 1, *range(ROOM - 14, ROOM + 4), *range(ROOM + 65509, ROOM + 65517), 200_000]


@pytest.mark.parametrize("checksum_type", TYPES)
@pytest.mark.parametrize("body", [0, 1, 2])
def test_arg2_of_every_size_around_a_frame_s_edge(checksum_type, body):
    for size in EDGES:
        args = (b"", bytes(size), b"z" * body)
        messages = write(args, checksum_type)

        check_rules(messages)
        assert read(messages) == args, size


@pytest.mark.parametrize("checksum_type", TYPES)
def test_arg3_of_every_size_around_a_frame_s_edge(checksum_type):
    for size in EDGES:
        args = (b"echo", b"head", bytes(size))
        messages = write(args, checksum_type)

        check_rules(messages)
        assert read(messages) == args, size


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(0, 16384), st.integers(0, 140_000), st.integers(0, 140_000)))
def test_args_of_any_size_survive_the_way_there_and_back(sizes):
    args = tuple(bytes([index + 1]) * size for index, size in enumerate(sizes))
    messages = write(args)

    check_rules(messages)
    assert read(messages) == args


def test_arg_that_ends_at_a_frame_s_edge_is_ended_by_an_empty_chunk_in_the_next():
    room = ROOM - 4 - 2 - 2  # checksum, arg1's length, arg2's length
    first, second = write((b"", bytes(room), b"body"))

    assert [len(chunk) for chunk in first.chunks] == [0, room]
    assert second.chunks == [b"", b"body"]


@pytest.mark.parametrize("left", [1, 2])
def test_arg_is_not_started_when_no_more_than_2_bytes_are_left(left):
    room = ROOM - 4 - 2 - 2 - left
    first, second = write((b"", bytes(room), b""))

    assert len(first.chunks) == 2
    assert second.chunks == [b"", b""]


def test_full_last_frame_needs_no_frame_behind_it():
    room = ROOM - 4 - 2 - 2 - 2
    (only,) = write((b"", b"", bytes(room)))

    assert len(only.chunks) == 3


def test_pieces_leave_as_they_come():
    writer = writer_of(b"", b"h")
    first = decode(writer.next_frame())
    assert (first.chunks, first.more) == ([b"", b"h", b""], True)
    assert not writer.ready
    assert writer.next_frame() is None
    writer.write(b"one")
    writer.write(b"two")
    assert writer.buffered == 6
    assert decode(writer.next_frame()).chunks == [b"onetwo"]
    writer.write(b"")
    assert not writer.ready
    assert writer.next_frame() is None
    writer.finish()
    last = decode(writer.next_frame())

    assert (last.chunks, last.more) == ([b""], False)
    assert not writer.ready
    assert writer.next_frame() is None


def test_large_pieces_are_cut_and_small_ones_joined():
    writer = writer_of(b"", b"")
    pieces = [b"a" * 100_000, b"b", b"c" * 50_000, b"d" * 3]
    for piece in pieces:
        writer.write(piece)
    writer.finish()
    messages = []
    while writer.ready:
        messages.append(decode(writer.next_frame()))

    assert len(messages) == 3
    assert read(messages) == (b"", b"", b"".join(pieces))


def test_writer_refuses_to_go_on_after_its_end():
    writer = writer_of(b"", b"")
    writer.finish()

    with pytest.raises(ValueError, match="write"):
        writer.write(b"x")
    with pytest.raises(ValueError, match="finish"):
        writer.finish()
    with pytest.raises(TypeError, match="chunk must be bytes, not str"):
        writer_of(b"", b"").write("text")


def test_abandoned_writer_says_so_and_writes_nothing():
    writer = writer_of(b"", b"h")
    writer.write(b"body")
    writer.abandon()

    assert (writer.done, writer.buffered, writer.ready) == (True, 0, False)
    assert writer.write(b"more") is False
    assert writer.finish() is False


def reader(**limits):
    return FragmentReader(ChecksumType.NONE, Options(**limits))


def feed(target, chunks, *, last=False, type=ChecksumType.NONE, checksum=0):
    target.feed(type, checksum, list(chunks), last=last)


def test_frames_without_chunks_and_empty_chunks_are_accepted():
    target = reader()
    for chunks in ([b"echo", b""], [], [b"he"], [b"", b""], [], [b"body"], [b""]):
        feed(target, chunks)
    feed(target, [], last=True)

    assert [target.take(arg) for arg in range(3)] == [b"echo", b"he", b"body"]


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([[]], "0 args"),
        ([[b"a"]], "1 args"),
        ([[b"a", b"b"]], "2 args"),
        ([[b"a", b"b"], [b"c"]], "2 args"),
        ([[b"a", b"b", b"c", b"d"]], "more than three"),
        ([[b"a", b"b"], [b"", b"", b""]], "more than three"),
        ([[b"a"], [b"a", b"b", b"c"]], "arg1 is fragmented"),
    ],
)
def test_message_has_exactly_three_args_and_arg1_in_one_piece(frames, text):
    target = reader()
    with pytest.raises(ProtocolError, match=text):
        for index, chunks in enumerate(frames):
            feed(target, chunks, last=index == len(frames) - 1)


def test_checksum_type_may_not_change_within_a_message():
    target = reader()
    feed(target, [b"a", b"b"])

    with pytest.raises(ProtocolError, match="from NONE to CRC32"):
        feed(target, [b"", b"c"], last=True, type=ChecksumType.CRC32)


def test_bad_checksum_is_told_with_its_type_and_value():
    target = FragmentReader(ChecksumType.CRC32, Options())

    with pytest.raises(ProtocolError, match="bad CRC32 checksum 0x0000007b"):
        feed(target, [b"a", b"b", b"c"], last=True, type=ChecksumType.CRC32, checksum=123)


def test_message_at_the_size_limit_is_read_and_one_byte_beyond_is_not():
    feed(reader(max_message_size=6), [b"aa", b"bb", b"cc"], last=True)
    target = reader(max_message_size=6)
    feed(target, [b"aa", b"bb", b"cc"])

    with pytest.raises(ProtocolError, match="larger than 6 bytes"):
        feed(target, [b"c"], last=True)


def test_message_of_as_many_frames_as_allowed_is_read_and_one_more_is_not():
    target = reader(max_frames_per_message=3)
    feed(target, [b"a", b"b", b""])
    feed(target, [b"c"])
    feed(target, [b"c"])

    with pytest.raises(ProtocolError, match="more than 3 frames"):
        feed(target, [b"c"], last=True)
