"""The proxy itself: a listener, and two ends joined for each connection it accepts."""

import asyncio
import dataclasses
import random
import socket
import struct
from collections.abc import Callable
from logging import Logger
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, Unpack, cast

from tchannel.lowlevel import BACKLOG, Acceptor, format_hostport, logger, parse_hostport, start_task

from .faults import Faults, FaultSettings
from .pipe import Pipe

if TYPE_CHECKING:
    from tchannel.clock import Clock

log: Logger = logger("tchannel_testing.proxy")

#: SO_LINGER on with a time of 0: close() sends RST.
_LINGER_RESET = struct.pack("ii", 1, 0)


class Direction:
    """The faults of one direction of a proxy, and what has passed through it.

    ``bytes`` and ``frames`` count what came in since the proxy started, over all connections;
    frames are whole ones.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.bytes: int = 0
        self.frames: int = 0
        self._faults = Faults()
        self._pipes: set[Pipe] = set()
        self._changed = changed

    @property
    def faults(self) -> Faults:
        """The settings in force; :meth:`set` changes them."""
        return self._faults

    def set(self, **settings: Unpack[FaultSettings]) -> None:
        """Change the named faults, at once and for open connections too; the others stay.

        :raises TypeError: there is no such fault.
        :raises ValueError: a value is out of its range; nothing has changed then.
        """
        self._apply(dataclasses.replace(self._faults, **settings))

    def clear(self) -> None:
        """No faults any more: what was held back goes on, and what was late leaves at once."""
        self._apply(Faults())

    def _apply(self, faults: Faults) -> None:
        self._faults = faults
        for pipe in list(self._pipes):
            pipe.set_faults(faults)

    def _seen(self, size: int, frames: int) -> None:
        self.bytes += size
        self.frames += frames
        self._changed()


class FaultProxy:
    """Forwards TCP connections to ``upstream``, as badly as it is told to.

    :param upstream: ``"host:port"`` to connect to, once per accepted connection.
    :param listen: ``"host:port"`` to listen on; port 0 takes a free one. Default
        ``"127.0.0.1:0"``.
    :param clock: times the delays; default the running loop's. A
        :class:`~tchannel_testing.clock.ManualClock` makes them instant.
    :param seed: makes jitter and corruption repeatable.
    :raises ValueError: an address is not ``host:port``.

    ``upstream`` (towards the upstream server) and ``downstream`` (back to the client) are
    :class:`Direction` objects; :meth:`set` and :meth:`clear` change both. ``refuse = True`` resets
    every new connection. Use it with ``async with``, or :meth:`start` and :meth:`close`, in one
    event loop.
    """

    def __init__(
        self,
        upstream: str,
        *,
        listen: str = "127.0.0.1:0",
        clock: "Clock | None" = None,
        seed: int | None = None,
    ) -> None:
        self._target = parse_hostport(upstream)
        self._listen = parse_hostport(listen)
        self._clock = clock
        self._rng = random.Random(seed)
        self._socket: socket.socket | None = None
        self._acceptor: Acceptor | None = None
        self._connections: dict[ProxiedConnection, None] = {}
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self.upstream: Direction = Direction(self._changed)
        self.downstream: Direction = Direction(self._changed)
        #: How many connections were accepted.
        self.accepted: int = 0
        #: Whether new connections are reset instead of forwarded.
        self.refuse: bool = False

    @property
    def hostport(self) -> str:
        """``"host:port"`` to connect to.

        :raises RuntimeError: the proxy has not started.
        """
        if self._socket is None:
            raise RuntimeError("the proxy has no address before start()")
        return format_hostport(*self._listen)

    @property
    def connections(self) -> "tuple[ProxiedConnection, ...]":
        """The open connections, oldest first."""
        return tuple(self._connections)

    async def start(self) -> None:
        """Listen.

        :raises RuntimeError: it has started already.
        :raises OSError: the address cannot be had.
        """
        if self._acceptor is not None:
            raise RuntimeError("the proxy has started already")
        loop = asyncio.get_running_loop()
        if self._clock is None:
            self._clock = loop
        host, port = self._listen
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)
        self._listen = (host, self._socket.getsockname()[1])
        self._acceptor = Acceptor(loop, [self._socket], self._accept, _cannot_accept)

    async def close(self) -> None:
        """Stop listening and abort every connection; returns when all sockets are closed."""
        if self._acceptor is None or self._socket is None:
            return
        self._acceptor.stop()
        self._socket.close()
        # Not cancelled, not even with this: it is made in three turns of the loop.
        while self._acceptor.arriving:
            await asyncio.wait(list(self._acceptor.arriving))
        for connection in list(self._connections):
            connection.abort()
        await self.until(lambda: not self._connections)
        for _, future in self._waiters:
            if not future.done():
                future.set_exception(RuntimeError("the proxy was closed"))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def set(self, **settings: Unpack[FaultSettings]) -> None:
        """Change the named faults of both directions; see :class:`Faults`."""
        self.upstream.set(**settings)
        self.downstream.set(**settings)

    def clear(self) -> None:
        """Take all faults away, also ``refuse``."""
        self.refuse = False
        self.upstream.clear()
        self.downstream.clear()

    def reset(self) -> None:
        """Send a TCP reset to both ends of every connection."""
        for connection in self.connections:
            connection.reset()

    def half_open(self, gone: Literal["upstream", "client"] = "upstream") -> None:
        """Let one end of every connection vanish, without telling the other.

        The end that stays can go on writing; nobody answers. :meth:`reset` ends it.
        """
        for connection in self.connections:
            connection.half_open(gone)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition()`` holds; looked at whenever bytes or connections come or go.

        ::

            await proxy.until(lambda: proxy.downstream.frames >= 2)
        """
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, future)
        self._waiters.append(entry)
        try:
            await future
        finally:
            self._waiters.remove(entry)

    def _changed(self) -> None:
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)

    async def _accept(self, accepted: socket.socket, _address: object) -> None:
        assert self._clock is not None, "start() sets the clock"
        connection = ProxiedConnection(self, self._clock)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection._client, accepted
            )
        except OSError as error:
            _cannot_accept(error)
            connection._check_closed()

    def _add(self, connection: "ProxiedConnection") -> None:
        self.accepted += 1
        self._connections[connection] = None
        self._changed()


def _cannot_accept(error: OSError) -> None:
    log.warning("the proxy cannot accept a connection: %s", error)


class ProxiedConnection:
    """One accepted connection and its counterpart to the upstream server."""

    def __init__(self, proxy: FaultProxy, clock: "Clock") -> None:
        loop = asyncio.get_running_loop()
        #: Done when both sockets are closed.
        self.closed: asyncio.Future[None] = loop.create_future()
        self._proxy = proxy
        self._over = False
        self._refused = proxy.refuse
        self._connecting: asyncio.Task[None] | None = None
        up, down = proxy.upstream, proxy.downstream
        self._up = Pipe(up._faults, clock, proxy._rng, self._cut, up._seen, self._ended)
        self._down = Pipe(down._faults, clock, proxy._rng, self._cut, down._seen, self._ended)
        up._pipes.add(self._up)
        down._pipes.add(self._down)
        self._client = _End(self, self._up, self._down, self._client_connected)
        self._server = _End(self, self._down, self._up, self._server_connected)

    def reset(self) -> None:
        """Send a TCP reset to both ends."""
        for end in (self._client, self._server):
            end.reset()
        self.abort()

    def abort(self) -> None:
        """Close both ends at once; what waits is dropped."""
        self._up.close()
        self._down.close()
        self._stop_connecting()
        for end in (self._client, self._server):
            end.abort()

    def half_open(self, gone: Literal["upstream", "client"] = "upstream") -> None:
        """Let one end vanish without telling the other; see :meth:`FaultProxy.half_open`.

        :raises ValueError: ``gone`` is neither ``"upstream"`` nor ``"client"``.
        """
        if gone not in ("upstream", "client"):
            raise ValueError(f'gone must be "upstream" or "client", got {gone!r}')
        leaves = self._server if gone == "upstream" else self._client
        stays = self._up if gone == "upstream" else self._down
        stays.swallow()
        leaves.outgoing.close()
        leaves.half_open = True
        if gone == "upstream":
            self._stop_connecting()
        leaves.abort()

    def _cut(self, with_reset: bool) -> None:
        if with_reset:
            self.reset()
            return
        self._up.close()
        self._down.close()
        for end in (self._client, self._server):
            end.close()

    def _ended(self) -> None:
        """Close both ends once both directions have ended; until then a half-close is kept."""
        if self._up.ended and self._down.ended:
            self._cut(False)

    def _client_connected(self) -> None:
        self._proxy._add(self)
        if self._refused:
            self.reset()
            return
        self._up.source = self._down.sink = self._client.transport
        loop = asyncio.get_running_loop()
        # uvloop ignores pause_reading() during connection_made.
        loop.call_soon(self._up.update_reading)
        self._connecting = start_task(loop, self._connect())
        self._connecting.add_done_callback(self._connect_ended)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self._server, *self._proxy._target)
        except asyncio.CancelledError:
            self._server.making_cancelled()
            raise
        except OSError:
            self._client.reset()
            self._client.abort()

    def _connect_ended(self, _: asyncio.Task[None]) -> None:
        # Not at the end of _connect: cancelled before it begins, it never gets there.
        self._connecting = None
        self._check_closed()

    def _stop_connecting(self) -> None:
        # Once it is made, the transport's end tells.
        if self._connecting is not None and not self._server.open:
            self._connecting.cancel()

    def _server_connected(self) -> None:
        if not (self._client.open or self._client.half_open):
            self._server.abort()
            return
        self._down.source = self._up.sink = self._server.transport
        loop = asyncio.get_running_loop()
        loop.call_soon(self._up.connected)
        loop.call_soon(self._down.connected)

    def _end_lost(self, end: "_End", exc: Exception | None) -> None:
        if not end.half_open:
            other = self._server if end is self._client else self._client
            self._stop_connecting()
            if exc is None:
                other.close()
            else:  # a reset passes as a reset
                other.reset()
                other.abort()
        self._check_closed()

    def _check_closed(self) -> None:
        waits = self._connecting is not None or self._client.open or self._server.open
        if not waits and not self._over:
            self._over = True
            self._up.close()
            self._down.close()
            self._proxy.upstream._pipes.discard(self._up)
            self._proxy.downstream._pipes.discard(self._down)
            self._proxy._connections.pop(self, None)
            if not self.closed.done():  # cancelled with somebody who waited for it
                self.closed.set_result(None)
            self._proxy._changed()


class _End(asyncio.Protocol):
    """One socket of a proxied connection.

    :param outgoing: carries what this end receives.
    :param incoming: carries what is written to this end.
    """

    def __init__(
        self,
        connection: ProxiedConnection,
        outgoing: Pipe,
        incoming: Pipe,
        connected: Callable[[], None],
    ) -> None:
        self.transport: asyncio.Transport | None = None
        self.open = False
        self.half_open = False
        self.outgoing = outgoing
        self._incoming = incoming
        self._connection = connection
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are not derived from it
        self.open = True
        self._connected()

    def data_received(self, data: bytes) -> None:
        self.outgoing.receive(data)

    def eof_received(self) -> bool:
        self.outgoing.receive_eof()
        return True

    def pause_writing(self) -> None:
        self._incoming.sink_full(True)

    def resume_writing(self) -> None:
        self._incoming.sink_full(False)

    def making_cancelled(self) -> None:
        """It may have been made already: asyncio tells of its end in the next turn, uvloop never."""
        if self.open:
            self.abort()
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self.connection_lost, None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.open:
            return
        self.open = False
        self._connection._end_lost(self, exc)

    def reset(self) -> None:
        """Make the coming close a TCP reset."""
        if self.transport is not None and self.open:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close once everything written has left."""
        if self.transport is not None:
            self.transport.close()
