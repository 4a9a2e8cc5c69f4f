"""What can go wrong on a connection, and the protocol's error codes.

::

    Exception
    └── WireError                 base class of everything below
        ├── ProtocolError         the peer's bytes break the protocol; what to answer is in it
        ├── PeerError             the peer ended the connection, and this is what it said
        └── LocalProtocolError    you used a connection in a state that forbids it

Mistakes in arguments are the built-in ``TypeError`` and ``ValueError``; they name the argument and
its value and are raised before anything is queued.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = [
    "MAX_MESSAGE_ID",
    "NO_MESSAGE_ID",
    "ErrorCode",
    "LocalProtocolError",
    "PeerError",
    "ProtocolError",
    "WireError",
    "bad_request",
    "error_name",
    "known_code",
]

MAX_MESSAGE_ID: Final = 0xFFFFFFFE
"""The largest id of a message."""

NO_MESSAGE_ID: Final = 0xFFFFFFFF
"""The id of an error that is about the connection, not about one message."""


class ErrorCode(IntEnum):
    """The codes of error frames; each says what the caller of the failed call may do."""

    TIMEOUT = 1
    """The deadline passed. Retry only if the operation is idempotent: it may have run."""
    CANCELLED = 2
    """The caller cancelled the call. Do not retry."""
    BUSY = 3
    """The peer has too much to do. Retry on another peer, prefer others for a while."""
    DECLINED = 4
    """The peer did not take the call. Retry on another peer; no reason to prefer others later."""
    UNEXPECTED = 5
    """The handler failed. Retry only if the operation is idempotent: it may have run."""
    BAD_REQUEST = 6
    """The call itself is wrong. Never retry."""
    NETWORK = 7
    """A relay lost the next peer. Retry only if the operation is idempotent."""
    UNHEALTHY = 8
    """The service says that it is not healthy. Do not retry."""
    FATAL = 0xFF
    """The protocol was broken; the connection closes after this. Do not retry."""


# A lookup in a dict, because ErrorCode(code) raises for a code that a newer peer may send.
_ERROR_NAMES = {int(code): code.name.lower().replace("_", " ") for code in ErrorCode}


def error_name(code: int) -> str:
    """The name of an error code for messages to people; unknown codes are named by their number."""
    return _ERROR_NAMES.get(code) or f"error {code:#04x}"


def known_code(code: int) -> int:
    """`code` as an `ErrorCode`, or as the number it is."""
    try:
        return ErrorCode(code)
    except ValueError:
        return code


class WireError(Exception):
    """Base class of the errors of this package."""


class ProtocolError(WireError):
    """The peer sent bytes that break the protocol.

    This is the only exception that decoding raises, whatever the bytes are.

    Args:
        description: What is wrong, fit to be sent to the peer.
        code: What to put on the wire: `ErrorCode.FATAL` costs the connection, any other code
            only the call.
        message_id: The message it is about, or `NO_MESSAGE_ID`.
        limit: Which of `Options` was exceeded, by its name; ``"memory"`` is the `MemoryBudget` of
            many connections, and "" says that it was none.

    """

    def __init__(
        self,
        description: str,
        *,
        code: ErrorCode = ErrorCode.FATAL,
        message_id: int = NO_MESSAGE_ID,
        limit: str = "",
    ) -> None:
        super().__init__(description)
        self.limit = limit
        self.description = description
        self.code = code
        self.message_id = message_id

    def __str__(self) -> str:
        about = "" if self.message_id == NO_MESSAGE_ID else f" (message {self.message_id})"
        return f"{self.description}{about}"


def bad_request(description: str, limit: str = "") -> ProtocolError:
    """The error for a message that is wrong and costs only its own call."""
    return ProtocolError(description, code=ErrorCode.BAD_REQUEST, limit=limit)


class PeerError(WireError):
    """The peer ended the connection, by an error frame or by leaving it in mid-sentence.

    Args:
        code: The code of the peer's error frame, an `ErrorCode` where it is a known one;
            `ErrorCode.NETWORK` when the peer was gone before it had finished, and
            `ErrorCode.TIMEOUT` when it did not finish the handshake in time.
        description: The peer's text, or what happened.

    """

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description

    def __str__(self) -> str:
        return f"{error_name(self.code)}: {self.description}"


class LocalProtocolError(WireError):
    """The connection's state forbids what you asked of it: a call before the handshake."""
