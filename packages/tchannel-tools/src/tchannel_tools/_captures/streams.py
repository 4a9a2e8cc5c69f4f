"""TCP streams put together again, and the frames in them.

A direction knows which byte it expects next. What was sent twice is dropped, what comes early waits,
and what the capture never saw is a gap: from there on, as at the beginning of a capture that starts
inside a connection, the next frame is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import tchannel_wire as wire

from .packets import Segment

__all__ = ["Direction", "find_frame"]

_WRAP = 1 << 32
# Early bytes of one direction that wait for those before them, before these count as never captured.
_EARLY = 1 << 20
# Bytes that are searched for a frame before the direction counts as another protocol's.
_SEARCHED = 256 * 1024
_ZEROS = bytes(8)
_TYPES = frozenset(map(int, wire.FrameType))
_FIRST = {wire.FrameType.INIT_REQUEST, wire.FrameType.INIT_RESPONSE, wire.FrameType.ERROR}


def find_frame(data: bytes, start: int = 0) -> int:
    """Return where a frame begins in ``data``, from ``start`` on; -1 if there is none.

    A header has eight reserved bytes that are zero, one more, a known type, a size that holds it;
    and where it says that it ends another one begins, as far as the data goes.
    """
    zeros = data.find(_ZEROS, start + 8)
    while zeros >= 0:
        if _chain(data, zeros - 8):
            return zeros - 8
        zeros = data.find(_ZEROS, zeros + 1)
    return -1


def _chain(data: bytes, at: int) -> bool:
    """Whether frames follow each other from there to the end of the data, three of them at most."""
    for _ in range(3):
        header = data[at : at + wire.HEADER_SIZE]
        if len(header) < wire.HEADER_SIZE:
            return True
        size = header[0] << 8 | header[1]
        if size < wire.HEADER_SIZE or header[2] not in _TYPES or header[3] or any(header[8:]):
            return False
        at += size
    return True


class Direction:
    """One direction of a connection.

    Attributes:
        lost: bytes that the capture never saw.
        repeated: bytes that were sent more than once.
        foreign: whether what it carries are no frames.
        problem: why the frames could not be read on, if so; "" else.

    """

    __slots__ = (
        "_begins",
        "_buffer",
        "_early",
        "_early_size",
        "_expected",
        "_searched",
        "foreign",
        "lost",
        "problem",
        "repeated",
    )

    def __init__(self) -> None:
        self._expected: int | None = None
        self._buffer = wire.FrameBuffer()
        # What is searched for the next frame; None while the frames are being followed.
        self._searched: bytes | None = b""
        self._early: dict[int, bytes] = {}
        self._early_size = 0
        # The first bytes of the connection, until they tell whether it is one of this protocol.
        self._begins: bytes | None = None
        self.lost = 0
        self.repeated = 0
        self.foreign = False
        self.problem = ""

    def take(self, segment: Segment) -> Iterator[bytes]:
        """Take the next segment of the capture; gives the frames that are complete with it."""
        if segment.syn:
            self._expected = (segment.sequence + 1) % _WRAP
            self._buffer, self._searched = wire.FrameBuffer(), None
            self._early, self._early_size, self.foreign = {}, 0, False
            self._begins = b""
            return
        if not segment.size or self.foreign:
            return
        if self._expected is None:
            self._expected = segment.sequence
        ahead = self._ahead(segment.sequence)
        if ahead > 0:
            if segment.sequence not in self._early:
                self._early[segment.sequence] = segment.data
                self._early_size += len(segment.data)
            if self._early_size > _EARLY:
                yield from self._skip()
            return
        yield from self._follow(segment.sequence, segment.data)
        missing = segment.size - len(segment.data)
        if missing:  # the capture was told to keep the beginning of packets only
            self._gap(missing)
        yield from self._catch_up()

    def acknowledged(self, number: int) -> Iterator[bytes]:
        """The other side has got all bytes before ``number``: what is missing comes no more."""
        while self._early and self._expected is not None and self._ahead(number) > 0:
            first = min(self._early, key=self._ahead)
            if self._ahead(number) < self._ahead(first):
                return
            yield from self._skip()

    def finish(self) -> Iterator[bytes]:
        """The capture is over: give the frames behind the last gaps."""
        while self._early:
            yield from self._skip()

    @property
    def unfinished(self) -> int:
        """Bytes of a frame that is not complete."""
        return self._buffer.pending

    def _ahead(self, sequence: int) -> int:
        assert self._expected is not None
        distance = (sequence - self._expected) % _WRAP
        return distance - _WRAP if distance >= _WRAP // 2 else distance

    def _follow(self, sequence: int, data: bytes) -> Iterator[bytes]:
        known = -self._ahead(sequence)
        if known:
            self.repeated += min(known, len(data))
            data = data[known:]
        if data:
            assert self._expected is not None
            self._expected = (self._expected + len(data)) % _WRAP
            yield from self._frames(data)

    def _catch_up(self) -> Iterator[bytes]:
        while self._early:
            first = min(self._early, key=self._ahead)
            if self._ahead(first) > 0:
                return
            data = self._early.pop(first)
            self._early_size -= len(data)
            yield from self._follow(first, data)

    def _skip(self) -> Iterator[bytes]:
        first = min(self._early, key=self._ahead)
        self._gap(self._ahead(first))
        yield from self._catch_up()

    def _gap(self, size: int) -> None:
        assert self._expected is not None
        self.lost += size
        self._expected = (self._expected + size) % _WRAP
        self._buffer, self._searched = wire.FrameBuffer(), b""

    def _frames(self, data: bytes) -> Iterator[bytes]:
        if self._begins is not None:
            data = self._begins + data
            if len(data) < 4:
                self._begins = data
                return
            self._begins = None
            # A handshake comes first, or an error about it; its reserved byte is zero.
            if data[2] not in _FIRST or data[3]:
                self.foreign = True
                return
        if self._searched is not None:
            data = self._searched + data
            at = find_frame(data)
            if at < 0:
                self._searched = data
                if len(data) > _SEARCHED:
                    self.foreign, self._searched = True, b""
                return
            data, self._searched = data[at:], None
        try:
            yield from self._buffer.split(data)
            if self._buffer.error is not None:
                raise self._buffer.error
        except wire.ProtocolError as error:
            self.problem = self.problem or str(error)
            # Looked for anew, in what comes later.
            self._buffer, self._searched = wire.FrameBuffer(), b""
