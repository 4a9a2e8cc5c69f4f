"""`Meta::health`, which every server answers (protocol, "Arg schemes").

Its request and its answer are constant bytes, so that it works without the Thrift layer; the other
Meta endpoints come with it.
"""

from __future__ import annotations

from typing import Final

from .endpoints import Endpoint, Endpoints

__all__ = ["HEALTH", "add_health"]

HEALTH: Final = "Meta::health"

# Thrift, Binary protocol: field 0 (success) of the result is a HealthStatus {1: ok = true}.
_NO_HEADERS: Final = b"\x00\x00"
_HEALTHY: Final = b"\x0c\x00\x00\x02\x00\x01\x01\x00\x00"


def add_health(endpoints: Endpoints) -> None:
    """Let ``endpoints`` answer `Meta::health` with ok until somebody registers a better answer."""
    endpoints.add(
        HEALTH,
        Endpoint("thrift", lambda request: None, None, lambda result: (0, _NO_HEADERS, _HEALTHY)),
    )
