"""Counts and times a channel's calls in statsd, both ways.

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
| ``tchannel.outbound.calls.retries`` ``.<retry-count>`` | attempts after the first, by their number |
| ``tchannel.outbound.calls.per-attempt.latency`` | timer: from an attempt to its response, ms |
| ``tchannel.outbound.calls.latency`` | timer: the whole call, however it ended, ms |
| ``tchannel.inbound.calls.recvd`` | calls that were served or refused |
| ``tchannel.inbound.calls.success`` | of these: answered with status OK |
| ``tchannel.inbound.calls.app-errors`` | answered with status FAILED |
| ``tchannel.inbound.calls.system-errors`` ``.<error>`` | answered with an error frame |
| ``tchannel.inbound.calls.latency`` | timer: from the request to its answer, ms |
| ``tchannel.inbound.cancels.requested``, ``.honored`` | cancelled by their callers |

Those are the names of tchannel-python 2.1.0 and tchannel-node; tchannel-go's are the same but for
``send`` instead of ``sent``, no ``.<error>``, and ``per-attempt.app-errors`` beside ``app-errors``
(``names="go"``). The timers are kept only where the statsd client has a method ``timing``.

A client that raises, or that takes long, is left alone for a while, half a second at first and half a
minute in the end; the log says so once for each outage. Names are made safe, and those of more than
2,000 different endpoints and callers are counted as ``others``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from logging import Logger
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from . import status
from ._ground.logs import logger
from .event import EventHook
from .stats import APP_ERROR, OUTCOME_OF_CODE, SUCCESS, CallEnded

if TYPE_CHECKING:
    from .errors import TChannelError
    from .request import Request
    from .response import Response

__all__ = ["StatsdHook"]

log: Logger = logger("tchannel.statsd")

_NumberT = TypeVar("_NumberT", int, float)

# What has a meaning to statsd or its back ends, and what cannot be shown.
_NOT_IN_KEYS: Final = re.compile(r"[{}/\\:\s.|@#,;=\x00-\x1f\x7f-\xa0\ud800-\udfff]+")
_MAX_NAME: Final = 100
_MAX_NAMES: Final = 2_000
_OTHERS: Final = "others.others.others"

# A limit for the start times that cancelled calls leave behind.
_MAX_TIMED_CALLS: Final = 10_000

_SLOW: Final = 0.05
"""Seconds in which a client should be done: the event loop stands still meanwhile."""
_FIRST_PAUSE: Final = 0.5
_LAST_PAUSE: Final = 30.0


class StatsdHook(EventHook):
    """Counts and times calls, those that are made and those that are served.

    Args:
        statsd: A client with ``count(key, n)`` or ``incr(key, n)``, and perhaps
            ``timing(key, milliseconds)``.
        clock: Monotonic time in seconds.
        names: ``"python"``, those of tchannel-python and tchannel-node, or ``"go"``.

    Raises:
        TypeError: A client that cannot count.
        ValueError: Unknown ``names``.

    """

    # The client is somebody else's, and known by its methods only.
    def __init__(
        self,
        statsd: object,
        *,
        clock: Callable[[], float] = time.monotonic,
        names: Literal["python", "go"] = "python",
    ) -> None:
        count = getattr(statsd, "count", None) or getattr(statsd, "incr", None)
        if not callable(count):
            raise TypeError(f"statsd must have a method count or incr, which {statsd!r} has not")
        if names not in ("python", "go"):
            raise ValueError(f"names must be 'python' or 'go', not {names!r}")
        self._client_count: Callable[[str, int], object] = count
        self._client_timing: Callable[[str, float], object] | None = getattr(statsd, "timing", None)
        self._clock = clock
        self._with_errors = names == "python"
        self._sent = "outbound.calls.sent" if names == "python" else "outbound.calls.send"
        # By the request's id. A request that ended in no event (a cancelled one) leaves its entry;
        # it does no harm, because whoever gets its id next begins with an entry of its own.
        self._started: dict[int, float] = {}
        self._names: dict[tuple[str | None, str | None, str | None], str] = {}
        self._pause = 0.0
        self._paused_until = 0.0
        self._left_out = 0

    # -- calls that are made ------------------------------------------------------------------

    def before_send_request(self, request: Request) -> None:
        """Count an attempt, and begin to time it."""
        self._count(self._sent, request)
        if self._client_timing is not None:
            if len(self._started) >= _MAX_TIMED_CALLS:
                del self._started[next(iter(self._started))]
            self._started[id(request)] = self._clock()

    def after_receive_response(self, request: Request, response: Response) -> None:
        """Count a response by its status, and time it."""
        if response.status == status.OK:
            self._count("outbound.calls.success", request)
        else:
            self._count("outbound.calls.app-errors", request)
            if not self._with_errors:
                self._count("outbound.calls.per-attempt.app-errors", request)
        started = self._started.pop(id(request), None)
        if started is not None:
            self._time("outbound.calls.per-attempt.latency", request, self._clock() - started)

    def after_receive_system_error(self, request: Request, error: TChannelError) -> None:
        """Count a call that a peer's error frame ended."""
        self._count_error("outbound.calls.system-errors", request, error)
        self._started.pop(id(request), None)

    def after_receive_system_error_per_attempt(
        self, request: Request, error: TChannelError
    ) -> None:
        """Count an error frame."""
        self._count_error("outbound.calls.per-attempt.system-errors", request, error)

    def on_operational_error(self, request: Request, error: TChannelError) -> None:
        """Count a call that ended without an answer."""
        self._count_error("outbound.calls.operational-errors", request, error)
        self._started.pop(id(request), None)

    def on_operational_error_per_attempt(self, request: Request, error: TChannelError) -> None:
        """Count an attempt that ended without an answer."""
        self._count_error("outbound.calls.per-attempt.operational-errors", request, error)

    def on_retry(self, request: Request, retry: int) -> None:
        """Count a retry by its number."""
        self._count("outbound.calls.retries", request, str(retry))

    def on_call_ended(self, request: Request, ended: CallEnded) -> None:
        """Time the whole call."""
        self._time("outbound.calls.latency", request, ended.seconds)

    # -- calls that are served ----------------------------------------------------------------

    def on_call_served(self, request: Request, ended: CallEnded) -> None:
        """Count an incoming call by how it ended, and time it."""
        self._count("inbound.calls.recvd", request)
        if ended.outcome == SUCCESS:
            self._count("inbound.calls.success", request)
        elif ended.outcome == APP_ERROR:
            self._count("inbound.calls.app-errors", request)
        elif ended.outcome == "cancelled":
            self._count("inbound.cancels.requested", request)
            self._count("inbound.cancels.honored", request)
        else:
            what = ended.outcome if self._with_errors else ""
            self._count("inbound.calls.system-errors", request, what)
        self._time("inbound.calls.latency", request, ended.seconds)

    # -- the client ---------------------------------------------------------------------------

    def _count(self, what: str, request: Request, last: str = "") -> None:
        self._send(self._client_count, self._key(what, request, last), 1)

    def _count_error(self, what: str, request: Request, error: TChannelError) -> None:
        name = ""
        if self._with_errors:
            code = getattr(error, "code", None)
            known = OUTCOME_OF_CODE.get(code) if isinstance(code, int) else None
            name = known or _clean(type(error).__name__, "type")
        self._count(what, request, name)

    def _time(self, what: str, request: Request, seconds: float) -> None:
        if self._client_timing is not None:
            self._send(self._client_timing, self._key(what, request), seconds * 1000)

    def _send(self, method: Callable[[str, _NumberT], object], key: str, value: _NumberT) -> None:
        began = self._clock()
        if began < self._paused_until:
            self._left_out += 1
            return
        try:
            method(key, value)
        except Exception as error:
            self._outage(str(error) or type(error).__name__, began)
            return
        took = self._clock() - began
        if took > _SLOW:
            self._outage(f"it took {took:.3g} s", began + took)
        elif self._pause:
            log.info("statsd takes metrics again; %d were left out", self._left_out)
            self._pause = 0.0
            self._left_out = 0

    def _outage(self, reason: str, now: float) -> None:
        if not self._pause:
            log.warning("statsd takes no metrics: %s; they are left out until it does", reason)
        self._left_out += 1
        self._pause = min(self._pause * 2 or _FIRST_PAUSE, _LAST_PAUSE)
        self._paused_until = now + self._pause

    def _key(self, what: str, request: Request, last: str = "") -> str:
        names = request.transport.caller_name, request.service, request.endpoint
        key = self._names.get(names)
        if key is None:
            caller, service, endpoint = names
            key = ".".join(
                (
                    _clean(caller, "service"),
                    _clean(service, "target-service"),
                    _clean(endpoint, "target-endpoint"),
                )
            )
            if len(self._names) >= _MAX_NAMES:
                key = _OTHERS  # callers may make up any number of them
            else:
                self._names[names] = key
        return f"tchannel.{what}.{key}.{last}" if last else f"tchannel.{what}.{key}"


def _clean(part: str | None, what: str) -> str:
    return _NOT_IN_KEYS.sub("-", part[:_MAX_NAME]) if part else f"no-{what}"
