"""Bytes that pass a relay, as the segments that a capture would have of them."""

from __future__ import annotations

from collections.abc import Iterator

from .calls import Call, Calls, Event
from .packets import Segment

__all__ = ["Passing"]

_WRAP = 1 << 32


class Passing:
    """Puts calls together from bytes as they pass.

    Args:
        keep: bytes of headers, and of bodies, that are kept of each call.

    """

    def __init__(self, *, keep: int) -> None:
        self._calls = Calls(keep=keep)
        self._sequences: dict[tuple[str, str], int] = {}

    def begin(self, time: float, source: str, target: str) -> list[Segment]:
        """A connection begins: its first segments."""
        self._sequences[source, target] = self._sequences[target, source] = 1
        return [
            Segment(time, source, target, 0, -1, True, False, False, b"", 0),
            Segment(time, target, source, 0, 1, True, False, False, b"", 0),
        ]

    def data(self, time: float, source: str, target: str, data: bytes) -> Segment:
        """The segment of bytes that pass."""
        sequence = self._sequences[source, target]
        self._sequences[source, target] = (sequence + len(data)) % _WRAP
        acknowledged = self._sequences[target, source]
        return Segment(
            time, source, target, sequence, acknowledged, False, False, False, data, len(data)
        )

    def end(self, time: float, source: str, target: str) -> Segment:
        """The segment that ends one way of a connection."""
        sequence = self._sequences[source, target]
        return Segment(
            *(time, source, target, sequence, self._sequences[target, source]),
            *(False, True, False, b"", 0),
        )

    def take(self, segment: Segment) -> Iterator[Call | Event]:
        """Take a segment; gives the calls that ended with it, and events."""
        return self._calls.take(segment)

    def forget(self, source: str, target: str) -> Iterator[Call]:
        """A connection is over: what was in flight on it gets no answer."""
        self._sequences.pop((source, target), None)
        self._sequences.pop((target, source), None)
        return self._calls.forget(source, target)
