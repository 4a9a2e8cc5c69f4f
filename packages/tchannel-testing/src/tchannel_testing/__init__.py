"""Testing for TChannel: VCR, pytest plugin, doubles and a fault proxy.

``vcr`` records and replays calls, ``service`` has programmable services, ``memory`` joins channels
without sockets, ``proxy`` spoils connections, ``clock`` stands still, ``data`` is a Thrift service of
every type; ``thrift_service`` has doubles of Thrift services (with tchannel-thrift). Each is imported
when it is asked for.
"""

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import clock, data, memory, proxy, service, vcr
    from .calls import Calls, ReceivedCall
    from .clock import ManualClock
    from .memory import Pair
    from .proxy import FaultProxy
    from .service import FakeService

__all__ = [
    "Calls",
    "FakeService",
    "FaultProxy",
    "ManualClock",
    "Pair",
    "ReceivedCall",
    "__version__",
    "clock",
    "data",
    "memory",
    "proxy",
    "service",
    "vcr",
]

# Lazily, because pytest imports this package in every run where it is installed.
_HOMES = {
    "Calls": "calls",
    "FakeService": "service",
    "FaultProxy": "proxy",
    "ManualClock": "clock",
    "Pair": "memory",
    "ReceivedCall": "calls",
}

# Hidden from checkers: they know what there is, and a name that is wrong is found.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        import importlib

        if name in _HOMES:
            return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        if name in __all__:
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
