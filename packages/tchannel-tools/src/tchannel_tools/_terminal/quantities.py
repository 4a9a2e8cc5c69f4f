"""Numbers on the command line."""

from __future__ import annotations

import math
import re
from typing import Final

from .failures import ToolError

__all__ = ["count", "duration", "rate"]

_DURATION: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h|)")
_SECONDS: Final = {"": 0.001, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str, option: str) -> float:
    """Seconds of ``"500"`` (milliseconds), ``"500ms"``, ``"1.5s"``, ``"2m"`` or ``"1h"``.

    Raises:
        ToolError: It is none of these; or a part of a millisecond, where its unit was forgotten.

    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ToolError(f"{option} is a time like 500 (ms), 500ms, 1.5s or 2m, not {text!r}")
    if not match[2] and "." in match[1]:
        raise ToolError(f"{option} {match[1]} would be milliseconds: {match[1]}s or {match[1]}ms?")
    return float(match[1]) * _SECONDS[match[2]]


def count(text: str, option: str) -> int:
    """A whole number from 1 on.

    Raises:
        ToolError: It is none.

    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ToolError(f"{option} is a whole number from 1 on, not {text!r}")
    return int(text)


def rate(text: str, option: str) -> float:
    """A number above 0.

    Raises:
        ToolError: It is none.

    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ToolError(f"{option} is a number above 0 (calls a second), not {text!r}")
    return value
