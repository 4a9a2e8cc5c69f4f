"""Calls summed up: how many of each endpoint, how they ended, how long they took."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .calls import Call

__all__ = ["Endpoint", "Summary", "percentile"]


@dataclass(slots=True)
class Endpoint:
    """The calls of one endpoint of a service.

    Attributes:
        outcomes: How many ended how.
        latencies: Seconds of each that was answered.
        request_bytes: Bytes of all their requests, arg2 and arg3.
        response_bytes: Bytes of all their answers.

    """

    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))
    request_bytes: int = 0
    response_bytes: int = 0

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """How many were not answered with ok."""
        return self.calls - self.outcomes["ok"]


class Summary:
    """Sums up calls by service and endpoint.

    At most `most` endpoints are kept apart, so that endpoints that a caller makes up fill no memory;
    the others are summed under ``(others)``.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self.endpoints: dict[tuple[str, str], Endpoint] = {}

    def add(self, call: Call) -> None:
        """Count a call."""
        key = (call.service, call.endpoint)
        found = self.endpoints.get(key)
        if found is None:
            if len(self.endpoints) >= self._most:
                key = ("(others)", "(others)")
            found = self.endpoints.setdefault(key, Endpoint())
        found.outcomes[call.outcome] += 1
        if call.latency is not None:
            found.latencies.append(call.latency)
        found.request_bytes += sum(call.request.sizes[1:])
        if call.response is not None:
            found.response_bytes += sum(call.response.sizes[1:])


def percentile(ordered: Iterable[float], share: float) -> float | None:
    """The value below which that share of the values lies (nearest rank); None of no values.

    Args:
        ordered: The values, ascending.
        share: From 0 to 1.

    """
    values = list(ordered)
    if not values:
        return None
    return values[min(len(values) - 1, max(0, round(share * len(values) + 0.5) - 1))]
