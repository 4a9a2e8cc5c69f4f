"""In which form values are shown: as the Node tool has them, or as they are.

That tool shows what JavaScript makes of an answer. What people made of its output goes on working,
so its form is the default; where it loses something, there is an option for the whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

__all__ = ["Form", "hydrated_error", "node_number", "node_text"]

_ERROR_TYPE: Final = "tchannel.hydrated-error.default-type"
_ERROR_NAME: Final = "TchannelHydratedErrorDefaultTypeError"
_ERROR_MESSAGE: Final = (
    "TChannel json hydrated error; this message should be replaced with an upstream error message"
)
_PLACE: Final = re.compile(r"\{([0-9a-zA-Z]+)\}")

# From here on JavaScript writes numbers with an exponent.
_EXPONENT_FROM: Final = 1e21
_EXPONENT_BELOW: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Form:
    """How values are shown.

    Attributes:
        i64_as_number: Whether an i64 is a number instead of a Buffer of its eight bytes.
        exact: Whether values that the form of the Node tool loses are shown as they are.

    """

    i64_as_number: bool = False
    exact: bool = False


def node_number(value: float) -> int | float | None:
    """A double as JavaScript's JSON has it: whole numbers without a point, NaN and infinity null."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < _EXPONENT_FROM:
        # The shortest digits, then zeros; int(value) would have all of its digits.
        return int(Decimal(repr(value)))
    return value


def node_text(value: Any) -> str:
    """A value as JavaScript makes text of it, such as for the key of an object.

    Args:
        value: Decoded JSON; floats may be NaN or infinite.

    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, list):
        return ",".join("" if item is None else node_text(item) for item in value)
    return "[object Object]" if isinstance(value, dict) else str(value)


def _number_text(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value and not _EXPONENT_BELOW <= abs(value) < _EXPONENT_FROM:
        digits, _, exponent = repr(value).partition("e")
        return f"{digits.removesuffix('.0')}e{int(exponent):+d}"
    number = node_number(value)
    return str(number) if isinstance(number, int) else f"{Decimal(repr(value)):f}"


def hydrated_error(body: Any) -> Any:
    """The body of a JSON application error as tchannel-node shows it: as an error object of its own.

    It has a ``type``, a ``fullType``, a ``name`` and a ``message``, made up where the body has none,
    and the message's ``{places}`` are filled from the body.

    Args:
        body: The body as the service sent it.

    """
    given: dict[str, Any] = {}
    if isinstance(body, Mapping):
        given = dict(body)
    elif isinstance(body, list | str):
        given = {str(index): item for index, item in enumerate(body)}
    fields = {"type": _ERROR_TYPE, "message": _ERROR_MESSAGE, **given}
    fields["fullType"] = given.get("fullType") or fields["type"]
    message = given.get("message") or _ERROR_MESSAGE
    fields["message"] = _fill(message, fields) if isinstance(message, str) else message
    fields = {"name": _ERROR_NAME, **fields}
    # The stack of an error object is none of the fields that JSON gets.
    fields.pop("stack", None)
    return fields


def _fill(message: str, fields: Mapping[str, Any]) -> str:
    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        start, end = match.span()
        # Doubled braces are an escape.
        if message[start - 1 : start] == "{" and message[end : end + 1] == "}":
            return name
        value = fields.get(name)
        return "" if value is None else node_text(value)

    return _PLACE.sub(replaced, message)
