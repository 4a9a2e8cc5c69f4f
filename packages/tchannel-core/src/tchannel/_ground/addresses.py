"""Addresses: ``host:port``, ``[ipv6%scope]:port``, ``unix:/path``."""

from ipaddress import ip_address
from typing import Final

import tchannel_wire as wire

__all__ = [
    "UNIX_CALLER",
    "UNIX_PREFIX",
    "announced_address",
    "check_hostport",
    "format_hostport",
    "is_unspecified",
    "parse_hostport",
]

UNIX_PREFIX: Final = "unix:"
UNIX_CALLER: Final = "unix-peer-"
"""How the names begin that callers on Unix sockets are given: their sockets have none."""


def parse_hostport(hostport: str) -> tuple[str, int]:
    """Split an address into host and port.

    As `tchannel_wire.parse_host_port`; besides, ``unix:/path`` gives ``("unix:/path", 0)``.

    Raises:
        TypeError: Not a string.
        ValueError: Not an address; the message names the value and what is wrong with it.

    """
    if isinstance(hostport, str) and hostport.startswith(UNIX_PREFIX):
        if len(hostport) == len(UNIX_PREFIX) or "\0" in hostport:
            raise ValueError(f"address {hostport!r} has no path behind 'unix:'")
        return hostport, 0
    return wire.parse_host_port(hostport)


def format_hostport(host: str, port: int) -> str:
    """Join host and port into an address; the inverse of `parse_hostport`.

    Raises:
        ValueError: A port outside 0…65535, or an empty host.

    """
    if host.startswith(UNIX_PREFIX):
        return host
    if not host:
        raise ValueError(f"host must not be empty, but is {host!r}")
    if not 0 <= port <= 0xFFFF:
        raise ValueError(f"port must be between 0 and 65535, not {port!r}")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_unspecified(host: str) -> bool:
    """Say whether a host stands for all interfaces of a machine: ``0.0.0.0``, ``::``."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def announced_address(host_port: str | None, address: str) -> str | None:
    """Return where a peer says it listens: a claim.

    An unspecified host in it (``0.0.0.0``) is replaced by the socket's: who listens on all interfaces
    may say so, and nobody can be called there.

    Args:
        host_port: what it announced; None if it does not listen.
        address: the address of its socket.

    """
    if host_port is None:
        return None
    host, port = parse_hostport(host_port)
    if not is_unspecified(host):
        return host_port
    if not address or address.startswith((UNIX_PREFIX, UNIX_CALLER)):
        return None
    return format_hostport(parse_hostport(address)[0], port)


def check_hostport(hostport: str) -> None:
    """Refuse what cannot be called.

    Raises:
        TypeError: ``hostport`` is no str.
        ValueError: It is no address, or has no port.

    """
    if not isinstance(hostport, str):
        raise TypeError(f"hostport must be a str, not {hostport!r}")
    _, port = parse_hostport(hostport)
    # The caller on a Unix socket has no port, and may have gone a moment ago.
    if port == 0 and not hostport.startswith((UNIX_PREFIX, UNIX_CALLER)):
        raise ValueError(f"hostport needs a port other than 0: {hostport!r}")
