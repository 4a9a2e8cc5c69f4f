"""Sockets that listen, before anybody accepts on them: bound by us, or handed over by who started us."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass

from .._ground.addresses import UNIX_PREFIX, format_hostport, parse_hostport
from .._ground.logs import logger
from ..net import local_ip
from .acceptor import BACKLOG

__all__ = ["Bound", "adopt", "bind", "remove_socket"]

log = logger("tchannel.listener")

_ALL_IPV4 = "0.0.0.0"  # noqa: S104 - what users write to bind everywhere
_EVERYWHERE = frozenset({"", _ALL_IPV4, "::"})


@dataclass(frozen=True)
class Bound:
    """Listening sockets, and what they are called.

    Args:
        sockets: non-blocking; more than one for all interfaces of both families.
        hostport: the address that others reach it by; never ``0.0.0.0``: nobody could connect to that.
        everywhere: it listens on all interfaces.
        reachable: what a handshake may say, in dotted IPv4: peers understand nothing else.
        unlink: the path of a Unix socket that goes away with it.

    """

    sockets: tuple[socket.socket, ...]
    hostport: str
    everywhere: bool = False
    reachable: str | None = None
    unlink: str | None = None


def bind(hostport: str | None, *, reuse_port: bool) -> Bound:
    """Bind to an address.

    Args:
        hostport: the port may be 0; None is every interface and any free port.
        reuse_port: share the port with other processes (SO_REUSEPORT).

    Raises:
        OSError: the address is in use or not one of this machine.

    """
    if hostport is not None and hostport.startswith(UNIX_PREFIX):
        path = hostport.removeprefix(UNIX_PREFIX)
        return Bound((_bind_unix(path),), hostport, unlink=path)
    host, port = parse_hostport(hostport) if hostport is not None else ("", 0)
    return _named(_bind(host, port, reuse_port=reuse_port), host)


def adopt(sock: socket.socket) -> Bound:
    """Take over a socket that listens already; its path, if it has one, stays when it is closed.

    Raises:
        TypeError: not a socket.
        ValueError: not one that listens for streams, on IP or Unix.

    """
    if not isinstance(sock, socket.socket):
        raise TypeError(f"sock must be a socket, not {type(sock).__name__}")
    if sock.family not in {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}:
        raise ValueError(f"sock must be one of IP or Unix, not of {sock.family.name}")
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"sock must be one for streams, not {sock.type.name}")
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ValueError("sock must listen already: call its listen()")
    sock.setblocking(False)
    address = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        path = address if isinstance(address, str) else f"@{os.fsdecode(address[1:])}"
        return Bound((sock,), f"{UNIX_PREFIX}{path}")
    return _named([sock], address[0])


def _named(sockets: list[socket.socket], host: str) -> Bound:
    bound = sockets[0]
    address, port = bound.getsockname()[:2]
    everywhere = host in _EVERYWHERE
    if everywhere:
        host = address = local_ip()
    return Bound(
        tuple(sockets),
        format_hostport(host, port),
        everywhere=everywhere,
        reachable=f"{address}:{port}" if everywhere or bound.family == socket.AF_INET else None,
    )


def _bind(host: str, port: int, *, reuse_port: bool) -> list[socket.socket]:
    # Not tornado.netutil.bind_sockets, which loses a socket when the address is in use.
    if host not in _EVERYWHERE or host == _ALL_IPV4:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [_listen(host, port, family, reuse_port=reuse_port)]
    first = _listen("", port, socket.AF_INET, reuse_port=reuse_port)
    try:
        port = first.getsockname()[1]
        return [first, _listen("", port, socket.AF_INET6, reuse_port=reuse_port)]
    except OSError as error:
        # No IPv6 on this machine, or its port of that number belongs to somebody else.
        log.debug("not listening on IPv6: %s", error)
        return [first]


def _listen(
    host: str, port: int, family: socket.AddressFamily, *, reuse_port: bool
) -> socket.socket:
    bound = socket.create_server(
        (host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port
    )
    bound.setblocking(False)
    return bound


def _bind_unix(path: str) -> socket.socket:
    if not _answered(path):
        remove_socket(path)  # left behind by a process that was killed
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(path)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _answered(path: str) -> bool:
    """Say whether somebody listens there: that socket is not ours to take away."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:  # more wait already than it accepts at once
            return True
        except OSError:
            return False
    return True


def remove_socket(path: str) -> None:
    """Remove a Unix socket's path, if it is one."""
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
