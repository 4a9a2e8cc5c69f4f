"""The channel: client and server in one."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import weakref
from collections.abc import Iterable
from ssl import SSLContext

import tchannel_wire as wire

from . import errors
from ._calls.calling import Calling
from ._calls.retries import RetryBudget
from ._calls.spans import Trace, check_trace
from ._ground.addresses import UNIX_PREFIX, parse_hostport
from ._ground.process import after_fork_in_child
from ._ground.text import check_text, counted, shown
from ._life.advertising import Advertising
from ._life.hot_state import HotState
from ._life.lifecycle import Lifecycle
from ._life.loops import running_loop
from ._links.binding import Bound, adopt, bind
from ._links.faults import Faults
from ._links.listener import Listener
from ._links.peer_table import PeerTable
from ._links.peers import PeerGroup
from ._links.tls import ContextSource
from ._serving.endpoints import Endpoint, Endpoints, NoEndpoints
from ._serving.meta import add_meta
from ._serving.registering import Registering
from ._sight.introspection import add_introspection
from ._sight.snapshot import take
from .authorization import Check, must_be_check
from .clock import Clock
from .event import EventEmitter, EventRegistrar
from .interceptors import Interceptor, Interceptors
from .net import local_ip
from .options import Options
from .peer_sources import ListSource, PeerSource
from .schemes.json import JsonCodec
from .stats import Snapshot
from .subchannel import SubChannel
from .tls import TLSFiles

__all__ = ["TChannel", "live_channels"]

# What one byte of length can say, and what leaves room in the frame of a handshake.
_MAX_NAME = 255
_MAX_PROCESS_NAME = 16 * 1024

# What parts of the channel know of each other: no part of the API, and not shown by completion.
_INSIDE = frozenset(
    {
        *("admission", "advertised_hostport", "changed", "close_callbacks", "connections"),
        *("counts", "default_endpoints", "endpoints", "events", "faults", "gate", "guard"),
        *("handshake_failed", "has_running_source", "incoming_bytes", "incoming_calls"),
        *("json_codec", "lag", "limit_reached", "listener", "loop", "made_at", "memory"),
        *("notify", "outgoing_calls", "peers_table", "queue", "recent", "retry_budget"),
        *("serves_others", "services", "state", "step", "stop_sources", "timers"),
        *("tls_client", "tls_server", "unsent_bytes", "use_loop", "waiting"),
    }
)

_GONE = {
    "tracer": (
        "OpenTracing has ended. Give trace= and report spans from an interceptor"
        " (interceptors=[...]), which sees call.tracing"
    ),
    "context_provider": (
        "contexts are kept by contextvars; tchannel.context.current_request() gives the call that is"
        " being served, and calls made meanwhile belong to its trace by themselves"
    ),
}


class TChannel(HotState, Calling, Registering, Lifecycle, Advertising):
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
        ssl_server: Accept TLS connections only, with this context, or with these files
            (`tchannel.tls.TLSFiles`).
        ssl_client: Open TLS connections only, with this context, or with these files.
        ssl_permissive: Accept connections without TLS as well, told by their first bytes: while the
            callers are moved to TLS.
        server_name: The name in the peers' certificates; by default each peer's host. A URI
            (``spiffe://example.org/ledger``) is looked for among the URI names.
        authorize: Says of each incoming call, before its body is read, whether it may pass; see
            `tchannel.authorization`. By default every call may.
        expose_errors: Tell callers the text of a handler's undeclared exception, not only its type.
        interceptors: Put in the way of this channel's outgoing and incoming calls.
        json: How the bodies of json calls and handlers become JSON and are read; by default the json
            of the standard library.
        tracer: Gone with OpenTracing; only for an error that says what to write instead.
        context_provider: Gone as well.

    Raises:
        ServiceNameIsRequiredError: ``name`` is empty.
        TypeError: An argument of a wrong type.
        ValueError: An argument with a wrong value.

    """

    # Declared again: a checker infers it anew where a method of this class sets it.
    listener: Listener | None

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
        ssl_server: SSLContext | TLSFiles | None = None,
        ssl_client: SSLContext | TLSFiles | None = None,
        ssl_permissive: bool = False,
        server_name: str | None = None,
        authorize: Check | None = None,
        expose_errors: bool = True,
        interceptors: Iterable[Interceptor] = (),
        json: JsonCodec | None = None,
        tracer: None = None,
        context_provider: None = None,
    ) -> None:
        if name is None or name == "":
            raise errors.ServiceNameIsRequiredError("name must not be empty")
        for argument, value in (("tracer", tracer), ("context_provider", context_provider)):
            if value is not None:
                raise TypeError(f"{argument} is no argument any more: {_GONE[argument]}")
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
        if json is not None and not isinstance(json, JsonCodec):
            raise TypeError(f"json must be a tchannel.schemes.JsonCodec, not {json!r}")
        if not isinstance(interceptors, Iterable):
            raise TypeError(f"interceptors must be a list of callables, not {interceptors!r}")
        interceptors = list(interceptors)
        for interceptor in interceptors:
            if not callable(interceptor):
                raise TypeError(f"interceptors must be callables, not {interceptor!r}")
        self.options: Options = options if options is not None else Options()
        if ssl_permissive and ssl_server is None:
            raise ValueError("ssl_permissive needs ssl_server=")
        self.ssl_permissive = ssl_permissive
        self.tls_server: ContextSource | None = _context_source(ssl_server, server=True)
        self.tls_client: ContextSource | None = _context_source(ssl_client, server=False)
        if (
            self.options.trust_announced_addresses
            and ssl_client is not None
            and (self.tls_server is None or not self.tls_server.asks_for_certificates)
        ):
            raise ValueError(
                "trust_announced_addresses goes with ssl_client= only where ssl_server= asks callers "
                "for certificates: an address that is announced without one proves nothing"
            )
        if authorize is not None:
            must_be_check(authorize)
        self.authorize = authorize
        self.name = name
        self.process_name: str = process_name or f"{os.path.basename(sys.argv[0])}[{os.getpid()}]"
        self.retry_budget: RetryBudget = RetryBudget(
            self.options.retry_budget, self.options.retry_budget_least
        )
        self.trace: Trace = check_trace(trace)
        self.json_codec: JsonCodec = json if json is not None else JsonCodec()
        self.ssl_server = ssl_server
        self.ssl_client = ssl_client
        self.server_name = server_name
        self.expose_errors = expose_errors
        self.interceptors: Interceptors = Interceptors()
        self.interceptors.outgoing.extend(interceptors)
        self.interceptors.incoming.extend(self.interceptors.outgoing)
        self.events: EventEmitter = EventEmitter()
        self.hooks: EventRegistrar = EventRegistrar(self.events)
        self._given_hostport = hostport
        self._reuse_port = reuse_port
        self._prepared = {}
        self._lock = threading.Lock()
        self.faults: Faults = Faults()
        Lifecycle.__init__(self, clock, _source(known_peers), PeerTable(self))
        self._meta = Endpoints("tchannel")
        add_introspection(self, self._meta, Endpoint, live_channels)
        self.endpoints: Endpoints = Endpoints(name, meta=self._meta)
        add_meta(self.endpoints, self.options.meta_endpoints)
        self.default_endpoints: NoEndpoints | Endpoints = (
            NoEndpoints(name) if self.options.known_services_only else self.endpoints
        )
        """What serves calls of services that have no sub-channel."""
        self.services: dict[str, Endpoints] = {"tchannel": self._meta, name: self.endpoints}
        self._subchannels: dict[str, SubChannel] = {}
        Registering.__init__(self)
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

    def stats(self, most: int | None = None) -> Snapshot:
        """Return what the channel has done and is doing: calls, connections, peers, limits.

        It costs a walk over the connections and the calls in flight; call it in the channel's loop, or
        through `tchannel.sync.TChannel.stats`.

        Args:
            most: How many connections, peers and calls in flight are told one by one: the busiest, and
                the oldest; default all. Sums are always of all.

        Raises:
            TypeError: ``most`` is no int.
            ValueError: ``most`` is negative.

        """
        if most is not None:
            if isinstance(most, bool) or not isinstance(most, int):
                raise TypeError(f"most must be an int, not {most!r}")
            if most < 0:
                raise ValueError(f"most must not be negative, got {most}")
        return take(self, most)

    def _has_endpoint(self, service: str, endpoint: bytes) -> bool:
        endpoints = self.services.get(service)
        return endpoints is not None and endpoint in endpoints.by_name

    def __dir__(self) -> list[str]:
        return sorted(name for name in super().__dir__() if name not in _INSIDE)

    def __repr__(self) -> str:
        # Without a lock or a loop: debuggers and logs ask for it, in any thread, at any time.
        listens = self.listener is not None and not self.is_closed()
        where = f"listens on {self.hostport}" if listens else "does not listen"
        counts = (
            counted(len(self.connections), "connection"),
            counted(len(self.peers), "known peer"),
            f"{self.outgoing_calls()} outgoing and {counted(self.incoming_calls, 'incoming call')}",
        )
        return f"<TChannel {shown(self.name)}: {self.state.text}, {where}, {', '.join(counts)}>"

    def reload_tls(self) -> None:
        """Read the files of ``ssl_server=`` and ``ssl_client=`` again, for new connections.

        They are read by themselves as well, within a second, when their times change.

        Raises:
            OSError: (of which `ssl.SSLError` is one) a file cannot be read or used; the former ones
                stay in use.
            RuntimeError: Neither was given as `tchannel.tls.TLSFiles`.

        """
        sources = [one for one in (self.tls_server, self.tls_client) if one and one.reloads]
        if not sources:
            raise RuntimeError("there are no files to read again: give ssl_server= as TLSFiles")
        for source in sources:
            source.reload()

    # -- serving ------------------------------------------------------------------------------

    def listen(self, port: int | None = None, *, sock: socket.socket | None = None) -> None:
        """Listen for connections, from now on; safe to call from any thread, and again.

        Args:
            port: by default that of ``hostport=``, or any that is free.
            sock: a socket that listens already, as a supervisor hands it over (socket activation); it is
                closed with the channel. In place of ``hostport=`` and `port`.

        Raises:
            AlreadyListeningError: it listens on another port already, or on another socket than `sock`.
            OSError: the address is in use, or not one of this machine.
            RuntimeError: the channel is closed.
            TypeError: `sock` is no socket.
            ValueError: `sock` does not listen, or the address was given as well.

        """
        with self._lock:
            if self.is_closed():
                raise RuntimeError(f"channel {self.name} is closed")
            if self.listener is not None:
                if sock is not None and not self.listener.has(sock):
                    raise errors.AlreadyListeningError(
                        f"{self.name} listens on {self.hostport} already, not on that socket"
                    )
                if port and port != self.port:
                    raise errors.AlreadyListeningError(
                        f"{self.name} listens on port {self.port} already, not on {port}"
                    )
                if running_loop() is not None and (self.loop is None or not self.loop.is_running()):
                    self.use_loop()  # it listened before this loop ran, or before a fork
                return
            listener = Listener(self, self._bound(port, sock))
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

    def _bound(self, port: int | None, sock: socket.socket | None) -> Bound:
        hostport = self._given_hostport
        if sock is not None:
            if hostport is not None or port is not None:
                raise ValueError(
                    "sock= says where to listen: give no hostport= and no port besides"
                )
            return adopt(sock)
        if port is not None and not (hostport or "").startswith(UNIX_PREFIX):
            # By default every interface, of both families.
            host = parse_hostport(hostport)[0] if hostport else "::"
            hostport = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return bind(hostport, reuse_port=self._reuse_port)

    def is_listening(self) -> bool:
        """Say whether `listen` was called."""
        return self.listener is not None

    def serves_others(self) -> bool:
        """Say whether others may call it: it listens, or has handlers that its peers can reach."""
        # Those of the service `tchannel` are ours.
        return self.listener is not None or any(
            endpoints.has_handlers() and endpoints is not self._meta
            for endpoints in self.services.values()
        )

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


def _check_context(context: object, name: str, wrong: ssl._SSLMethod) -> None:
    if context is None:
        return
    if isinstance(context, TLSFiles):
        return
    if not isinstance(context, SSLContext):
        raise TypeError(f"{name} must be an ssl.SSLContext or TLSFiles, not {context!r}")
    if context.protocol == wrong:
        raise ValueError(f"{name} must not be a context made with {wrong.name}")


def _context_source(given: SSLContext | TLSFiles | None, *, server: bool) -> ContextSource | None:
    return None if given is None else ContextSource(given, server=server)


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


def live_channels() -> list[TChannel]:
    """Return the channels of this process that somebody still holds, closed ones among them."""
    while True:
        try:
            return list(_channels)
        except RuntimeError:
            pass  # another thread has made one meanwhile


def _forked() -> None:
    for channel in live_channels():
        channel._forked()  # noqa: SLF001  # of this module's own class


after_fork_in_child(_forked)
