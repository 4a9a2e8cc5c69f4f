"""Counters: one row for each service, endpoint and caller, in each direction.

What the hot path adds to is found at the end of a call alone: how many have begun is how many have ended
and how many are in flight, which the connections know. So a small call costs one look-up and a few
additions at each end.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Final

from tchannel_wire import CALLER_NAME, PreparedCall

from ..errors import NoAvailablePeerError
from ..stats import (
    APP_ERROR,
    BUCKETS,
    NO_PEER,
    OTHER_ERROR,
    OTHERS,
    OUTCOME_OF_CODE,
    SUCCESS,
    CallStats,
    Histogram,
    bucket_of,
)

__all__ = ["BUCKET_OF", "Counts", "IncomingRow", "OutgoingRow", "outcome_of"]

BUCKET_OF: Final = bytes(range(16)) + b"".join(
    [
        bytes([16 + (bits - 5) * 8 + each]) * (1 << bits - 4)
        for bits in range(5, 17)
        for each in range(8)
    ]
)
"""`bucket_of` below 65 ms: a look-up instead of arithmetic, 200 instructions less for each call."""


class _Row:
    """Counters of the calls of one service, endpoint and caller."""

    __slots__ = (
        "answered",
        "app_errors",
        "caller",
        "endpoint",
        "error_times",
        "errors",
        "seconds",
        "service",
        "times",
    )

    def __init__(self, service: str, endpoint: str, caller: str, *, timed: bool) -> None:
        self.service: str = service
        self.endpoint: str = endpoint
        self.caller: str = caller
        self.answered: int = 0
        """Responses whose time is not in `times`."""
        self.app_errors: int = 0
        """Of all responses: how many had status FAILED."""
        self.errors: dict[str, int] = {}
        self.times: list[int] | None = [0] * BUCKETS if timed else None
        """How many responses took how long, by bucket; None where times are not kept."""
        self.seconds: float = 0.0
        """The sum of these times."""
        self.error_times: Histogram = Histogram()

    def clear(self) -> None:
        """Begin anew."""
        self.__init__(self.service, self.endpoint, self.caller, timed=self.times is not None)  # type: ignore[misc]

    def ended(self, outcome: str, seconds: float) -> None:
        """Count a call that ended otherwise than with a response."""
        self.errors[outcome] = self.errors.get(outcome, 0) + 1
        if self.times is not None:
            _add(self.error_times, seconds)

    def _stats(
        self, direction: str, answered: int, latency: Histogram, in_flight: int
    ) -> CallStats:
        outcomes = dict(self.errors)
        if self.app_errors:
            outcomes[APP_ERROR] = self.app_errors
        if answered > self.app_errors:
            outcomes[SUCCESS] = answered - self.app_errors
        return CallStats(
            direction,
            self.service,
            self.endpoint,
            self.caller,
            outcomes,
            in_flight,
            latency,
            Histogram(self.error_times.counts, self.error_times.sum),
        )


class IncomingRow(_Row):
    """Counters of calls that we serve."""

    __slots__ = ()

    # Declared again: a checker infers it anew where a method of this class sets it.
    answered: int
    app_errors: int
    seconds: float

    def answered_in(self, seconds: float, status: int) -> None:
        """Count an answer, as the hot path does by itself."""
        if status:
            self.app_errors += 1
        if self.times is None:
            self.answered += 1
        else:
            self.times[bucket_of(int(seconds * 1e6))] += 1
            self.seconds += seconds

    def stats(self, in_flight: int) -> CallStats:
        """Return what is counted."""
        latency = _histogram(self.times, self.seconds)
        return self._stats("incoming", self.answered + latency.count, latency, in_flight)


class OutgoingRow(_Row):
    """Counters of calls that we make: `times` are those of calls that took one attempt and no wait."""

    __slots__ = ("attempt_errors", "attempt_times", "retries", "whole_times")

    # Declared again: a checker infers it anew where a method of this class sets it.
    answered: int

    def __init__(self, service: str, endpoint: str, caller: str, *, timed: bool) -> None:
        super().__init__(service, endpoint, caller, timed=timed)
        self.attempt_errors: dict[str, int] = {}
        self.retries: int = 0
        self.attempt_times: Histogram = Histogram()
        """Of answered calls that waited for something before: the attempt alone, ..."""
        self.whole_times: Histogram = Histogram()
        """... and all of them."""

    def answered_late(self, attempt: float, whole: float) -> None:
        """Count the response to a call that waited for something before, or was tried again."""
        self.answered += 1
        if self.times is not None:
            _add(self.attempt_times, attempt)
            _add(self.whole_times, whole)

    def attempt_failed(self, outcome: str) -> None:
        """Count an attempt that got no response."""
        self.attempt_errors[outcome] = self.attempt_errors.get(outcome, 0) + 1

    def stats(self, in_flight: int) -> CallStats:
        """Return what is counted."""
        direct = _histogram(self.times, self.seconds)
        answered = self.answered + direct.count
        row = self._stats("outgoing", answered, direct + self.whole_times, in_flight)
        row.attempt_latency = direct + self.attempt_times
        row.attempt_errors = dict(self.attempt_errors)
        row.retries = self.retries
        return row


class Counts:
    """All counters of a channel.

    Args:
        most: How many rows there may be in each direction before names are summed under `OTHERS`.
        timed: Whether times are kept.
        registered: Says whether a service has a handler for an endpoint, by its bytes: such a row
            cannot be made up by callers.

    Attributes:
        incoming: Rows by service, endpoint (its bytes) and caller.
        outgoing: Rows by service, endpoint and caller.
        connections_made: How many connections there were, by direction.
        handshakes_failed: How many ended before they could be used, by direction.
        bytes_received: Of connections that are closed.
        bytes_sent: The same.
        limits_reached: How often a limit was, by its name.

    """

    __slots__ = (
        "_most",
        "_registered",
        "bytes_received",
        "bytes_sent",
        "connections_made",
        "handshakes_failed",
        "incoming",
        "limits_reached",
        "outgoing",
        "timed",
    )

    def __init__(self, most: int, registered: Callable[[str, bytes], bool], *, timed: bool) -> None:
        self._most = most
        self._registered = registered
        self.timed: bool = timed
        self.incoming: dict[tuple[str, bytes, str], IncomingRow] = {}
        self.outgoing: dict[tuple[str, str, str], OutgoingRow] = {}
        self._forget()

    def _forget(self) -> None:
        self.connections_made: dict[str, int] = {"incoming": 0, "outgoing": 0}
        self.handshakes_failed: dict[str, int] = {"incoming": 0, "outgoing": 0}
        self.bytes_received: int = 0
        self.bytes_sent: int = 0
        self.limits_reached: dict[str, int] = {}

    def clear(self) -> None:
        """Begin anew, as the child of a fork does: what was counted is its parent's."""
        self._forget()
        for row in (*self.incoming.values(), *self.outgoing.values()):
            row.clear()

    def limit_reached(self, name: str) -> None:
        """Count what was refused or closed because of a limit."""
        self.limits_reached[name] = self.limits_reached.get(name, 0) + 1

    # -- rows ---------------------------------------------------------------------------------

    def incoming_row(self, service: str, endpoint: bytes, caller: str) -> IncomingRow:
        """Return the row of these calls, or the one that they are summed under."""
        rows = self.incoming
        row = rows.get((service, endpoint, caller))
        if row is not None:
            return row
        key = service, endpoint, caller
        if not self._registered(service, endpoint):
            # Names that nobody but the caller knows: a quarter of the rows, not those of real endpoints.
            if len(rows) >= self._most // 4:
                key = OTHERS, OTHERS.encode(), OTHERS
        elif len(rows) >= self._most:
            key = service, endpoint, OTHERS
        if key[2] is OTHERS:
            row = rows.get(key)
        if row is None:
            name = key[1].decode(errors="replace")
            row = rows[key] = IncomingRow(key[0], name, key[2], timed=self.timed)
        return row

    def row_of(self, prepared: PreparedCall) -> OutgoingRow:
        """Return the row of an outgoing call, looked for once for each prepared one."""
        row: OutgoingRow | None = prepared.context
        if row is None:
            caller = prepared.headers[CALLER_NAME]
            endpoint = prepared.arg1.decode(errors="replace")
            row = prepared.context = self.outgoing_row(prepared.service, endpoint, caller)
        return row

    def outgoing_row(self, service: str, endpoint: str, caller: str) -> OutgoingRow:
        """Return the row of these calls, or the one that they are summed under."""
        rows = self.outgoing
        key = service, endpoint, caller
        row = rows.get(key)
        if row is None and len(rows) >= self._most:
            key = OTHERS, OTHERS, OTHERS
            row = rows.get(key)
        if row is None:
            row = rows[key] = OutgoingRow(*key, timed=self.timed)
        return row


def outcome_of(error: object) -> str:
    """Return the outcome that an error is: by its code, if it has one."""
    if isinstance(error, NoAvailablePeerError):
        return NO_PEER
    code: object = getattr(error, "code", None)
    return OUTCOME_OF_CODE.get(code, OTHER_ERROR) if isinstance(code, int) else OTHER_ERROR


def _add(histogram: Histogram, seconds: float) -> None:
    bucket = bucket_of(int(seconds * 1e6))
    histogram.counts[bucket] = histogram.counts.get(bucket, 0) + 1
    histogram.count += 1
    histogram.sum += max(seconds, 0.0)


def _histogram(times: list[int] | None, seconds: float) -> Histogram:
    if times is None:
        return Histogram()
    # Few of the 272 buckets are not empty: found without a turn of a loop for each, 2 µs less.
    return Histogram(dict(compress(enumerate(times), times)), seconds)
