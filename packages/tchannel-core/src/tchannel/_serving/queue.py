"""Requests that wait for their turn: what one connection may cost per turn of the loop is bounded.

As long as everything is served at once the queue stands aside. It is used when one read brings more
work than fits into a share of the loop's time, or when handlers begin late: then each connection has
a line of its own, they are served in turn, and the loop reads, writes and looks at its timers between
two shares. Hence a delay is seen while requests are still fresh, and can be answered busy in time.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Final

from .. import errors
from .._ground.log_fields import fields_of
from .._ground.logs import logger

if TYPE_CHECKING:
    from .._links.back_pressure import BackPressure
    from .incoming import IncomingRequest

__all__ = ["EAGER", "LATE", "SHARE", "RequestQueue"]

log = logger("tchannel.inbound")

SHARE: Final = 0.002
"""Seconds for which the handlers of one connection, or of the queue, may hold a turn of the loop."""

LATE: Final = 0.01
"""Seconds after reading at which a handler that begins shows that the loop has too much to do."""

_STAY: Final = 0.1
"""Seconds for which requests are queued after a handler began late."""

_WAIT_SHARE: Final = 0.7
"""Of its ttl a request may wait for its handler, as measured: the rest is for the way and the work."""

_MOST_TASKS: Final = 64
_LEAST_COST: Final = 1e-5
_SMOOTH: Final = 16
"""Starts over which what is measured is smoothed."""

EAGER: Final = sys.version_info >= (3, 12)
"""Whether a task may begin at once: a handler that never waits costs 1.5 µs less."""


class RequestQueue:
    """The requests of a channel whose handlers have not begun.

    Args:
        loop: the channel's.
        time: tells the channel's time.

    Attributes:
        active: whether requests that are read now have to queue.
        delay: seconds between reading and start of the request that was started last from here.
        interval: seconds of real time from one start to the next while requests wait, smoothed.

    """

    __slots__ = (
        "_began",
        "_length",
        "_loop",
        "_measured",
        "_ring",
        "_scheduled",
        "_started",
        "_task_cost",
        "_tasks",
        "_tasks_began",
        "_time",
        "_until",
        "active",
        "delay",
        "interval",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, time: Callable[[], float]) -> None:
        self._loop = loop
        self._time = time
        self.active: bool = False
        self.delay: float = 0.0
        self.interval: float = 0.0
        self._ring: deque[BackPressure] = deque()
        self._length = 0
        self._scheduled = False
        self._until = 0.0
        # Of the last run, while it left something: when it began, what it started.
        self._began = 0.0
        self._started = 0
        self._measured = 0
        # Tasks that are not eager run after it; what the first step of one costs, smoothed.
        self._tasks = 0
        self._tasks_began = 0.0
        self._task_cost = SHARE / 8

    def __len__(self) -> int:
        return self._length

    def late(self, now: float) -> None:
        """A handler has begun late: from now on, for a while, requests queue up."""
        self.active = True
        self._until = now + _STAY

    def expected_wait(self, connection: BackPressure) -> float:
        """Return after how many seconds the next request of ``connection`` would start, as measured."""
        line = connection.line
        if line is None:
            return 0.0
        # Lines take turns, so a short one is not kept waiting by a long one.
        ahead = min(self._length, (len(line) + 1) * max(1, len(self._ring)))
        return ahead * self.interval

    def add(self, request: IncomingRequest) -> None:
        """Let ``request`` wait for its turn, or refuse it if that cannot come within its ttl."""
        connection = request.connection
        line = connection.line
        if line is None:
            line = connection.line = deque()
        # Cancelled, or out of time. The last one stays: a line with something in it has its place in
        # the ring, and would get another with every call that is cancelled at once.
        while len(line) > 1 and line[0].answered:
            line.popleft()
            self._length -= 1
        wait = self.expected_wait(connection)
        if wait > _WAIT_SHARE * request.timeout:
            self._refuse(request, wait)
            return
        if not line and not connection.parked:
            self._ring.append(connection)
        line.append(request)
        self._length += 1
        self.active = True
        self._schedule()

    def _refuse(self, request: IncomingRequest, wait: float) -> None:
        error = errors.BusyError(
            f"overloaded: a handler would begin after about {wait:.3g} s of {request.timeout:g} s"
        )
        log.debug("refused call %d: %s", request.id, error.description, extra=fields_of(request))
        request.connection.channel.admission.refused(request)
        request.refuse(error)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._run, context=Context())

    def park(self, connection: BackPressure) -> None:
        """Serve nothing more of ``connection`` until it reads its answers."""
        connection.parked = True

    def unpark(self, connection: BackPressure) -> None:
        """Go on with a connection that reads its answers again."""
        if connection.parked:
            connection.parked = False
            if connection.line:
                self._ring.append(connection)
                self._schedule()

    def forget(self, connection: BackPressure) -> None:
        """A connection is gone, and nobody waits for what is left of its line."""
        line = connection.line
        if line is not None:
            self._length -= len(line)
            connection.line = None

    # -- running ------------------------------------------------------------------------------

    def _run(self) -> None:
        """Start requests in turn, for a share of the loop's time."""
        self._scheduled = False
        time = self._time
        now = time()
        self._measure(now)
        self._began = now
        self._started = self._tasks = 0
        ends = now + SHARE
        ring = self._ring
        tasks = max(1, min(_MOST_TASKS, int(SHARE / self._task_cost)))
        starts = 0
        while ring:
            connection = ring.popleft()
            line = connection.line
            if not line:
                continue
            if connection.holds_answers():
                self.park(connection)
                continue
            request = line.popleft()
            self._length -= 1
            if line:
                ring.append(connection)
            if request.answered:
                continue
            if request.event.deadline <= now:
                request.out_of_time()
                now = time()
            else:
                if not EAGER and request.endpoint_.coroutine:
                    if not self._tasks:
                        self._loop.call_soon(self._tasks_begin, context=Context())
                    self._tasks += 1
                starts += 1
                self.delay = now - request.received_at
                request.start()
                now = time()
            if now >= ends or self._tasks >= tasks or starts >= _MOST_TASKS:
                break
        self._started = starts
        if ring:
            self._schedule()
        elif now >= self._until:
            self.active = False
            self.interval = 0.0
            self._started = self._measured = 0

    def _tasks_begin(self) -> None:
        self._tasks_began = self._time()

    def _measure(self, now: float) -> None:
        """Learn from the last run, if requests were left waiting."""
        tasks = self._tasks
        if tasks:
            # What ran since its mark are the first steps of these tasks, and nothing else.
            cost = (now - self._tasks_began) / tasks
            self._task_cost = max(
                _LEAST_COST, _smoothed(self._task_cost, cost, min(1.0, tasks / _SMOOTH))
            )
        started = self._started
        if started:
            # The first ones count for more: there is nothing else to go by.
            self._measured = min(self._measured + started, _SMOOTH)
            weight = min(1.0, started / self._measured)
            self.interval = _smoothed(self.interval, (now - self._began) / started, weight)


def _smoothed(value: float, sample: float, weight: float) -> float:
    """Move ``value`` towards ``sample``, by no more than a single long pause can justify."""
    return value + (min(sample, 4 * value + 0.001) - value) * weight
