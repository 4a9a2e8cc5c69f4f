"""Hyperbahn for TChannel: advertise, discover, peer sources and a development router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__
from .advertising import advertise, unadvertise

if TYPE_CHECKING:
    from .discovery import discover
    from .discovery_messages import InvalidServiceName, NoPeersAvailable
    from .router import Router
    from .sources import DnsSource, FileSource, HyperbahnSource

__all__ = [
    "DnsSource",
    "FileSource",
    "HyperbahnSource",
    "InvalidServiceName",
    "NoPeersAvailable",
    "Router",
    "__version__",
    "advertise",
    "discover",
    "unadvertise",
]

_HOMES = {
    "DnsSource": "sources",
    "FileSource": "sources",
    "HyperbahnSource": "sources",
    "InvalidServiceName": "discovery_messages",
    "NoPeersAvailable": "discovery_messages",
    "Router": "router",
    "discover": "discovery",
}


# Lazily, so that a service which advertises does not pay for a router.
# Hidden from checkers: they know what there is, and a name that is wrong is found.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
