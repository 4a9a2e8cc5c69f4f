"""One log line for each outage of a collector, instead of one for each batch that it did not take.

The SDK sends in threads of its own, from queues that are bounded, so that a collector which is down,
slow or refuses holds up no call; but its exporters write a line for each attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["OutageFilter", "calm_exporters", "let_exporters_talk"]

OVER_AFTER: Final = 120.0
"""Seconds without a failure after which an outage is over; metrics are sent every 60."""

_EXPORTERS: Final = (
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
    "opentelemetry.exporter.otlp.proto.grpc.metric_exporter",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.metrics._internal.export",
)


class OutageFilter(logging.Filter):
    """Lets the first of a row of warnings through, and none of those that follow it closely.

    Shared by several loggers it takes them for one: the exporters of one process send to one collector.

    Args:
        over_after: Seconds without a warning after which the next one is let through again.
        clock: Gives the time in seconds.

    """

    def __init__(
        self, over_after: float = OVER_AFTER, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._over_after = over_after
        self._clock = clock
        self._lock = threading.Lock()
        self._last: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is written."""
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            last, self._last = self._last, self._clock()
            if last is not None and self._last - last < self._over_after:
                return False
        record.msg = f"{record.msg} (said once for this outage; telemetry is being lost)"
        return True


_filter: Final = OutageFilter()


def calm_exporters() -> None:
    """Let the exporters and processors of OpenTelemetry's SDK write one line for each outage."""
    for name in _EXPORTERS:
        logging.getLogger(name).addFilter(_filter)  # once, however often it is asked for


def let_exporters_talk() -> None:
    """Undo `calm_exporters`."""
    for name in _EXPORTERS:
        logging.getLogger(name).removeFilter(_filter)
