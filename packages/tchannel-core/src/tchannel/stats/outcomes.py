"""How calls end, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "APP_ERROR",
    "CONNECTION_LOST",
    "NO_PEER",
    "OTHERS",
    "OTHER_ERROR",
    "OUTCOME_OF_CODE",
    "SUCCESS",
]

OTHERS: Final = "(others)"
"""Service, endpoint or caller of a row that sums up what has no row of its own."""

SUCCESS: Final = "success"
"""Outcome: a response with status OK."""

APP_ERROR: Final = "app-error"
"""Outcome: a response with status FAILED, which says an error of the application's own."""

NO_PEER: Final = "no-peer"
"""Outcome of an outgoing call: there was no peer to send it to."""

CONNECTION_LOST: Final = "connection-lost"
"""Outcome of an incoming call: its caller's connection ended before the answer."""

OTHER_ERROR: Final = "other-error"
"""Outcome of an outgoing call: something raised that is no error of the protocol."""

OUTCOME_OF_CODE: Final[Mapping[int, str]] = {
    0x01: "timeout",
    0x02: "cancelled",
    0x03: "busy",
    0x04: "declined",
    0x05: "unexpected-error",
    0x06: "bad-request",
    0x07: "network-error",
    0x08: "unhealthy",
    0xFF: "fatal-protocol-error",
}
"""The other outcomes, by the codes of error frames (protocol, "Errors")."""
