"""One connection: tchannel-wire's sans-IO connection on an asyncio transport.

Bytes read become events, events reach calls; frames written within one turn of the loop leave in one
``transport.write`` (writing each by itself costs 7.6 µs of the 12 that a small call takes).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import tchannel_wire as wire

from .. import errors
from .._ground.addresses import (
    UNIX_CALLER,
    UNIX_PREFIX,
    announced_address,
    format_hostport,
)
from .._ground.log_fields import LogFields, fields_of, log_fields
from .._ground.logs import logger
from .._ground.text import counted, quoted, shown
from .._serving.incoming import IncomingRequest, refused_by_wire, serve, wants_body
from .._serving.queue import SHARE
from .._sight.snapshot import connection_stats
from ..clock import TimerHandle
from ..event import EventType
from .back_pressure import HOLD_TURN, BackPressure
from .first_bytes import OtherProtocolError
from .sockets import keep_alive

if TYPE_CHECKING:
    from .._calls.outgoing import OutgoingCall
    from .._inner_channel import InnerChannel
    from ..tls import Certificate
    from .peers import Peer
    from .timers import Timers

__all__ = ["Connection"]

log = logger("tchannel.connection")

_RESPONSE = wire.ResponseReceived
_REQUEST = wire.RequestReceived

# Frames of one connection that are looked at in one turn of the loop; as many small calls as fit
# into a share of its time.
_FRAMES_PER_TURN = 64

# Bytes of a read after which there may be another in the same turn of the loop (uvloop).
_LARGE_READ = 128 * 1024

# How long a closing connection may take to get rid of its last bytes.
_CLOSE_TIMEOUT = 2.0

# How long a peer may take to know that an idle connection is about to be closed.
_LEAVE_TIMEOUT = 0.5

# How often a connection is looked at that is to be closed once its calls are answered.
_IDLE_CHECK = 1.0


class _Wire(wire.Connection):
    """The sans-IO connection, which knows whose it is: expired deadlines find their way by it."""

    __slots__ = ("owner",)

    owner: Connection


class Connection(BackPressure):
    """A connection to a peer, whoever opened it.

    Args:
        channel: whose connection it is.
        peer: the peer it was opened to, or None when the other side opened it.
        address: the other side's socket, where it is known before the connection is made; asked
            for later, a socket that was reset knows it no more.

    """

    __slots__ = (
        "_end_timer",
        "_gone",
        "_lost",
        "_reason",
        "address",
        "announced",
        "calls_received",
        "calls_sent",
        "certificate",
        "dormant",
        "drain_ping",
        "heard",
        "incoming",
        "leaving",
        "opened_at",
        "opener",
        "peer",
        "peer_draining",
        "ready",
        "timers",
        "told",
    )

    # Declared again: a checker infers it anew where a method of this class sets it.
    bytes_received: int
    flushing: bool
    last_heard: float
    timers: Timers
    transport: asyncio.Transport
    turn_ends: float

    def __init__(self, channel: InnerChannel, peer: Peer | None, address: str = "") -> None:
        super().__init__(channel)
        self.timers = channel.timers
        self.peer = peer
        self.opener: bool = peer is not None
        self.address: str = peer.hostport if peer is not None else address
        """What it was opened to, or the other side's socket: never what the other side announced."""
        self.told: str = ""
        """The address that we announced."""
        self.announced: str | None = None
        """The address that the other side announced; None before that, and if it does not listen."""
        self.calls_received: int = 0
        """Incoming calls that reached a handler."""
        self.calls_sent: int = 0
        """Attempts of outgoing calls."""
        self.heard: bool = False
        """Whether anything has come from the other side."""
        self.opened_at: float = 0.0
        """When the transport was there, by the channel's clock."""
        self._reason: str | BaseException | None = None
        self.certificate: Certificate | None = None
        self.incoming: dict[int, IncomingRequest]
        """Calls being served; set when the other side's address is known."""
        self.ready: bool = False
        self.drain_ping: int | None = None
        """The ping whose pong a closing channel waits for."""
        self.dormant: bool = False
        """Whether the loop holds it weakly: see `dormant.py`."""
        self.leaving: bool = False
        """Whether it is about to be closed because it was idle."""
        self.peer_draining: bool = False
        self._gone = False
        self._lost: asyncio.Future[None] | None = None
        self._end_timer: TimerHandle | None = None

    def _wants_body(self, request: wire.RequestReceived) -> bool:
        return wants_body(self, request)

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.transport = cast("asyncio.Transport", transport)
        if not self.address:
            self.address = _address_of(transport, self)
        self.certificate = transport.get_extra_info("peercert")
        channel = self.channel
        self.told = channel.advertised_hostport(opener=self.opener)
        self.opened_at = self.last_heard = self.timers.time()
        keep_alive(transport.get_extra_info("socket"), channel.options)
        sans_io = _Wire(
            opener=self.opener,
            host_port=self.told,
            process_name=channel.process_name,
            now=self.opened_at,
            options=channel.options.wire,
            deadlines=self.timers.queue,
            stream_request=self._wants_body,
            unix_socket=self.address.startswith((UNIX_PREFIX, UNIX_CALLER)),
            memory=channel.memory,
        )
        sans_io.owner = self
        self.wire: wire.Connection = sans_io
        self.incoming = channel.admission.calls_of(self)
        channel.connections.add(self)
        if not channel.state.connects:
            self.abort()
            return
        if not self.opener:
            channel.gate.opened(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Handle the events in ``data``, then send what the handlers answered at once.

        More frames than fit into a turn of the loop wait for the next, and nothing is read meanwhile.
        """
        flushing, self.flushing = self.flushing, True
        now = self.last_heard = self.timers.time()
        self.turn_ends = 0.0 if self.channel.queue.active else now + SHARE
        sans_io = self.wire
        self.bytes_received += len(data)
        events = sans_io.receive(data, now, _FRAMES_PER_TURN)
        if sans_io.unread:
            self.hold_for_turn()
        if len(data) >= _LARGE_READ:
            self._count_read(len(data))
        try:
            self.handle(events)
        finally:
            # What was answered meanwhile leaves now, and what the tasks write that were woken leaves
            # behind them in the next turn of the loop: one turn less, either way.
            self.flushing = flushing
            if not flushing:
                if sans_io.has_data:
                    self._flush()
                elif events:
                    self.flush_soon()
        if self.paused:
            self._count_replies()

    def _read_on(self) -> None:
        """Go on with what was read, in a turn of the loop of its own."""
        self._reads_on = False
        if self._gone or self._holds != HOLD_TURN:
            return  # when the other reasons are gone
        if not self.closed and self.wire.unread:
            self.data_received(b"")
            if self.wire.unread and not self.closed:
                if self._holds == HOLD_TURN:
                    self._read_on_soon()
                return
        self.release(HOLD_TURN)

    def shed(self) -> None:
        """Give up the unfinished requests of the peer: they hold more than those of any other."""
        self.handle(self.wire.shed())
        self.flush_soon()

    def eof_received(self) -> None:
        """The peer is gone: nobody half-closes (protocol, "Connection")."""
        self._because("closed by the peer")
        # With TLS, or with much to be written, the transport takes its time to tell of its end, and
        # for ever if the peer does not read either.
        self.channel.peers_table.connection_gone(self)
        if not self.transport.is_closing():
            self.transport.close()
            self._end_in(_CLOSE_TIMEOUT, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what was in flight."""
        if self._gone:
            return
        # What the transport has to say of it is better than that the stream has ended.
        self._because(exc if exc is not None else "closed by the peer")
        if not self.closed:
            self.handle(self.wire.receive_eof(self.timers.time()))
        # Of the bytes whose first part made a hook or a handler close the connection.
        for request in list(self.incoming.values()):
            request.abandon()
        if self._end_timer is not None:
            self._end_timer.cancel()
        self.stop_watching()
        self.forget_bytes()
        self._sum_up()
        self.channel.peers_table.keepalive.forget(self)
        self.channel.connections.discard(self)
        self.channel.gate.lost(self)
        self._wake_writers()
        self._gone = True
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        self.channel.notify()

    def _sum_up(self) -> None:
        """Leave what was counted to those who live longer."""
        counts = self.channel.counts
        counts.bytes_received += self.bytes_received
        counts.bytes_sent += self.bytes_sent
        if self.opener and self.peer is not None:
            self.peer.sent_before += self.calls_sent

    @property
    def lost(self) -> asyncio.Future[None]:
        """A Future that ends with the connection; made when first asked for: 140 bytes less."""
        if self._lost is None:
            self._lost = self.loop.create_future()
            if self._gone:
                self._lost.set_result(None)
        return self._lost

    # -- events -------------------------------------------------------------------------------

    # Any: each event goes to the handler of its type; nothing narrows by a look into a table.
    def handle(self, events: list[Any]) -> None:
        """Handle what tchannel-wire made of the bytes, or of the time."""
        for event in events:
            kind = type(event)
            # The two events of the hot path first: a table look-up and a call saved for each.
            if kind is _RESPONSE:
                event.context.on_response(event)
            elif kind is _REQUEST:
                serve(self, event)
            else:
                _HANDLERS[kind](self, event)

    def _because(self, reason: str | BaseException) -> None:
        """Remember why it ends; the first reason is the one."""
        if self._reason is None:
            self._reason = reason

    @property
    def _way(self) -> str:
        return "to" if self.opener else "from"

    def log_fields(
        self,
        service: str | None = None,
        endpoint: str | None = None,
        message_id: int | None = None,
    ) -> LogFields:
        """Return what log records say of the connection, or of a call on it."""
        return log_fields(self.address, service, endpoint, message_id, self.announced)

    def fault(self, level: int, message: str, *args: object, extra: LogFields) -> None:
        """Log what the peer does wrong, or count it if it does that all the time."""
        self.channel.faults.log(self.timers, log, level, message, *args, extra=extra)

    def _on_connected(self, event: wire.Connected) -> None:
        self.ready = True
        self.channel.counts.connections_made["outgoing" if self.opener else "incoming"] += 1
        self.channel.gate.ready(self)
        self.announced = announced_address(event.remote.host_port, self.address)
        log.log(
            logging.INFO if self.opener else logging.DEBUG,
            "connection %s %s is open: %s, which announces %s",
            self._way,
            self.address,
            event.remote.process_name,
            self.announced,
            extra=self.log_fields(),
        )
        self.channel.peers_table.connection_ready(self)
        if not self.channel.state.serves:
            self.start_draining()  # it came while the others were told
        self._fire(EventType.on_connection_opened)

    def _fire(self, event: EventType, reason: str | None = None) -> None:
        """Tell the hooks of the connection."""
        events = self.channel.events
        if events.callbacks[event]:
            told = connection_stats(self, self.timers.time())
            if reason is None:
                events.fire(event, told)
            else:
                events.fire(event, told, shown(reason))

    def _on_request_chunk(self, event: wire.RequestChunk) -> None:
        request = self.incoming.get(event.id)
        if request is not None and request.stream is not None:
            if self.channel.memory.overfull and not event.last:
                self._limit_reached("memory")
                request.give_way(errors.BusyError("too many bytes of streamed requests wait"))
            else:
                request.stream.feed(event.data, event.last)

    def _on_response_chunk(self, event: wire.ResponseChunk) -> None:
        cast("OutgoingCall", event.context).on_chunk(event)

    def _on_error(self, event: wire.ErrorReceived) -> None:
        if event.context is not None:
            cast("OutgoingCall", event.context).on_error(event)

    def _on_call_expired(self, event: wire.CallExpired) -> None:
        call = cast("OutgoingCall", event.context)
        exchange = call.exchange
        if exchange is not None and self.last_heard <= exchange.deadline - exchange.ttl:
            # Before the call, which may look for another peer.
            self.channel.peers_table.keepalive.call_timed_out(self)
        call.on_expired()

    def start_draining(self) -> None:
        """Tell the peer that we leave, and ping it behind that unless it is known to answer none."""
        self.wire.drain("closing")
        if self.channel.peers_table.keepalive.answers_pings(self):
            self.drain_ping = self.wire.ping(self.timers.time())
        self.flush_soon()

    def _on_pong(self, event: wire.PongReceived) -> None:
        if event.id == self.drain_ping:
            self.drain_ping = None
            self.channel.notify()
            if self.leaving:
                self.close_when_idle()
        self.channel.peers_table.keepalive.pong(self)
        self._on_ignored(event)

    def _on_call_failed(self, event: wire.CallFailed) -> None:
        call = cast("OutgoingCall", event.context)
        self._limit_reached(event.error.limit)
        self.fault(
            logging.WARNING,
            "bad answer of %s to call %d: %s",
            self.address,
            event.id,
            event.error,
            extra=call.log_fields(event.id),
        )
        call.on_bad_response(event.error)

    def _on_cancel(self, event: wire.CancelReceived) -> None:
        request = self.incoming.get(event.id)
        if request is not None:
            log.debug(
                "call %d from %s (service %r, endpoint %r) was cancelled: %s",
                event.id,
                self.address,
                request.service,
                request.endpoint,
                event.why,
                extra=fields_of(request),
            )
            request.abandon(outcome="cancelled")

    def _on_request_expired(self, event: wire.RequestExpired) -> None:
        request = self.incoming.get(event.id)
        if request is not None:
            self.fault(
                logging.INFO,
                "call %d from %s (service %r, endpoint %r) ran out of time",
                event.id,
                self.address,
                request.service,
                request.endpoint,
                extra=fields_of(request),
            )
            request.abandon(outcome="timeout")

    def _on_refused(self, event: wire.RequestRefused) -> None:
        endpoint = event.endpoint.decode(errors="replace")
        self._limit_reached(event.error.limit)
        request = self.incoming.get(event.id)
        if request is not None:  # its handler was reading the body
            request.abandon(refused=event.error)
        else:
            refused_by_wire(self, event)
        self.fault(
            # A call that comes while we drain is no mistake of the peer's, nor one whose caller gave
            # up while it was still being written: tchannel-go then writes no more, and no cancel.
            logging.INFO
            if event.error.code in {errors.DECLINED, errors.TIMEOUT}
            else logging.WARNING,
            "bad call %d from %s (service %r, endpoint %r): %s",
            event.id,
            self.address,
            event.service,
            endpoint,
            event.error,
            extra=self.log_fields(event.service, endpoint, event.id),
        )

    def _limit_reached(self, name: str) -> None:
        """Count a limit that wire keeps, if it was one."""
        options = self.channel.options
        if name == "memory":
            self.channel.limit_reached("incoming_memory", int(options.incoming_memory))
        elif name:
            self.channel.limit_reached(name, int(getattr(options.wire, name)))

    def _on_drain(self, event: wire.DrainReceived) -> None:
        self.fault(
            logging.INFO,
            "%s is draining: %s",
            self.address,
            event.reason,
            extra=self.log_fields(),
        )
        self.peer_draining = True
        self.channel.peers_table.connection_gone(self)
        self._fire(EventType.on_peer_draining, event.reason)

    def _on_ignored(self, event: object) -> None:
        log.debug(
            "%s: %r",
            self.address,
            event,
            extra=self.log_fields(message_id=getattr(event, "id", None)),
        )

    def _on_closed(self, event: wire.ConnectionClosed) -> None:
        self.closed = True
        error = self._reason if isinstance(self._reason, BaseException) else event.error
        self._tell_of_end(error)
        table = self.channel.peers_table
        table.connection_gone(self)
        for context, written in [(context, written) for _, context, written in event.calls]:
            if context is not None:
                cast("OutgoingCall", context).on_connection_lost(written, error)
        for request in list(self.incoming.values()):
            request.abandon()
        why = str(error or self._reason)
        if self.ready:
            self._fire(EventType.on_connection_closed, why)
        elif self.peer is None and self.heard:
            self.channel.handshake_failed("incoming", self.address, why)
        if not self.ready and self.peer is not None:
            table.connect_failed(self.peer, error or ConnectionResetError("closed by peer"))
        self._close_transport()

    def _tell_of_end(self, error: BaseException | None) -> None:
        about = getattr(error, "message_id", wire.NO_MESSAGE_ID)
        extra = self.log_fields(message_id=None if about == wire.NO_MESSAGE_ID else about)
        age = self.timers.time() - self.opened_at
        calls = self.calls_received + self.calls_sent
        if not self.opener and not self.heard and not self.ready:
            # A health check, which connects and closes: it is no fault that it says nothing.
            log.debug(
                "connection from %s said nothing in its %.3g s", self.address, age, extra=extra
            )
        elif self.opener and not self.ready:
            pass  # it is told as a peer that cannot be connected to
        elif error is not None and self.channel.state.connects:
            self.fault(
                logging.WARNING,
                "connection %s %s ended: %s (after %.3g s, %d calls)",
                self._way,
                self.address,
                error,
                age,
                calls,
                extra=extra,
            )
        else:
            log.log(
                logging.INFO if self.opener else logging.DEBUG,
                "connection %s %s is closed: %s (after %.3g s, %d calls)",
                self._way,
                self.address,
                self._reason,
                age,
                calls,
                extra=extra,
            )

    def speaks_otherwise(self, protocol: str) -> None:
        """End it, for its first bytes are those of another protocol."""
        text = f"the peer speaks {protocol}, not TChannel"
        if protocol == "TLS":
            text = (
                "the peer speaks TLS, and this channel does not: give it ssl_client="
                if self.opener
                else f"the peer speaks TLS, and {self.channel.name} does not: give it ssl_server="
            )
        elif protocol == "PROXY":
            text = "a load balancer speaks the PROXY protocol: turn that off for this port"
        self._because(OtherProtocolError(text))
        self.close()

    # -- closing ------------------------------------------------------------------------------

    def close(self) -> None:
        """Send what is to be sent, then close; abort if the peer does not take it in time."""
        self._because("closed here")
        if not self.closed:
            self.handle(self.wire.close(self.timers.time()))
        else:
            self._close_transport()

    def _close_transport(self) -> None:
        transport = self.transport
        if transport.is_closing():
            return
        data = self.wire.data_to_send()
        if data:
            transport.write(data)
        transport.close()
        # transport.close() waits without end for a peer that does not read.
        self._end_in(_CLOSE_TIMEOUT, transport.abort)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way on it: no call, no part of one, no byte to be sent."""
        wire = self.wire
        return not (wire.outbound or wire.inbound or self.incoming or wire.has_data or self.paused)

    def leave(self) -> None:
        """Close it although all is well; the peer is told first, and what it still sent is served."""
        if self.leaving or self.closed:
            return
        self.leaving = True
        self._because("closed here: it was idle")
        table = self.channel.peers_table
        table.connection_gone(self)
        self.wire.drain("the connection is idle", decline=False)
        if table.keepalive.answers_pings(self):
            self.drain_ping = self.wire.ping(self.timers.time())
        self.flush_soon()
        self._end_in(_LEAVE_TIMEOUT, self.close_when_idle)

    def close_when_idle(self) -> None:
        """Close once its calls are answered: its peer is no longer known, or not by our old address."""
        if self.wire.outbound or self.wire.inbound:
            self._end_in(_IDLE_CHECK, self.close_when_idle)
        elif not self.closed:
            self.close()

    def _end_in(self, delay: float, end: Callable[[], object]) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
        self._end_timer = self.timers.clock.call_at(self.timers.time() + delay, end)

    def abort(self) -> None:
        """Close at once; whatever is in flight fails."""
        self._because("closed here at once")
        self.transport.abort()

    def making_cancelled(self) -> None:
        """See to the end of a connection whose making was cancelled: it may have been made already.

        asyncio's transports then tell of their end within two turns of the loop, uvloop's never.
        """
        if self in self.channel.connections:
            self.peer = None  # whoever asked for it is told by whoever cancelled
            self.abort()
            self.loop.call_soon(self.loop.call_soon, self.connection_lost, None)

    def __repr__(self) -> str:
        remote = self.wire.remote
        words = [self.wire.state.name.lower()]
        if remote is not None:
            words.append(f"process {quoted(remote.process_name)}")
        if self.announced is not None and self.announced != self.address:
            words.append(f"announces {shown(self.announced)}")
        if self.peer_draining:
            words.append("peer draining")
        if self.paused:
            words.append("peer does not read")
        words.append(f"{len(self.wire.outbound)} outgoing")
        words.append(f"{counted(len(self.incoming), 'incoming call')}")
        return f"<Connection {self._way} {shown(self.address)}: {', '.join(words)}>"


_HANDLERS: dict[type, Callable[[Connection, Any], None]] = {
    wire.Connected: Connection._on_connected,
    wire.RequestChunk: Connection._on_request_chunk,
    wire.ResponseChunk: Connection._on_response_chunk,
    wire.ErrorReceived: Connection._on_error,
    wire.CallExpired: Connection._on_call_expired,
    wire.CallFailed: Connection._on_call_failed,
    wire.CancelReceived: Connection._on_cancel,
    wire.RequestExpired: Connection._on_request_expired,
    wire.RequestRefused: Connection._on_refused,
    wire.ClaimReceived: Connection._on_ignored,
    wire.PongReceived: Connection._on_pong,
    wire.DrainReceived: Connection._on_drain,
    wire.NoticeReceived: Connection._on_ignored,
    wire.ConnectionClosed: Connection._on_closed,
}


def _address_of(transport: asyncio.BaseTransport, connection: Connection) -> str:
    """Return an identity for the other side, for logs and as ``hostport=`` of calls back."""
    name = transport.get_extra_info("peername")
    if isinstance(name, tuple):
        host, port = name[:2]
        return format_hostport(host, port)
    # A Unix socket's peer has no name.
    return f"{UNIX_CALLER}{id(connection):x}:0"
