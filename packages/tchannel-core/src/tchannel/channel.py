"""The channel: client and server in one."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

import tchannel_wire as wire

from . import errors
from .calling import Calling
from .clock import Clock
from .closing import close_channel
from .connection import Connection
from .endpoints import Endpoints
from .event import EventEmitter, EventRegistrar
from .interceptors import Interceptor, Interceptors
from .listener import Listener, drop_for_good
from .loops import LoopGuard, current_loop, running_loop, wrong_thread
from .meta import add_health
from .net import check_text, local_ip, parse_hostport
from .options import Options
from .outbound import OutgoingCall
from .peer_sources import ListSource, PeerSource
from .peer_table import PeerTable
from .peers import PeerGroup
from .spans import Trace, check_trace
from .subchannel import Registering, SubChannel
from .timeouts import Timeout, seconds
from .timers import Timers, timers_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["TChannel"]

# What one byte of length can say, and what leaves room in the frame of a handshake.
_MAX_NAME = 255
_MAX_PROCESS_NAME = 16 * 1024


class TChannel(Calling, Registering):
    """Makes calls to TChannel services, and serves them.

    A channel belongs to the event loop that first uses it. Calls return Futures that start at once
    and may be awaited, yielded in a ``gen.coroutine``, or left alone.

    Args:
        name: How this application identifies itself: the name by which others call it, and which
            its downstream services see.
        hostport: Where to listen, ``"host:port"``; that very host is bound. By default every
            interface, on a port that is free. ``"[::1]:0"`` and ``"unix:/path"`` work too.
        process_name: How the process calls itself to its peers; by default the program's name and
            process id.
        known_peers: Addresses of peers, or a `tchannel.peer_sources.PeerSource`, for calls that
            name no ``hostport``.
        trace: Whether to trace calls: True, False, a rate, or a function of the request. A call
            made while serving a traced one is traced always.
        reuse_port: Share the port with other processes (SO_REUSEPORT).
        options: Limits and defaults.
        clock: Time and timers; by default those of the loop.
        ssl_server: Accept TLS connections only, with this context.
        ssl_client: Open TLS connections only, with this context.
        server_name: The name in the peers' certificates; by default each peer's host.
        expose_errors: Tell callers the text of a handler's undeclared exception, not only its type.
        interceptors: Put in the way of this channel's outgoing and incoming calls.

    Raises:
        ServiceNameIsRequiredError: ``name`` is empty.
        TypeError: An argument of a wrong type.
        ValueError: An argument with a wrong value.

    """

    def __init__(
        self,
        name: str,
        hostport: str | None = None,
        process_name: str | None = None,
        known_peers: Iterable[str] | PeerSource | None = None,
        trace: Trace = False,
        reuse_port: bool = False,
        *,
        options: Options | None = None,
        clock: Clock | None = None,
        ssl_server: SSLContext | None = None,
        ssl_client: SSLContext | None = None,
        server_name: str | None = None,
        expose_errors: bool = True,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        if name is None or name == "":
            raise errors.ServiceNameIsRequiredError("name must not be empty")
        check_text(name, "name", _MAX_NAME)
        if hostport is not None:
            parse_hostport(hostport)
        if process_name is not None:
            check_text(process_name, "process_name", _MAX_PROCESS_NAME)
        if server_name is not None:
            check_text(server_name, "server_name", _MAX_NAME)
        if options is not None and not isinstance(options, Options):
            raise TypeError(f"options must be of type tchannel.options.Options, not {options!r}")
        _check_context(ssl_server, "ssl_server", ssl.PROTOCOL_TLS_CLIENT)
        _check_context(ssl_client, "ssl_client", ssl.PROTOCOL_TLS_SERVER)
        if clock is not None and not (hasattr(clock, "time") and hasattr(clock, "call_at")):
            raise TypeError(f"clock must have time() and call_at(), not be {clock!r}")
        interceptors = list(interceptors)
        for interceptor in interceptors:
            if not callable(interceptor):
                raise TypeError(f"interceptors must be callables, not {interceptor!r}")
        self.name = name
        self.process_name = process_name or f"{os.path.basename(sys.argv[0])}[{os.getpid()}]"
        self.options = options if options is not None else Options()
        self.trace = check_trace(trace)
        self.ssl_server = ssl_server
        self.ssl_client = ssl_client
        self.server_name = server_name
        self.expose_errors = expose_errors
        self.interceptors = Interceptors()
        self.interceptors.outgoing.extend(interceptors)
        self.interceptors.incoming.extend(self.interceptors.outgoing)
        self.events = EventEmitter()
        self.hooks = EventRegistrar(self.events)
        self._given_hostport = hostport
        self._given_clock = clock
        self._reuse_port = reuse_port
        self._prepared = {}
        self._lock = threading.Lock()
        self._closed: asyncio.Future[None] | None = None
        self.guard: LoopGuard | None = None
        self._changed: list[asyncio.Future[None]] = []
        self.close_callbacks: list[Callable[[], object]] = []
        self.listener: Listener | None = None
        self.connections: set[Connection] = set()
        # A dict for its order: calls that wait for a connection, a retry or the first peers.
        self.waiting: dict[OutgoingCall, None] = {}
        self.inbound_calls = 0
        self.winding_down = False
        self.draining = False
        self.closing = False
        self.peers_table = PeerTable(self)
        self._source = _source(known_peers)
        self._source_running = False
        self._meta = Endpoints("tchannel")
        self.endpoints = Endpoints(name, meta=self._meta)
        add_health(self.endpoints)
        self.services: dict[str, Endpoints] = {"tchannel": self._meta, name: self.endpoints}
        self._subchannels: dict[str, SubChannel] = {}
        if TYPE_CHECKING:  # set by `_attach`, before anything uses them
            self.loop: asyncio.AbstractEventLoop
            self.timers: Timers
        else:
            self.loop = None
            self.timers = None
        Registering.__init__(self)
        if isinstance(self._source, ListSource):
            # Known before the first call, so that mistakes in the list are the caller's at once.
            self.peers.update(self._source.peers)
        _channels.add(self)

    def _channel_of_schemes(self) -> TChannel:
        return self

    # -- what it is ---------------------------------------------------------------------------

    @property
    def hostport(self) -> str:
        """Where it listens; before `listen`, where it was told to, with port 0 for any."""
        if self.listener is not None:
            return self.listener.hostport
        return self._given_hostport or f"{local_ip()}:0"

    @property
    def host(self) -> str:
        """The host of `hostport`."""
        return parse_hostport(self.hostport)[0]

    @property
    def port(self) -> int:
        """The port of `hostport`."""
        return parse_hostport(self.hostport)[1]

    @property
    def peers(self) -> PeerGroup:
        """The peers that it knows."""
        return self.peers_table.group

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        self.use_loop()
        return self.timers.clock

    def advertised_hostport(self, *, opener: bool) -> str:
        """Return the ``host_port`` for a handshake (protocol, "Connection").

        Peers can make nothing of a host_port that is not dotted IPv4: node closes the connection.
        """
        listener = self.listener
        if listener is None or (opener and listener.reachable is None):
            return wire.EPHEMERAL_HOST_PORT
        return listener.reachable or listener.hostport

    def __repr__(self) -> str:
        return f"<TChannel {self.name} at {self.hostport}>"

    # -- the loop -----------------------------------------------------------------------------

    def use_loop(self) -> asyncio.AbstractEventLoop | None:
        """Make sure that this channel belongs to the loop that runs, and return that loop.

        Returns:
            The running loop; None when none runs, and the channel waits for its own to run.

        Raises:
            RuntimeError: its loop runs in another thread, or it is closed.

        """
        running = running_loop()
        loop = self.loop
        if running is not loop or loop is None:
            if loop is not None and loop.is_running():
                raise wrong_thread(self.name)
            if running is not None:
                self._attach(running)
            elif loop is None or loop.is_closed():
                self._attach(current_loop())
        return running

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.connections:
            # They belong to a loop that is over: nothing can be sent on them any more.
            drop_for_good(list(self.connections))
            self.connections.clear()
        self.stop_sources()
        self.peers_table.clear()
        self.waiting.clear()
        self.inbound_calls = 0
        self.loop = loop
        self.timers = timers_of(loop, self._given_clock)
        self.guard = LoopGuard(loop, self._loop_ends)
        if self.listener is not None:
            self.listener.attach(loop)
        if not isinstance(self._source, ListSource):
            self._source_running = True
            Context().run(self._source.start, self.peers, self.timers.clock)

    def _loop_ends(self) -> None:
        """The loop is about to close, and the channel is still open: let go of all that is on it."""
        self.stop_sources()
        for connection in list(self.connections):
            connection.abort()
        if self.listener is not None:
            self.listener.detach()

    def stop_sources(self) -> None:
        """End what keeps the peers up to date."""
        if self._source_running:
            self._source_running = False
            self._source.stop()

    def _forked(self) -> None:
        """In the child of a fork: drop what belongs to the parent, without a word to anyone."""
        if self.loop is None:
            return
        drop_for_good(
            (self.loop, self.timers, self.guard, list(self.connections), self.peers_table)
        )
        self.connections = set()
        self.waiting = {}
        self.inbound_calls = 0
        self._source_running = False
        known = self.peers
        self.peers_table = PeerTable(self)
        self.peers.add_all(known)
        self.guard = None
        self.loop = self.timers = None  # type: ignore[assignment]  # as before the first use
        if self.listener is not None:
            self.listener.forget()

    # -- serving ------------------------------------------------------------------------------

    def listen(self, port: int | None = None) -> None:
        """Listen for connections, from now on; safe to call from any thread, and again.

        Args:
            port: by default that of ``hostport=``, or any that is free.

        Raises:
            AlreadyListeningError: it listens on another port already.
            OSError: the address is in use, or not one of this machine.
            RuntimeError: the channel is closed.

        """
        with self._lock:
            if self.is_closed():
                raise RuntimeError(f"channel {self.name} is closed")
            if self.listener is not None:
                if port and port != self.port:
                    raise errors.AlreadyListeningError(
                        f"{self.name} listens on port {self.port} already, not on {port}"
                    )
                return
            hostport = self._given_hostport
            if port is not None and not (hostport or "").startswith("unix:"):
                host = parse_hostport(hostport)[0] if hostport else ""
                hostport = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            listener = Listener(self, hostport, reuse_port=self._reuse_port)
            self.listener = listener
            if self.loop is None or self.loop.is_closed() or not self.loop.is_running():
                was = self.loop
                self.use_loop()
                if self.loop is not was:
                    return  # attaching has attached the listener as well
            if running_loop() is self.loop or not self.loop.is_running():
                listener.attach(self.loop)
            else:
                self.loop.call_soon_threadsafe(listener.attach, self.loop)

    def is_listening(self) -> bool:
        """Say whether `listen` was called."""
        return self.listener is not None

    def service(self, name: str) -> SubChannel:
        """Return the sub-channel of that service name, made when there is none.

        Calls for its name go to its handlers alone.

        Raises:
            ServiceNameIsRequiredError: ``name`` is empty.
            ValueError: ``name`` is this channel's own.

        """
        if name is None or name == "":
            raise errors.ServiceNameIsRequiredError("name must not be empty")
        check_text(name, "name", _MAX_NAME)
        if name == self.name:
            raise ValueError(f"{name!r} is the channel itself: register its handlers there")
        subchannel = self._subchannels.get(name)
        if subchannel is None:
            subchannel = self._subchannels[name] = SubChannel(self, name)
            self.services[name] = subchannel.endpoints
        return subchannel

    def wants_stream(self, request: Any) -> bool:
        """Say whether the body of a request that begins to arrive is wanted as it arrives."""
        endpoints = self.services.get(request.service, self.endpoints)
        endpoint = endpoints.by_name.get(request.arg1)
        return endpoint is not None and endpoint.stream

    # -- Hyperbahn ----------------------------------------------------------------------------

    def advertise(
        self,
        routers: Iterable[str] | None = None,
        name: str | None = None,
        timeout: Timeout = None,
        router_file: str | os.PathLike[str] | None = None,
        jitter: float | None = None,
        **kwargs: Any,
    ) -> asyncio.Future[Any]:
        """Advertise with Hyperbahn, and call by service name through its routers.

        Args:
            routers: Addresses of routers, ``"host:port"``.
            name: What to advertise; by default the channel's name.
            timeout: Seconds for the first advertisement to succeed; default 30.
            router_file: A JSON file with a list of routers, instead of ``routers``.
            jitter: Seconds by which re-advertisements vary.
            **kwargs: see ``tchannel_hyperbahn.advertise``.

        Returns:
            A Future of the first answer.

        Raises:
            ModuleNotFoundError: tchannel-hyperbahn is not installed; says how to install it.
            TimeoutError: (from the Future) nobody answered in time.

        """
        from ._optional import install_hint

        try:
            import tchannel_hyperbahn
        except ImportError as error:
            raise install_hint(
                error, needs="tchannel_hyperbahn", dist="tchannel-hyperbahn"
            ) from None
        first: asyncio.Future[Any] = tchannel_hyperbahn.advertise(
            self, routers, name, timeout, router_file=router_file, jitter=jitter, **kwargs
        )
        return first

    def unadvertise(self, name: str | None = None) -> asyncio.Future[Any]:
        """Take the advertisement back.

        Args:
            name: What was advertised; by default everything.

        """
        from ._optional import install_hint

        try:
            import tchannel_hyperbahn
        except ImportError as error:
            raise install_hint(
                error, needs="tchannel_hyperbahn", dist="tchannel-hyperbahn"
            ) from None
        taken_back: asyncio.Future[Any] = tchannel_hyperbahn.unadvertise(self, name)
        return taken_back

    # -- the end ------------------------------------------------------------------------------

    def on_close(self, callback: Callable[[], object | Awaitable[object]]) -> None:
        """Run ``callback()`` first thing in `close`; what it returns is awaited, within the grace.

        Raises:
            TypeError: ``callback`` is not callable.

        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {callback!r}")
        self.close_callbacks.append(callback)

    def close(self, grace: Timeout = None) -> asyncio.Future[None]:
        """Close the channel gracefully; it begins at once, awaited or not.

        Calls in flight, both ways, may finish within the grace; new ones are declined. Afterwards
        nothing of the channel is left: no task, socket or timer.

        Args:
            grace: Seconds; default ``options.close_grace``, 10. With 0 nothing is waited for.

        Returns:
            A Future that ends when everything is over. Whoever gives up waiting for it, by
            cancelling it or by a timeout, does not stop the closing; call again to wait again.

        Raises:
            RuntimeError: the channel's loop runs in another thread.

        """
        # Unlike the timeout of a call, no grace at all is a wish that makes sense.
        within = 0.0 if grace == 0 else seconds(grace, self.options.close_grace, "grace")
        if self._closed is not None:
            return asyncio.shield(self._closed)
        running = self.use_loop()
        self.winding_down = True
        loop = self.loop
        if running is None and not self.connections:
            # No loop runs, so nothing is in flight.
            self._closed = loop.create_future()
            self._closed.set_result(None)
            self.guard = None
            self.draining = self.closing = True
            self.stop_sources()
            if self.listener is not None:
                self.listener.close()
        else:
            self._closed = loop.create_task(close_channel(self, within), context=Context())
        # A handler that waits for the end of its own channel is cancelled by it: shielded, because
        # that must not cancel the closing in turn.
        return asyncio.shield(self._closed)

    def is_closed(self) -> bool:
        """Say whether `close` was called."""
        return self._closed is not None

    async def __aenter__(self) -> Self:
        self.use_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def close_when_idle(self, connection: Connection) -> None:
        """Close a connection to a peer that is no longer known, once its calls are answered."""
        if connection.wire.outbound or connection.inbound:
            clock = self.timers.clock
            clock.call_at(clock.time() + 1.0, self.close_when_idle, connection)
        elif not connection.closed:
            connection.close()

    def changed(self) -> asyncio.Future[None]:
        """Return a Future that ends at the next `notify`."""
        future = self.loop.create_future()
        self._changed.append(future)
        return future

    def notify(self) -> None:
        """Wake up whoever waits for calls and connections to end."""
        changed, self._changed = self._changed, []
        for future in changed:
            if not future.done():
                future.set_result(None)


def _check_context(context: object, name: str, wrong: ssl._SSLMethod) -> None:
    if context is None:
        return
    if not isinstance(context, SSLContext):
        raise TypeError(f"{name} must be an ssl.SSLContext, not {context!r}")
    if context.protocol == wrong:
        raise ValueError(f"{name} must not be a context made with {wrong.name}")


def _source(known_peers: Iterable[str] | PeerSource | None) -> PeerSource:
    if known_peers is None:
        return ListSource(())
    if isinstance(known_peers, PeerSource):
        return known_peers
    if isinstance(known_peers, str):
        raise TypeError(f"known_peers must be a list of addresses, not the str {known_peers!r}")
    if not isinstance(known_peers, Iterable):
        raise TypeError(f"known_peers must be a list or a PeerSource, not {known_peers!r}")
    return ListSource(known_peers)


_channels: weakref.WeakSet[TChannel] = weakref.WeakSet()


def _forked() -> None:
    for channel in list(_channels):
        channel._forked()


os.register_at_fork(after_in_child=_forked)
