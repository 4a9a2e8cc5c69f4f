"""Peers from Hyperbahn: the instances of a service, to be called without a router in between."""

from __future__ import annotations

from collections.abc import Iterable

from tchannel.lowlevel import PeerGroup

from ..discovery import discover
from ..discovery_messages import check_extra
from ..host_list import check_hosts
from .polling import PollingSource

__all__ = ["HyperbahnSource"]

_TIMEOUT = 2.0


class HyperbahnSource(PollingSource):
    """The instances of a service, as Hyperbahn knows them. Needs ``tchannel-hyperbahn[discover]``.

    The channel then calls them directly, which saves the router's share of the latency.

    Args:
        service: The name that they have advertised.
        routers: The routers to ask.
        period: Seconds between two questions; default 10.

    Raises:
        TypeError: ``service`` is no str, ``routers`` no list of str, or ``period`` no number.
        ModuleNotFoundError: The extra is not installed; says how to install it.
        ValueError: ``service`` or ``routers`` is empty, a router is no address, or ``period`` is
            not above 0.

    """

    def __init__(self, service: str, routers: Iterable[str], period: float = 10.0) -> None:
        super().__init__(period)
        if not isinstance(service, str):
            raise TypeError(f"service must be a str, not {service!r}")
        if not service:
            raise ValueError("service must not be empty")
        check_extra()
        self._service = service
        self._routers = check_hosts(routers, "routers")

    def __str__(self) -> str:
        return f"peers of {self._service!r} by Hyperbahn"

    async def ask(self, group: PeerGroup) -> list[str] | None:
        """Ask the routers."""
        if group.channel is None:
            raise LookupError("the group has no channel to ask with")
        return await discover(group.channel, self._service, self._routers, timeout=_TIMEOUT)
