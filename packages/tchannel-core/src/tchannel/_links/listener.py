"""Sockets that listen, on whatever loop the channel runs.

``listen()`` binds at once, also before a loop runs; the loop is attached when there is one, and again
when the channel moves to another (``asyncio.run`` after an import-time ``listen()``).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import socket
import ssl
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Unpack

from .._ground.addresses import format_hostport, parse_hostport
from .._ground.log_fields import log_fields
from .._ground.logs import logger
from .._ground.process import drop_for_good
from ..net import local_ip
from .acceptor import Acceptor
from .binding import Bound, remove_socket
from .connection import Connection
from .first_bytes import (
    ENOUGH,
    EXPECTS_TLS,
    TLS_RECORD,
    FirstBytes,
    not_tls,
    protocol_of,
    reason_of_failure,
)
from .tls import AcceptingArguments, ContextSource, telling_why

if TYPE_CHECKING:
    from .._inner_channel import InnerChannel

__all__ = ["Listener"]

log = logger("tchannel.listener")

# How long a loop may take to start before a listener that nobody reads says so.
_WARN_AFTER = 1.0

# Turns of the loop from the beginning of one TLS handshake to that of the next. Each takes a
# millisecond, and those whose calls come meanwhile are not to wait for a hundred of them.
_TURNS = 2

# In seconds: how long a peer whose TLS handshake failed may take to read why.
_LINGER = 0.5


class Listener:
    """The listening sockets of a channel.

    Args:
        channel: whose connections arrive here.
        bound: the sockets, which are closed with it.

    """

    def __init__(self, channel: InnerChannel, bound: Bound) -> None:
        self._channel = channel
        self._loop: asyncio.AbstractEventLoop | None = None
        self._acceptor: Acceptor | None = None
        self._warning: threading.Timer | None = None
        self._unlink = bound.unlink
        self._sockets = list(bound.sockets)
        self.hostport: str = bound.hostport
        self.reachable: str | None = bound.reachable
        self.everywhere: bool = bound.everywhere
        # Not __del__: the sockets would be collected along with us, each with a warning of its own.
        self._lost = weakref.finalize(
            self, _lose, channel.name, self.hostport, self._sockets, self._unlink, os.getpid()
        )
        self._lost.atexit = False
        _listeners.add(self)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Accept connections on ``loop``; what was accepted on another loop is not our concern."""
        self.detach()
        self._loop = loop
        self._handshakes = asyncio.Semaphore(self._channel.options.max_tls_handshakes)
        self._beginning = asyncio.Lock()
        self._acceptor = Acceptor(loop, self._sockets, self._make_connection, self._cannot_accept)
        log.info("%s listens on %s", self._channel.name, self.hostport)
        if not loop.is_running():
            self._warn_unless_running(loop)

    @property
    def arriving(self) -> list[asyncio.Task[None]]:
        """The making of connections that were accepted and are not made yet: TLS shakes hands."""
        return [] if self._acceptor is None else list(self._acceptor.arriving)

    def _cannot_accept(self, error: OSError) -> None:
        channel = self._channel
        channel.faults.log(
            channel.timers,
            log,
            logging.WARNING,
            "%s cannot accept connections: %s",
            channel.name,
            error,
            extra=log_fields(),
        )

    async def _make_connection(self, accepted: socket.socket, address: object) -> None:
        if self._warning is not None:
            self._warning.cancel()
            self._warning = None
        peer = format_hostport(*address[:2]) if isinstance(address, tuple) else ""
        source = self._channel.tls_server
        if source is None:
            await self._connect(accepted, peer)
            return
        first = await self._first_bytes(accepted, peer)
        if first.startswith(TLS_RECORD[: len(first)]) and first:
            await self._shake_hands(accepted, peer, source)
        elif first and self._channel.ssl_permissive:
            await self._connect(accepted, peer)
        else:
            if first:
                self._failed(peer, not_tls(first), logging.WARNING)
                if protocol_of(first) is None:
                    with contextlib.suppress(OSError):
                        accepted.send(EXPECTS_TLS)
            accepted.close()

    async def _first_bytes(self, accepted: socket.socket, peer: str) -> bytes:
        """Wait for the first bytes and leave them where they are; none if there are none.

        TLS costs 200 KB a connection from its beginning on: who says nothing does not get it.
        """
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        try:
            loop.add_reader(accepted, _wake, readable)
            try:
                async with asyncio.timeout(self._channel.options.handshake_timeout):
                    await readable
            finally:
                loop.remove_reader(accepted)
            first = accepted.recv(ENOUGH, socket.MSG_PEEK)
        except (OSError, TimeoutError):
            first = b""
        except BaseException:
            accepted.close()
            raise
        if not first:
            # A health check: no fault.
            log.debug("connection from %s said nothing", peer, extra=log_fields(peer))
        return first

    async def _shake_hands(self, accepted: socket.socket, peer: str, source: ContextSource) -> None:
        channel = self._channel
        timeout = channel.options.handshake_timeout
        try:
            async with asyncio.timeout(timeout):
                await self._handshakes.acquire()
        except BaseException as error:
            accepted.close()
            if not isinstance(error, TimeoutError):
                raise
            self._failed(peer, "too many TLS handshakes at once", logging.WARNING)
            return
        try:
            try:
                async with self._beginning:
                    for _ in range(_TURNS):
                        await asyncio.sleep(0)
            except BaseException:
                accepted.close()
                raise
            with telling_why(accepted) as duplicate:
                failed = await self._connect(
                    accepted,
                    peer,
                    ssl=source.context(channel.timers.time()),
                    ssl_handshake_timeout=timeout,
                    ssl_shutdown_timeout=timeout,
                )
                if failed:
                    await _linger(duplicate)
        finally:
            self._handshakes.release()

    async def _connect(
        self, accepted: socket.socket, peer: str, **tls: Unpack[AcceptingArguments]
    ) -> bool:
        """Make a connection of an accepted socket, and say whether that failed."""
        connection = Connection(self._channel, None, peer)
        protocol = FirstBytes(connection)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol, accepted, **tls
            )
        except asyncio.CancelledError:
            connection.making_cancelled()
            raise
        except (OSError, ssl.SSLError) as error:
            self._failed(peer, reason_of_failure(error, tls=True, server=True), logging.WARNING)
            # It holds asyncio's frames, and they hold it: a quarter of a MiB that the collector would
            # not look at for thousands of handshakes.
            error.__traceback__ = None
            return True
        return False

    def _failed(self, peer: str, reason: str, level: int) -> None:
        channel = self._channel
        channel.handshake_failed("incoming", peer or "a Unix socket", reason)
        channel.faults.log(
            channel.timers,
            log,
            level,
            "a connection from %s to %s could not be made: %s",
            peer or "a Unix socket",
            channel.name,
            reason,
            extra=log_fields(peer),
        )

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

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._channel.name

    def has(self, sock: socket.socket) -> bool:
        """Say whether it listens on this socket."""
        return sock in self._sockets

    def is_unserved(self) -> bool:
        """Say whether it waits for its loop to run."""
        return bool(self._sockets) and self._loop is not None and not self._loop.is_running()

    def is_at(self, hostport: str) -> bool:
        """Say whether a connection of this process to ``hostport`` arrives here."""
        if hostport == self.hostport or not self.everywhere:
            return hostport == self.hostport
        host, port = parse_hostport(hostport)
        here = {"127.0.0.1", "::1", "localhost", local_ip()}
        return port == parse_hostport(self.hostport)[1] and host in here

    def detach(self) -> None:
        """Leave the loop: connections that arrive wait in the kernel for the next `attach`."""
        if self._warning is not None:
            self._warning.cancel()
            self._warning = None
        if self._loop is not None and self._acceptor is not None:
            self._loop = None
            self._acceptor.stop()

    def close(self) -> None:
        """Accept nothing more. Connections that were accepted stay."""
        self.detach()
        self._lost.detach()
        for bound in self._sockets:
            bound.close()
        self._sockets = []
        if self._unlink is not None:
            remove_socket(self._unlink)
            self._unlink = None

    def end_with_process(self) -> None:
        """Close the sockets, unless a loop of another thread serves until the very end."""
        if self._loop is None or not self._loop.is_running():
            self._lost.detach()
            for bound in self._sockets:
                bound.close()

    def forget(self) -> None:
        """In a forked child: drop what belongs to the parent, without a word to its loop."""
        drop_for_good((self._loop, self._acceptor, self._warning))
        self._loop = self._acceptor = self._warning = None


_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


def name_of_unserved(hostport: str) -> str | None:
    """Return the name of the channel that listens at an address in this process, in no running loop."""
    for listener in list(_listeners):
        if listener.is_unserved() and listener.is_at(hostport):
            return listener.name
    return None


def _lose(
    name: str, hostport: str, sockets: list[socket.socket], path: str | None, process: int
) -> None:
    """See to the sockets of a channel that was collected: its loop is over, and nobody closed it."""
    warnings.warn(
        f"unclosed channel {name} at {hostport}: call close() before its loop ends",
        ResourceWarning,
        stacklevel=2,
    )
    for bound in sockets:
        bound.close()
    if path is not None and process == os.getpid():
        remove_socket(path)


def _wake(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


async def _linger(closing: socket.socket) -> None:
    """Take what still comes, for half a second at most: a reset would overtake the alert."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        closing.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_LINGER):
            while await loop.sock_recv(closing, 65536):
                pass


def _close_at_exit() -> None:
    """Let a process end without a word about channels that served until then."""
    for listener in list(_listeners):
        listener.end_with_process()


atexit.register(_close_at_exit)
