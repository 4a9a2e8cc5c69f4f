"""What is shown of a host, whichever way it tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from tchannel.stats import CallStats, Snapshot

from .._calling.introspection import Introspection, mapping

__all__ = ["CallRow", "EndpointRow", "Host", "PeerRow", "from_introspection", "from_snapshots"]

_IN, _OUT = "in", "out"
_WAYS: Final = {"incoming": _IN, "outgoing": _OUT}


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint, served (``way`` "in") or called ("out"). None is what a host does not tell.

    Attributes:
        host: Address of the host.
        way: "in" or "out".
        service: The service.
        endpoint: The endpoint.
        rate: Calls that ended, a second.
        errors: Of these, those that ended without a response, a second.
        p50: Median latency in seconds.
        p99: 99th percentile of the latency in seconds.
        in_flight: Calls that have not ended.
        calls: Calls that ended, in all.

    """

    host: str
    way: str
    service: str
    endpoint: str
    rate: float | None = None
    errors: float | None = None
    p50: float | None = None
    p99: float | None = None
    in_flight: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer of a host.

    Attributes:
        host: Address of the host.
        peer: Address of the peer.
        state: As the host calls it.
        connections: Open ones.
        pending: Calls to it that wait for answers.
        calls: Attempts that were sent to it.

    """

    host: str
    peer: str
    state: str
    connections: int
    pending: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call in flight.

    Attributes:
        host: Address of the host.
        way: "in" or "out".
        service: The service; "" where it is not told.
        endpoint: The endpoint; "" where it is not told.
        peer: Address of the other side.
        age: Seconds since it began; None where it is not told.
        waits: What it waits for, where that is not its answer.

    """

    host: str
    way: str
    service: str
    endpoint: str
    peer: str
    age: float | None = None
    waits: str = ""


@dataclass(slots=True)
class Host:
    """A host, as it was last seen.

    Attributes:
        hostport: Its address.
        problem: Why it tells nothing; "" where it does.
        down: Whether it cannot be reached.
        service: The service that it is.
        process: Its process.
        state: Its state, as it calls it.
        by: How it tells: "stats", "introspection" or "".
        connections: How many are open.
        in_flight: How many calls are, both ways; None where it is not told.
        lag: The longest delay of its loop in the last minute, in seconds.
        endpoints: Its endpoints.
        peers: Its peers.
        calls: Its calls in flight.

    """

    hostport: str
    problem: str = ""
    down: bool = False
    service: str = ""
    process: str = ""
    state: str = ""
    by: str = ""
    connections: int | None = None
    in_flight: int | None = None
    lag: float | None = None
    endpoints: list[EndpointRow] = field(default_factory=list)
    peers: list[PeerRow] = field(default_factory=list)
    calls: list[CallRow] = field(default_factory=list)


def from_snapshots(hostport: str, now: Snapshot, before: Snapshot | None) -> Host:
    """Return a host of our stats.

    Args:
        hostport: Its address.
        now: What it tells.
        before: What it told before, so that rates are of the time between; None for those of all its
            life. One of another process is not looked at.

    """
    window = now
    if before is not None and before.pid == now.pid and before.seconds < now.seconds:
        window = now.since(before)
    host = Host(
        hostport,
        service=now.service,
        process=now.process_name,
        state=now.state,
        by="stats",
        connections=sum(now.connections_open.values()),
        in_flight=now.incoming_in_flight + now.outgoing_in_flight,
        lag=now.loop_lag.longest,
    )
    for direction, way in _WAYS.items():
        recent = window.by_endpoint(direction)
        for key, total in now.by_endpoint(direction).items():
            row = recent.get(key)
            host.endpoints.append(_endpoint(hostport, way, total, row or total, window.seconds))
    host.peers = [
        PeerRow(hostport, one.hostport, one.state, one.connections, one.pending, one.chosen)
        for one in now.peers
    ]
    host.calls = [
        CallRow(
            hostport,
            _WAYS.get(one.direction, one.direction),
            one.service,
            one.endpoint,
            one.peer,
            one.age,
            one.waits,
        )
        for one in now.in_flight
    ]
    return host


def _endpoint(
    hostport: str, way: str, total: CallStats, recent: CallStats, seconds: float
) -> EndpointRow:
    latency = recent.latency
    return EndpointRow(
        hostport,
        way,
        total.service,
        total.endpoint,
        rate=recent.ended / seconds if seconds > 0 else 0.0,
        errors=recent.errors / seconds if seconds > 0 else 0.0,
        p50=latency.percentile(50),
        p99=latency.percentile(99),
        in_flight=total.in_flight,
        calls=total.ended,
    )


def from_introspection(hostport: str, told: Introspection) -> Host:
    """Return a host of ``_gometa_introspect``: it counts no calls, and tells what is open."""
    state = told.state
    local = mapping(state.get("localPeer"))
    host = Host(
        hostport,
        service=str(local.get("serviceName") or ""),
        process=str(local.get("processName") or ""),
        state=str(state.get("channelState") or ""),
        by="introspection",
    )
    for service, endpoints in sorted(told.endpoints().items()):
        host.endpoints += [EndpointRow(hostport, _IN, service, one) for one in endpoints]
    connections = 0
    for peer, one in mapping(state.get("rootPeers")).items():
        both = [*_list(one, "inboundConnections"), *_list(one, "outboundConnections")]
        connections += len(both)
        host.calls += [call for each in both for call in _exchanges(hostport, str(peer), each)]
        host.peers.append(
            PeerRow(
                hostport,
                str(peer),
                "connected" if both else "unconnected",
                len(both),
                pending=sum(_count(each, "outboundExchange") for each in both),
                calls=_number(mapping(one).get("chosenCount")),
            )
        )
    host.connections = _number(state.get("numConnections"))
    if host.connections is None:
        host.connections = connections
    host.in_flight = len(host.calls)
    return host


# JSON of others: anything may be anything.
def _list(value: Any, key: str) -> list[Any]:
    found = mapping(value).get(key)
    return found if isinstance(found, list) else []


def _number(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _count(connection: Any, key: str) -> int:
    exchange = mapping(mapping(connection).get(key))
    return _number(exchange.get("count")) or 0


def _exchanges(hostport: str, peer: str, connection: Any) -> Iterable[CallRow]:
    for key, way in (("inboundExchange", _IN), ("outboundExchange", _OUT)):
        exchange = mapping(mapping(connection).get(key))
        address = str(mapping(connection).get("remoteHostPort") or peer)
        for _ in range(_count(connection, key) or len(mapping(exchange.get("exchanges")))):
            yield CallRow(hostport, way, "", "", address)
