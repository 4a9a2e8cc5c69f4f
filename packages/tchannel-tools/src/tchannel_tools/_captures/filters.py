"""Which calls of a capture are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import tchannel_wire as wire

from .._terminal.failures import ToolError
from .calls import Call

__all__ = ["Filter", "outcome"]

_OUTCOMES = ("ok", "error", "application error", "no answer", *map(wire.error_name, wire.ErrorCode))


def outcome(name: str | None) -> str | None:
    """Return the outcome that ``--outcome`` names, as calls have it.

    Raises:
        ToolError: No call can end so.

    """
    if name is None:
        return None
    for one in _OUTCOMES:
        if name.replace("-", " ") == one.replace("-", " "):
            return one
    if name.startswith("error 0x"):  # a code without a name
        return name
    raise ToolError(f"--outcome is one of {', '.join(_OUTCOMES)}; not {name!r}")


@dataclass(frozen=True, slots=True)
class Filter:
    """Calls by what is known of them; None takes any.

    Attributes:
        service: Name of the service.
        endpoint: Name of the endpoint.
        peer: Address of either side, ``host:port`` or the host alone.
        outcome: How it ended; ``error`` is whatever is not ok.
        slower_than: Seconds; a call without an answer counts as slower.

    """

    service: str | None = None
    endpoint: str | None = None
    peer: str | None = None
    outcome: str | None = None
    slower_than: float | None = None

    def takes(self, call: Call) -> bool:
        """Say whether the call is wanted."""
        if self.service is not None and call.service != self.service:
            return False
        if self.endpoint is not None and call.endpoint != self.endpoint:
            return False
        if self.peer is not None:
            ends = (call.caller, call.callee)
            hosts = [end.rpartition(":")[0].strip("[]") for end in ends]
            if self.peer not in ends and self.peer.strip("[]") not in hosts:
                return False
        if self.outcome is not None:
            if self.outcome == "error":
                if call.ok:
                    return False
            elif call.outcome != self.outcome:
                return False
        if self.slower_than is not None:
            return call.latency is None or call.latency > self.slower_than
        return True
