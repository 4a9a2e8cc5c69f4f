"""The router as a whole: it listens, connects back, and ends."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextvars import Context
from logging import Logger
from types import TracebackType
from typing import Any, ClassVar, Self

import tchannel_wire as wire
from tchannel.clock import Clock, LoopClock
from tchannel.lowlevel import BACKLOG, Acceptor, logger, parse_hostport, start_task
from tchannel.net import local_ip

from .backlog import MIN_BUFFERED, Backlog, Limits
from .call_queue import CallQueue
from .connection import RouterConnection
from .directory import Directory, Instance
from .local import AdvertisingLimits, LocalEndpoints
from .relay import Relay

__all__ = ["Router"]

log: Logger = logger("tchannel.router")

_CONNECT_TIMEOUT = 2.0


class Router:
    """Does on one machine what Hyperbahn does for a cluster; for development and tests.

    Services advertise themselves with it, and it forwards calls to them by their names. Production
    runs Hyperbahn: this router knows no other routers.

    Args:
        hostport: Where to listen, on an IPv4 address; default ``"127.0.0.1:0"``, a free port.
        forget_after: Seconds after its last advertisement that an instance is forgotten; default
            300, as with Hyperbahn.
        max_buffered: Bytes that may wait for one connection, at least 128 KiB; default 1 MiB. It
            holds whatever the number of senders: beyond it, nothing more is read from those whose
            next frame is for that connection, and each of them keeps that one frame. While a
            connection is connected to, a quarter of it may wait.
        trust_announced_hosts: Connect to whatever address a caller announces; default False: only
            to those on the host that it calls from.
        max_services: Names that one instance may advertise; default 1,000.
        max_instances: Instances that may be advertised on one host; default 1,000.
        clock: Time and timers; by default those of the loop.

    Raises:
        ValueError: ``hostport`` is no IPv4 address, ``forget_after``, ``max_services`` or
            ``max_instances`` is not above 0, or ``max_buffered`` is below 128 KiB.

    """

    NAMES: ClassVar[frozenset[str]] = frozenset({"hyperbahn", "autobahn"})
    """The service name of the router's own endpoints."""

    def __init__(
        self,
        hostport: str = "127.0.0.1:0",
        *,
        forget_after: float = 300.0,
        max_buffered: int = 1024 * 1024,
        trust_announced_hosts: bool = False,
        max_services: int = 1_000,
        max_instances: int = 1_000,
        clock: Clock | None = None,
    ) -> None:
        host, self._port = parse_hostport(hostport)
        self._host = "127.0.0.1" if host == "localhost" else host
        try:
            socket.inet_aton(self._host)
        except OSError:
            raise ValueError(
                f"hostport must have an IPv4 address, which is all that peers understand: {hostport!r}"
            ) from None
        if not forget_after > 0:
            raise ValueError(f"forget_after must be above 0, not {forget_after!r}")
        if not max_buffered >= MIN_BUFFERED:
            raise ValueError(f"max_buffered must be {MIN_BUFFERED} or more, not {max_buffered!r}")
        for name, value in (("max_services", max_services), ("max_instances", max_instances)):
            if not value > 0:
                raise ValueError(f"{name} must be above 0, not {value!r}")
        self._advertising = AdvertisingLimits(
            max_services, max_instances, trust_hosts=trust_announced_hosts
        )
        self.limits: Limits = Limits(max_buffered)
        self.read_buffer: memoryview[int] = memoryview(bytearray(self.limits.read))
        self.slow: set[Backlog] = set()
        """The receivers for which bytes wait."""
        self.connections: set[RouterConnection] = set()
        self._forget_after = forget_after
        self._given_clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._acceptor: Acceptor | None = None
        self._socket: socket.socket | None = None
        self._listening = False
        self.closed: bool = False
        """Whether `close` was called."""
        self._all_lost = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self.init_headers: dict[str, str] = {}
        self.loop: asyncio.AbstractEventLoop
        self.clock: Clock
        self.directory: Directory
        self.relay: Relay
        self.endpoints: LocalEndpoints

    # -- life ---------------------------------------------------------------------------------

    @property
    def hostport(self) -> str:
        """Where it listens, or is going to.

        Raises:
            RuntimeError: Any free port is to be taken, and `bind` or `listen` has not done so yet.

        """
        if not self._port:
            raise RuntimeError(
                "the router has no port yet: use 'async with router', or call bind() or listen()"
            )
        everywhere = self._host == "0.0.0.0"  # noqa: S104 - compared, not bound
        return f"{local_ip() if everywhere else self._host}:{self._port}"

    @property
    def services(self) -> dict[str, list[str]]:
        """The names that are advertised, each with the addresses of its instances."""
        return self.directory.services if self._listening else {}

    def bind(self) -> None:
        """Take the address, so that `hostport` is known; needs no loop.

        Connections that are made before `listen` wait until then.

        Raises:
            OSError: The address is in use or not one of this machine.
            RuntimeError: The router is closed.

        """
        if self.closed:
            raise RuntimeError("the router is closed")
        if self._socket is None:
            self._socket = socket.create_server((self._host, self._port), backlog=BACKLOG)
            self._socket.setblocking(False)
            self._port = self._socket.getsockname()[1]

    def listen(self) -> None:
        """Listen from now on, on the loop that runs.

        Raises:
            OSError: The address is in use or not one of this machine.
            RuntimeError: No loop runs, or the router is closed.

        """
        if self._listening and not self.closed:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "a router serves in an event loop, and none runs here: call listen() in an async"
                " function, or run 'python -m tchannel_hyperbahn router'"
            ) from None
        self.bind()
        self.loop = loop
        self.clock = LoopClock(self.loop) if self._given_clock is None else self._given_clock
        self.directory = Directory(
            self.clock,
            self._forget_after,
            self._forgotten,
            lambda: CallQueue(self.limits, self.slow),
        )
        self.relay = Relay(self.directory, self.clock, self.connect)
        self.endpoints = LocalEndpoints(self.directory, self._advertised, self._advertising)
        self.init_headers = wire.init_headers(self.hostport, f"router[{os.getpid()}]")
        self._listening = True
        assert self._socket is not None
        self._acceptor = Acceptor(
            loop,
            [self._socket],
            self._make_connection,
            lambda error: log.warning("no connections can be accepted: %s", error),
        )
        log.info("a router for development listens on %s; production runs Hyperbahn", self.hostport)

    async def close(self) -> None:
        """End at once, without a farewell: calls on their way fail; nothing is left afterwards.

        It may be called in another loop than the one that the router listens on, and again, to wait
        for the same end.
        """
        running = asyncio.get_running_loop()
        here = self._listening and self.loop is running
        if self._listening and not here and self.loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.close(), self.loop))
            return
        if not self.closed:
            self.closed = True
            if self._acceptor is not None:
                self._acceptor.stop()
            if self._socket is not None:
                self._socket.close()
            if here:
                self._closing = start_task(running, self._end(), Context())
        if here and self._closing is not None:
            # Whoever gives up waiting for it does not stop it.
            await asyncio.shield(self._closing)

    async def _end(self) -> None:
        assert self._acceptor is not None
        for task in self._tasks:
            task.cancel()
        # What was accepted is not cancelled: it is made in three turns, and finds the router closed.
        await asyncio.gather(*self._tasks, *self._acceptor.arriving, return_exceptions=True)
        for connection in list(self.connections):
            connection.abort()
        if self.connections:
            await self._all_lost.wait()
        self.directory.clear()
        self.relay.close()

    async def __aenter__(self) -> Self:
        self.listen()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _make_connection(self, accepted: socket.socket, address: object) -> None:
        assert isinstance(address, tuple)
        connection = RouterConnection(self, address="{}:{}".format(*address))
        try:
            await self.loop.connect_accepted_socket(lambda: connection, accepted)
        except OSError as error:
            log.info("a connection could not be made: %s", error)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        # In an empty context: what it starts outlives whoever caused it.
        task = start_task(self.loop, coroutine, Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- connections --------------------------------------------------------------------------

    def connect(self, instance: Instance) -> None:
        """Open a connection to ``instance``, unless that is being done."""
        if instance.ephemeral:
            self.relay.not_connected(instance, "it does not listen")
            self.directory.remove(instance)
        elif not instance.connecting and not self.closed:
            instance.connecting = True
            self._start(self._connect(instance))

    async def _connect(self, instance: Instance) -> None:
        host, port = parse_hostport(instance.hostport)
        connection = RouterConnection(self, instance)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                try:
                    await self.loop.create_connection(lambda: connection, host, port)
                except asyncio.CancelledError:
                    connection.making_cancelled()
                    raise
        except (OSError, ValueError) as error:  # ValueError: the announced host is no host name
            self._connect_failed(instance, str(error) or type(error).__name__)
        # The connection tells when its handshake is done, or that it is lost.

    def _connect_failed(self, instance: Instance, reason: str) -> None:
        log.warning("cannot connect to %s: %s", instance.hostport, reason)
        instance.connecting = False
        self.relay.not_connected(instance, reason)

    def connected(self, connection: RouterConnection) -> None:
        """Use a connection that we opened, now that its handshake is done."""
        instance = connection.instance
        assert instance is not None
        instance.connecting = False
        instance.opened.append(connection)
        self.relay.connected(instance)
        if not self.directory.serves_anything(instance):
            self._forgotten(instance)  # its names were taken back while we connected

    def connection_lost(self, connection: RouterConnection) -> None:
        """Use a connection no more."""
        self.connections.discard(connection)
        if self.closed and not self.connections:
            self._all_lost.set()
        self.relay.connection_lost(connection)
        instance = connection.instance
        if instance is None:
            return
        if connection in instance.accepted:
            instance.accepted.remove(connection)
            if instance.ephemeral and not instance.accepted:
                self.directory.remove(instance)
        elif connection in instance.opened:
            instance.opened.remove(connection)
        elif instance.connecting and not self.closed:
            self._connect_failed(instance, "closed in the handshake")
        self.directory.drop_unused(instance)

    # -- services -----------------------------------------------------------------------------

    def _advertised(self, instance: Instance) -> None:
        if not instance.opened and not instance.ephemeral:
            self.connect(instance)
        self.relay.connected(instance)

    def _forgotten(self, instance: Instance) -> None:
        for connection in list(instance.opened):
            if not connection.outgoing:
                connection.close()
