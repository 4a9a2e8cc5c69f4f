"""When a failed attempt is followed by another.

============================================  =====================
what happened                                 retried under
============================================  =====================
busy, declined, a source without a peer yet   ``c``, ``t``, ``ct``
failure to connect, lost before the first
byte was written, error 7 (network)           ``c``, ``ct``
timeout, lost after writing                   ``t``, ``ct``
errors 2, 5, 6, 8, 0xFF; no peer at all       never
============================================  =====================
"""

from __future__ import annotations

import random
from collections import deque
from typing import Final

from .. import errors
from ..options import Options

__all__ = [
    "NEVER",
    "REFUSED",
    "UNKNOWN",
    "UNSENT",
    "RetryBudget",
    "delay_before",
    "kind_of_code",
    "may_retry",
]

REFUSED: Final = "refused"
"""The peer said that it did not begin: busy, declined; or there was no peer."""

UNSENT: Final = "unsent"
"""The request never left, or the network between us and the service failed."""

UNKNOWN: Final = "unknown"
"""The request may have been handled."""

NEVER: Final = "never"
"""Another attempt cannot help, or must not be made."""

_RETRIED_UNDER: Final = {
    REFUSED: frozenset({"c", "t", "ct", "tc"}),
    UNSENT: frozenset({"c", "ct", "tc"}),
    UNKNOWN: frozenset({"t", "ct", "tc"}),
    NEVER: frozenset[str](),
}

_KIND_OF_CODE: Final = {
    errors.BUSY: REFUSED,
    errors.DECLINED: REFUSED,
    errors.NETWORK_ERROR: UNSENT,
    errors.TIMEOUT: UNKNOWN,
}


def kind_of_code(code: int) -> str:
    """Return what an error frame's code says about another attempt."""
    return _KIND_OF_CODE.get(code, NEVER)


def may_retry(retry_on: str, kind: str) -> bool:
    """Say whether ``retry_on`` allows another attempt after a failure of ``kind``."""
    return retry_on in _RETRIED_UNDER[kind]


def delay_before(retry: int, options: Options) -> float:
    """Return how long to wait before the ``retry``-th retry (from 1): full jitter, doubling."""
    longest = min(options.retry_delay_max, options.retry_delay * 2.0 ** (retry - 1))
    return random.random() * longest


_WINDOW: Final = 10.0
"""Seconds over which calls and retries are compared."""


class RetryBudget:
    """Keeps an outage from being multiplied: retries are a share of the calls of the last 10 s.

    Args:
        share: Retries for each call.
        least: Retries in 10 s that are allowed however few calls there are.

    Attributes:
        calls: How many calls were ever made; whoever makes one adds it.

    """

    __slots__ = ("_before", "_least", "_retries", "_share", "calls")

    def __init__(self, share: float, least: int) -> None:
        self.calls: int = 0
        self._share = share
        self._least = least
        self._retries: deque[float] = deque()
        # When there were how many calls: looked at when an endpoint is called first, and with retries,
        # so that other calls cost nothing more.
        self._before: deque[tuple[float, int]] = deque()

    def take(self, now: float) -> bool:
        """Count a retry, if there may be another at the time ``now``."""
        retries = self._retries
        while retries and retries[0] <= now - _WINDOW:
            retries.popleft()
        recent = self._recent_calls(now)
        if len(retries) >= max(self._least, self._share * recent):
            return False
        retries.append(now)
        return True

    def look(self, now: float) -> None:
        """Remember how many calls there were at the time ``now``."""
        before = self._before
        while len(before) > 1 and before[1][0] <= now - _WINDOW:
            before.popleft()
        if not before or now - before[-1][0] >= 1:
            before.append((now, self.calls))

    def _recent_calls(self, now: float) -> float:
        """How many calls were made in the last 10 s; by their mean rate between two looks."""
        self.look(now)
        since, calls = self._before[0]
        begins = now - _WINDOW
        if since >= begins:
            return self.calls - calls
        until, then = self._before[1] if len(self._before) > 1 else (now, self.calls)
        return self.calls - calls - (then - calls) * (begins - since) / (until - since)
