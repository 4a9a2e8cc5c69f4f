"""What all messages share: comparison, a repr that elides long fields, and the shapes of fields."""

from __future__ import annotations

from struct import Struct
from typing import ClassVar, Self

from ..checksums import ChecksumType
from ..frames import MAX_FRAME_SIZE, FrameType, elide
from ..tracing import NO_TRACING, TRACING_SIZE, Tracing

__all__ = [
    "BYTE",
    "LONG",
    "SHORT",
    "TTL_TRACING",
    "BaseMessage",
    "length",
    "pack_tracing",
    "read_text",
]

BYTE = Struct(">B")
SHORT = Struct(">H")
LONG = Struct(">I")
TTL_TRACING = Struct(">I25s")


class BaseMessage:
    """What all messages share: comparison, and a repr that elides long fields."""

    __slots__ = ("id",)

    TYPE: ClassVar[FrameType]
    _FIELDS: ClassVar[tuple[str, ...]] = ()

    id: int

    def _write(self) -> bytes:
        """The payload."""
        return b""

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Self:
        """The message that a whole frame holds; IndexError or a short slice say "cut off"."""
        raise NotImplementedError  # the kinds of message each have their own

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in ("id", *self._FIELDS))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # mutable, so not hashable

    def __repr__(self) -> str:
        fields = "".join(f", {name}={_show(name, getattr(self, name))}" for name in self._FIELDS)
        return f"{type(self).__name__}(id={self.id}{fields})"


def _show(name: str, value: object) -> str:
    if isinstance(value, bytes):
        if name == "tracing":
            return "none" if value == NO_TRACING else repr(Tracing.unpack(value))
        return elide(value)
    if isinstance(value, str) and len(value) > 200:
        return f"{value[:200]!r}...({len(value)} characters)"
    if name == "chunks" and isinstance(value, list):
        shown = ", ".join(elide(chunk) for chunk in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    if name == "checksum":
        return f"{value:#010x}"
    if isinstance(value, ChecksumType):
        return value.name
    return repr(value)


def pack_tracing(tracing: bytes | Tracing) -> bytes:
    """The 25 bytes of a message's tracing.

    Raises:
        ValueError: They are not 25.

    """
    if isinstance(tracing, Tracing):
        return tracing.pack()
    if len(tracing) != TRACING_SIZE:
        raise ValueError(f"tracing must be {TRACING_SIZE} bytes, not {len(tracing)}")
    return bytes(tracing)


def length(data: bytes, what: str) -> bytes:
    """The 2 bytes that precede `data`.

    Raises:
        ValueError: It is longer than a frame; named as `what`.

    """
    if len(data) > MAX_FRAME_SIZE:
        raise ValueError(f"{what} of {len(data)} bytes does not fit a frame")
    return SHORT.pack(len(data))


def read_text(frame: bytes, offset: int) -> tuple[bytes, int]:
    """What stands behind the 2 bytes of its length at `offset`, and where that ends.

    Raises:
        IndexError: The frame ends before it.

    """
    start = offset + 2
    end = start + (frame[offset] << 8 | frame[offset + 1])
    if end > len(frame):
        raise IndexError
    return frame[start:end], end
