"""Hyperbahn for TChannel: advertise, discover, peer sources and a development router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .advertising import advertise, unadvertise

if TYPE_CHECKING:
    from .router import Router

__all__ = ["Router", "__version__", "advertise", "unadvertise"]

_HOMES = {"Router": "router"}


# Lazily, so that a service which advertises does not pay for a router.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
