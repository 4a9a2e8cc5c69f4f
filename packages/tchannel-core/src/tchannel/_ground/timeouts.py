"""Timeouts are seconds, always; this is where a caller's timeout is checked."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeAlias

import tchannel_wire as wire

from .logs import logger

__all__ = ["Timeout", "seconds"]

log = logger("tchannel.timeouts")

Timeout: TypeAlias = float | timedelta | None
"""Seconds (int, float or timedelta); 0 and None mean the default."""

# An int from here on is more likely a number of milliseconds, as the old documents had it.
_SUSPICIOUS = 1000
_warned = False


def seconds(value: Timeout, default: float, name: str = "timeout") -> float:
    """Return ``value`` as seconds, or ``default`` for 0 and None.

    An int of 1000 or more is taken as the seconds it says, and logs once that the unit is
    seconds: the 0.16 documents said milliseconds, but every release took seconds.

    Raises:
        TypeError: Not a number (a bool is none).
        ValueError: Negative or NaN.

    """
    if value is None:
        return default
    if type(value) is not float:
        if isinstance(value, timedelta):
            value = value.total_seconds()
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} must be seconds (int, float or timedelta), not {value!r}")
        elif isinstance(value, int) and value >= _SUSPICIOUS:
            _warn_once(name, value)
    # One comparison refuses both negative numbers and NaN.
    if not value >= 0:
        raise ValueError(f"{name} must not be negative or NaN, got {value!r}")
    return min(float(value), _LONGEST) if value else default


# What the ttl field can say, and more than any timer is asked for.
_LONGEST = wire.MAX_TTL_MS / 1000


def _warn_once(name: str, value: int) -> None:
    global _warned
    if not _warned:
        _warned = True
        log.warning(
            "%s=%d: the unit is seconds, so this is %s; write a float or a timedelta to silence this",
            name,
            value,
            timedelta(seconds=min(value, math.floor(_LONGEST))),
        )
