"""What of tchannel_wire runs natively: messages of one small frame, both ways."""

from __future__ import annotations

from typing import Final

from . import _native
from .parts import Replacement, look_up

__all__ = ["OBJECTS", "WAYS", "ways"]

PACKAGE: Final = "tchannel_wire"

WAYS: Final = {
    "receive": "connection.Connection.receive",
    "receive_frames": "connection.Connection._receive_frames",
    "call": "outbound.OutboundSide.call",
    "respond": "inbound.InboundSide.respond",
}
"""By the names that the native module has for them, the Python functions that are replaced."""

OBJECTS: Final = {
    # The classes whose slots are read and written.
    "Connection": "connection.Connection",
    "FrameBuffer": "frames.FrameBuffer",
    "Options": "options.Options",
    "Outbox": "outbox.Outbox",
    "OutboundCall": "exchanges.OutboundCall",
    "PreparedCall": "exchanges.PreparedCall",
    "RequestReceived": "events.RequestReceived",
    "ResponseReceived": "events.ResponseReceived",
    # What header blocks mean, as the Python way has learnt it.
    "request_prefixes": "inbound._prefixes",
    "response_prefixes": "outbound._prefixes",
    "response_packers": "inbound._response_packers",
    # Compared by identity.
    "OPEN": "states.ConnectionState.OPEN",
    "CLOSED": "states.ConnectionState.CLOSED",
    "CRC32": "checksums.ChecksumType.CRC32",
    "CRC32C": "checksums.ChecksumType.CRC32C",
}
"""What the native ways reach into the package for, by the names that they have for it."""


def ways() -> list[Replacement]:
    """Make the native ways; nothing is replaced yet.

    Raises:
        AttributeError: The package has something no more that they reach for.
        TypeError: Something in it is of another kind.

    """
    twins = {name: look_up(PACKAGE, path) for name, path in WAYS.items()}
    objects = {name: look_up(PACKAGE, path) for name, path in OBJECTS.items()}
    native = _native.wire_ways(objects, twins)
    return [
        Replacement(
            look_up(PACKAGE, path.rpartition(".")[0]),
            path.rpartition(".")[2],
            twins[name],
            native[name],
        )
        for name, path in WAYS.items()
    ]
