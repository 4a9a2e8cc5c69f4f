"""One timer for the deadlines of all calls of a loop.

A ``call_later`` for each call costs 0.8 µs of the 12 that a small call takes; the shared queue of
tchannel-wire costs 0.2 µs, and finished calls leave no entry behind.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from tchannel_wire import DeadlineQueue

from ..clock import Clock, LoopClock, TimerHandle

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Timers", "timers_of"]


class Timers:
    """The deadlines of calls and handshakes, and the one timer that fires for them.

    Args:
        clock: where the time comes from.

    """

    __slots__ = ("__weakref__", "_fires_at", "_handle", "clock", "queue", "time")

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self.time: Callable[[], float] = clock.time
        # The queue arms the timer itself: no look at it for each call.
        self.queue: DeadlineQueue = DeadlineQueue(on_earlier=self._arm)
        self._fires_at = math.inf
        self._handle: TimerHandle | None = None

    def _arm(self) -> None:
        next_deadline = self.queue.next_deadline()
        if next_deadline is None:
            return
        if self._handle is not None:
            if self._fires_at <= next_deadline:
                return
            self._handle.cancel()
        self._fires_at = next_deadline
        self._handle = self.clock.call_at(next_deadline, self._fire)

    def _fire(self) -> None:
        self._handle = None
        self._fires_at = math.inf
        now = self.time()
        for item in self.queue.pop_expired(now):
            wire = item.connection
            connection: Connection = wire.owner  # type: ignore[attr-defined]  # ours alone are here
            connection.handle(wire.expire_item(item, now))
            connection.flush_soon()
        self._arm()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Timers] = WeakKeyDictionary()


def timers_of(loop: asyncio.AbstractEventLoop, clock: Clock | None) -> Timers:
    """Return the timers of ``loop``, or timers of their own for a ``clock`` that was given."""
    if clock is not None:
        return Timers(clock)
    timers = _by_loop.get(loop)
    if timers is None:
        timers = _by_loop[loop] = Timers(LoopClock(loop))
    return timers
