"""Testing for TChannel; implemented by the tchannel-testing distribution.

``from tchannel.testing import vcr`` records and replays calls.
"""

from typing import TYPE_CHECKING

from .._ground.optional import forward, import_layer

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

# Lazily, as the layer does it: a test that needs a clock shall not pay for a proxy.
if not TYPE_CHECKING:
    __getattr__ = forward(
        __name__, import_layer("tchannel_testing", dist="tchannel-testing"), __all__
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
