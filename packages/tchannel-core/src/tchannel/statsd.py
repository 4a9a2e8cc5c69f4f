"""Counts a channel's outgoing calls in statsd.

::

    channel.hooks.register(StatsdHook(statsd.StatsClient()))

| key, followed by ``.<caller>.<service>.<endpoint>`` | counts |
|---|---|
| ``tchannel.outbound.calls.sent`` | attempts of calls |
| ``tchannel.outbound.calls.success`` | responses with status OK |
| ``tchannel.outbound.calls.app-errors`` | responses with status FAILED |
| ``tchannel.outbound.calls.system-errors`` ``.<error>`` | calls that an error frame ended |
| ``tchannel.outbound.calls.per-attempt.system-errors`` ``.<error>`` | error frames |
| ``tchannel.outbound.calls.operational-errors`` ``.<error>`` | calls that ended without an answer |
| ``tchannel.outbound.calls.per-attempt.operational-errors`` ``.<error>`` | the same, of attempts |
| ``tchannel.outbound.calls.per-attempt.latency`` | timer: from an attempt to its response, ms |

The timer is kept only where the statsd client has a method ``timing``.
"""

import re
import time
from collections.abc import Callable
from typing import Any, Final

from . import status
from .event import EventHook

__all__ = ["StatsdHook"]

_PREFIX: Final = "tchannel.outbound.calls"
_NOT_IN_KEYS: Final = re.compile(r"[{}/\\:\s.]+")
_ERROR_NAMES: Final = {
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
# A limit for the start times that cancelled calls leave behind.
_MAX_TIMED_CALLS: Final = 10_000


class StatsdHook(EventHook):
    """Counts and times outgoing calls.

    Args:
        statsd: A client with ``count(key, n)`` or ``incr(key, n)``, and perhaps
            ``timing(key, milliseconds)``.
        clock: Monotonic time in seconds.

    Raises:
        TypeError: A client that cannot count.

    """

    # The client is somebody else's, and known by its methods only.
    def __init__(self, statsd: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        count = getattr(statsd, "count", None) or getattr(statsd, "incr", None)
        if not callable(count):
            raise TypeError(f"statsd must have a method count or incr, which {statsd!r} has not")
        self._count: Callable[[str, int], object] = count
        self._timing: Callable[[str, float], object] | None = getattr(statsd, "timing", None)
        self._clock = clock
        # By the request's id. A request that ended in no event (a cancelled one) leaves its entry;
        # it does no harm, because whoever gets its id next begins with an entry of its own.
        self._started: dict[int, float] = {}

    def before_send_request(self, request: Any) -> None:
        """Count an attempt, and begin to time it."""
        self._count(_key("sent", request), 1)
        if self._timing is not None:
            if len(self._started) >= _MAX_TIMED_CALLS:
                del self._started[next(iter(self._started))]
            self._started[id(request)] = self._clock()

    def after_receive_response(self, request: Any, response: Any) -> None:
        """Count a response by its status, and time it."""
        succeeded = response.status == status.OK
        self._count(_key("success" if succeeded else "app-errors", request), 1)
        started = self._started.pop(id(request), None)
        if self._timing is not None and started is not None:
            self._timing(_key("per-attempt.latency", request), (self._clock() - started) * 1000)

    def after_receive_system_error(self, request: Any, error: Any) -> None:
        """Count a call that a peer's error frame ended."""
        self._count(_error_key("system-errors", request, error), 1)
        self._started.pop(id(request), None)

    def after_receive_system_error_per_attempt(self, request: Any, error: Any) -> None:
        """Count an error frame."""
        self._count(_error_key("per-attempt.system-errors", request, error), 1)

    def on_operational_error(self, request: Any, error: Any) -> None:
        """Count a call that ended without an answer."""
        self._count(_error_key("operational-errors", request, error), 1)
        self._started.pop(id(request), None)

    def on_operational_error_per_attempt(self, request: Any, error: Any) -> None:
        """Count an attempt that ended without an answer."""
        self._count(_error_key("per-attempt.operational-errors", request, error), 1)


def _key(what: str, request: Any) -> str:
    caller = _clean(request.transport.caller_name, "service")
    service = _clean(request.service, "target-service")
    endpoint = _clean(request.endpoint, "target-endpoint")
    return f"{_PREFIX}.{what}.{caller}.{service}.{endpoint}"


def _error_key(what: str, request: Any, error: Any) -> str:
    code = getattr(error, "code", None)
    name = _ERROR_NAMES.get(code) if code is not None else None
    return f"{_key(what, request)}.{name or _clean(type(error).__name__, 'type')}"


def _clean(part: str | None, what: str) -> str:
    return _NOT_IN_KEYS.sub("-", part) if part else f"no-{what}"
