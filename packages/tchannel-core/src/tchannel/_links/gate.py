"""How many connections others may open, and how long one may stay that is of no use."""

from __future__ import annotations

from collections.abc import Collection
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


class Gate:
    """Keeps the limits of accepted connections of one channel.

    At a limit the one that has been of no use for longest goes first: of those that shake hands the
    oldest, of all the oldest that never carried a call. Where each has carried one, the new one goes.

    Args:
        options: the limits.
        connections: all of the channel's, whoever opened them.
        timers: its time.

    """

    __slots__ = (
        "_connections",
        "_options",
        "_said_at",
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
        if len(self._connections) > options.max_connections:
            self._end(self._longest_idle(connection), now, "connections", options.max_connections)
        self._look_at(now + options.unused_timeout)

    def ready(self, connection: Connection) -> None:
        """The handshake is done."""
        self._shaking.pop(connection, None)

    def lost(self, connection: Connection) -> None:
        """A connection is over."""
        self._shaking.pop(connection, None)
        self._unused.pop(connection, None)
        if not self._unused and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _longest_idle(self, newest: Connection) -> Connection:
        for connection in list(self._unused):
            if connection.wire.was_used:
                del self._unused[connection]  # one of those that stay
            else:
                return connection
        return newest

    def _end(self, connection: Connection, now: float, what: str, limit: float) -> None:
        self.closed += 1
        self.lost(connection)
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
        connection.abort()

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
