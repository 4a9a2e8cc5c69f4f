"""What the page shows of a channel, as what JSON takes; bounded, whatever there is to show.

What peers said is made fit to be shown here (`tchannel.lowlevel.shown`), for the page as for those who
read the JSON in a terminal. Times are seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from heapq import nlargest
from typing import Any, Final

import tchannel_wire as wire
from tchannel import Options
from tchannel.lowlevel import shown
from tchannel.stats import CallInFlight, ConnectionStats, EndedCall, Limit, PeerStats, Snapshot

from .findings import WARN, findings_of
from .history import DIRECTIONS, History, Rates, Window
from .sums import Key, Sum

__all__ = ["view_of"]

MAX_TEXT: Final = 300
"""Characters of the text of an error."""

MAX_NAME: Final = 100
"""Characters of a service, endpoint or address."""

_MIB: Final = 1024 * 1024

_BYTES: Final = frozenset({"incoming_memory", "unsent_memory"})

_WAY: Final = {"incoming": "served", "outgoing": "made"}

_WORTH_A_LOOK: Final = frozenset({"penalised", "peer-draining", "draining", "closing"})


# Any: as the json module takes it, for who looks into it.
def view_of(snapshot: Snapshot, history: History, options: Options, rows: int) -> dict[str, Any]:
    """Return what there is to see of a channel.

    Args:
        snapshot: Its state now; the history has seen it.
        history: Its last minutes.
        options: Its limits and defaults.
        rows: How many rows a part has at most.

    """
    window = history.window
    endpoints = [(way, key, each) for way in DIRECTIONS for key, each in window.sums[way].items()]
    chosen = nlargest(rows, endpoints, key=lambda each: (each[2].failed, each[2].calls))
    made = {(way, *key): each for way in DIRECTIONS for key, each in history.sums[way].items()}
    open_now = snapshot.connections_open
    return {
        "name": _name(snapshot.service),
        "hostport": snapshot.hostport or "no address: it does not listen",
        "state": snapshot.state,
        "version": snapshot.version,
        "native": [part for part, how in snapshot.native.items() if how == "native"],
        "age": _rounded(snapshot.seconds),
        "taken_at": round(snapshot.taken_at, 3),
        "window": _rounded(window.seconds),
        "findings": [asdict(each) for each in findings_of(snapshot, history)],
        "incoming": _now(window, "incoming", snapshot.incoming_in_flight),
        "outgoing": _now(window, "outgoing", snapshot.outgoing_in_flight),
        "now": {
            "connections": sum(open_now.values()),
            "peers": snapshot.peers_total,
            "waiting": sum(each.waiting for each in snapshot.peers),
            "lag": _rounded(snapshot.loop_lag.longest),
            "received": _per_second(window.received, window),
            "sent": _per_second(window.sent, window),
        },
        "history": _charts(history),
        "failed": _part(
            (_ended(each, snapshot) for each in snapshot.failed[:rows]), len(snapshot.failed)
        ),
        "slow": _part(
            (_ended(each, snapshot) for each in snapshot.slow[:rows]), len(snapshot.slow)
        ),
        "in_flight": _part(
            map(_in_flight, snapshot.in_flight[:rows]),
            snapshot.incoming_in_flight + snapshot.outgoing_in_flight,
        ),
        "endpoints": _part(
            (_endpoint(way, key, each, made[way, *key], window) for way, key, each in chosen),
            len(made),
        ),
        "peers": _part(map(_peer, snapshot.peers[:rows]), snapshot.peers_total),
        "connections": _part(
            map(_connection, snapshot.connections[:rows]),
            sum(open_now.values()),
            note=f"{open_now['incoming']:,} accepted, {open_now['outgoing']:,} opened."
            if sum(open_now.values())
            else "",
        ),
        "limits": _part(map(_limit, snapshot.limits), len(snapshot.limits)),
        "options": _options(options),
    }


def _part(rows: Iterator[Mapping[str, object]], total: int, note: str = "") -> dict[str, object]:
    listed = list(rows)
    return {"rows": listed, "total": max(total, len(listed)), "note": note}


def _now(window: Window, way: str, in_flight: int) -> dict[str, object]:
    calls = window.totals[way]
    p50, p90, p99 = calls.percentiles(50, 90, 99)
    return {
        "rate": _per_second(calls.calls, window),
        "failed_share": _share(calls.failed, calls.calls),
        "app_errors_share": _share(calls.app_errors, calls.calls),
        "in_flight": in_flight,
        "p50": _rounded(p50),
        "p90": _rounded(p90),
        "p99": _rounded(p99),
    }


def _charts(history: History) -> dict[str, object]:
    return {
        "period": history.period,
        "length": history.length,
        **{way: _series(list(history.rates[way])) for way in DIRECTIONS},
    }


def _series(points: list[Rates]) -> dict[str, list[float | None]]:
    return {name: [_rounded(getattr(one, name)) for one in points] for name in Rates.__slots__}


def _endpoint(way: str, key: Key, recent: Sum, whole: Sum, window: Window) -> dict[str, object]:
    p50, p99 = recent.percentiles(50, 99)
    return {
        "call": _call(*key),
        "direction": _WAY[way],
        "rate": _per_second(recent.calls, window),
        "failed_share": _share(recent.failed, recent.calls),
        "app_errors_share": _share(recent.app_errors, recent.calls),
        "p50": _rounded(p50),
        "p99": _rounded(p99),
        "calls": whole.calls,
        "failed": whole.failed,
    }


def _ended(call: EndedCall, snapshot: Snapshot) -> dict[str, object]:
    return {
        "call": _call(call.service, call.endpoint),
        "direction": _WAY[call.direction],
        "other": _other(call.direction, call.caller, call.peer),
        "ended_at": round(call.ended_at, 3),
        "ago": _rounded(max(snapshot.taken_at - call.ended_at, 0.0)),
        "seconds": _rounded(call.seconds),
        "outcome": call.outcome,
        "error": shown(call.error, MAX_TEXT),
        "attempts": call.attempts,
        "trace_id": call.trace_id,
    }


def _in_flight(call: CallInFlight) -> dict[str, object]:
    doing = f"waits for its {call.waits}" if call.waits == "turn" else ""
    if call.waits and not doing:
        doing = f"waits for a {call.waits}" if call.waits != "hooks" else "waits for hooks"
    if not doing:
        doing = "being served" if call.direction == "incoming" else "waits for its answer"
    if call.attempts > 1:
        doing += f", attempt {call.attempts}"
    return {
        "call": _call(call.service, call.endpoint),
        "direction": _WAY[call.direction],
        "other": _other(call.direction, call.caller, call.peer),
        "age": _rounded(call.age),
        "left": _rounded(call.deadline_left),
        "doing": doing,
        "trace_id": call.trace_id,
    }


def _peer(peer: PeerStats) -> dict[str, object]:
    state = peer.state if not peer.misfit else f"cannot be spoken to: {shown(peer.misfit)}"
    return {
        "hostport": _name(peer.hostport),
        "state": state if peer.known or state == "caller" else f"{state}, not one of the known",
        "level": WARN if peer.misfit or peer.state in _WORTH_A_LOOK else "",
        "penalty": _rounded(peer.penalised_for) or None,
        "pending": peer.pending,
        "waiting": peer.waiting,
        "connections": peer.connections,
        "chosen": peer.chosen,
        "score": peer.score,
    }


def _connection(one: ConnectionStats) -> dict[str, object]:
    state = one.state if not one.congested_for else f"not read for {one.congested_for:.1f} s"
    return {
        "address": _name(one.address),
        "process": _name(one.process_name),
        "announced": _name(one.announced or ""),
        "direction": "accepted" if one.direction == "incoming" else "opened",
        "state": f"{state}, TLS" if one.tls else state,
        "level": WARN if one.congested_for or one.state in _WORTH_A_LOOK else "",
        "age": _rounded(one.age),
        "idle": _rounded(one.idle),
        "pending": one.pending_received + one.pending_sent,
        "calls_received": one.calls_received,
        "calls_sent": one.calls_sent,
        "bytes_received": one.bytes_received,
        "bytes_sent": one.bytes_sent,
        "unsent": one.unsent,
    }


def _limit(limit: Limit) -> dict[str, object]:
    return {
        "name": limit.name,
        "used": limit.used,
        "limit": limit.limit,
        "share": _rounded(limit.share),
        "unit": "bytes" if limit.name in _BYTES else "",
    }


def _options(options: Options) -> dict[str, object]:
    """Return the options, those that were changed first."""
    usual = _values(Options())
    now = _values(options)
    names = sorted(now, key=lambda name: (now[name] == usual.get(name), name))
    rows = [
        {
            "name": name,
            "value": now[name]
            if now[name] == usual[name]
            else f"{now[name]} (default {usual[name]})",
        }
        for name in names
    ]
    return _part(iter(rows), len(rows))


def _values(options: Options) -> dict[str, str]:
    values = {name: getattr(options, name) for name in Options.__slots__}
    within = values.pop("wire")
    for name in getattr(wire.Options, "__slots__", ()) or vars(within):
        values.setdefault(name, getattr(within, name))
    return {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, int) and value >= _MIB and name.endswith(("memory", "buffer", "size")):
        return f"{value / _MIB:g} MiB"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, int | float) and not hasattr(value, "name"):
        return f"{value:,}"
    return str(getattr(value, "name", value))


# -- names and numbers -------------------------------------------------------------------------


def _name(text: str) -> str:
    return shown(text, MAX_NAME)


def _call(service: str, endpoint: str) -> str:
    return f"{_name(service)}::{_name(endpoint)}"


def _other(direction: str, caller: str, peer: str) -> str:
    if direction == "incoming":
        return f"{_name(caller)} at {_name(peer)}" if peer else _name(caller)
    return _name(peer)


def _rounded(value: float | None) -> float | None:
    """Four digits are what can be read; the rest would be half of what is sent."""
    return None if value is None else float(f"{value:.4g}")


def _share(part: int, whole: int) -> float | None:
    return _rounded(part / whole) if whole else None


def _per_second(count: int, window: Window) -> float | None:
    return _rounded(count / window.seconds) if window.seconds else None
