"""The way in of one connection: frames out of bytes, in small steps while somebody is slow."""

from __future__ import annotations

import tchannel_wire as wire

__all__ = ["PEEK", "FrameReader"]

PEEK = 512
"""Bytes of a read while somebody is slow: enough to see whom the next frame is for."""

_LONG_PREFIX = 2 * PEEK


class FrameReader(wire.FrameBuffer):
    """Cuts a stream into frames, and lets one look at the frame that is still arriving."""

    __slots__ = ()

    @property
    def missing(self) -> int:
        """Bytes that the arriving frame lacks; 0 when none is arriving, or its size is not known."""
        tail = self._tail
        return 0 if tail is None or len(tail) < 2 else self._needed - len(tail)

    @property
    def prefix(self) -> bytes:
        """The beginning of the arriving frame: its routing, if that is here already."""
        return b"" if self._tail is None else bytes(self._tail[:_LONG_PREFIX])
