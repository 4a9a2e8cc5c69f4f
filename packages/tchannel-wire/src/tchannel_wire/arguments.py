"""The arguments of a call or an answer, looked at once something is wrong with one."""

from __future__ import annotations

from math import isfinite

from .exchanges import PreparedCall
from .tracing import TRACING_SIZE

__all__ = ["MAX_TTL_MS", "check_answer", "check_call", "check_claim", "check_prepared"]

MAX_TTL_MS = 0xFFFFFFFF
"""The longest ttl on the wire, in milliseconds: 49 days."""


def check_prepared(prepared: object) -> None:
    """Raise TypeError unless `prepared` is what `prepare_call` makes."""
    if not isinstance(prepared, PreparedCall):
        raise TypeError(f"prepared must come from prepare_call, not {prepared!r}")


def check_call(arg2: object, arg3: object, ttl: float, tracing: object) -> int:
    """Check the arguments of a call; its ttl in milliseconds, as the wire has it.

    Raises:
        TypeError: One has another type.
        ValueError: `ttl` is not finite, or `tracing` is not 25 bytes.

    """
    _check_bytes("arg2", arg2)
    _check_bytes("arg3", arg3)
    return check_claim(tracing, ttl)


def check_claim(tracing: object, ttl: float) -> int:
    """Check the arguments of a claim; its ttl in milliseconds, as the wire has it.

    Raises:
        TypeError: One has another type.
        ValueError: `ttl` is not finite, or `tracing` is not 25 bytes.

    """
    tracing = _check_bytes("tracing", tracing)
    if len(tracing) != TRACING_SIZE:
        raise ValueError(f"tracing must be {TRACING_SIZE} bytes, not {len(tracing)}")
    if not isinstance(ttl, int | float):
        raise TypeError(f"ttl must be a number of seconds, not {ttl!r}")
    if not isfinite(ttl):
        raise ValueError(f"ttl must be a finite number of seconds, not {ttl!r}")
    return min(max(int(ttl * 1000), 1), MAX_TTL_MS)


def check_answer(arg2: object, arg3: object, code: int) -> None:
    """Check the arguments of an answer.

    Raises:
        TypeError: An arg is not bytes.
        ValueError: `code` does not fit a byte.

    """
    _check_bytes("arg2", arg2)
    _check_bytes("arg3", arg3)
    if not isinstance(code, int) or not 0 <= code <= 0xFF:
        raise ValueError(f"code must be 0 to 255, not {code!r}")


def _check_bytes(name: str, value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}")
    return value
