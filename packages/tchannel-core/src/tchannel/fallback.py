"""The catch-all endpoint."""

from __future__ import annotations

from typing import Final

from .endpoints import Endpoint, Handler

__all__ = ["FALLBACK", "Fallback", "fallback_endpoint"]


class Fallback:
    """The type of `TChannel.FALLBACK`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TChannel.FALLBACK"


FALLBACK: Final = Fallback()
"""Registered as an endpoint, it takes the calls that no other handler takes, whatever their scheme."""


def fallback_endpoint(handler: Handler) -> Endpoint:
    """Return an endpoint for a catch-all handler: it gets and gives raw bytes."""
    from .schemes.raw import encode_result

    return Endpoint(None, handler, None, encode_result)
