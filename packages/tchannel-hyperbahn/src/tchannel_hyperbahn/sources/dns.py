"""Peers from DNS: all addresses of one name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from tchannel.lowlevel import PeerGroup, format_hostport, parse_hostport

from .polling import PollingSource

__all__ = ["DnsSource"]

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Gives the addresses of a host; the port is that of the peers."""


class DnsSource(PollingSource):
    """All A and AAAA records of a name, each a peer; a headless service of Kubernetes, for one.

    Only the system's resolver is asked, so that ``/etc/hosts`` and search domains count as usual;
    it does not tell how long a record lives, hence the period.

    Args:
        hostport: ``"name:port"``; all peers listen on that port.
        period: Seconds between two look-ups; default 30.
        server_name: The name in the peers' TLS certificates; default the name that is looked up.
        resolve: Another resolver than the system's: an async function of name and port that gives
            addresses without port.

    Raises:
        TypeError: ``hostport`` is no str, or ``period`` no number.
        ValueError: ``hostport`` is no address with a port above 0, or ``period`` is not above 0.

    """

    def __init__(
        self,
        hostport: str,
        period: float = 30.0,
        *,
        server_name: str | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        super().__init__(period)
        self._name, self._port = parse_hostport(hostport)
        if not self._port:
            raise ValueError(f"hostport must be a name with a port above 0, not {hostport!r}")
        self._server_name = server_name or self._name
        self._resolve = _system_resolver if resolve is None else resolve

    def __str__(self) -> str:
        return f"peers of {self._name} by DNS"

    async def ask(self, group: PeerGroup) -> list[str] | None:
        """Look the name up."""
        addresses = await self._resolve(self._name, self._port)
        if not addresses:
            raise LookupError(f"{self._name} has no address")
        return [format_hostport(address, self._port) for address in addresses]

    def apply(self, group: PeerGroup, hostports: list[str]) -> None:
        """Make the peers known, whose certificates bear the name and not the address."""
        group.update(hostports)
        for hostport in hostports:
            group.add(hostport, server_name=self._server_name)


async def _system_resolver(name: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
