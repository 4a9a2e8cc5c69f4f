"""Which calls of a capture are wanted."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import tchannel_wire as wire

from .._terminal.failures import ToolError
from .._terminal.quantities import duration
from .calls import Call

__all__ = ["Filter", "add_filters", "filter_of"]

_OUTCOMES = ("ok", "error", "application error", "no answer", *map(wire.error_name, wire.ErrorCode))


def add_filters(add: Callable[..., object]) -> None:
    """Add the options that choose calls to those of a command.

    Args:
        add: ``add_argument`` of its parser.

    """
    add("--service", metavar="NAME", help="calls of this service alone")
    add("--endpoint", metavar="NAME", help="calls of this endpoint alone")
    add("--outcome", metavar="NAME", help="calls that ended so: ok, error, timeout, busy, ...")
    add("--slower-than", metavar="TIME", help="calls that took longer, such as 100ms or 2s")


def filter_of(options: argparse.Namespace, peer: str | None = None) -> Filter:
    """Return what the options choose.

    Raises:
        ToolError: No call can end so, or a time is none.

    """
    slower_than = options.slower_than
    return Filter(
        service=options.service,
        endpoint=options.endpoint,
        peer=peer,
        outcome=None if options.outcome is None else _outcome(options.outcome),
        slower_than=None if slower_than is None else duration(slower_than, "--slower-than"),
    )


def _outcome(name: str) -> str:
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
