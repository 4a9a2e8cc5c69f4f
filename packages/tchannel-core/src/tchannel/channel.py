"""The channel: client and server in one."""

from __future__ import annotations

import asyncio
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable
from ssl import SSLContext
from typing import Any, NoReturn

from . import errors
from ._calls.on_bytes import CallsOnBytes
from ._calls.pending import PendingCall
from ._calls.spans import Trace, check_trace
from ._ground.addresses import parse_hostport
from ._ground.process import after_fork_in_child
from ._ground.speedups import use as use_speedups
from ._ground.text import check_text
from ._inner_channel import InnerChannel, inside
from ._life.advertising import Advertising
from ._life.ending import Closing
from ._life.states import ChannelState
from ._links.peers import PeerGroup
from ._links.tls import ContextSource
from ._serving.registering import Registering
from ._sight.snapshot import take
from .authorization import Check, must_be_check
from .clock import Clock
from .event import EventRegistrar
from .interceptors import Interceptor, Interceptors
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


class TChannel(CallsOnBytes, Registering, Closing, Advertising):
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
        if options is None:
            options = Options()
        if ssl_permissive and ssl_server is None:
            raise ValueError("ssl_permissive needs ssl_server=")
        tls_server = _context_source(ssl_server, server=True)
        if (
            options.trust_announced_addresses
            and ssl_client is not None
            and (tls_server is None or not tls_server.asks_for_certificates)
        ):
            raise ValueError(
                "trust_announced_addresses goes with ssl_client= only where ssl_server= asks callers "
                "for certificates: an address that is announced without one proves nothing"
            )
        if authorize is not None:
            must_be_check(authorize)
        self._ssl = (ssl_server, ssl_client)
        self._inner: InnerChannel = InnerChannel(
            self,
            lambda: map(inside, live_channels()),
            name=name,
            hostport=hostport,
            process_name=process_name,
            source=_source(known_peers),
            trace=check_trace(trace),
            reuse_port=reuse_port,
            options=options,
            clock=clock,
            tls_server=tls_server,
            tls_client=_context_source(ssl_client, server=False),
            ssl_permissive=ssl_permissive,
            server_name=server_name,
            authorize=authorize,
            expose_errors=expose_errors,
            json_codec=json if json is not None else JsonCodec(),
        )
        self._inner.interceptors.outgoing.extend(interceptors)
        self._inner.interceptors.incoming.extend(interceptors)
        self._hooks: EventRegistrar = EventRegistrar(self._inner.events)
        self._subchannels: dict[str, SubChannel] = {}
        Registering.__init__(self, self._inner.endpoints)
        _channels.add(self)

    def _channel_of_schemes(self) -> TChannel:
        return self

    # -- what it is ---------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """How this application identifies itself."""
        return self._inner.name

    @property
    def process_name(self) -> str:
        """How the process calls itself to its peers."""
        return self._inner.process_name

    @property
    def options(self) -> Options:
        """Limits and defaults."""
        return self._inner.options

    @property
    def hostport(self) -> str:
        """Where it listens; before `listen`, where it was told to, with port 0 for any."""
        return self._inner.hostport

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
        return self._inner.peers_table.group

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        self._inner.use_loop()
        return self._inner.timers.clock

    @property
    def json_codec(self) -> JsonCodec:
        """How the bodies of json calls and handlers become JSON and are read."""
        return self._inner.json_codec

    @property
    def interceptors(self) -> Interceptors:
        """What stands in the way of its calls; change its lists ``outgoing`` and ``incoming``."""
        return self._inner.interceptors

    @property
    def hooks(self) -> EventRegistrar:
        """Where hooks are registered; see `tchannel.event`."""
        return self._hooks

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that it belongs to; None before its first use."""
        return self._inner.loop

    def use_loop(self) -> asyncio.AbstractEventLoop | None:
        """Make sure that this channel belongs to the loop that runs, and return that loop.

        Returns:
            The running loop; None when none runs, and the channel waits for its own to run.

        Raises:
            RuntimeError: its loop runs in another thread, or it is closed.

        """
        return self._inner.use_loop()

    @property
    def state(self) -> ChannelState:
        """How far it is between its making and its end."""
        return self._inner.state

    @property
    def trace(self) -> Trace:
        """Whether its calls are traced: True, False, a rate, or a function of the request."""
        return self._inner.trace

    @trace.setter
    def trace(self, trace: Trace) -> None:
        self._inner.trace = check_trace(trace)

    @property
    def authorize(self) -> Check | None:
        """Says of each incoming call whether it may pass; see `tchannel.authorization`."""
        return self._inner.authorize

    @authorize.setter
    def authorize(self, authorize: Check | None) -> None:
        if authorize is not None:
            must_be_check(authorize)
        self._inner.authorize = authorize

    @property
    def expose_errors(self) -> bool:
        """Whether callers are told the text of a handler's undeclared exception."""
        return self._inner.expose_errors

    @expose_errors.setter
    def expose_errors(self, expose: bool) -> None:
        self._inner.expose_errors = expose

    @property
    def ssl_server(self) -> SSLContext | TLSFiles | None:
        """What accepts TLS connections, as it was given."""
        return self._ssl[0]

    @property
    def ssl_client(self) -> SSLContext | TLSFiles | None:
        """What opens TLS connections, as it was given."""
        return self._ssl[1]

    @property
    def ssl_permissive(self) -> bool:
        """Whether connections without TLS are accepted beside those with it."""
        return self._inner.ssl_permissive

    @property
    def server_name(self) -> str | None:
        """The name in the peers' certificates; None for each peer's host."""
        return self._inner.server_name

    @property
    def start_call(self) -> Callable[..., PendingCall[Any]]:  # of whatever the scheme decodes
        """Starts a call on bytes: what the arg schemes call.

        It takes, by position or by name: ``scheme``, ``service``, ``endpoint``, ``arg2`` and ``arg3`` as
        bytes (arg3 may be an async iterator of them), ``decode``, which makes the result of the Future
        of ``code, arg2, arg3, transport headers``, and then the other arguments of `call`, by name.
        """
        return self._inner.start_call

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
        return take(self._inner, most)

    def __repr__(self) -> str:
        return repr(self._inner)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"channel {self.name} cannot be copied or pickled, with its connections and event loop:"
            " make another where one is needed"
        )

    def reload_tls(self) -> None:
        """Read the files of ``ssl_server=`` and ``ssl_client=`` again, for new connections.

        They are read by themselves as well, within a second, when their times change.

        Raises:
            OSError: (of which `ssl.SSLError` is one) a file cannot be read or used; the former ones
                stay in use.
            RuntimeError: Neither was given as `tchannel.tls.TLSFiles`.

        """
        sources = [
            one for one in (self._inner.tls_server, self._inner.tls_client) if one and one.reloads
        ]
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
        self._inner.listen(port, sock)

    def is_listening(self) -> bool:
        """Say whether `listen` was called."""
        return self._inner.listener is not None

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
            self._inner.services[name] = subchannel.endpoints
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
        inside(channel).forked()


after_fork_in_child(_forked)
# At the end: what is replaced has to be there.
use_speedups()
