"""What is known of an outgoing call, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

import tchannel_wire as wire

from .. import errors
from .._ground.log_fields import LogFields, log_fields, trace_id_of
from .._ground.text import counted, shown
from .._sight.counting import outcome_of
from .._sight.recent import text_of
from ..event import EventType
from ..interceptors import PendingReply
from ..request import OutgoingRequest
from ..stats import APP_ERROR, SUCCESS, CallEnded
from ..streaming import Body
from .pending import CallHabits
from .spans import Trace, make_tracing

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .._links.peers import Peer
    from .._serving.incoming import IncomingRequest
    from .calling import Calling
    from .intercepted import Delivery, InterceptedCall
    from .waiting import Wait

__all__ = ["CallState", "Decode"]

Decode: TypeAlias = Callable[[int, bytes, "bytes | Body", Mapping[str, str]], object]
"""Makes the result of a call of ``code, arg2, arg3, transport headers``; may raise."""


class CallState(CallHabits):
    """An outgoing call as it stands: what was asked for, what has been tried, what it waits for."""

    # The fields are slots of `OutgoingCall`, whose first base is the Future of the standard library:
    # with classes in between, finding the Future's methods makes a small call 0.3 % dearer.
    if TYPE_CHECKING:

        def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None: ...

        def done(self) -> bool:
            """Say whether the call has ended."""
            ...

        def exception(self) -> BaseException | None:
            """Return its error; None when it ended well."""
            ...

        def set_exception(self, exception: type | BaseException, /) -> None:
            """End it with an error."""

        def cancel(self, msg: object | None = None) -> bool:
            """End it without an answer."""
            ...

        # How it goes on and how it ends is the business of `OutgoingCall`.
        def begin(self) -> None:
            """Make the next attempt."""

        def wait(self) -> Wait:
            """Return the part of the call that waits."""
            ...

        def _abandon(self, why: str) -> None: ...

    else:
        __slots__ = ()

    channel: Calling
    prepared: wire.PreparedCall
    arg2: bytes
    arg3: bytes | AsyncIterable[bytes]
    decode: Decode
    timeout: float
    """Seconds for one attempt."""
    deadline: float | None
    """When the whole call ends, by the channel's clock."""
    retry_on: str
    retry_limit: int | None
    hostport: str | None
    """The address that the caller named."""
    tracing: bytes
    streamed_code: int
    """That of a streamed response, while it still arrives."""
    stream: bool
    """Whether the response's body is to be read as it arrives."""
    request: OutgoingRequest | None
    """What hooks see; made when one is there."""
    attempts: int
    tried: tuple[Peer, ...]
    """The peers that failed, to be avoided while there are others."""
    peer: Peer | None
    connection: Connection | None
    exchange: wire.OutboundCall | None
    waits: Wait | None
    """The part that waits for something other than the answer, once it had to."""
    pump: asyncio.Task[None] | None
    """Sends a streamed body."""
    pending: PendingReply | None
    """What interceptors hold of this call until its end."""
    proceeded: bool
    """Whether interceptors have let it through already."""
    further: list[InterceptedCall]
    """The calls that interceptors made of it after the first; unset while there are none."""
    streamed: Body | None
    """The response's body while it still arrives."""
    delivered_to: Delivery | None
    """What stands in for this call towards the caller, when interceptors do."""

    def as_request(self) -> OutgoingRequest:
        """Return the request that hooks and trace functions see: the same at every event."""
        request = self.request
        if request is None:
            # Filled in from here rather than by an __init__: 0.6 % of a small call less.
            request = self.request = OutgoingRequest()
            request.body = self.arg3
            request._arg2 = self.arg2
            request._headers = None
            # A `trace` that is a function asks for the request before there are ids.
            request._tracing = getattr(self, "tracing", wire.NO_TRACING)
            request.timeout = self.timeout
            request._transport = None
            request._prepared = self.prepared
        return request

    def make_tracing(self, trace: Trace, parent: IncomingRequest | wire.Tracing | None) -> None:
        """Give the call its span; ``trace`` may ask to see the request for it."""
        self.tracing = make_tracing(trace, parent, self.as_request)
        if self.request is not None:
            self.request._tracing = self.tracing

    def describe(self) -> dict[str, object]:
        """Return what an interceptor sees of the call."""
        prepared = self.prepared
        return {
            "service": prepared.service,
            "endpoint": prepared.arg1.decode(),
            "scheme": prepared.headers[wire.ARG_SCHEME],
            "arg2": self.arg2,
            "arg3": self.arg3,
            "headers": dict(prepared.headers),
            "channel": self.channel.public,
            "outgoing": True,
            "timeout": self.timeout,
            "deadline": self.deadline,
            "tracing": wire.Tracing.unpack(self.tracing),
            "hostport": self.hostport,
            "retry_on": self.retry_on,
            "retry_limit": self.retry_limit,
            "peer": "",
            "known_peers": self.channel.peers_table.group.hosts,
            "streaming": hasattr(self.arg3, "__aiter__"),
        }

    def in_words(self) -> str:
        """Say which call it is and how far it has got: names and addresses, nothing of its contents."""
        prepared = getattr(self, "prepared", None)
        if prepared is None:
            return "not made yet"
        scheme = shown(prepared.headers[wire.ARG_SCHEME])
        words = [f"{shown(prepared.service)}::{shown(prepared.arg1.decode())} as {scheme}"]
        words.append(counted(self.attempts, "attempt"))
        peer = self.peer.hostport if self.peer is not None else self.hostport
        if peer is not None:
            words.append(f"to {shown(peer)}")
        waits = self.waits
        if waits is not None and waits.timer is not None:
            words.append(f"waiting for a {waits.reason()}")
        words.append(f"timeout {self.timeout:g} s")
        return ", ".join(words)

    def log_fields(self, message_id: int | None = None) -> LogFields:
        """Return what log records say of the call, sent under that id."""
        prepared = self.prepared
        peer = self.peer.hostport if self.peer is not None else self.hostport
        trace_id = trace_id_of(getattr(self, "tracing", None))
        endpoint = prepared.arg1.decode()
        return log_fields(peer, prepared.service, endpoint, message_id, trace_id=trace_id)

    def fail(self, error: errors.TChannelError) -> None:
        """End the call with this error, and tell the hooks."""
        if not self.done():
            self.count_error(outcome_of(error), error)
        self._complete_error(error)
        events = self.channel.events
        event = (
            EventType.on_operational_error
            if error.id is None
            else EventType.after_receive_system_error
        )
        if events.callbacks[event]:
            events.fire(event, self.as_request(), error)
        if events.callbacks[EventType.on_exception]:
            running = events.fire(EventType.on_exception, self.as_request(), error)
            if running is not None:
                self.wait().for_outcome(running, partial(self.finish_with, error))
                return
        self.finish_with(error)

    def count_error(self, outcome: str, error: BaseException | None = None) -> None:
        """Count the end of a call that got no response, and how long it took to get none."""
        took = self._took()
        self.channel.counts.row_of(self.prepared).ended(outcome, took)
        self.remember(took, outcome, text_of(error))
        if self.channel.events.callbacks[EventType.on_call_ended]:
            self.tell_end(outcome)

    def _took(self) -> float:
        """Return the seconds since the call began."""
        exchange = self.exchange
        now = self.channel.timers.time()
        if self.waits is not None:
            return now - self.waits.began
        return 0.0 if exchange is None else now - exchange.deadline + exchange.ttl

    def tell_end(self, outcome: str) -> None:
        """Tell the hooks how the call has ended."""
        ended = CallEnded(outcome, self._took(), self.attempts)
        self.channel.events.fire(EventType.on_call_ended, self.as_request(), ended)

    def remember_if_slow(self, seconds: float, status: int) -> None:
        """Keep a call that was answered if it was slow."""
        if seconds >= self.channel.recent.slow:
            self.remember(seconds, APP_ERROR if status else SUCCESS)

    def remember(self, seconds: float, outcome: str, error: str | None = None) -> None:
        """Keep a call that failed, or was slow, for those who ask what went wrong lately."""
        connection, peer = self.connection, self.peer
        address = connection.address if connection is not None else self.hostport
        self.channel.recent.ended(
            "outgoing",
            self.prepared.service,
            self.prepared.arg1.decode(errors="replace"),
            self.prepared.headers[wire.CALLER_NAME],
            address or (peer.hostport if peer is not None else ""),
            seconds,
            outcome,
            error,
            attempts=self.attempts,
            tracing=self.tracing,
        )

    def finish_with(self, error: BaseException) -> None:
        """End the call with this error, without a word to the hooks."""
        self.waits = None
        if self.pending is not None:
            self.pending.complete(error)
            self.pending = None
        if not self.done():
            self.set_exception(error)
            # Looked at once, so that an ignored call makes no "never retrieved" noise.
            self.exception()
            if self.delivered_to is not None:
                self.delivered_to.deliver(cast("asyncio.Future[object]", self))
                self.delivered_to = None

    def _complete_error(self, error: errors.TChannelError) -> errors.TChannelError:
        """Say in ``error`` whose it is, and return it."""
        error.service = self.prepared.service
        error.endpoint = self.prepared.arg1.decode()
        error.attempts = self.attempts
        if error.peer is None and self.peer is not None:
            error.peer = self.peer.hostport
        if error.tracing is None:
            error.tracing = wire.Tracing.unpack(self.tracing)
        return error
