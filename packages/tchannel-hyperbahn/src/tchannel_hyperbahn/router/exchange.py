"""One relayed call: who made it, who serves it, and under which ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tchannel_wire as wire

if TYPE_CHECKING:
    from .connection import RouterConnection
    from .directory import Instance
    from .relay import Relay

__all__ = ["Exchange"]


class Exchange:
    """A call between its first frame and the last frame of its answer.

    Args:
        relay: Whose call it is.
        caller: The connection that it came on.
        caller_id: Its id there.
        instance: Who is to serve it.
        tracing: The tracing of its first frame, for errors that the router makes.
        ttl_ms: The milliseconds that its caller gives it.

    """

    __slots__ = (
        "arrived",
        "bucket",
        "caller",
        "caller_id",
        "connection",
        "instance",
        "link",
        "link_id",
        "tracing",
        "ttl_ms",
        "waiting",
    )

    bucket: dict[wire.DeadlineItem, None] | None

    def __init__(
        self,
        relay: Relay,
        caller: RouterConnection,
        caller_id: int,
        instance: Instance,
        tracing: bytes,
        ttl_ms: int,
        arrived: float,
    ) -> None:
        self.connection: wire.Expirer = relay
        self.caller: RouterConnection = caller
        self.caller_id: int = caller_id
        self.instance: Instance = instance
        self.tracing: bytes = tracing
        self.ttl_ms: int = ttl_ms
        self.arrived: float = arrived
        self.link: RouterConnection | None = None
        """The connection that it was forwarded on; None while it waits for one."""
        self.link_id: int = 0
        """Its id there."""
        self.waiting: list[bytes] = []
        """Its frames, while it waits for a connection."""
        self.bucket = None
