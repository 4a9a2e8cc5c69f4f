"""What a channel is made of, and what its parts know of each other."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import tchannel_wire as wire

from . import errors
from ._calls.calling import Calling
from ._calls.retries import RetryBudget
from ._calls.spans import Trace
from ._ground.addresses import UNIX_PREFIX, parse_hostport
from ._ground.text import counted, shown
from ._life.hot_state import HotState
from ._life.lifecycle import Lifecycle
from ._life.loops import running_loop
from ._links.binding import Bound, adopt, bind
from ._links.faults import Faults
from ._links.listener import Listener
from ._links.peer_table import PeerTable
from ._links.tls import ContextSource
from ._serving.endpoints import Endpoint, Endpoints, NoEndpoints
from ._serving.meta import add_meta
from ._sight.introspection import add_introspection
from .authorization import Check
from .clock import Clock
from .event import EventEmitter
from .interceptors import Interceptors
from .net import local_ip
from .options import Options
from .peer_sources import PeerSource
from .schemes.json import JsonCodec

if TYPE_CHECKING:
    from .channel import TChannel
    from .interceptors import Call

__all__ = ["InnerChannel", "inside", "served_as"]


class InnerChannel(HotState, Calling, Lifecycle):
    """A channel as its parts see it; users hold the `TChannel` around it.

    Args:
        public: The channel around it.
        channels: Gives all channels of the process.
        hostport: Where to listen.
        reuse_port: Whether to share the port.
        clock: Time and timers; by default those of the loop.
        source: Brings the peers.

    The others are what `TChannel` was given, checked. It is of the loop that first uses it.

    """

    # Declared again: a checker infers it anew where a method of this class sets it.
    listener: Listener | None

    def __init__(
        self,
        public: TChannel,
        channels: Callable[[], Iterable[InnerChannel]],
        *,
        name: str,
        hostport: str | None,
        process_name: str | None,
        source: PeerSource,
        trace: Trace,
        reuse_port: bool,
        options: Options,
        clock: Clock | None,
        tls_server: ContextSource | None,
        tls_client: ContextSource | None,
        ssl_permissive: bool,
        server_name: str | None,
        authorize: Check | None,
        expose_errors: bool,
        json_codec: JsonCodec,
    ) -> None:
        self.public = public
        self.name = name
        self.process_name: str = process_name or f"{os.path.basename(sys.argv[0])}[{os.getpid()}]"
        self.options = options
        self.trace = trace
        self.authorize = authorize
        self.expose_errors = expose_errors
        self.ssl_permissive = ssl_permissive
        self.server_name = server_name
        self.tls_server = tls_server
        self.tls_client = tls_client
        self.json_codec = json_codec
        self.retry_budget: RetryBudget = RetryBudget(
            options.retry_budget, options.retry_budget_least
        )
        self.interceptors: Interceptors = Interceptors()
        self.events: EventEmitter = EventEmitter()
        self._given_hostport = hostport
        self._reuse_port = reuse_port
        self._prepared = {}
        self._lock = threading.Lock()
        self.faults: Faults = Faults()
        Lifecycle.__init__(self, clock, source, PeerTable(self))
        self._meta = Endpoints("tchannel")
        add_introspection(self, self._meta, Endpoint, channels)
        self.endpoints: Endpoints = Endpoints(name, meta=self._meta)
        add_meta(self.endpoints, options.meta_endpoints)
        self.default_endpoints: NoEndpoints | Endpoints = (
            NoEndpoints(name) if options.known_services_only else self.endpoints
        )
        """What serves calls of services that have no sub-channel."""
        self.services: dict[str, Endpoints] = {"tchannel": self._meta, name: self.endpoints}

    @property
    def hostport(self) -> str:
        """Where it listens; before that, where it was told to, with port 0 for any."""
        if self.listener is not None:
            return self.listener.hostport
        return self._given_hostport or f"{local_ip()}:0"

    def advertised_hostport(self, *, opener: bool) -> str:
        """Return the ``host_port`` for a handshake (protocol, "Connection").

        Peers can make nothing of a host_port that is not dotted IPv4: node closes the connection.
        """
        listener = self.listener
        if listener is None or (opener and listener.reachable is None):
            return wire.EPHEMERAL_HOST_PORT
        return listener.reachable or listener.hostport

    def _has_endpoint(self, service: str, endpoint: bytes) -> bool:
        endpoints = self.services.get(service)
        return endpoints is not None and endpoint in endpoints.by_name

    def __repr__(self) -> str:
        # Without a lock or a loop: debuggers and logs ask for it, in any thread, at any time.
        listens = self.listener is not None and not self.is_closed()
        where = f"listens on {self.hostport}" if listens else "does not listen"
        counts = (
            counted(len(self.connections), "connection"),
            counted(len(self.peers_table.group), "known peer"),
            f"{self.outgoing_calls()} outgoing and {counted(self.incoming_calls, 'incoming call')}",
        )
        return f"<TChannel {shown(self.name)}: {self.state.text}, {where}, {', '.join(counts)}>"

    # -- serving ------------------------------------------------------------------------------

    def listen(self, port: int | None, sock: socket.socket | None) -> None:
        """Listen for connections; see `TChannel.listen`."""
        with self._lock:
            if self.is_closed():
                raise RuntimeError(f"channel {self.name} is closed")
            if self.listener is not None:
                if sock is not None and not self.listener.has(sock):
                    raise errors.AlreadyListeningError(
                        f"{self.name} listens on {self.hostport} already, not on that socket"
                    )
                _, listens_on = parse_hostport(self.hostport)
                if port and port != listens_on:
                    raise errors.AlreadyListeningError(
                        f"{self.name} listens on port {listens_on} already, not on {port}"
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

    def serves_others(self) -> bool:
        """Say whether others may call it: it listens, or has handlers that its peers can reach."""
        # Those of the service `tchannel` are ours.
        return self.listener is not None or any(
            endpoints.has_handlers() and endpoints is not self._meta
            for endpoints in self.services.values()
        )


def inside(channel: TChannel) -> InnerChannel:
    """Return what a channel is made of, for those that its API does not let close enough.

    `advertised_hostport`, `connections`, `listener`, `loop` and `peers_table` keep their names and
    meanings until the next major version; all else that stands there may change with any.
    """
    return channel._inner  # noqa: SLF001  # the door to it


def served_as(channel: TChannel, call: Call) -> str | None:
    """Return the service under which ``channel`` serves an incoming call; None where it does not.

    For what keeps a row for each endpoint: names that callers make up must not become rows.
    """
    inner = inside(channel)
    endpoints = inner.services.get(call.service, inner.default_endpoints)
    known = endpoints.get(call.endpoint.encode(), call.scheme) is not None
    return endpoints.service if known else None
