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
from typing import Final

from .. import errors
from ..options import Options

__all__ = ["NEVER", "REFUSED", "UNKNOWN", "UNSENT", "delay_before", "kind_of_code", "may_retry"]

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
