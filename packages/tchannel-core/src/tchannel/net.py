"""Addresses: ``host:port``, ``[ipv6%scope]:port``, ``unix:/path``; and that of this machine."""

import ipaddress
import re
import socket
from typing import Final

__all__ = [
    "UNIX_CALLER",
    "check_hostport",
    "check_text",
    "format_hostport",
    "is_ephemeral",
    "local_ip",
    "parse_hostport",
]

UNIX_PREFIX: Final = "unix:"
UNIX_CALLER: Final = "unix-peer-"
"""How the names begin that callers on Unix sockets are given: their sockets have none."""

_PORT: Final = re.compile("[0-9]{1,5}")

# Nothing is sent to them: connecting a datagram socket only asks the kernel for a route.
_FAR_AWAY: Final = (
    (socket.AF_INET, ("192.0.2.1", 9)),
    (socket.AF_INET6, ("2001:db8::1", 9)),
)


def parse_hostport(hostport: str) -> tuple[str, int]:
    """Split an address into host and port.

    The port follows the last colon; an IPv6 host stands in brackets, which are taken off, and may
    name a scope (``[fe80::1%eth0]:4040``). ``unix:/path`` gives ``("unix:/path", 0)``.

    Raises:
        TypeError: Not a string.
        ValueError: Not an address; the message names the value and what is wrong with it.

    """
    if not isinstance(hostport, str):
        raise TypeError(f"an address must be a string like 'host:port', not {hostport!r}")
    if hostport.startswith(UNIX_PREFIX):
        if len(hostport) == len(UNIX_PREFIX) or "\0" in hostport:
            raise ValueError(f"address {hostport!r} has no path behind 'unix:'")
        return hostport, 0
    host, colon, digits = hostport.rpartition(":")
    if not colon:
        raise ValueError(f"address {hostport!r} has no port: write 'host:port'")
    if "://" in hostport:
        raise ValueError(f"address {hostport!r} is a URL: write 'host:port'")
    if not _PORT.fullmatch(digits) or int(digits) > 0xFFFF:
        raise ValueError(
            f"address {hostport!r} has no port between 0 and 65535 behind its last ':'"
        )
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"address {hostport!r} has no IPv6 address in its brackets") from None
    elif ":" in host:
        raise ValueError(f"address {hostport!r} needs brackets around its IPv6 host: '[::1]:4040'")
    elif not host:
        raise ValueError(f"address {hostport!r} has no host before its ':'")
    elif not host.isprintable() or any(character in host for character in " /[]@"):
        raise ValueError(f"address {hostport!r} has a host with characters that no host name has")
    return host, int(digits)


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


def is_ephemeral(hostport: str) -> bool:
    """Whether an address that a peer announced says "I do not listen".

    That is ``0.0.0.0:0``, and as well the empty string, whatever ends in ``:0`` and what is no
    address at all (protocol, "connection").
    """
    try:
        host, port = parse_hostport(hostport)
    except ValueError:
        return True
    return port == 0 and not host.startswith(UNIX_PREFIX)


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


def check_text(value: object, name: str, most: int) -> str:
    """Return ``value`` if it is a str that can be sent in at most ``most`` bytes.

    Raises:
        TypeError: Not a str.
        ValueError: Too long, or not to be encoded; the message names the argument and the value.

    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {value!r}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{name} cannot be sent as UTF-8: {value[:40]!r}") from None
    if size > most:
        raise ValueError(f"{name} must be at most {most} bytes, not {size}: {value[:40]!r}")
    return value


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
    if port == 0 and not hostport.startswith(("unix:", UNIX_CALLER)):
        raise ValueError(f"hostport needs a port other than 0: {hostport!r}")
