"""What a channel has done, and what it is doing: the snapshot that `TChannel.stats` returns.

::

    before = channel.stats()
    await asyncio.sleep(10)
    window = channel.stats().since(before)
    for row in window.incoming:
        print(row.service, row.endpoint, row.ended / window.seconds, row.latency.percentile(99))

All times are seconds, all sizes bytes. Counts only ever grow while a channel lives; `Snapshot.since`
makes those of a window of two snapshots. `Snapshot.to_dict` gives what JSON takes, and
`Snapshot.from_dict` reads it again, in another process for instance.

The number of rows is bounded (`Options.max_stats_rows`): what has no row of its own any more is summed
under the name `OTHERS`, so that callers with ever new names cost nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import accumulate
from typing import Any, ClassVar, Final, TypeVar, get_type_hints

__all__ = [
    "APP_ERROR",
    "CONNECTION_LOST",
    "NO_PEER",
    "OTHERS",
    "OTHER_ERROR",
    "OUTCOME_OF_CODE",
    "SUCCESS",
    "CallEnded",
    "CallInFlight",
    "CallStats",
    "ConnectionStats",
    "EndedCall",
    "Histogram",
    "Limit",
    "LoopLag",
    "PeerStats",
    "Snapshot",
]

OTHERS: Final = "(others)"
"""Service, endpoint or caller of a row that sums up what has no row of its own."""

SUCCESS: Final = "success"
"""Outcome: a response with status OK."""

APP_ERROR: Final = "app-error"
"""Outcome: a response with status FAILED, which says an error of the application's own."""

NO_PEER: Final = "no-peer"
"""Outcome of an outgoing call: there was no peer to send it to."""

CONNECTION_LOST: Final = "connection-lost"
"""Outcome of an incoming call: its caller's connection ended before the answer."""

OTHER_ERROR: Final = "other-error"
"""Outcome of an outgoing call: something raised that is no error of the protocol."""

OUTCOME_OF_CODE: Final[Mapping[int, str]] = {
    0x01: "timeout",
    0x02: "cancelled",
    0x03: "busy",
    0x04: "declined",
    0x05: "unexpected-error",
    0x06: "bad-request",
    0x07: "network-error",
    0x08: "unhealthy",
    0xFF: "fatal-protocol-error",
}
"""The other outcomes, by the codes of error frames (protocol, "Errors")."""

# -- histograms ------------------------------------------------------------------------------------

_LINEAR: Final = 16
_PER_OCTAVE: Final = 8
_LONGEST: Final = 36  # bits of the last octave: 19 hours in microseconds
BUCKETS: Final = _LINEAR + (_LONGEST - 4) * _PER_OCTAVE
"""How many buckets a histogram has."""


def bucket_of(microseconds: int) -> int:
    """Return the bucket of a duration: exact below 16 µs, then eight to each power of two."""
    if microseconds < _LINEAR:
        return max(microseconds, 0)
    bits = microseconds.bit_length()
    if bits > _LONGEST:
        return BUCKETS - 1
    return _LINEAR + (bits - 5) * _PER_OCTAVE + (microseconds >> (bits - 4) & 7)


def _end_of(bucket: int) -> int:
    """The first microsecond that is beyond a bucket."""
    if bucket < _LINEAR:
        return bucket + 1
    octave, eighth = divmod(bucket - _LINEAR, _PER_OCTAVE)
    return (_PER_OCTAVE + eighth + 1) << (octave + 1)


BOUNDS: Final[tuple[float, ...]] = tuple([_end_of(bucket) / 1e6 for bucket in range(BUCKETS)])
"""Where each bucket ends, in seconds; what is longer than the last is counted in it."""


class Histogram:
    """How often how long a time was: log-linear buckets, the same in every process.

    A time is told to within 6.25 % (from 16 µs to 19 hours; below, to the microsecond). Histograms are
    added and subtracted bucket by bucket, so those of many processes, or of a window between two
    snapshots, are exact.

    Args:
        counts: How many times lay in each bucket, by the bucket's number.
        sum: The sum of these times, in seconds.

    """

    __slots__ = ("count", "counts", "sum")

    def __init__(self, counts: Mapping[int, int] | None = None, sum: float = 0.0) -> None:
        self.counts: dict[int, int] = {} if counts is None else dict(sorted(counts.items()))
        """By the bucket's number; those that are empty are left out."""
        self.sum: float = sum
        """In seconds."""
        self.count: int = 0
        """How many times there are."""
        for count in self.counts.values():
            self.count += count

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """Return the histogram of these times."""
        counts: dict[int, int] = {}
        total = 0.0
        for each in seconds:
            bucket = bucket_of(int(each * 1e6))
            counts[bucket] = counts.get(bucket, 0) + 1
            total += each
        return cls(counts, total)

    @property
    def mean(self) -> float | None:
        """The mean in seconds; None when there are none."""
        return self.sum / self.count if self.count else None

    def percentile(self, percent: float) -> float | None:
        """Return the time in seconds that ``percent`` of all do not exceed; None when there are none.

        It is the middle of its bucket.

        Raises:
            ValueError: ``percent`` is not from 0 to 100.

        """
        if not 0 <= percent <= 100:
            raise ValueError(f"percent must be from 0 to 100, not {percent!r}")
        if not self.count:
            return None
        buckets = list(self.counts)
        upto = list(accumulate(self.counts.values()))
        # 99.9 % of 10,000 are 9,990, and not a fraction more.
        bucket = buckets[bisect_left(upto, max(percent * self.count / 100 - 1e-6, 1))]
        begins = BOUNDS[bucket - 1] if bucket else 0.0
        return (begins + BOUNDS[bucket]) / 2

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Give where each bucket ends, in seconds, and how many times lay in it; no empty ones."""
        for bucket, count in self.counts.items():
            yield BOUNDS[bucket], count

    def at_most(self, seconds: float) -> int:
        """Return how many were at most that long, to the precision of the buckets."""
        return sum(count for end, count in self.buckets() if end <= seconds * (1 + 1e-9))

    def __add__(self, other: Histogram) -> Histogram:
        counts = dict(self.counts)
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
        return Histogram(counts, self.sum + other.sum)

    def __sub__(self, earlier: Histogram) -> Histogram:
        """Return what came since ``earlier``, a histogram of the same things."""
        counts = {}
        for bucket, count in self.counts.items():
            left = count - earlier.counts.get(bucket, 0)
            if left > 0:
                counts[bucket] = left
        return Histogram(counts, max(self.sum - earlier.sum, 0.0) if counts else 0.0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self.counts == other.counts and self.sum == other.sum

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # its counts may be changed

    def __bool__(self) -> bool:
        return self.count > 0

    def __repr__(self) -> str:
        if not self.count:
            return "<Histogram: empty>"
        return f"<Histogram: {self.count}, median {self.percentile(50):.3g} s>"

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON takes: ``count``, ``sum``, and the buckets by number.

        Where there are any times, their ``p50``, ``p90``, ``p95``, ``p99`` and ``p99.9`` as well.
        """
        plain: dict[str, object] = {
            "count": self.count,
            "sum": self.sum,
            "buckets": {str(bucket): count for bucket, count in self.counts.items()},
        }
        if self.count:
            for percent in (50, 90, 95, 99, 99.9):
                plain[f"p{percent:g}"] = self.percentile(percent)
        return plain

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Histogram:
        """Return the histogram that `to_dict` was made of."""
        buckets = {int(bucket): int(count) for bucket, count in given["buckets"].items()}
        return cls(buckets, float(given["sum"]))


# -- what there is -----------------------------------------------------------------------------------


@dataclass(slots=True)
class CallStats:
    """The calls of one endpoint by one caller, in one direction.

    Attributes:
        direction: ``"incoming"`` (served here) or ``"outgoing"`` (made here).
        service: The service that is called.
        endpoint: The endpoint that is called.
        caller: How the caller calls itself (a claim of incoming calls).
        outcomes: How many calls ended how: `SUCCESS`, `APP_ERROR`, those of `OUTCOME_OF_CODE`, or
            `NO_PEER`, `CONNECTION_LOST`, `OTHER_ERROR`. Those that never happened are left out.
        in_flight: How many have not ended.
        latency: From the call to its response, status OK or FAILED, with all attempts and waits; of
            incoming calls, from the reading of the request to the answer. Empty with
            ``Options(latency_histograms=False)``.
        error_latency: The same of calls that ended any other way.
        attempt_latency: Of outgoing calls: of each attempt that got a response.
        attempt_errors: Of outgoing calls: how many attempts failed, by what.
        retries: Of outgoing calls: how many attempts were made after another had failed.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    outcomes: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    latency: Histogram = field(default_factory=Histogram)
    error_latency: Histogram = field(default_factory=Histogram)
    attempt_latency: Histogram = field(default_factory=Histogram)
    attempt_errors: dict[str, int] = field(default_factory=dict)
    retries: int = 0

    @property
    def ended(self) -> int:
        """How many calls have ended, however."""
        return sum(self.outcomes.values())

    @property
    def started(self) -> int:
        """How many calls have begun: those that ended and those in flight."""
        return self.ended + self.in_flight

    @property
    def errors(self) -> int:
        """How many calls ended otherwise than with a response of status OK or FAILED."""
        return self.ended - self.outcomes.get(SUCCESS, 0) - self.outcomes.get(APP_ERROR, 0)

    def __add__(self, other: CallStats) -> CallStats:
        """Return the sum; names that differ become `OTHERS`."""
        return CallStats(
            direction=self.direction,
            service=self.service if self.service == other.service else OTHERS,
            endpoint=self.endpoint if self.endpoint == other.endpoint else OTHERS,
            caller=self.caller if self.caller == other.caller else OTHERS,
            outcomes=_plus(self.outcomes, other.outcomes),
            in_flight=self.in_flight + other.in_flight,
            latency=self.latency + other.latency,
            error_latency=self.error_latency + other.error_latency,
            attempt_latency=self.attempt_latency + other.attempt_latency,
            attempt_errors=_plus(self.attempt_errors, other.attempt_errors),
            retries=self.retries + other.retries,
        )

    def __sub__(self, earlier: CallStats) -> CallStats:
        """Return what happened since ``earlier``, the same row; ``in_flight`` is that of now."""
        return CallStats(
            direction=self.direction,
            service=self.service,
            endpoint=self.endpoint,
            caller=self.caller,
            outcomes=_minus(self.outcomes, earlier.outcomes),
            in_flight=self.in_flight,
            latency=self.latency - earlier.latency,
            error_latency=self.error_latency - earlier.error_latency,
            attempt_latency=self.attempt_latency - earlier.attempt_latency,
            attempt_errors=_minus(self.attempt_errors, earlier.attempt_errors),
            retries=max(self.retries - earlier.retries, 0),
        )


@dataclass(slots=True)
class CallEnded:
    """How a call ended; what hooks are told (`tchannel.event`).

    Attributes:
        outcome: One of those of `CallStats.outcomes`.
        seconds: From its beginning to its end, with all attempts and waits.
        attempts: How many were made; 1 of an incoming call.

    """

    outcome: str
    seconds: float
    attempts: int = 1


@dataclass(slots=True)
class CallInFlight:
    """A call that has not ended.

    Attributes:
        direction: ``"incoming"`` or ``"outgoing"``.
        service: The service that is called.
        endpoint: The endpoint that is called.
        caller: How the caller calls itself.
        peer: The address of the other side's socket, or the one that is called; "" while there is none.
        id: The message id on its connection; None while it is not sent.
        age: Seconds since it was read, or since this attempt was sent.
        deadline_left: Seconds until its time is up; below 0 if that has passed.
        waits: What it waits for where that is not its answer: ``"turn"`` of an incoming call whose
            handler has not begun; ``"connection"``, ``"reader"``, ``"peer"``, ``"hooks"`` or ``"retry"``
            of an outgoing one; "" otherwise.
        attempts: Of an outgoing call: how many were made, this one included.
        trace_id: Of its trace, as 16 hexadecimal digits.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    peer: str
    id: int | None
    age: float
    deadline_left: float
    waits: str
    attempts: int
    trace_id: str


@dataclass(slots=True)
class EndedCall:
    """A call that failed, or took long, and has ended lately.

    Attributes:
        direction: ``"incoming"`` or ``"outgoing"``.
        service: The service that was called.
        endpoint: The endpoint that was called.
        caller: How the caller calls itself.
        peer: The address of the other side's socket, or the one that was called last; "" where there was
            none.
        ended_at: When it ended, in seconds since 1970.
        seconds: How long it took, with all attempts and waits.
        outcome: As in `CallStats.outcomes`.
        error: What the caller was told, or of outgoing calls what we were told; "" of a response.
        attempts: Of an outgoing call: how many were made.
        trace_id: Of its trace, as 16 hexadecimal digits.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    peer: str
    ended_at: float
    seconds: float
    outcome: str
    error: str
    attempts: int
    trace_id: str


@dataclass(slots=True)
class ConnectionStats:
    """An open connection.

    Attributes:
        direction: ``"outgoing"`` if we opened it, ``"incoming"`` if it was accepted.
        address: What it was opened to, or the address of the other side's socket.
        announced: The address that the other side says it listens at: a claim; None before it said.
        process_name: How the other side calls its process: a claim; "" before it said.
        state: ``"handshake"``, ``"open"``, ``"draining"`` (we leave), ``"peer-draining"`` or
            ``"closing"``.
        tls: Whether it is encrypted.
        age: Seconds since it was opened.
        idle: Seconds since anything last came over it.
        bytes_received: Since it was opened.
        bytes_sent: Since it was opened.
        calls_received: Incoming calls that reached a handler.
        calls_sent: Attempts of outgoing calls.
        pending_received: Incoming calls being served.
        pending_sent: Outgoing calls that wait for their answers.
        unsent: Bytes that wait for the peer to read.
        congested_for: Seconds since the peer last took all that it was sent; 0 where it does.

    """

    direction: str
    address: str
    announced: str | None
    process_name: str
    state: str
    tls: bool
    age: float
    idle: float
    bytes_received: int
    bytes_sent: int
    calls_received: int
    calls_sent: int
    pending_received: int
    pending_sent: int
    unsent: int
    congested_for: float


@dataclass(slots=True)
class PeerStats:
    """An address that is called, or that has connected to us.

    Attributes:
        hostport: The address.
        known: Whether the channel was told of it and chooses it by itself.
        state: ``"connected"``, ``"connecting"``, ``"unconnected"``, ``"penalised"`` (chosen last for a
            while), or ``"caller"`` of one that connected to us.
        connections: Usable ones.
        pending: Outgoing calls that wait for its answers.
        waiting: Outgoing calls that wait for a connection to it.
        chosen: Attempts that were sent to it.
        score: The order in which known peers are chosen, the lowest first: its pending calls, with
            1,000,000 more without a connection and 2,000,000 more while penalised.
        penalty: How long its penalty is, in seconds; 0 without one.
        penalised_for: How much of that is left.
        misfit: Why it cannot be spoken to; "" if it can, as far as is known.

    """

    hostport: str
    known: bool
    state: str
    connections: int
    pending: int
    waiting: int
    chosen: int
    score: int
    penalty: float
    penalised_for: float
    misfit: str


@dataclass(slots=True)
class Limit:
    """A limit of `tchannel.options.Options`, and how near it is.

    Attributes:
        name: As in `tchannel.options.Options`.
        used: How much is used now.
        limit: How much may be.

    """

    name: str
    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of it is used, from 0 to 1."""
        return self.used / self.limit


@dataclass(slots=True)
class LoopLag:
    """How much later than they should callbacks of the event loop run.

    It is measured ten times a second while somebody looks: from the first `TChannel.stats` until a
    minute after the last.

    Attributes:
        last: Seconds; None before it was measured.
        longest: The longest in the minute before, in seconds; None before it was measured.
        histogram: Of all that were measured.

    """

    last: float | None = None
    longest: float | None = None
    histogram: Histogram = field(default_factory=Histogram)


@dataclass(slots=True)
class Snapshot:
    """What a channel has done, and is doing.

    Attributes:
        service: The channel's name.
        process_name: How it calls its process to peers.
        hostport: Where it listens; None if it does not.
        state: ``"open"``, ``"suspended"`` (without a loop), ``"winding down"``, ``"draining"``,
            ``"closing"`` or ``"closed"``.
        pid: Of its process.
        version: Of tchannel-core.
        python: The version of Python.
        taken_at: When the snapshot was taken, in seconds since 1970.
        seconds: What its counts cover: since the channel was made, or of a window.
        incoming: Calls that were served, by service, endpoint and caller.
        outgoing: Calls that were made, by the same.
        in_flight: Calls that have not ended, the oldest first; no more than were asked for.
        incoming_in_flight: How many incoming calls there are.
        outgoing_in_flight: How many outgoing calls there are.
        connections: Open ones, first those whose other side does not read, then those with most calls
            pending; no more than were asked for.
        connections_open: How many there are, by direction.
        connections_made: How many there ever were whose handshake succeeded, by direction.
        handshakes_failed: How many ended before that, by direction.
        peers: No more than were asked for: the known ones first, of these the ones that were penalised
            lately; then the others. Of each those with most calls pending come first.
        peers_total: How many there are.
        limits: The limits that are counted.
        bytes_received: Over all connections, those that are closed as well.
        bytes_sent: The same.
        limits_reached: How often something was refused or closed because of a limit, by its name.
        loop_lag: Of the event loop.
        failed: The calls that failed last, the latest first; `Options.recent_calls` at most, and no more
            than were asked for. Those that were cancelled are not among them.
        slow: The calls that were answered last after `Options.slow_call` or more, likewise.

    """

    service: str
    process_name: str
    hostport: str | None
    state: str
    pid: int
    version: str
    python: str
    taken_at: float
    seconds: float
    incoming: list[CallStats]
    outgoing: list[CallStats]
    in_flight: list[CallInFlight]
    incoming_in_flight: int
    outgoing_in_flight: int
    connections: list[ConnectionStats]
    connections_open: dict[str, int]
    connections_made: dict[str, int]
    handshakes_failed: dict[str, int]
    peers: list[PeerStats]
    peers_total: int
    limits: list[Limit]
    bytes_received: int
    bytes_sent: int
    limits_reached: dict[str, int]
    loop_lag: LoopLag
    failed: list[EndedCall] = field(default_factory=list)
    slow: list[EndedCall] = field(default_factory=list)

    def total(self, direction: str) -> CallStats:
        """Return the sum of all rows of ``"incoming"`` or ``"outgoing"`` calls."""
        if direction not in ("incoming", "outgoing"):
            raise ValueError(f"direction must be 'incoming' or 'outgoing', not {direction!r}")
        total = CallStats(direction, OTHERS, OTHERS, OTHERS)
        for row in self.incoming if direction == "incoming" else self.outgoing:
            total += row
        return total

    def by_endpoint(self, direction: str) -> dict[tuple[str, str], CallStats]:
        """Return the rows of ``"incoming"`` or ``"outgoing"`` calls by service and endpoint alone."""
        if direction not in ("incoming", "outgoing"):
            raise ValueError(f"direction must be 'incoming' or 'outgoing', not {direction!r}")
        sums: dict[tuple[str, str], CallStats] = {}
        for row in self.incoming if direction == "incoming" else self.outgoing:
            key = row.service, row.endpoint
            sums[key] = sums[key] + row if key in sums else row
        return sums

    def since(self, earlier: Snapshot) -> Snapshot:
        """Return a snapshot whose counts are of the time between ``earlier`` and this one.

        What is, rather than was (in flight, connections, peers, limits), is that of this one.

        Raises:
            ValueError: ``earlier`` is of another process or channel, or later.

        """
        if (earlier.service, earlier.pid) != (self.service, self.pid):
            raise ValueError("both snapshots must be of one channel")
        if earlier.seconds > self.seconds:
            raise ValueError("the other snapshot is the later one")
        changes: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        changes["seconds"] = self.seconds - earlier.seconds
        changes["incoming"] = _rows_since(self.incoming, earlier.incoming)
        changes["outgoing"] = _rows_since(self.outgoing, earlier.outgoing)
        for name in ("connections_made", "handshakes_failed", "limits_reached"):
            changes[name] = _minus(getattr(self, name), getattr(earlier, name))
        for name in ("bytes_received", "bytes_sent"):
            changes[name] = max(getattr(self, name) - getattr(earlier, name), 0)
        lag, before = self.loop_lag, earlier.loop_lag
        changes["loop_lag"] = LoopLag(lag.last, lag.longest, lag.histogram - before.histogram)
        return Snapshot(**changes)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON takes: the fields by their names, all the way down."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> Snapshot:
        """Return the snapshot that `to_dict` was made of; fields that are unknown here are ignored.

        Raises:
            KeyError: A field is missing.

        """
        return _read(cls, given)


# -- help ------------------------------------------------------------------------------------------

_ROWS: Final[dict[str, type]] = {
    "incoming": CallStats,
    "outgoing": CallStats,
    "in_flight": CallInFlight,
    "failed": EndedCall,
    "slow": EndedCall,
    "connections": ConnectionStats,
    "peers": PeerStats,
    "limits": Limit,
}

_T = TypeVar("_T")


def _plus(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    total = dict(one)
    for name, count in other.items():
        total[name] = total.get(name, 0) + count
    return total


def _minus(one: Mapping[str, int], earlier: Mapping[str, int]) -> dict[str, int]:
    left = {name: count - earlier.get(name, 0) for name, count in one.items()}
    return {name: count for name, count in left.items() if count > 0}


def _rows_since(rows: list[CallStats], earlier: list[CallStats]) -> list[CallStats]:
    before = {(row.service, row.endpoint, row.caller): row for row in earlier}
    since = []
    for row in rows:
        was = before.get((row.service, row.endpoint, row.caller))
        since.append(row if was is None else row - was)
    return since


def _plain(value: Any) -> object:
    if isinstance(value, Histogram):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return dict(value)
    if type(value) in _DATA:
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value


def _read(kind: type[_T], given: Mapping[str, Any]) -> _T:
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass, as all of _DATA
        value = given[each.name]
        hint = hints[each.name]
        if hint is Histogram:
            value = Histogram.from_dict(value)
        elif hint in _DATA:
            value = _read(hint, value)
        elif each.name in _ROWS and kind.__name__ == "Snapshot":
            value = [_read(_ROWS[each.name], row) for row in value]
        values[each.name] = value
    return kind(**values)


_DATA: Final = frozenset(
    {CallInFlight, CallStats, ConnectionStats, EndedCall, Limit, LoopLag, PeerStats, Snapshot}
)
