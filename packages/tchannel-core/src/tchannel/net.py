"""The address of this machine."""

import ipaddress
import socket
from typing import Final

__all__ = ["local_ip"]

# Nothing is sent to them: connecting a datagram socket only asks the kernel for a route.
_FAR_AWAY: Final = (
    (socket.AF_INET, ("192.0.2.1", 9)),
    (socket.AF_INET6, ("2001:db8::1", 9)),
)


def local_ip() -> str:
    """The address by which other machines reach this one.

    It is the address that the kernel sends from on the default route: IPv4 if there is one, else
    IPv6. No packet is sent and no name is looked up. Without any route it is ``127.0.0.1``.
    """
    for family, far_away in _FAR_AWAY:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(far_away)
                address: str = probe.getsockname()[0]
        except OSError:  # no route, or no such family on this machine
            continue
        ip = ipaddress.ip_address(address)
        if not (ip.is_unspecified or ip.is_loopback or ip.is_link_local):
            return address
    return "127.0.0.1"
