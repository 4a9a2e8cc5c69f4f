"""A clock that stands still until a test moves it.

It fits the clock seam of a channel (``TChannel(..., clock=ManualClock())``), so that deadlines,
back-off and idle timers of a test run in milliseconds::

    clock = ManualClock()
    async with TChannel("client", clock=clock) as client:
        call = client.raw("slow-service", "endpoint", timeout=30)
        await clock.elapse(31)
        # ``call`` has failed with TimeoutError

The module imports the standard library only.
"""

import asyncio
import contextvars
import heapq
import itertools
import math
from collections.abc import Callable
from typing import TypeVarTuple

__all__ = ["ManualClock", "ManualTimer"]

_Args = TypeVarTuple("_Args")


class ManualTimer:
    """One callback waiting for its time; what :meth:`ManualClock.call_at` returns.

    ``when`` is the time it is due, in seconds of its clock; ``cancelled`` says whether
    :meth:`cancel` was called.
    """

    __slots__ = ("_clock", "_context", "_run", "cancelled", "when")

    def __init__(self, clock: "ManualClock", when: float, run: Callable[[], object]) -> None:
        self._clock: ManualClock | None = clock
        self._run: Callable[[], object] | None = run
        self._context = contextvars.copy_context()
        self.when: float = when
        self.cancelled: bool = False

    def cancel(self) -> None:
        """Never run the callback. Cancelling twice, or after it ran, does nothing."""
        if self._clock is not None:
            self.cancelled = True
            self._clock._forget(self)
            self._clock = self._run = None

    def _fire(self) -> None:
        run, self._clock, self._run = self._run, None, None
        if run is not None:
            self._context.run(run)

    def __repr__(self) -> str:
        state = "cancelled" if self.cancelled else "pending" if self._clock else "done"
        return f"<ManualTimer {state} when={self.when}>"


class ManualClock:
    """A monotonic clock, in seconds, that only :meth:`advance` and :meth:`elapse` move.

    :param start: the first reading. Default 0.
    :raises ValueError: ``start`` is not a finite number.

    Timers run in the thread that moves the clock, in the context that made them, ordered by the
    time they are due and then by the order in which they were made.
    """

    def __init__(self, start: float = 0.0) -> None:
        if not math.isfinite(start):
            raise ValueError(f"start must be a finite number of seconds, got {start!r}")
        self._now = float(start)
        self._queue: list[tuple[float, int, ManualTimer]] = []
        self._order = itertools.count()
        self._moving = False

    def time(self) -> float:
        """The reading of the clock."""
        return self._now

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Args], object],
        *args: *_Args,
    ) -> ManualTimer:
        """Run ``callback(*args)`` once the clock has reached ``when``.

        A time that has passed already runs at the next move of the clock, be it by 0 seconds.

        :raises ValueError: ``when`` is NaN, which is never reached and keeps others from it.
        """
        if math.isnan(when):
            raise ValueError("a timer needs a time, got nan")
        timer = ManualTimer(self, when, lambda: callback(*args))
        heapq.heappush(self._queue, (when, next(self._order), timer))
        return timer

    @property
    def next_timer(self) -> float | None:
        """When the next timer is due; None without timers."""
        return self._queue[0][0] if self._queue else None

    @property
    def pending(self) -> int:
        """How many timers wait: what a test looks at to prove that nothing was left behind."""
        return len(self._queue)

    def advance(self, seconds: float) -> None:
        """Move the clock and run what became due, each timer at its own time.

        Timers made by a callback run in the same move when they are due within it. An exception
        of a callback reaches the caller; the clock then stands at that timer's time.

        :raises ValueError: ``seconds`` is negative or not finite.
        :raises RuntimeError: called from one of its own timers.
        """
        target = self._target(seconds)
        self._enter_move()
        try:
            while self._fire_next(target):
                pass
            self._now = target
        finally:
            self._moving = False

    async def elapse(self, seconds: float, *, turns: int = 10) -> None:
        """Move the clock as :meth:`advance` does, and let the event loop settle.

        The loop gets ``turns`` turns before the first timer, after each time at which timers ran,
        and at the end: tasks run, sockets of this process deliver, new timers are made in time.

        :raises ValueError: ``seconds`` is negative or not finite, or ``turns`` is below 1.
        :raises RuntimeError: the clock is being moved already.
        """
        if turns < 1:
            raise ValueError(f"turns must be at least 1, got {turns!r}")
        target = self._target(seconds)
        self._enter_move()
        try:
            await _settle(turns)
            while self._fire_next(target):
                # Timers of one instant belong together: the loop runs between instants.
                while self._fire_next(self._now):
                    pass
                await _settle(turns)
            self._now = target
            await _settle(turns)
        finally:
            self._moving = False

    def _target(self, seconds: float) -> float:
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"a clock moves by 0 seconds or more, got {seconds!r}")
        return self._now + seconds

    def _enter_move(self) -> None:
        if self._moving:
            raise RuntimeError("the clock is being moved already")
        self._moving = True

    def _fire_next(self, until: float) -> bool:
        if not self._queue or self._queue[0][0] > until:
            return False
        when, _, timer = heapq.heappop(self._queue)
        self._now = max(self._now, when)
        timer._fire()
        return True

    def _forget(self, timer: ManualTimer) -> None:
        self._queue = [entry for entry in self._queue if entry[2] is not timer]
        heapq.heapify(self._queue)

    def __repr__(self) -> str:
        return f"<ManualClock time={self._now} pending={self.pending}>"


async def _settle(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
