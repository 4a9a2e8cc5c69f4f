"""What is wrong with a channel, in words, the worst first: what stands at the top of the page.

Whoever is woken by an alarm wants to know this before anything else. The thresholds are those of most
services' alarms; what they say is of the last minute, unless the text says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tchannel.lowlevel import shown
from tchannel.stats import PeerStats, Snapshot

from .history import DIRECTIONS, History, Window
from .sums import Sum

__all__ = ["BAD", "GOOD", "WARN", "Finding", "findings_of"]

BAD: Final = "bad"
"""Callers notice it."""

WARN: Final = "warn"
"""Something to look at."""

GOOD: Final = "good"
"""Nothing is wrong."""

_ORDER: Final = {BAD: 0, WARN: 1, GOOD: 2}

FEW: Final = 5
"""Calls that are no share of anything yet."""

FAILING: Final = 0.05
"""Share of calls without an answer that callers notice."""

FAILING_SOME: Final = 0.01
"""The share that is worth a look."""

FAILING_ENDPOINT: Final = 0.2
"""The share of one endpoint that is, however small a part of all it is."""

APP_ERRORS: Final = 0.5
"""Share of answers with status FAILED that is worth a look: some services say "not found" that way."""

RETRIED: Final = 0.2
"""Retries for each call that are."""

LAG: Final = (0.1, 0.5)
"""Seconds by which the loop is late: worth a look, and noticed."""

NEAR: Final = (0.7, 0.9)
"""Share of a limit in use."""

CONGESTED: Final = 1.0
"""Seconds that a peer has not read."""

LONG: Final = 30.0
"""Seconds that a call has been in flight: as long as the default timeout."""

SLOWER: Final = 3.0
"""How many times as slow as in the minutes before, ..."""

SLOW_ENOUGH: Final = 0.05
"""... if that is as many seconds at least."""

QUIET: Final = 1.0
"""Calls a second before, after which a minute without any is worth a look."""

MAX_NAME: Final = 60
"""Characters of a name in a sentence."""

_SERVED: Final = {"incoming": "served", "outgoing": "made"}


@dataclass(slots=True)
class Finding:
    """Something that is wrong, or that nothing is.

    Attributes:
        kind: What it is about; the same while only its figures change.
        level: `BAD`, `WARN` or `GOOD`.
        text: A sentence, with what peers said escaped.
        section: The section of the page that has more; "" if none has.

    """

    kind: str
    level: str
    text: str
    section: str = ""


def findings_of(snapshot: Snapshot, history: History) -> list[Finding]:
    """Return what is wrong, the worst first; never nothing."""
    window = history.window
    found = [
        *_life(snapshot),
        *_failures(window),
        *_peers(snapshot.peers),
        *_limits(snapshot, window),
        *_loop(snapshot),
        *_slowness(history),
        *_silence(history),
        *_connections(snapshot, window),
        *_in_flight(snapshot),
    ]
    if not found:
        found.append(_all_well(window))
    return sorted(found, key=lambda each: _ORDER[each.level])


def _all_well(window: Window) -> Finding:
    served, made = (window.totals[way].calls for way in DIRECTIONS)
    failed = sum(window.totals[way].failed for way in DIRECTIONS)
    text = (
        f"Nothing that shows here. In the last {_span(window.seconds)}: {served:,} calls served,"
        f" {made:,} made, {failed:,} failed."
    )
    return Finding("well", GOOD, text)


def _life(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.state == "closed":
        yield Finding("closed", BAD, "The channel is closed.")
    elif snapshot.state != "open":
        yield Finding(
            "leaving", BAD, f"The channel is {snapshot.state}: new calls of others are declined."
        )


def _failures(window: Window) -> Iterator[Finding]:
    for way in DIRECTIONS:
        everything = window.totals[way]
        share = _share(everything.failed, everything.calls)
        if everything.failed >= FEW and share >= FAILING_SOME:
            worst, sum_of_it = max(window.sums[way].items(), key=lambda each: each[1].failed)
            text = (
                f"{_percent(share)} of the calls {_SERVED[way]} failed ({_failures_of(everything)})."
                f" Most of them: {_name(worst)}, {sum_of_it.failed:,} of {sum_of_it.calls:,}."
            )
            yield Finding(f"{way} failures", BAD if share >= FAILING else WARN, text, "failed")
        else:
            yield from _failing_endpoints(way, window.sums[way])
        answered_failed = _share(everything.app_errors, everything.calls)
        if everything.app_errors >= FEW and answered_failed >= APP_ERRORS:
            text = (
                f"{_percent(answered_failed)} of the calls {_SERVED[way]} were answered with an"
                " application error."
            )
            yield Finding(f"{way} app errors", WARN, text, "endpoints")
    made = window.totals["outgoing"]
    retried = _share(made.retries, made.calls)
    if made.retries >= FEW and retried >= RETRIED:
        text = f"{made.retries:,} retries for {made.calls:,} calls made."
        yield Finding("retries", WARN, text, "peers")


def _failing_endpoints(way: str, sums: dict[tuple[str, str], Sum]) -> Iterator[Finding]:
    failing = [
        (key, each)
        for key, each in sums.items()
        if each.failed >= FEW and _share(each.failed, each.calls) >= FAILING_ENDPOINT
    ]
    failing.sort(key=lambda each: -each[1].failed)
    for key, each in failing[:3]:
        text = (
            f"{_percent(_share(each.failed, each.calls))} of the calls {_SERVED[way]} to {_name(key)}"
            f" failed ({_failures_of(each)})."
        )
        yield Finding(f"{way} failures of {_name(key)}", WARN, text, "endpoints")


def _peers(peers: list[PeerStats]) -> Iterator[Finding]:
    known = [peer for peer in peers if peer.known]
    away = [peer for peer in known if peer.state == "penalised" or peer.misfit]
    if away:
        names = ", ".join(shown(peer.hostport, MAX_NAME) for peer in away[:3])
        more = f" and {len(away) - 3} more" if len(away) > 3 else ""
        nobody = len(away) == len(known)
        how_many = "All" if nobody else f"{len(away)}"
        text = f"{how_many} of the {len(known)} known peers failed lately: {names}{more}."
        yield Finding("peers", BAD if nobody else WARN, text, "peers")
    for peer in [peer for peer in peers if peer.misfit][:3]:
        text = f"{shown(peer.hostport, MAX_NAME)} cannot be spoken to: {shown(peer.misfit)}."
        yield Finding(f"misfit {shown(peer.hostport, MAX_NAME)}", WARN, text, "peers")
    waiting = sum(peer.waiting for peer in peers)
    if waiting >= FEW:
        yield Finding("waiting", WARN, f"{waiting:,} calls wait for a connection.", "peers")


def _limits(snapshot: Snapshot, window: Window) -> Iterator[Finding]:
    for name, times in window.reached.items():
        text = f"The limit {name} was reached {_times(times)} in the last {_span(window.seconds)}."
        yield Finding(f"reached {name}", BAD, text, "limits")
    for limit in snapshot.limits:
        if limit.share >= NEAR[0] and limit.name not in window.reached:
            text = f"{limit.name} is used to {_percent(limit.share)}."
            yield Finding(
                f"near {limit.name}", BAD if limit.share >= NEAR[1] else WARN, text, "limits"
            )


def _loop(snapshot: Snapshot) -> Iterator[Finding]:
    longest = snapshot.loop_lag.longest
    if longest is not None and longest >= LAG[0]:
        text = (
            f"The event loop was late by {longest * 1000:,.0f} ms in the last minute: something"
            " blocks it, and everything here waits."
        )
        yield Finding("lag", BAD if longest >= LAG[1] else WARN, text, "overview")


def _slowness(history: History) -> Iterator[Finding]:
    for way in DIRECTIONS:
        points = list(history.rates[way])
        minute = max(int(60 / history.period), 1)
        before = [one.p99 for one in points[:-minute] if one.p99 is not None]
        (now,) = history.window.totals[way].percentiles(99)
        if now is None or len(before) < minute or history.window.totals[way].calls < FEW:
            continue
        # That of most moments: one bad moment before must not hide a bad minute.
        usual = sorted(before)[len(before) // 2]
        if now >= SLOW_ENOUGH and now >= SLOWER * usual:
            text = (
                f"The calls {_SERVED[way]} have become slow: p99 is {_duration(now)}, and was"
                f" {_duration(usual)} in the minutes before."
            )
            yield Finding(f"{way} slow", WARN, text, "slow")


def _silence(history: History) -> Iterator[Finding]:
    for way in DIRECTIONS:
        points = list(history.rates[way])
        minute = max(int(60 / history.period), 1)
        before = points[:-minute]
        if len(before) < minute or any(one.rate for one in points[-minute:]):
            continue
        rate = sum(one.rate for one in before) / len(before)
        if rate >= QUIET:
            text = (
                f"No call was {_SERVED[way]} for a minute; in the minutes before there were"
                f" {rate:,.3g} a second."
            )
            yield Finding(f"{way} silence", WARN, text, "overview")


def _connections(snapshot: Snapshot, window: Window) -> Iterator[Finding]:
    slow = [one for one in snapshot.connections if one.congested_for >= CONGESTED]
    if slow:
        worst = max(slow, key=lambda one: one.congested_for)
        text = (
            f"{_count(len(slow), 'peer does', 'peers do')} not read what is sent to it:"
            f" {shown(worst.address, MAX_NAME)} for {_duration(worst.congested_for)}."
        )
        yield Finding("congested", WARN, text, "connections")
    if window.handshakes_failed >= FEW:
        text = (
            f"{window.handshakes_failed:,} connections ended before they could be used: something that"
            " does not speak TChannel, or TLS that does not fit."
        )
        yield Finding("handshakes", WARN, text, "connections")


def _in_flight(snapshot: Snapshot) -> Iterator[Finding]:
    oldest = next((one for one in snapshot.in_flight if one.age >= LONG), None)
    if oldest is not None:
        text = (
            f"The oldest call in flight, {_name((oldest.service, oldest.endpoint))}"
            f" ({_SERVED[oldest.direction]} here), has taken {_duration(oldest.age)} so far."
        )
        yield Finding("old", WARN, text, "in_flight")


# -- words -------------------------------------------------------------------------------------


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.1f} %"


def _failures_of(calls: Sum) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in calls.failures()[:3])


def _name(key: tuple[str, str]) -> str:
    return f"{shown(key[0], MAX_NAME)}::{shown(key[1], MAX_NAME)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _count(count: int, one: str, more: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {more}"


def _span(seconds: float) -> str:
    return "minute" if seconds >= 55 else f"{max(seconds, 1):.0f} seconds"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"
