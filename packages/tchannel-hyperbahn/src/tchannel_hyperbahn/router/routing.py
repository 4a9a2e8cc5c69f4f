"""What the router looks at in a call frame: where it is to go, and whether it may be passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tchannel_wire as wire
from tchannel_wire import CALLER_NAME, ROUTING_DELEGATE, ROUTING_KEY

__all__ = ["bad_chunks", "probable_route_of", "route_of"]

_LAST_CHECKSUM_TYPE = int(max(wire.ChecksumType))
_LAST_CALL_TYPE = int(wire.FrameType.CALL_RESPONSE_CONTINUE)


def route_of(frame: bytes, known: Callable[[str], bool]) -> str:
    """The name that a call goes to: its routing delegate (``rd``), or else its routing key (``rk``)
    if somebody serves that, or else its service.

    A routing delegate comes first: it is the one who knows the routing keys behind it.

    Args:
        frame: A call request, whole.
        known: Whether somebody serves a name.

    Raises:
        ProtocolError: The frame is cut off, names no service or no caller, or would harm a service
            behind us; code BAD_REQUEST.

    """
    problem = bad_chunks(frame)
    if problem is None:
        headers = wire.peek_headers(frame)
        name = _preferred(headers, known) or wire.peek_service(frame)
        if not name:
            problem = "missing service name"
        elif CALLER_NAME not in headers:
            problem = "missing cn header"
        else:
            return name
    raise wire.ProtocolError(
        problem, code=wire.ErrorCode.BAD_REQUEST, message_id=wire.peek_id(frame)
    )


def probable_route_of(prefix: bytes, known: Callable[[str], bool]) -> str | None:
    """The name that a call goes to, of which only the beginning is here; None if that is too short."""
    try:
        return _preferred(wire.peek_headers(prefix), known) or wire.peek_service(prefix)
    except wire.ProtocolError:
        return None


def _preferred(headers: Mapping[str, str], known: Callable[[str], bool]) -> str | None:
    """The name that is asked for instead of the service; None when there is none."""
    delegate = headers.get(ROUTING_DELEGATE)
    if delegate:
        return delegate
    group = headers.get(ROUTING_KEY)
    return group if group and known(group) else None


def bad_chunks(frame: bytes) -> str | None:
    """What is wrong with a call frame's checksum type and chunks; None for other frames.

    A checksum type that does not exist, or a frame without chunks, crashes a service that runs
    tchannel-go.
    """
    if frame[2] > _LAST_CALL_TYPE:
        return None
    try:
        checksum_type = wire.peek_checksum_type(frame)
        if checksum_type > _LAST_CHECKSUM_TYPE:
            return f"unknown checksum type {checksum_type}"
        if not wire.peek_has_chunks(frame):
            return "call frame without chunks"
    except wire.ProtocolError as error:
        return error.description
    return None
