"""Sockets that listen, on whatever loop the channel runs.

``listen()`` binds at once, also before a loop runs; the loop is attached when there is one, and again
when the channel moves to another (``asyncio.run`` after an import-time ``listen()``).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import threading
from contextvars import Context
from typing import TYPE_CHECKING, Any

from .connection import Connection
from .net import format_hostport, local_ip, parse_hostport

if TYPE_CHECKING:
    from .channel import TChannel

__all__ = ["Listener", "drop_for_good"]

log = logging.getLogger("tchannel.listener")

_BACKLOG = 1024
_ALL_IPV4 = "0.0.0.0"  # noqa: S104 - what users write to bind everywhere
_EVERYWHERE = frozenset({"", _ALL_IPV4, "::"})

# How long a loop may take to start before a listener that nobody reads says so.
_WARN_AFTER = 1.0


class Listener:
    """The listening sockets of a channel.

    Args:
        channel: whose connections arrive here.
        hostport: where to listen; the port may be 0.
        reuse_port: share the port with other processes (SO_REUSEPORT).

    Raises:
        OSError: the address is in use or not one of this machine.

    """

    def __init__(self, channel: TChannel, hostport: str | None, *, reuse_port: bool) -> None:
        self._channel = channel
        self._servers: list[asyncio.Server] = []
        self._duplicates: list[socket.socket] = []
        self._starting: asyncio.Handle | None = None
        self._attaching: asyncio.Task[None] | None = None
        self._warning: threading.Timer | None = None
        self._unlink: str | None = None
        if hostport is not None and hostport.startswith("unix:"):
            path = hostport.removeprefix("unix:")
            self._sockets = [_bind_unix(path)]
            self._unlink = path
            self.hostport = hostport
            self.reachable: str | None = None
            self.everywhere = False
        else:
            host, port = parse_hostport(hostport) if hostport is not None else ("", 0)
            self._sockets = _bind(host, port, reuse_port=reuse_port)
            port = self._sockets[0].getsockname()[1]
            # Never 0.0.0.0: nobody could connect to that.
            everywhere = self.everywhere = host in _EVERYWHERE
            self.hostport = format_hostport(local_ip() if everywhere else host, port)
            # What a handshake may say: peers understand dotted IPv4 alone.
            bound = self._sockets[0]
            address = local_ip() if everywhere else bound.getsockname()[0]
            self.reachable = (
                f"{address}:{port}" if everywhere or bound.family == socket.AF_INET else None
            )

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Accept connections on ``loop``; what was accepted on another loop is not our concern."""
        self.detach()
        # No coroutine is made before the loop runs: it may never do so. And in an empty context:
        # what arrives must not inherit that of whoever called listen().
        self._starting = loop.call_soon(self._start, loop, context=Context())
        if not loop.is_running():
            self._warn_unless_running(loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._starting = None
        self._attaching = loop.create_task(self._serve(loop))

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._warning is not None:
            self._warning.cancel()
            self._warning = None
        channel = self._channel
        tls: dict[str, Any] = {}
        if channel.ssl_server is not None:
            timeout = channel.options.handshake_timeout
            tls = {
                "ssl": channel.ssl_server,
                "ssl_handshake_timeout": timeout,
                "ssl_shutdown_timeout": timeout,
            }
        for bound in self._sockets:
            # A dup, so that the sockets outlive this loop and can be attached to the next.
            duplicate = bound.dup()
            self._duplicates.append(duplicate)
            create = (
                loop.create_unix_server if bound.family == socket.AF_UNIX else loop.create_server
            )
            server = await create(
                lambda: Connection(channel, None),
                sock=duplicate,
                backlog=_BACKLOG,
                start_serving=False,
                **tls,
            )
            # Known before it serves: the channel may be closed while it begins to.
            self._servers.append(server)
            await server.start_serving()

    def _warn_unless_running(self, loop: asyncio.AbstractEventLoop) -> None:
        def warn() -> None:
            if not loop.is_running() and self._sockets:
                log.warning(
                    "%s listens on %s, but its event loop does not run: nobody is answered. "
                    "Call listen() inside main(), or start the loop.",
                    self._channel.name,
                    self.hostport,
                )

        self._warning = threading.Timer(_WARN_AFTER, warn)
        self._warning.daemon = True
        self._warning.start()

    def detach(self) -> None:
        """Leave the loop: connections that arrive wait in the kernel for the next `attach`."""
        if self._warning is not None:
            self._warning.cancel()
            self._warning = None
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        if self._attaching is not None:
            if not self._attaching.get_loop().is_closed():
                self._attaching.cancel()
            self._attaching = None
        for server in self._servers:
            if not server.get_loop().is_closed():
                server.close()
        self._servers = []
        for duplicate in self._duplicates:
            duplicate.close()
        self._duplicates = []

    def close(self) -> None:
        """Accept nothing more. Connections that were accepted stay."""
        self.detach()
        for bound in self._sockets:
            bound.close()
        self._sockets = []
        if self._unlink is not None:
            _remove_socket(self._unlink)
            self._unlink = None

    def forget(self) -> None:
        """In a forked child: drop what belongs to the parent, without a word to its loop."""
        drop_for_good(
            (self._duplicates, self._servers, self._starting, self._attaching, self._warning)
        )
        self._servers = []
        self._duplicates = []
        self._starting = self._attaching = None
        self._warning = None


def drop_for_good(objects: object) -> None:
    """Keep ``objects`` unused: collecting a transport would close it, which is not ours to do.

    They belong to the parent of a forked child, or to a loop that is over.
    """
    _dropped.append(objects)


_dropped: list[object] = []


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
    return socket.create_server(
        (host, port), family=family, backlog=_BACKLOG, reuse_port=reuse_port
    )


def _bind_unix(path: str) -> socket.socket:
    if not _answered(path):
        _remove_socket(path)  # left behind by a process that was killed
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(path)
        bound.listen(_BACKLOG)
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


def _remove_socket(path: str) -> None:
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass
