"""Frames: what every message travels in, and cutting a byte stream into them.

A frame is ``size:2 type:1 reserved:1 id:4 reserved:8 payload``; `size` counts all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import ClassVar

from .errors import ProtocolError

__all__ = [
    "HEADER_SIZE",
    "MAX_FRAME_SIZE",
    "MAX_PAYLOAD_SIZE",
    "Frame",
    "FrameBuffer",
    "FrameType",
    "elide",
]

HEADER_SIZE = 16
MAX_FRAME_SIZE = 0xFFFF
MAX_PAYLOAD_SIZE = MAX_FRAME_SIZE - HEADER_SIZE

_HEADER = Struct(">HBxI8x")


class FrameType(IntEnum):
    """The frame types of the protocol."""

    INIT_REQUEST = 0x01
    INIT_RESPONSE = 0x02
    CALL_REQUEST = 0x03
    CALL_RESPONSE = 0x04
    CALL_REQUEST_CONTINUE = 0x13
    CALL_RESPONSE_CONTINUE = 0x14
    CANCEL = 0xC0
    CLAIM = 0xC1
    PING_REQUEST = 0xD0
    PING_RESPONSE = 0xD1
    ERROR = 0xFF


def elide(data: bytes, most: int = 32) -> str:
    """`data` for people: its repr, or its beginning and its length."""
    if len(data) <= most:
        return repr(data)
    return f"{data[:most]!r}...({len(data)} bytes)"


class Frame:
    """One frame of any type, its payload not looked into.

    Args:
        type: The type byte; a `FrameType` where it is a known one.
        id: The message id, 0 to 0xFFFFFFFF.
        payload: What follows the 16 bytes of the header, at most 65,519 bytes.

    Raises:
        ValueError: A field does not fit the wire.

    """

    __slots__ = ("id", "payload", "type")

    def __init__(self, type: int, id: int, payload: bytes = b"") -> None:
        if not 0 <= type <= 0xFF:
            raise ValueError(f"type must fit one byte, not {type}")
        if not 0 <= id <= 0xFFFFFFFF:
            raise ValueError(f"id must fit four bytes, not {id}")
        if len(payload) > MAX_PAYLOAD_SIZE:
            raise ValueError(
                f"payload must be at most {MAX_PAYLOAD_SIZE} bytes, not {len(payload)}"
            )
        self.type: int = type
        self.id: int = id
        self.payload: bytes = payload

    def encode(self) -> bytes:
        """The whole frame as it goes over the wire; reserved bytes are 0."""
        return _HEADER.pack(HEADER_SIZE + len(self.payload), self.type, self.id) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> Frame:
        """The frame that `data` is, exactly; reserved bytes are ignored.

        Raises:
            ProtocolError: `data` is shorter than a header, or not as long as its size field says.

        """
        if len(data) < HEADER_SIZE:
            raise ProtocolError(f"frame of {len(data)} bytes, the header alone has {HEADER_SIZE}")
        size, type, id = _HEADER.unpack_from(data)
        if size != len(data):
            raise ProtocolError(f"frame of {len(data)} bytes says that it has {size}")
        return cls(type, id, data[HEADER_SIZE:])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return (self.type, self.id, self.payload) == (other.type, other.id, other.payload)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable, so not hashable

    def __repr__(self) -> str:
        try:
            type = FrameType(self.type).name
        except ValueError:
            type = f"{self.type:#04x}"
        return f"Frame({type}, id={self.id}, payload={elide(self.payload)})"


class FrameBuffer:
    """Cuts a stream of bytes into frames; the one place that knows the rules of size.

    Either `feed` bytes and iterate over the `Frame` objects that are complete, or, without
    objects, take the whole frames as bytes from `split`. Nothing is lost before a bad frame: the
    good ones come first, and afterwards iteration raises, or `error` is set.
    """

    __slots__ = ("_complete", "_needed", "_tail", "error", "offset")

    _tail: bytes | bytearray | None

    def __init__(self) -> None:
        self.error: ProtocolError | None = None
        """What is wrong with the stream; set once, and no byte after it is looked at."""
        self.offset: int = 0
        """How many bytes of the stream were cut into frames."""
        # What is left over between two reads, None in between.
        self._tail = None
        self._needed = 0
        self._complete: deque[bytes] | None = None

    @property
    def pending(self) -> int:
        """Bytes kept of a frame that is not complete yet."""
        return 0 if self._tail is None else len(self._tail)

    @property
    def missing(self) -> int:
        """Bytes that the `pending` frame lacks; 0 when none is pending, or its size is not known."""
        tail = self._tail
        return 0 if tail is None or len(tail) < 2 else self._needed - len(tail)

    def peek(self, most: int) -> bytes:
        """The first bytes of the `pending` frame, at most so many: for whom it is, say."""
        return b"" if self._tail is None else bytes(self._tail[:most])

    def split(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream; the frames that they complete, each as its bytes."""
        frames: list[bytes] = []
        if self.error is not None:
            return frames
        start = 0
        if self._tail is not None:
            first, start = self.complete(data)
            if first is not None:
                frames.append(first)
        end = len(data)
        while end - start >= HEADER_SIZE:
            stop = start + (data[start] << 8 | data[start + 1])
            if stop > end or stop - start < HEADER_SIZE:
                break
            frames.append(data[start:stop])
            self.offset += stop - start
            start = stop
        if start != end:
            self.keep(data, start)
        return frames

    def complete(self, data: bytes) -> tuple[bytes | None, int]:
        """The frame that began in earlier reads, if `data` completes it, and where the next starts.

        To be called only while bytes are `pending`. No more than this frame is copied, whatever
        else is in `data`.
        """
        tail = self._tail
        assert tail is not None
        start = 0
        if len(tail) < 2:
            start = 2 - len(tail)
            tail = self._tail = tail + data[:start]
            if len(tail) < 2 or not self._read_size(tail, 0):
                return None, len(data)
        stop = start + self._needed - len(tail)
        if stop <= len(data):
            self._tail = None
            self.offset += self._needed
            # Both parts are copied once, into the frame: a third of the copies of large messages.
            return b"".join((tail, memoryview(data)[start:stop])), stop
        if isinstance(tail, bytes):
            # From the third read on: a bytearray grows in amortised constant time, so that a frame
            # which trickles in byte by byte is not copied per byte.
            tail = self._tail = bytearray(tail)
        tail += data[start:]
        return None, len(data)

    def keep(self, data: bytes, start: int) -> None:
        """Keep what `data` has from `start` on, which is no whole frame, for the next read.

        If it cannot become a frame, `error` is set instead.
        """
        if self.error is None and (len(data) - start < 2 or self._read_size(data, start)):
            self._tail = data[start:]

    def _read_size(self, data: bytes | bytearray, start: int) -> bool:
        """Read the size of the frame that begins at `start`; False if none has that size."""
        self._needed = data[start] << 8 | data[start + 1]
        if self._needed >= HEADER_SIZE:
            return True
        self.error = ProtocolError(
            f"frame says that it has {self._needed} bytes, the header alone has {HEADER_SIZE}"
        )
        self._tail = None
        return False

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream, of any length."""
        if self._complete is None:
            self._complete = deque()
        self._complete += self.split(data)

    def __iter__(self) -> Iterator[Frame]:
        """The frames that are complete by now; each comes out once.

        Raises:
            ProtocolError: After the last good frame the stream has a size that no frame can have.

        """
        while self._complete:
            yield Frame.decode(self._complete.popleft())
        if self.error is not None:
            raise self.error
