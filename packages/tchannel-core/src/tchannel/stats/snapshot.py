"""All of it at one moment, there and back as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any, Final, TypeVar, get_type_hints

from .calls import CallInFlight, CallStats, EndedCall, minus
from .histogram import Histogram
from .links import ConnectionStats, Limit, LoopLag, PeerStats
from .outcomes import OTHERS

__all__ = ["Snapshot"]


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
        native: By part (``"wire"``, ``"thrift"``, ``"core"``) ``"native"``, or why it runs in Python, as
            tchannel-speedups says; empty where that is not installed.

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
    native: dict[str, str] = field(default_factory=dict)

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
        lag, before = self.loop_lag, earlier.loop_lag
        return replace(
            self,
            seconds=self.seconds - earlier.seconds,
            incoming=_rows_since(self.incoming, earlier.incoming),
            outgoing=_rows_since(self.outgoing, earlier.outgoing),
            connections_made=minus(self.connections_made, earlier.connections_made),
            handshakes_failed=minus(self.handshakes_failed, earlier.handshakes_failed),
            limits_reached=minus(self.limits_reached, earlier.limits_reached),
            bytes_received=max(self.bytes_received - earlier.bytes_received, 0),
            bytes_sent=max(self.bytes_sent - earlier.bytes_sent, 0),
            loop_lag=LoopLag(lag.last, lag.longest, lag.histogram - before.histogram),
        )

    def to_dict(self) -> dict[str, Any]:  # Any: as the json module gives and takes it
        """Return what JSON takes: the fields by their names, all the way down."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_dict(cls, given: Mapping[str, object]) -> Snapshot:
        """Return the snapshot that `to_dict` was made of; fields that are unknown here are ignored.

        Raises:
            KeyError: A field is missing that has been there from the first version.

        """
        return _read(cls, given)


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


def _rows_since(rows: list[CallStats], earlier: list[CallStats]) -> list[CallStats]:
    before = {(row.service, row.endpoint, row.caller): row for row in earlier}
    since = []
    for row in rows:
        was = before.get((row.service, row.endpoint, row.caller))
        since.append(row if was is None else row - was)
    return since


def _plain(value: object) -> object:
    if isinstance(value, Histogram):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return dict(value)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value


def _read(kind: type[_T], given: Mapping[str, Any]) -> _T:
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass, as all of _DATA
        has_default = each.default is not MISSING or each.default_factory is not MISSING
        if each.name not in given and has_default:
            continue  # told by a version that had no such field yet
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
