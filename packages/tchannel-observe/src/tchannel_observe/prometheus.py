"""Metrics of channels for Prometheus, of what `TChannel.stats` says; OpenTelemetry is not needed.

::

    from prometheus_client import start_http_server
    from tchannel_observe.prometheus import register

    register(channel)
    start_http_server(9464, "127.0.0.1")

Nothing is counted twice for it, and nothing is done between scrapes. All names begin with ``tchannel_``;
times are seconds. Each metric has the label ``channel``.

Raises:
    ModuleNotFoundError: (on import) The extra ``prometheus`` is not installed.

"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary, WeakValueDictionary

from tchannel import TChannel
from tchannel.lowlevel import logger, loop_of
from tchannel.stats import CallStats, Histogram, Snapshot
from tchannel.sync import TChannel as SyncTChannel

from .extras import extra_hint
from .text import safe

try:
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry
except ImportError as _error:
    raise extra_hint(_error, "prometheus", "prometheus_client") from None

__all__ = ["BUCKETS", "ChannelCollector", "register", "unregister"]

log: Final = logger(__name__)

BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
"""Upper bounds of the histograms, in seconds."""

PATIENCE: Final = 2.0
"""Seconds within which the loop of a channel has to answer a scrape."""

_CALLS: Final = ("channel", "direction", "service", "endpoint")
_WAY: Final = ("channel", "direction")


class ChannelCollector(Collector):
    """Collects the metrics of channels, for a registry of prometheus_client.

    `register` makes one for each registry. Channels are held weakly. One that is closing is told of
    until it is closed, or another one is registered under its name.

    A scrape may come from any thread, and takes the snapshot in the channel's own loop. A loop that does
    not answer within two seconds holds the scrape up no longer; ``tchannel_up`` of its channel is 0.
    """

    def __init__(self) -> None:
        self._channels: WeakValueDictionary[str, TChannel] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._silent: set[str] = set()
        """Names of channels whose loop did not answer the last scrape."""

    def add(self, channel: TChannel | SyncTChannel, name: str | None = None) -> None:
        """Tell of a channel as well.

        Args:
            channel: The channel; one of `tchannel.sync` as well.
            name: What the label ``channel`` says; by default the channel's name.

        Raises:
            ValueError: It is there already, or another one has that name.

        """
        one = _channel_of(channel)
        label = safe(one.name if name is None else name)
        with self._lock:
            for taken, other in list(self._channels.items()):
                if other is one:
                    raise ValueError(
                        f"the metrics of channel {one.name!r} are registered already, as {taken!r}"
                    )
                if taken == label and not other.is_closed():
                    raise ValueError(
                        f"the metrics of another channel are registered as {label!r}: give this one"
                        " another name="
                    )
            self._channels[label] = one

    def remove(self, channel: TChannel | SyncTChannel) -> None:
        """Tell no longer of a channel; one that is not there is ignored."""
        one = _channel_of(channel)
        with self._lock:
            for label, other in list(self._channels.items()):
                if other is one:
                    del self._channels[label]

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without their values: what a registry compares the names of."""
        return _Families().all

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of now."""
        families = _Families()
        with self._lock:
            channels = list(self._channels.items())
        # All are asked at once: several loops that do not answer are waited for together.
        asked = [(label, _ask(one)) for label, one in channels]
        for label, answer in asked:
            try:
                snapshot = answer.result(PATIENCE)
            except Exception as error:
                if label not in self._silent:
                    self._silent.add(label)
                    log.warning(
                        "no metrics of channel %s: %s", label, str(error) or "its loop is busy"
                    )
                answer.cancel()
                families.up.add_metric((label,), 0)
            else:
                self._silent.discard(label)
                if snapshot.state != "closed":  # one that drains still does something
                    families.up.add_metric((label,), 1)
                    families.add(label, snapshot)
        return families.all


_collectors: WeakKeyDictionary[CollectorRegistry, ChannelCollector] = WeakKeyDictionary()
_lock: Final = threading.Lock()


def register(
    channel: TChannel | SyncTChannel,
    *,
    name: str | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> ChannelCollector:
    """Put the metrics of a channel into a registry.

    Args:
        channel: The channel; one of `tchannel.sync` as well.
        name: What the label ``channel`` says; by default the channel's name.
        registry: By default the one of the process, which ``start_http_server`` serves.

    Returns:
        The collector, one for all channels of a registry.

    Raises:
        ValueError: The channel is registered already, or another one by that name; or something else
            has taken the names of these metrics.

    """
    with _lock:
        collector = _collectors.get(registry)
        made = collector is None
        if collector is None:
            collector = ChannelCollector()
        collector.add(channel, name)
        if made:
            registry.register(collector)
            _collectors[registry] = collector
    return collector


def unregister(channel: TChannel | SyncTChannel, *, registry: CollectorRegistry = REGISTRY) -> None:
    """Undo `register`; what was not done is ignored."""
    collector = _collectors.get(registry)
    if collector is not None:
        collector.remove(channel)


def _channel_of(channel: TChannel | SyncTChannel) -> TChannel:
    return channel.channel if isinstance(channel, SyncTChannel) else channel


def _ask(channel: TChannel) -> Future[Snapshot]:
    """Take a snapshot in the loop of the channel; here, where that is this thread's or does not run."""
    answer: Future[Snapshot] = Future()

    def take() -> None:
        if not answer.set_running_or_notify_cancel():
            return  # nobody waits any more
        try:
            # One by one nothing is told of: a registry has no room for what comes and goes.
            answer.set_result(channel.stats(0))
        except Exception as error:
            answer.set_exception(error)

    loop = loop_of(channel)
    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if loop is None or loop is here or not loop.is_running():
        take()
    else:
        try:
            loop.call_soon_threadsafe(take)
        except RuntimeError as error:  # it was closed just now
            answer.set_exception(error)
    return answer


Labels: TypeAlias = Sequence[str]


class _Families:
    """The metrics of one scrape."""

    def __init__(self) -> None:
        self.all: list[Metric] = []
        gauge, counter = self._gauge, self._counter
        self.up = gauge("up", "Whether the channel answered the scrape.", ("channel",))
        self.info = gauge(
            "info",
            "1, with what the channel is.",
            ("channel", "version", "python", "process", "state"),
        )
        self.calls = counter("calls", "Calls that ended, by how.", (*_CALLS, "outcome"))
        self.in_flight = gauge("calls_in_flight", "Calls that have not ended.", _CALLS)
        self.duration = self._histogram(
            "call_duration_seconds", "From a call to its response, of status OK or FAILED.", _CALLS
        )
        self.failed = self._histogram(
            "failed_call_duration_seconds",
            "The same of calls that ended without a response.",
            _CALLS,
        )
        self.attempt = self._histogram(
            "attempt_duration_seconds", "Of attempts of outgoing calls that got a response.", _CALLS
        )
        self.attempt_errors = counter(
            "attempt_errors",
            "Attempts of outgoing calls that failed, by what.",
            (*_CALLS, "outcome"),
        )
        self.retries = counter("retries", "Attempts that were made after another failed.", _CALLS)
        self.connections = gauge("connections", "Open connections.", _WAY)
        self.made = counter("connections_made", "Connections whose handshake succeeded.", _WAY)
        self.handshakes = counter("handshakes_failed", "Connections that ended before that.", _WAY)
        self.peers = gauge("peers", "Addresses that are called, or that called.", ("channel",))
        self.received = counter("received_bytes", "Bytes received over connections.", ("channel",))
        self.sent = counter("sent_bytes", "Bytes sent over connections.", ("channel",))
        self.limit = gauge("limit", "Limits of the channel's options.", ("channel", "limit"))
        self.used = gauge("limit_used", "How much of each limit is used.", ("channel", "limit"))
        self.reached = counter(
            "limits_reached", "What was refused or closed because of a limit.", ("channel", "limit")
        )
        self.lag = self._histogram(
            "loop_lag_seconds", "How late the event loop runs what is due.", ("channel",)
        )

    def _gauge(self, name: str, text: str, labels: Labels) -> GaugeMetricFamily:
        made = GaugeMetricFamily(f"tchannel_{name}", text, labels=labels)
        self.all.append(made)
        return made

    def _counter(self, name: str, text: str, labels: Labels) -> CounterMetricFamily:
        made = CounterMetricFamily(f"tchannel_{name}", text, labels=labels)
        self.all.append(made)
        return made

    def _histogram(self, name: str, text: str, labels: Labels) -> HistogramMetricFamily:
        made = HistogramMetricFamily(f"tchannel_{name}", text, labels=labels)
        self.all.append(made)
        return made

    def add(self, channel: str, snapshot: Snapshot) -> None:
        """Add what a snapshot says."""
        self.info.add_metric(
            (
                channel,
                snapshot.version,
                snapshot.python,
                safe(snapshot.process_name),
                snapshot.state,
            ),
            1,
        )
        for row in _by_safe_names((*snapshot.incoming, *snapshot.outgoing)):
            self._add_calls(channel, row)
        for direction in ("incoming", "outgoing"):
            way = channel, direction
            self.connections.add_metric(way, snapshot.connections_open.get(direction, 0))
            self.made.add_metric(way, snapshot.connections_made.get(direction, 0))
            self.handshakes.add_metric(way, snapshot.handshakes_failed.get(direction, 0))
        one = (channel,)
        self.peers.add_metric(one, snapshot.peers_total)
        self.received.add_metric(one, snapshot.bytes_received)
        self.sent.add_metric(one, snapshot.bytes_sent)
        for limit in snapshot.limits:
            self.limit.add_metric((channel, limit.name), limit.limit)
            self.used.add_metric((channel, limit.name), limit.used)
        # From 0 on: the rate of a counter that begins with 1 misses the first time.
        reached = {**{limit.name: 0 for limit in snapshot.limits}, **snapshot.limits_reached}
        for name, count in reached.items():
            self.reached.add_metric((channel, name), count)
        _add_histogram(self.lag, one, snapshot.loop_lag.histogram)

    def _add_calls(self, channel: str, row: CallStats) -> None:
        labels = channel, row.direction, row.service, row.endpoint
        for outcome, count in row.outcomes.items():
            self.calls.add_metric((*labels, outcome), count)
        self.in_flight.add_metric(labels, row.in_flight)
        _add_histogram(self.duration, labels, row.latency)
        if row.error_latency:
            _add_histogram(self.failed, labels, row.error_latency)
        if row.direction == "outgoing":
            _add_histogram(self.attempt, labels, row.attempt_latency)
            for outcome, count in row.attempt_errors.items():
                self.attempt_errors.add_metric((*labels, outcome), count)
            self.retries.add_metric(labels, row.retries)


def _by_safe_names(rows: Iterable[CallStats]) -> Iterator[CallStats]:
    """Sum up the rows whose names are the same once they are fit to be sent, whoever called."""
    sums: dict[tuple[str, str, str], CallStats] = {}
    for row in rows:
        key = row.direction, safe(row.service), safe(row.endpoint)
        sums[key] = sums[key] + row if key in sums else row
    for (direction, service, endpoint), row in sums.items():
        row.direction, row.service, row.endpoint = direction, service, endpoint
        yield row


def _add_histogram(family: HistogramMetricFamily, labels: Labels, histogram: Histogram) -> None:
    upto: list[tuple[str, float]] = []
    found = iter(histogram.buckets())
    end, count = next(found, (float("inf"), 0))
    total = 0
    for bound in BUCKETS:
        # To the precision of the snapshot's own buckets, as `Histogram.at_most`.
        while end <= bound * (1 + 1e-9):
            total += count
            end, count = next(found, (float("inf"), 0))
        upto.append((str(bound), total))
    upto.append(("+Inf", histogram.count))
    family.add_metric(labels, buckets=upto, sum_value=histogram.sum)
