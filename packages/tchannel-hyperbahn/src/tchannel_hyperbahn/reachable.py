"""Whether the address that a channel would advertise is one that others can connect to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from logging import Logger

import tchannel_wire as wire
from tchannel import TChannel
from tchannel.lowlevel import UNIX_PREFIX, inside, logger, parse_hostport

__all__ = ["check_reachable"]

log: Logger = logger("tchannel.hyperbahn")


def check_reachable(channel: TChannel, routers: Iterable[str]) -> None:
    """Refuse to advertise an address at which no caller would ever arrive.

    Hyperbahn takes the address from the handshake (``host_port``), hands it to its other nodes, and
    connects to it; port 0 even breaks its connecting for good.

    Raises:
        ValueError: The channel has no such address; the error says how to get one.

    """
    address = inside(channel).advertised_hostport(opener=True)
    if address == wire.EPHEMERAL_HOST_PORT:
        raise ValueError(
            f"{channel.hostport} cannot be advertised, because Hyperbahn connects to IPv4 addresses"
            " alone: give the channel hostport='<IPv4 address>:0'"
        )
    host, _ = parse_hostport(address)
    if not _is_loopback(host):
        return
    elsewhere = [router for router in routers if not _is_loopback(parse_hostport(router)[0])]
    if not elsewhere:
        return
    listener = inside(channel).listener
    assert listener is not None
    if listener.everywhere:
        raise ValueError(
            f"no routable address of this machine was found, and at {address} the router"
            f" {elsewhere[0]} would reach itself: give the channel hostport='<IPv4 address>:0'"
        )
    log.warning("advertising %s, which is reached from this machine alone", address)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith(UNIX_PREFIX):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
