"""The values of literal tokens."""

from __future__ import annotations

import re
from typing import Final

MAX_DIGITS: Final = 640
"""Most digits of an integer. No Thrift type takes a tenth of that; longer ones only cost time, and
Python itself refuses to print them."""

_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", "'": "'", '"': '"'}


class BadLiteralError(Exception):
    """A literal has no value.

    Args:
        message: Why.
        offset: Where in the literal, in characters from its start.
        expected: What would have been right, or None.

    """

    def __init__(self, message: str, offset: int = 0, expected: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.expected = expected


def integer(kind: str, text: str) -> int:
    """The value of an ``integer`` or ``hexadecimal`` token.

    Leading zeros do not make a number octal. Raises BadLiteralError above ``MAX_DIGITS``.
    """
    digits = len(text)
    if digits > MAX_DIGITS:
        digits = len(text.lstrip("+-").removeprefix("0x").lstrip("0"))
        if digits > MAX_DIGITS:
            raise BadLiteralError(
                f"Integer of {digits} digits", expected=f"at most {MAX_DIGITS} digits"
            )
        text = _without_leading_zeros(text)
    return int(text, 16 if kind == "hexadecimal" else 10)


def _without_leading_zeros(text: str) -> str:
    """Shorten the number: Python counts leading zeros against its limit for conversions."""
    sign = "-" if text.startswith("-") else ""
    return sign + (text.lstrip("+-").removeprefix("0x").lstrip("0") or "0")


def string(text: str) -> str:
    r"""The value of a ``quoted`` token: without quotes, escapes replaced.

    The escapes are ``\t \r \n \\ \' \"``, in thriftrw and in Apache Thrift; any other one raises
    BadLiteralError.
    """
    body = text[1:-1]
    if "\\" not in body:
        return body
    return _ESCAPE.sub(_unescape, body)


def _unescape(match: re.Match[str]) -> str:
    value = _ESCAPES.get(match[1])
    if value is None:
        raise BadLiteralError(
            f"Cannot escape character: {match[1]}",
            offset=match.start() + 1,
            expected=r"one of \t \r \n \\ \' " + r"\"",
        )
    return value
