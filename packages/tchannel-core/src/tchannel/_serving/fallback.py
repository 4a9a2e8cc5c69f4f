"""The catch-all endpoint."""

from __future__ import annotations

from typing import Final

__all__ = ["FALLBACK", "Fallback"]


class Fallback:
    """The type of `TChannel.FALLBACK`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "TChannel.FALLBACK"


FALLBACK: Final = Fallback()
"""Registered as an endpoint, it takes the calls that no other handler takes, whatever their scheme."""
