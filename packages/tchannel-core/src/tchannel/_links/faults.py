"""What peers do wrong, logged at a bounded rate."""

from __future__ import annotations

import logging
from contextvars import Context
from typing import TYPE_CHECKING, Final

from .._ground.addresses import UNIX_CALLER, parse_hostport
from .._ground.log_fields import LogFields
from .._ground.logs import safe_arguments

if TYPE_CHECKING:
    from ..clock import TimerHandle
    from .timers import Timers

__all__ = ["PERIOD", "Faults"]

PERIOD: Final = 10.0
"""Seconds in which the lines of one kind about one host are counted."""

LINES: Final = 5
"""How many of them are logged as they come; the others are one line at the end, with their number."""

_MAX_KINDS: Final = 1_000


class _Kind:
    """One kind of line about one host, in this period."""

    __slots__ = ("_last", "count", "ends", "silent")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.count = 0
        self.silent = 0
        self._last: tuple[logging.Logger, int, str, tuple[object, ...], LogFields] | None = None

    def line(
        self,
        log: logging.Logger,
        level: int,
        message: str,
        args: tuple[object, ...],
        extra: LogFields,
    ) -> None:
        self.count += 1
        if self.count <= LINES:
            log.log(level, message, *args, extra=extra)
        else:
            self.silent += 1
            # Made safe at once, so that no long text is kept.
            self._last = log, level, message, safe_arguments(args), extra

    def tell(self) -> None:
        """Say how many there were besides those that were logged, and what the last one was."""
        if self._last is None:
            return
        log, level, message, args, extra = self._last
        log.log(
            level,
            message + " (the last of %d more like it within %g s)",  # noqa: G003 - both are formats
            *args,
            self.silent,
            PERIOD,
            extra=extra,
        )
        self._last = None
        self.silent = 0


class Faults:
    """Logs what peers do wrong: who does it a thousand times a second fills no disk by it.

    Of each kind of line (its message), about one host, 5 are logged as they come within 10 seconds. The
    others are counted, and told in one line when the time is over, or the channel closes.

    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._timer: TimerHandle | None = None

    def log(
        self,
        timers: Timers,
        log: logging.Logger,
        level: int,
        message: str,
        *args: object,
        extra: LogFields,
    ) -> None:
        """Log a line about ``extra["peer"]``, or count it.

        Args:
            timers: the clock of the channel.
            log: where it belongs.
            level: as `logging` has them.
            message: the line, with the places of its arguments; says what kind it is.
            args: what is different each time.
            extra: the fields of the record.

        """
        if not log.isEnabledFor(level):
            return
        now = timers.time()
        key = message, _host(extra["peer"])
        kind = self._kinds.get(key)
        if kind is None or kind.ends <= now:
            if kind is not None:
                kind.tell()
            elif len(self._kinds) >= _MAX_KINDS:
                self._tell_until(now)
                if len(self._kinds) >= _MAX_KINDS:
                    # Of so many hosts at once, the others count as one.
                    key = message, ""
            kind = self._kinds.get(key)
            if kind is None or kind.ends <= now:
                kind = self._kinds[key] = _Kind(now + PERIOD)
        kind.line(log, level, message, args, extra)
        if kind.silent and self._timer is None:
            self._wait(timers, kind.ends)

    def _wait(self, timers: Timers, ends: float) -> None:
        # In an empty context: it would keep that of a handler.
        self._timer = Context().run(timers.clock.call_at, ends, self._time_is_over, timers)

    def _time_is_over(self, timers: Timers) -> None:
        self._timer = None
        # A little later than the end of the first: uvloop's timers fire a fraction early.
        self._tell_until(timers.time() + PERIOD / 100)
        ends = [kind.ends for kind in self._kinds.values() if kind.silent]
        if ends:
            self._wait(timers, min(ends))

    def _tell_until(self, now: float) -> None:
        for key, kind in list(self._kinds.items()):
            if kind.ends <= now:
                del self._kinds[key]
                kind.tell()

    def flush(self) -> None:
        """Tell what has been counted so far, and begin anew."""
        if self._timer is not None:
            self._timer.cancel()
        kinds = list(self._kinds.values())
        self.forget()
        for kind in kinds:
            kind.tell()

    def forget(self) -> None:
        """Begin anew, as after a fork: what was counted is the parent's, and so is the timer."""
        self._timer = None
        self._kinds = {}


def _host(peer: str | None) -> str:
    if not peer or peer.startswith(UNIX_CALLER):
        return ""
    try:
        return parse_hostport(peer)[0]
    except ValueError:
        return peer
