"""How much later than they should the callbacks of a loop run."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextvars import Context
from typing import Final

from ..stats import Histogram, LoopLag, bucket_of

__all__ = ["LagMeter"]

_EVERY: Final = 0.1
_WHILE: Final = 60.0
"""Seconds for which it is measured after somebody has looked."""


class LagMeter:
    """Measures the lag of a loop by a timer, while somebody looks.

    By real time, whatever clock the channel has: it is the machine that is slow.
    """

    __slots__ = ("_due", "_histogram", "_loop", "_recent", "_timer", "_until")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._until = 0.0
        self._histogram = Histogram()
        self._recent: deque[float] = deque(maxlen=int(_WHILE / _EVERY))

    def look(self, loop: asyncio.AbstractEventLoop | None) -> LoopLag:
        """Return what was measured, and go on for a minute, on ``loop`` if it runs."""
        self._until = time.monotonic() + _WHILE
        if (
            loop is not None
            and loop.is_running()
            and (self._timer is None or loop is not self._loop)
        ):
            self.stop()
            self._loop = loop
            self._arm(loop)
        recent = self._recent
        return LoopLag(
            last=recent[-1] if recent else None,
            longest=max(recent) if recent else None,
            histogram=Histogram(self._histogram.counts, self._histogram.sum),
        )

    def stop(self) -> None:
        """Measure no more, until somebody looks again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def forget(self) -> None:
        """The loop is another process's: its timer is not to be touched."""
        self._timer = self._loop = None

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + _EVERY
        self._timer = loop.call_later(_EVERY, self._measure, context=Context())

    def _measure(self) -> None:
        self._timer = None
        now = time.monotonic()
        lag = max(now - self._due, 0.0)
        self._recent.append(lag)
        histogram = self._histogram
        bucket = bucket_of(int(lag * 1e6))
        histogram.counts[bucket] = histogram.counts.get(bucket, 0) + 1
        histogram.count += 1
        histogram.sum += lag
        if now < self._until and self._loop is not None:
            self._arm(self._loop)
