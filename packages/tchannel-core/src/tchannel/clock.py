"""The clock of a channel: everything that waits asks it for the time and for timers.

A test gives a channel a clock of its own and moves it by hand.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Protocol

__all__ = ["Clock", "LoopClock", "TimerHandle", "sleep"]


class TimerHandle(Protocol):
    """What ``call_at`` returns."""

    def cancel(self) -> None:
        """Do not call back; harmless when it is too late."""


class Clock(Protocol):
    """Monotonic time in seconds, and timers on it."""

    def time(self) -> float:
        """Return the time now."""
        ...

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> TimerHandle:
        """Call ``callback(*args)`` in the channel's loop once the time is ``when``."""
        ...


class LoopClock:
    """The time and the timers of an event loop; a channel's default clock.

    Args:
        loop: the loop.

    """

    __slots__ = ("_late", "_loop", "time")

    if TYPE_CHECKING:

        def time(self) -> float:
            """Return the time now."""
            ...

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        own, self._late = _time_of(loop)
        # The function itself: saves a Python call for each look at the time.
        self.time = own  # type: ignore[method-assign]  # see above

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> TimerHandle:
        """Call ``callback(*args)`` at ``when``, in an empty context.

        A timer set inside a handler must not keep that handler's context alive.
        """
        return self._loop.call_at(when + self._late, callback, *args, context=Context())


def _time_of(loop: asyncio.AbstractEventLoop) -> tuple[Callable[[], float], float]:
    """Return a loop's time, and how much later its timers have to be so as never to be early.

    uvloop counts milliseconds, too coarse for latencies, and rounds its timers: of the same clock as
    `time.monotonic`, which asyncio's loops return as they are. A loop with a time of its own (a
    test's) keeps it.
    """
    # Not by a look into its `__dict__`, which makes its attributes dearer on 3.11: 3 % of a small call.
    if getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time:
        return time.monotonic, 0.0
    uvloop = sys.modules.get("uvloop")
    if (
        uvloop is not None
        and type(loop).time is uvloop.Loop.time
        and getattr(loop.time, "__self__", None) is loop
    ):
        return time.monotonic, 0.001
    return loop.time, 0.0


def sleep(clock: Clock, seconds: float) -> asyncio.Future[None]:
    """Return a Future that ends after ``seconds`` of ``clock``."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    handle = clock.call_at(clock.time() + seconds, _wake, future)
    future.add_done_callback(lambda done: handle.cancel() if done.cancelled() else None)
    return future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
