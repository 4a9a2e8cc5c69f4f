"""The 25 bytes that say which trace a call belongs to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from struct import Struct

__all__ = ["NO_TRACING", "TRACING_SIZE", "Tracing"]

_TRACING = Struct(">QQQB")

TRACING_SIZE = 25
NO_TRACING = bytes(TRACING_SIZE)
"""The tracing field of a message that belongs to no trace."""


_getrandbits: Callable[[int], int] | None = None


def _random_id() -> int:
    """64 random bits. The module is imported on first use: it would double the cost of ours."""
    global _getrandbits
    if _getrandbits is None:
        from random import getrandbits

        _getrandbits = getrandbits
    return _getrandbits(64)


class Tracing:
    """The ids of one span: ``spanid:8 parentid:8 traceid:8 traceflags:1``.

    Args:
        span_id: The span of this call.
        parent_id: The span that made this call; 0 for the first of a trace.
        trace_id: The whole trace.
        flags: Bit 0x01 says that the call is traced.

    """

    __slots__ = ("flags", "parent_id", "span_id", "trace_id")

    TRACED = 0x01
    """The flag of a call that is traced."""

    def __init__(
        self, span_id: int = 0, parent_id: int = 0, trace_id: int = 0, flags: int = 0
    ) -> None:
        self.span_id: int = span_id
        self.parent_id: int = parent_id
        self.trace_id: int = trace_id
        self.flags: int = flags

    @property
    def traced(self) -> bool:
        """Whether the caller wants this call traced."""
        return bool(self.flags & self.TRACED)

    @classmethod
    def new(cls, *, traced: bool = False) -> Tracing:
        """The first span of a new trace, with random ids; span id and trace id are equal."""
        span_id = _random_id()
        return cls(span_id, 0, span_id, cls.TRACED if traced else 0)

    def child(self) -> Tracing:
        """A new span of the same trace, made by this one; the flags are inherited."""
        return Tracing(_random_id(), self.span_id, self.trace_id, self.flags)

    def pack(self) -> bytes:
        """The 25 bytes of the wire.

        Raises:
            ValueError: An id does not fit 64 bits, or the flags do not fit 8.

        """
        try:
            return _TRACING.pack(self.span_id, self.parent_id, self.trace_id, self.flags)
        except struct.error:
            raise ValueError(f"ids must fit 64 bits and flags 8 bits, unsigned: {self!r}") from None

    @classmethod
    def unpack(cls, data: bytes) -> Tracing:
        """The span that 25 bytes of the wire describe.

        Raises:
            ValueError: `data` is not 25 bytes long.

        """
        if len(data) != TRACING_SIZE:
            raise ValueError(f"data must be {TRACING_SIZE} bytes, not {len(data)}")
        return cls(*_TRACING.unpack(data))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tracing):
            return NotImplemented
        return self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash((self.span_id, self.parent_id, self.trace_id, self.flags))

    def __repr__(self) -> str:
        return (
            f"Tracing(span_id={self.span_id:#x}, parent_id={self.parent_id:#x}, "
            f"trace_id={self.trace_id:#x}, flags={self.flags:#x})"
        )
