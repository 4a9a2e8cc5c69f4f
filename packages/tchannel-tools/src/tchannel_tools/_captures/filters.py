"""Which calls of a capture are wanted."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields

import tchannel_wire as wire

from .._terminal.failures import ToolError, one_line
from .._terminal.quantities import duration
from .calls import Call

__all__ = ["Choosing", "Filter", "add_filters", "filter_of"]

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


# Names that are kept to say what there was.
_MOST_NAMES = 20


class Choosing:
    """Chooses calls by a filter, and knows at the end what to say of a filter that chose nothing.

    Args:
        chosen: The filter.

    Attributes:
        seen: How many calls there were.
        taken: How many of them were chosen.

    """

    def __init__(self, chosen: Filter) -> None:
        self._filter = chosen
        self._names: dict[str, None] = {}
        self.seen = 0
        self.taken = 0

    def takes(self, call: Call) -> bool:
        """Say whether the call is wanted, and count it."""
        self.seen += 1
        if self._filter.takes(call):
            self.taken += 1
            return True
        if len(self._names) < _MOST_NAMES:
            self._names[f"{call.service or '?'} {call.endpoint or '?'} ({call.outcome})"] = None
        return False

    def note(self) -> str | None:
        """Return what the user should know of a filter that chose no call; None where it chose any."""
        if self.taken or not self.seen:
            return None
        given = ", ".join(
            f"--{field.name.replace('_', '-')} {getattr(self._filter, field.name)}"
            for field in fields(self._filter)
            if getattr(self._filter, field.name) is not None
        )
        names = list(self._names)
        there = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
        return one_line(f"{given} chooses none of {self.seen} calls; there was {there}")
