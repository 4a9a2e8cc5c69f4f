"""Message types of Thrift's message envelope."""

from __future__ import annotations

from typing import Final

CALL: Final = 1
"""A request whose sender waits for the answer."""
REPLY: Final = 2
"""An answer: the result, or an exception that the IDL declares."""
EXCEPTION: Final = 3
"""An answer: a failure that the IDL does not declare, as a TApplicationException."""
ONEWAY: Final = 4
"""A request without an answer."""

_NAMES = {CALL: "CALL", REPLY: "REPLY", EXCEPTION: "EXCEPTION", ONEWAY: "ONEWAY"}

MESSAGE_TYPES: Final = frozenset(_NAMES)
"""All message types."""


def name_of(message_type: int) -> str | None:
    """The name of a message type, or None for a number that is none."""
    return _NAMES.get(message_type)
