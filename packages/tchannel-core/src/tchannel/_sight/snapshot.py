"""The snapshot of a channel: its counters, and a look at its connections, calls and peers."""

from __future__ import annotations

import os
import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nlargest, nsmallest
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import tchannel_wire as wire

from .._version import __version__
from ..stats import CallInFlight, ConnectionStats, Limit, PeerStats, Snapshot

if TYPE_CHECKING:
    from .._calls.outgoing import OutgoingCall
    from .._calls.waiting import Wait
    from .._links.connection import Connection
    from .._links.peers import Peer
    from .._serving.incoming import IncomingRequest
    from ..channel import TChannel

__all__ = ["take"]

_PYTHON: Final = platform.python_version()


def take(channel: TChannel, most: int | None) -> Snapshot:
    """Return the snapshot of a channel; in its loop's thread.

    Args:
        channel: Which one.
        most: How many connections, peers and calls in flight are told one by one; None for all.

    """
    counts = channel.counts
    timers = channel.timers
    now = 0.0 if timers is None else timers.time()
    connections = list(channel.connections)
    incoming, outgoing = _numbers_in_flight(channel, connections)
    sent: Counter[Peer] = Counter()
    received_bytes, sent_bytes = counts.bytes_received, counts.bytes_sent
    for connection in connections:
        if connection.opener and connection.peer is not None:
            sent[connection.peer] += connection.calls_sent
        received_bytes += connection.bytes_received
        sent_bytes += connection.bytes_sent
    table = channel.peers_table
    peers = [*table.peers.values(), *table.callers.values()]
    return Snapshot(
        service=channel.name,
        process_name=channel.process_name,
        hostport=channel.hostport if channel.is_listening() else None,
        state=channel.state.text,
        pid=os.getpid(),
        version=__version__,
        python=_PYTHON,
        taken_at=time.time(),
        seconds=time.monotonic() - channel.made_at,
        incoming=[row.stats(incoming.pop(id(row), 0)) for row in counts.incoming.values()],
        outgoing=[row.stats(outgoing.pop(id(row), 0)) for row in counts.outgoing.values()],
        in_flight=[_call(one, now) for one in _smallest(most, _in_flight(channel, most), _began)],
        incoming_in_flight=channel.incoming_calls,
        outgoing_in_flight=channel.outgoing_calls(),
        connections=[_connection(each, now) for each in _largest(most, connections, _pending_on)],
        connections_open=_by_direction(connections),
        connections_made=dict(counts.connections_made),
        handshakes_failed=dict(counts.handshakes_failed),
        peers=[_peer(each, sent, now) for each in _largest(most, peers, _pending_of)],
        peers_total=len(peers),
        limits=list(_limits(channel, connections)),
        bytes_received=received_bytes,
        bytes_sent=sent_bytes,
        limits_reached=dict(counts.limits_reached),
        loop_lag=channel.lag.look(channel.loop),
    )


def _largest(most: int | None, items: list[Any], key: Any) -> list[Any]:
    """Return the ``most`` largest, largest first; all of them, in that order, for None."""
    return sorted(items, key=key, reverse=True) if most is None else nlargest(most, items, key=key)


def _smallest(most: int | None, items: Iterable[Any], key: Any) -> list[Any]:
    """Return the ``most`` smallest, smallest first; all of them, in that order, for None."""
    return sorted(items, key=key) if most is None else nsmallest(most, items, key=key)


def _by_direction(connections: list[Connection]) -> dict[str, int]:
    opened = sum(each.opener for each in connections)
    return {"incoming": len(connections) - opened, "outgoing": opened}


# -- calls -----------------------------------------------------------------------------------------

# What is in flight, as ``began, what it is``.
_Call = tuple[float, "IncomingRequest | OutgoingCall | Wait"]


def _began(one: _Call) -> float:
    return one[0]


def _numbers_in_flight(
    channel: TChannel, connections: list[Connection]
) -> tuple[Counter[int], Counter[int]]:
    """How many calls are in flight, by the ids of their rows, which are made if need be."""
    counts = channel.counts
    incoming: Counter[int] = Counter()
    outgoing: Counter[int] = Counter()
    for connection in connections:
        for request in connection.incoming.values():
            event = request.event
            caller = event.headers[wire.CALLER_NAME]
            incoming[id(counts.incoming_row(event.service, event.arg1, caller))] += 1
        for exchange in connection.wire.outbound.values():
            call = _call_of(exchange)
            if call is not None:
                outgoing[id(row_of(channel, call.prepared))] += 1
    for wait in channel.waiting:
        outgoing[id(row_of(channel, wait.call.prepared))] += 1
    return incoming, outgoing


def row_of(channel: TChannel, prepared: wire.PreparedCall) -> Any:
    """Return the row of outgoing calls, found once for each prepared call."""
    row = prepared.context
    if row is None:
        caller = prepared.headers[wire.CALLER_NAME]
        endpoint = prepared.arg1.decode(errors="replace")
        row = prepared.context = channel.counts.outgoing_row(prepared.service, endpoint, caller)
    return row


def _call_of(exchange: wire.OutboundCall) -> OutgoingCall | None:
    context: Any = exchange.context
    call: OutgoingCall | None = getattr(context, "call", context)
    return call


def _in_flight(channel: TChannel, most: int | None) -> Iterator[_Call]:
    """Give the calls in flight; of each connection only the ``most`` oldest, which come first."""
    for connection in channel.connections:
        for request in islice(connection.incoming.values(), most):
            yield request.received_at, request
        for exchange in islice(connection.wire.outbound.values(), most):
            call = _call_of(exchange)
            if call is not None:
                yield exchange.deadline - exchange.ttl, call
    for wait in islice(channel.waiting, most):
        yield wait.began, wait


def _call(one: _Call, now: float) -> CallInFlight:
    began, what = one
    event = getattr(what, "event", None)
    if event is not None:
        request: Any = what
        return CallInFlight(
            direction="incoming",
            service=event.service,
            endpoint=request.endpoint,
            caller=event.headers[wire.CALLER_NAME],
            peer=request.connection.address,
            id=event.id,
            age=now - began,
            deadline_left=event.deadline - now,
            waits="turn" if _waits_for_turn(request) else "",
            attempts=1,
            trace_id=_trace_id(event.tracing),
        )
    wait: Any = what if hasattr(what, "call") else None
    call: Any = what if wait is None else wait.call
    exchange = call.exchange
    ends = exchange.deadline if exchange is not None else call.deadline
    if wait is not None and wait.patience is not None:
        ends = wait.patience
    peer = call.connection.address if call.connection is not None else call.hostport
    if peer is None and call.peer is not None:
        peer = call.peer.hostport
    return CallInFlight(
        direction="outgoing",
        service=call.prepared.service,
        endpoint=call.prepared.arg1.decode(errors="replace"),
        caller=call.prepared.headers[wire.CALLER_NAME],
        peer=peer or "",
        id=None if exchange is None else exchange.id,
        age=now - began,
        deadline_left=(began + call.timeout if ends is None else ends) - now,
        waits="" if wait is None else wait.reason(),
        attempts=call.attempts,
        trace_id=_trace_id(call.tracing),
    )


def _waits_for_turn(request: IncomingRequest) -> bool:
    line = request.connection.line
    return line is not None and request in line


def _trace_id(tracing: bytes) -> str:
    return tracing[16:24].hex()


# -- connections and peers --------------------------------------------------------------------------


def _pending_on(connection: Connection) -> int:
    return len(connection.incoming) + len(connection.wire.outbound)


def _connection(connection: Connection, now: float) -> ConnectionStats:
    remote = connection.wire.remote
    return ConnectionStats(
        direction="outgoing" if connection.opener else "incoming",
        address=connection.address,
        announced=connection.announced,
        process_name="" if remote is None else remote.process_name,
        state=_state_of(connection),
        tls=connection.transport.get_extra_info("ssl_object") is not None,
        age=now - connection.opened_at,
        idle=now - connection.last_heard,
        bytes_received=connection.bytes_received,
        bytes_sent=connection.bytes_sent,
        calls_received=connection.calls_received,
        calls_sent=connection.calls_sent,
        pending_received=len(connection.incoming),
        pending_sent=len(connection.wire.outbound),
        unsent=connection.wire.buffered,
        congested_for=now - connection.paused_at if connection.paused else 0.0,
    )


def _state_of(connection: Connection) -> str:
    if connection.closed:
        return "closing"
    if not connection.ready:
        return "handshake"
    if connection.peer_draining:
        return "peer-draining"
    return "open" if connection.channel.state.serves else "draining"


def _pending_of(peer: Peer) -> int:
    return peer.pending


def _peer(peer: Peer, sent: Counter[Peer], now: float) -> PeerStats:
    called = sent[peer] + peer.sent_before
    penalised_for = max(peer.penalised_until - now, 0.0) if peer.penalised_until else 0.0
    if penalised_for:
        state = "penalised"
    elif peer.connections:
        state = (
            "connected" if peer.group or any(each.opener for each in peer.connections) else "caller"
        )
    else:
        state = "unconnected" if peer.connecting is None else "connecting"
    score = peer.pending
    if penalised_for:
        score += 2_000_000
    if not peer.connections:
        score += 1_000_000
    return PeerStats(
        hostport=peer.hostport,
        known=peer.known,
        state=state,
        connections=len(peer.connections),
        pending=peer.pending,
        waiting=len(peer.waiters),
        chosen=called,
        score=score,
        penalty=peer.penalty if penalised_for else 0.0,
        penalised_for=penalised_for,
        misfit=peer.misfit or "",
    )


def _limits(channel: TChannel, connections: list[Connection]) -> Iterator[Limit]:
    options = channel.options
    busiest = max([len(each.incoming) for each in connections], default=0)
    yield Limit("max_calls", channel.incoming_calls, options.max_calls)
    if options.adaptive_concurrency is not None and channel.admission is not None:
        yield Limit("adaptive_concurrency", channel.incoming_calls, channel.admission.limit)
    yield Limit("max_calls_per_connection", busiest, options.max_calls_per_connection)
    yield Limit("max_connections", len(connections), options.max_connections)
    shaking = sum(not each.ready and not each.opener for each in connections)
    yield Limit("max_handshakes", shaking, options.max_handshakes)
    yield Limit("incoming_memory", channel.incoming_bytes, int(options.incoming_memory))
    yield Limit("unsent_memory", channel.unsent_bytes, int(options.unsent_memory))
