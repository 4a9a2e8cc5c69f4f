"""Testing for TChannel; implemented by the tchannel-testing distribution.

``from tchannel.testing import vcr`` records and replays calls.
"""

from typing import TYPE_CHECKING, Any

from .._optional import import_layer

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

_layer = import_layer("tchannel_testing", dist="tchannel-testing")


# Lazily, as the layer does it: a test that needs a clock shall not pay for a proxy.
def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(_layer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
