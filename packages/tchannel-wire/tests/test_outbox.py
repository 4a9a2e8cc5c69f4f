"""The order in which things leave, and how much at once."""

from tchannel_wire import ChecksumType, FragmentWriter, FrameType, decode
from tchannel_wire.outbox import Outbox


class Owner:
    """Stands for the call that a writer belongs to."""

    def __init__(self):
        self.over = False

    def written_out(self):
        self.over = True


def add(outbox, id, size, *, finished=True):
    writer = FragmentWriter(
        id, FrameType.CALL_REQUEST, bytes(29) + b"\1s\0", ChecksumType.NONE, b"a", b""
    )
    owner = Owner()
    writer.attach(outbox, owner)
    writer.write(bytes(size))
    if finished:
        writer.finish()
    return writer, owner


def test_whole_frames_leave_together_in_order():
    outbox = Outbox()
    for frame in (b"one", b"two", b"three"):
        outbox.append(frame)

    assert outbox.size == 11
    assert outbox.has_data
    assert outbox.take() == b"onetwothree"
    assert outbox.take() == b""
    assert (outbox.size, outbox.has_data, outbox.pulled) == (0, False, 3)


def test_limit_stops_between_frames():
    outbox = Outbox()
    for frame in (b"one", b"two", b"three"):
        outbox.append(frame)

    assert [outbox.take(1), outbox.take(4), outbox.take(4)] == [b"one", b"twothree", b""]


def test_large_messages_take_turns_and_small_frames_go_first(decode_all):
    outbox = Outbox()
    add(outbox, 1, 150_000)
    add(outbox, 2, 150_000)
    outbox.append(b"small")
    data = outbox.take(10_000_000)

    assert data.startswith(b"small")
    ids = [message.id for message in decode_all(data[5:])]
    assert ids == [1, 2, 1, 2, 1, 2]


def test_small_frames_do_not_starve_large_messages():
    outbox = Outbox()
    add(outbox, 1, 100_000)
    for _ in range(10):
        outbox.append(bytes(100))

    assert len(outbox.take(500)) == 500 + 65535


def test_large_message_is_built_only_as_it_leaves():
    outbox = Outbox()
    writer, owner = add(outbox, 1, 1_000_000)
    assert outbox.pending == writer.buffered == 1_000_001
    outbox.take(65535)

    assert outbox.pending == writer.buffered < 1_000_001 - 65000
    assert not owner.over
    while outbox.take():
        pass
    assert owner.over
    assert (outbox.pending, outbox.has_data) == (0, False)


def test_writer_without_more_to_say_waits_and_comes_back():
    outbox = Outbox()
    writer, owner = add(outbox, 1, 3, finished=False)
    assert decode(outbox.take()).more
    assert not outbox.has_data
    writer.write(b"more")
    assert outbox.pending == 4
    assert decode(outbox.take()).chunks == [b"more"]
    writer.finish()
    assert not decode(outbox.take()).more
    assert owner.over


def test_abandoned_message_leaves_the_queue():
    outbox = Outbox()
    first, _ = add(outbox, 1, 100)
    second, _ = add(outbox, 2, 100)
    first.abandon()

    assert outbox.pending == second.buffered
    assert decode(outbox.take()).id == 2
    second.abandon()
    assert outbox.pending == 0


def test_frame_that_is_taken_back_does_not_leave_and_keeps_the_numbers_right():
    outbox = Outbox()
    outbox.append(b"gone")
    outbox.take()
    for frame in (b"one", b"two", b"three"):
        outbox.append(frame)
    outbox.drop(2)

    assert outbox.size == 8
    assert outbox.take() == b"onethree"
    assert outbox.pulled == 4


def test_nothing_but_a_frame_taken_back_is_nothing():
    outbox = Outbox()
    outbox.append(b"one")
    outbox.drop(0)

    assert not outbox.has_data
    assert outbox.take() == b""
