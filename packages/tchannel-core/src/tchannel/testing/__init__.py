"""Testing for TChannel; implemented by the tchannel-testing distribution.

``from tchannel.testing import vcr`` records and replays calls.
"""

from typing import TYPE_CHECKING

from .._ground.optional import forward, import_layer, submodules

if TYPE_CHECKING:
    from tchannel_testing import (
        Calls,
        FakeService,
        FaultProxy,
        ManualClock,
        Pair,
        ReceivedCall,
        clock,
        data,
        memory,
        proxy,
        service,
    )

    from . import vcr as vcr

__all__ = [
    "Calls",
    "FakeService",
    "FaultProxy",
    "ManualClock",
    "Pair",
    "ReceivedCall",
    "clock",
    "data",
    "memory",
    "proxy",
    "service",
]

# Lazily, as the layer does it: a test that needs a clock shall not pay for a proxy.
if not TYPE_CHECKING:
    _of_layer = forward(
        __name__, import_layer("tchannel_testing", dist="tchannel-testing"), __all__
    )
    _own = submodules(__name__, {"vcr"})

    def __getattr__(name: str) -> object:
        return (_own if name == "vcr" else _of_layer)(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "vcr"})
