"""Every state of a connection, and every step from one to another.

Theory of operation
-------------------

The two ends differ only until the handshake is done: the opener sends an init request and waits
for the init response, the accepter waits for the init request and answers it. Nothing else may
cross before, except an error frame, which ends the handshake whatever its id. After that the ends
are equal, and either may call the other.

``OPEN`` and ``DRAINING`` accept the same frames. They differ in what this end does with them: one
that drains has announced it and declines new calls from its peer, while the calls that are under
way, in both directions, come to their end.

``CLOSED`` is final. There, frames that are still on their way are dropped without a look: they
neither change the state nor are they an error.

What moves a connection is either a frame from the peer or something that this end does or notices
(`LocalInput`). Both are keys of `TRANSITIONS`; **a pair that is not in the table is an error**: the
peer's (fatal) for a frame, the user's (`LocalProtocolError`) for a local input.

Two steps depend on more than the pair and are decided by the connection, which then uses a local
input of the table: a frame that breaks the protocol (`FAIL`), and an error frame with code 0xFF
about the connection itself (`CLOSE`). What belongs to one call, such as a continuation of a call
that is long gone, is not the connection's state and is never fatal.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from .errors import LocalProtocolError, ProtocolError
from .frames import FrameType

__all__ = ["TRANSITIONS", "ConnectionState", "LocalInput", "after_frame", "after_input"]


class ConnectionState(IntEnum):
    """Where a connection is in its life."""

    AWAITING_INIT_REQUEST = 0
    """Accepter: nothing received yet."""
    AWAITING_INIT_RESPONSE = 1
    """Opener: the init request is queued or sent."""
    OPEN = 2
    """Calls go both ways."""
    DRAINING = 3
    """This end has announced that it will leave; calls under way go on."""
    CLOSED = 4
    """Nothing is received or started any more; what was queued may still be sent."""


class LocalInput(Enum):
    """What this end does or notices."""

    START = "start a call, a ping or a claim"
    DRAIN = "drain"
    CLOSE = "close"
    FAIL = "fail"
    EOF = "end of the peer's stream"
    HANDSHAKE_TIMEOUT = "time out of the handshake"


_AWAITING_REQUEST = ConnectionState.AWAITING_INIT_REQUEST
_AWAITING_RESPONSE = ConnectionState.AWAITING_INIT_RESPONSE
_OPEN = ConnectionState.OPEN
_DRAINING = ConnectionState.DRAINING
_CLOSED = ConnectionState.CLOSED

_AFTER_HANDSHAKE = (
    FrameType.CALL_REQUEST,
    FrameType.CALL_RESPONSE,
    FrameType.CALL_REQUEST_CONTINUE,
    FrameType.CALL_RESPONSE_CONTINUE,
    FrameType.CANCEL,
    FrameType.CLAIM,
    FrameType.PING_REQUEST,
    FrameType.PING_RESPONSE,
    FrameType.ERROR,
)

_ENDS: dict[FrameType | LocalInput, ConnectionState] = {
    LocalInput.CLOSE: _CLOSED,
    LocalInput.FAIL: _CLOSED,
    LocalInput.EOF: _CLOSED,
}

TRANSITIONS: dict[ConnectionState, dict[FrameType | LocalInput, ConnectionState]] = {
    _AWAITING_REQUEST: {
        FrameType.INIT_REQUEST: _OPEN,
        FrameType.ERROR: _CLOSED,
        LocalInput.HANDSHAKE_TIMEOUT: _CLOSED,
        **_ENDS,
    },
    _AWAITING_RESPONSE: {
        FrameType.INIT_RESPONSE: _OPEN,
        FrameType.ERROR: _CLOSED,
        LocalInput.HANDSHAKE_TIMEOUT: _CLOSED,
        **_ENDS,
    },
    _OPEN: {
        **dict.fromkeys(_AFTER_HANDSHAKE, _OPEN),
        LocalInput.START: _OPEN,
        LocalInput.DRAIN: _DRAINING,
        **_ENDS,
    },
    _DRAINING: {
        **dict.fromkeys(_AFTER_HANDSHAKE, _DRAINING),
        LocalInput.START: _DRAINING,
        LocalInput.DRAIN: _DRAINING,
        **_ENDS,
    },
    _CLOSED: {
        **dict.fromkeys(FrameType, _CLOSED),
        **_ENDS,
    },
}

_EXPECTED = {
    _AWAITING_REQUEST: "an init request must come first",
    _AWAITING_RESPONSE: "an init response must come first",
    _OPEN: "the handshake is done",
    _DRAINING: "the handshake is done",
}


def after_frame(state: ConnectionState, type: int) -> ConnectionState:
    """The state after a frame of `type` was received in `state`.

    Raises:
        ProtocolError: The frame may not come now, or its type is unknown; always fatal.

    """
    try:
        # Enum members of int hash and compare as their numbers, so a plain type byte finds them.
        return TRANSITIONS[state][type]  # type: ignore[index]
    except KeyError:
        pass
    try:
        name = FrameType(type).name.lower().replace("_", " ")
    except ValueError:
        raise ProtocolError(f"unknown frame type {type:#04x}") from None
    raise ProtocolError(f"unexpected {name}: {_EXPECTED[state]}")


def after_input(state: ConnectionState, input: LocalInput) -> ConnectionState:
    """The state after `input` in `state`.

    Raises:
        LocalProtocolError: The connection's state does not allow it.

    """
    try:
        return TRANSITIONS[state][input]
    except KeyError:
        name = state.name.lower().replace("_", " ")
        raise LocalProtocolError(f"cannot {input.value}: the connection is {name}") from None
