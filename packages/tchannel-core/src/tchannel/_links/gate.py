"""How many connections others may open, and how long one may stay that is of no use."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Collection
from heapq import nsmallest
from typing import TYPE_CHECKING, Final

from .._ground.log_fields import log_fields
from .._ground.logs import logger

if TYPE_CHECKING:
    from ..clock import TimerHandle
    from ..options import Options
    from .connection import Connection
    from .timers import Timers

__all__ = ["Gate"]

log = logger("tchannel.listener")

_SAY_AGAIN: Final = 10.0
"""Seconds between two lines about a limit that is reached."""

_LOOK_AGAIN: Final = 0.1
"""Seconds for which it is taken for granted that no connection is idle, once none was found."""

_MOST_LEAVING: Final = 16
"""Connections over the limit whose peers are given the time to learn that they go."""

_LOOKS: Final = 4
"""How many times within `Options.idle_timeout` it is looked who is idle."""


class Gate:
    """Keeps the limits of the connections of one channel.

    At a limit the one that has been of no use for longest goes first: of those that shake hands the
    oldest, of all the oldest that never carried a call. Where each has carried one, the one goes that
    has none under way and was quiet for longest; where there is none, the new one.

    Args:
        options: the limits.
        connections: all of the channel's, whoever opened them.
        timers: its time.

    """

    __slots__ = (
        "__weakref__",
        "_busy_until",
        "_connections",
        "_idle_timer",
        "_leaving",
        "_options",
        "_quiet",
        "_said_at",
        "_seen",
        "_shaking",
        "_timer",
        "_timers",
        "_unused",
        "closed",
    )

    def __init__(
        self, options: Options, connections: Collection[Connection], timers: Timers
    ) -> None:
        self._options = options
        self._connections = connections
        self._timers = timers
        # Both in the order in which they came.
        self._shaking: dict[Connection, None] = {}
        self._unused: dict[Connection, float] = {}
        self._timer: TimerHandle | None = None
        self._said_at = -_SAY_AGAIN
        # The quietest of those that are idle, with the times when they were last heard.
        self._quiet: deque[tuple[float, Connection]] = deque()
        self._busy_until = 0.0
        self._leaving: set[Connection] = set()
        # How many calls each had carried when it was last seen to carry one, and when that was.
        self._seen: dict[Connection, tuple[int, float]] = {}
        self._idle_timer: TimerHandle | None = None
        self.closed: int = 0
        """How many were closed because of a limit or for being idle."""

    def opened(self, connection: Connection) -> None:
        """Another connection was accepted."""
        options = self._options
        now = self._timers.time()
        if len(self._shaking) >= options.max_handshakes:
            self._end(next(iter(self._shaking)), now, "handshakes", options.max_handshakes)
        self._shaking[connection] = None
        self._unused[connection] = now
        if len(self._connections) - len(self._leaving) > options.max_connections:
            self._make_room(connection, now)
        self._look_at(now + options.unused_timeout)

    def ready(self, connection: Connection) -> None:
        """The handshake is done, whoever opened the connection."""
        self._shaking.pop(connection, None)
        if self._options.idle_timeout is not None and self._idle_timer is None:
            self.look_for_idle()

    def lost(self, connection: Connection) -> None:
        """A connection is over."""
        self._shaking.pop(connection, None)
        self._unused.pop(connection, None)
        self._leaving.discard(connection)
        self._seen.pop(connection, None)
        if not self._unused and self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._connections and self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _make_room(self, newest: Connection, now: float) -> None:
        unused = self._longest_unused(newest)
        quietest = self._quietest(now) if unused is None else None
        limit = self._options.max_connections
        if quietest is None:
            self._end(unused or newest, now, "connections", limit)
            return
        self.closed += 1
        self._say(quietest, now, "connections", limit)
        if len(self._leaving) < _MOST_LEAVING:
            self._leaving.add(quietest)
            quietest.leave()
        else:
            quietest.close()

    def _longest_unused(self, newest: Connection) -> Connection | None:
        for connection in list(self._unused):
            if connection.wire.was_used:
                del self._unused[connection]
            elif connection is not newest:
                return connection
        return None

    def _quietest(self, now: float) -> Connection | None:
        """Return the accepted connection that is idle and was quiet for longest, if there is one.

        Looking at ten thousand takes a millisecond, so it is done for many at once.
        """
        for _ in range(2):
            while self._quiet:
                heard, connection = self._quiet.popleft()
                if connection.last_heard == heard and self._may_go(connection):
                    return connection
            if now < self._busy_until:
                break
            idle = [(each.last_heard, each) for each in self._connections if self._may_go(each)]
            self._quiet.extend(nsmallest(1 + len(idle) // 16, idle, key=_heard))
            if not idle:
                self._busy_until = now + _LOOK_AGAIN
        return None

    def _may_go(self, connection: Connection) -> bool:
        return (
            not connection.opener
            and connection.ready
            and not connection.closed
            and not connection.leaving
            and connection.wire.was_used
            and connection.idle
        )

    def _end(self, connection: Connection, now: float, what: str, limit: int) -> None:
        self.closed += 1
        self.lost(connection)
        self._say(connection, now, what, limit)
        connection.abort()

    def _say(self, connection: Connection, now: float, what: str, limit: int) -> None:
        connection.channel.limit_reached(f"max_{what}", limit)
        if now - self._said_at >= _SAY_AGAIN:
            self._said_at = now
            log.warning(
                "the limit of %d %s is reached: %s, and others from now on, %d so far, are closed",
                limit,
                what,
                connection.address,
                self.closed,
                extra=log_fields(connection.address),
            )

    def _look_at(self, when: float) -> None:
        if self._timer is None:
            self._timer = self._timers.clock.call_at(when, self._look)

    def _look(self) -> None:
        """Close those that have never carried a call for too long."""
        self._timer = None
        now = self._timers.time()
        for connection, since in list(self._unused.items()):
            due = since + self._options.unused_timeout
            if due > now:
                self._look_at(due)
                return
            del self._unused[connection]
            if not connection.wire.was_used and not connection.closed:
                self.closed += 1
                log.debug(
                    "%s has not called for %g s: its connection is closed",
                    connection.address,
                    now - since,
                    extra=log_fields(connection.address),
                )
                connection.close()

    def look_for_idle(self) -> None:
        """Close those that have carried no call for too long, whoever opened them."""
        timeout = self._options.idle_timeout
        assert timeout is not None
        now = self._timers.time()
        for connection in list(self._connections):
            before, since = self._seen.get(connection, (-1, now))
            calls = connection.calls_received + connection.calls_sent
            if calls != before or not connection.idle:
                self._seen[connection] = calls, now
            elif now - since >= timeout and connection.ready and connection.wire.was_used:
                self.closed += 1
                connection.leave()
        # A channel that nobody holds any more is not kept alive by its timer.
        self._idle_timer = self._timers.clock.call_at(
            now + timeout / _LOOKS, _look_for_idle, weakref.ref(self)
        )


def _look_for_idle(gate: weakref.ref[Gate]) -> None:
    alive = gate()
    if alive is not None:
        alive.look_for_idle()


def _heard(entry: tuple[float, Connection]) -> float:
    return entry[0]
