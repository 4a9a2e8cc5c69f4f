"""Who looks at the page: open streams of server-sent events, each with one view on its way at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

__all__ = ["STALLED", "Stream", "Viewer", "Viewers"]

STALLED: Final = 30.0
"""Seconds for which a browser may take nothing of a view before its stream is closed."""


class Stream(Protocol):
    """What a view is sent over."""

    def send(self, data: bytes) -> asyncio.Future[None]:
        """Write, and return a Future that ends when the other side has taken it."""
        ...

    def end(self) -> None:
        """Close it."""
        ...


class Viewer:
    """One open stream.

    Args:
        stream: What is written to.
        key: Of the channel that is looked at.

    Attributes:
        skipped: How many views it did not get because it had not taken the one before.

    """

    __slots__ = ("_sent", "_since", "key", "skipped", "stream")

    def __init__(self, stream: Stream, key: str) -> None:
        self.stream: Stream = stream
        self.key: str = key
        self.skipped: int = 0
        self._sent: asyncio.Future[None] | None = None
        self._since = 0.0

    def offer(self, data: bytes, now: float) -> bool:
        """Send a view, unless the one before is still on its way; False when that takes too long."""
        if self._sent is not None and not self._sent.done():
            self.skipped += 1
            return now - self._since < STALLED
        self._sent = self.stream.send(data)
        # Whoever went away meanwhile is known of otherwise.
        self._sent.add_done_callback(_looked_at)
        self._since = now
        return True


def _looked_at(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()


class Viewers:
    """All of them, no more than are allowed.

    Args:
        most: How many there may be at once.

    """

    def __init__(self, most: int) -> None:
        self.most: int = most
        self._viewers: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._viewers)

    @property
    def full(self) -> bool:
        """Whether no more are taken."""
        return len(self._viewers) >= self.most

    def keys(self) -> set[str]:
        """Return which channels are looked at."""
        return {viewer.key for viewer in self._viewers}

    def add(self, stream: Stream, key: str) -> Viewer:
        """Take another one; whoever calls looked at `full`."""
        viewer = Viewer(stream, key)
        self._viewers.add(viewer)
        return viewer

    def drop(self, viewer: Viewer) -> None:
        """Forget one that has gone."""
        self._viewers.discard(viewer)

    def show(self, key: str, make: Callable[[], bytes], now: float) -> None:
        """Offer a view, made once, to all who look at that channel."""
        data: bytes | None = None
        for viewer in [one for one in self._viewers if one.key == key]:
            if data is None:
                data = make()
            if not viewer.offer(data, now):
                self.drop(viewer)
                viewer.stream.end()

    def end(self) -> None:
        """Close all streams."""
        for viewer in list(self._viewers):
            self.drop(viewer)
            viewer.stream.end()
