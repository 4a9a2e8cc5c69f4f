"""What the last minutes of a channel were like: a bounded row of looks at it.

Time is an argument here: each look says how long the channel has been counting (`Snapshot.seconds`),
and all rates are of the time between two of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tchannel.stats import Snapshot

from .sums import Key, Sum, by_endpoint, most_used, total

__all__ = ["DIRECTIONS", "History", "Rates", "Window"]

DIRECTIONS: Final = ("incoming", "outgoing")

MINUTE: Final = 60.0
"""Seconds that the figures beside the charts are of, at least once there are as many."""

_MARK: Final = 10.0
"""Seconds between two looks of which the counts by endpoint are kept, to begin that minute at."""

MOST_ENDPOINTS: Final = 200
"""Endpoints in each direction whose counts are kept for the last minute; those called most."""


@dataclass(slots=True)
class Rates:
    """The calls of one direction in a stretch of time.

    Attributes:
        rate: Calls that ended, a second.
        failed: Of these, those without an answer, unless they were cancelled.
        app_errors: Those answered with status FAILED.
        p50: Seconds that half of the answered ones took at most; None when none was answered.
        p90: The same of nine in ten.
        p99: The same of 99 in a hundred.

    """

    rate: float
    failed: float
    app_errors: float
    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(slots=True)
class Window:
    """What happened in the last minute, or since the channel is looked at if that is less.

    Attributes:
        seconds: How long it is.
        sums: By direction, then by service and endpoint.
        totals: By direction.
        reached: How often which limit was reached.
        handshakes_failed: How many connections ended before they could be used.
        received: Bytes.
        sent: Bytes.

    """

    seconds: float = 0.0
    sums: dict[str, dict[Key, Sum]] = field(
        default_factory=lambda: {direction: {} for direction in DIRECTIONS}
    )
    totals: dict[str, Sum] = field(
        default_factory=lambda: {direction: Sum() for direction in DIRECTIONS}
    )
    reached: dict[str, int] = field(default_factory=dict)
    handshakes_failed: int = 0
    received: int = 0
    sent: int = 0


@dataclass(slots=True)
class _Look:
    """What is kept of a snapshot."""

    seconds: float
    totals: dict[str, Sum]
    endpoints: dict[str, dict[Key, Sum]]
    whole: dict[str, bool]
    reached: dict[str, int]
    handshakes_failed: int
    received: int
    sent: int


class History:
    """The last looks at one channel.

    Args:
        period: Seconds between two looks.
        minutes: How far back it goes.

    Attributes:
        length: How many stretches of time it holds at most.
        rates: By direction, the oldest first.
        sums: Since the channel is there: by direction, then by service and endpoint.
        window: The last minute.

    """

    def __init__(self, period: float, minutes: float) -> None:
        self.period: float = period
        self.length: int = max(int(minutes * 60 / period), 2)
        self.rates: dict[str, deque[Rates]] = {
            direction: deque(maxlen=self.length) for direction in DIRECTIONS
        }
        self.sums: dict[str, dict[Key, Sum]] = {direction: {} for direction in DIRECTIONS}
        self.window: Window = Window()
        self._last: _Look | None = None
        self._marks: deque[_Look] = deque()

    def look(self, snapshot: Snapshot) -> None:
        """Take in another snapshot of the channel."""
        endpoints = {
            "incoming": by_endpoint(snapshot.incoming),
            "outgoing": by_endpoint(snapshot.outgoing),
        }
        self.sums = endpoints
        totals = {way: total(sums.values()) for way, sums in endpoints.items()}
        now = _Look(
            snapshot.seconds,
            totals,
            {},
            {},
            snapshot.limits_reached,
            sum(snapshot.handshakes_failed.values()),
            snapshot.bytes_received,
            snapshot.bytes_sent,
        )
        last = self._last
        if last is not None and now.seconds > last.seconds:
            for way in DIRECTIONS:
                change = totals[way].since(last.totals[way])
                self.rates[way].append(_rates(change, now.seconds - last.seconds))
        if last is None or now.seconds >= last.seconds:
            self._last = now
        self.window = self._window(now, endpoints)
        self._mark(now, endpoints)

    def _mark(self, now: _Look, endpoints: dict[str, dict[Key, Sum]]) -> None:
        marks = self._marks
        if not marks or now.seconds - marks[-1].seconds >= _MARK:
            for way, sums in endpoints.items():
                now.endpoints[way] = most_used(sums, MOST_ENDPOINTS)
                now.whole[way] = len(now.endpoints[way]) == len(sums)
            marks.append(now)
        # The one before the last that is old enough begins the minute.
        while len(marks) > 1 and now.seconds - marks[1].seconds >= MINUTE:
            marks.popleft()

    def _window(self, now: _Look, endpoints: dict[str, dict[Key, Sum]]) -> Window:
        if not self._marks:
            # The first look: what came before it was in the last minute if there was no more.
            if now.seconds > MINUTE:
                return Window()
            since = _NOTHING
        elif self._marks[0].seconds <= MINUTE and now.seconds <= MINUTE:
            since = _NOTHING
        else:
            since = self._marks[0]
        window = Window(seconds=now.seconds - since.seconds)
        for way in DIRECTIONS:
            window.totals[way] = now.totals[way].since(since.totals.get(way))
            before = since.endpoints.get(way, {})
            window.sums[way] = {
                key: each.since(before.get(key))
                for key, each in endpoints[way].items()
                # Of one that was left out then it is not known what came since.
                if key in before or since.whole.get(way, True)
            }
        window.reached = {
            name: more
            for name, count in now.reached.items()
            if (more := count - since.reached.get(name, 0)) > 0
        }
        window.handshakes_failed = max(now.handshakes_failed - since.handshakes_failed, 0)
        window.received = max(now.received - since.received, 0)
        window.sent = max(now.sent - since.sent, 0)
        return window


_NOTHING: Final = _Look(0.0, {}, {}, {}, {}, 0, 0, 0)


def _rates(change: Sum, seconds: float) -> Rates:
    p50, p90, p99 = change.percentiles(50, 90, 99)
    return Rates(
        change.calls / seconds, change.failed / seconds, change.app_errors / seconds, p50, p90, p99
    )
