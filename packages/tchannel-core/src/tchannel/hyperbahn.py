"""Hyperbahn for TChannel; implemented by the tchannel-hyperbahn distribution.

Services need no more than a method of their channel: `tchannel.TChannel.advertise`.
"""

from typing import TYPE_CHECKING

from ._ground.optional import forward, import_layer

if TYPE_CHECKING:
    from tchannel_hyperbahn import (
        DnsSource,
        FileSource,
        HyperbahnSource,
        InvalidServiceName,
        NoPeersAvailable,
        Router,
        advertise,
        discover,
        unadvertise,
    )

__all__ = [
    "DnsSource",
    "FileSource",
    "HyperbahnSource",
    "InvalidServiceName",
    "NoPeersAvailable",
    "Router",
    "advertise",
    "discover",
    "unadvertise",
]

# Lazily, because discovery needs a layer of its own, which advertising does not.
if not TYPE_CHECKING:
    __getattr__ = forward(
        __name__, import_layer("tchannel_hyperbahn", dist="tchannel-hyperbahn"), __all__
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
