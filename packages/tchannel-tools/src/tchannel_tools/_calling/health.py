"""``Meta::health``, without the Thrift layer: its request is constant, its answer is small."""

from __future__ import annotations

from typing import Final

from .._terminal.failures import ToolError
from .calls import Answer, Message

__all__ = ["HEALTH", "read_health"]

HEALTH: Final = Message("thrift", "Meta::health", b"\0\0", b"\0")

# Type codes of the Thrift Binary protocol, and the size of those that are fixed.
_BOOL, _STRING, _STRUCT = 2, 11, 12
_SIZES: Final = {_BOOL: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8}


def read_health(answer: Answer) -> tuple[bool, str]:
    """Return whether the service is healthy, and what it says about that.

    Raises:
        ToolError: The answer is no ``HealthStatus``.

    """
    try:
        status = _fields(answer.arg3).get((0, _STRUCT))
        if status is None:
            raise ValueError
        fields = _fields(status)
        ok = fields[1, _BOOL] == b"\1"
    except (IndexError, KeyError, ValueError):
        raise ToolError("the answer to Meta::health is no HealthStatus") from None
    return ok and not answer.code, fields.get((2, _STRING), b"").decode(errors="replace")


def _fields(data: bytes) -> dict[tuple[int, int], bytes]:
    """The fields of a struct by id and type; a nested struct is all that is left."""
    found: dict[tuple[int, int], bytes] = {}
    position = 0
    while data[position]:
        code = data[position]
        field_id = int.from_bytes(data[position + 1 : position + 3], "big", signed=True)
        position += 3
        if code == _STRUCT:
            found[field_id, code] = data[position:]
            return found
        if code == _STRING:
            size = int.from_bytes(data[position : position + 4], "big")
            position += 4
        elif code in _SIZES:
            size = _SIZES[code]
        else:
            raise ValueError(code)
        found[field_id, code] = data[position : position + size]
        position += size
    return found
