"""A TCP proxy that does to a connection what bad networks and bad peers do.

::

    async with FaultProxy(server.hostport) as proxy:
        proxy.set(latency=0.05, jitter=0.02)              # both directions
        proxy.downstream.set(bandwidth=10_000)            # answers only
        proxy.upstream.set(withhold=is_continuation)      # later fragments of requests
        ...
        proxy.clear()                                     # heals at once
        proxy.reset()                                     # RST to both ends of every connection

``python -m tchannel_testing proxy --help`` runs one from a shell.
"""

from .faults import (
    Faults,
    FaultSettings,
    add_frame,
    flip_byte,
    is_continuation,
    is_frame_type,
    repeat_frame,
    replace_frame,
)
from .server import Direction, FaultProxy, ProxiedConnection

__all__ = [
    "Direction",
    "FaultProxy",
    "FaultSettings",
    "Faults",
    "ProxiedConnection",
    "add_frame",
    "flip_byte",
    "is_continuation",
    "is_frame_type",
    "repeat_frame",
    "replace_frame",
]
