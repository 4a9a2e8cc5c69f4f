"""Outgoing calls: one Future for a call with all its attempts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from functools import partial
from math import floor
from typing import TYPE_CHECKING

import tchannel_wire as wire

from .. import errors
from .._ground.logs import logger
from .._ground.tasks import start_task
from .._sight.counting import BUCKET_OF, outcome_of
from ..event import EventType
from ..options import SMALL
from ..response import Response
from ..retry import DEFAULT_RETRY_LIMIT
from ..stats import APP_ERROR, SUCCESS, bucket_of
from ..streaming import Body, close_body, write_chunk
from . import retries
from .call_state import Decode
from .droppable import DroppableCall
from .intercepted import InterceptedCall
from .pending import state_of
from .waiting import Wait

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .._links.peers import Peer, PeerGroup
    from ..interceptors import PendingReply
    from .intercepted import Delivery

__all__ = ["Decode", "OutgoingCall"]

log = logger("tchannel.outbound")

# Plain ints: a list is indexed by an enum member the slow way, at 30 ns each.
_BEFORE_SEND = int(EventType.before_send_request)
_AFTER_SEND = int(EventType.after_send_request)
_BEFORE_RECEIVE = int(EventType.before_receive_response)
_AFTER_RECEIVE = int(EventType.after_receive_response)
_ENDED = int(EventType.on_call_ended)


# A Future has a result type of its own here: the scheme's response, known to the caller.
class OutgoingCall(asyncio.Future[object], InterceptedCall):
    """A call on its way; its result is the response.

    It starts at once, whether or not it is awaited. ``cancel()`` (and so the cancellation of a task
    that awaits it) tells the peer. An error that nobody looks at makes no noise.
    """

    __slots__ = (
        "arg2",
        "arg3",
        "attempts",
        "channel",
        "connection",
        "deadline",
        "decode",
        "delivered_to",
        "exchange",
        "further",
        "hostport",
        "peer",
        "pending",
        "prepared",
        "proceeded",
        "pump",
        "request",
        "retry_limit",
        "retry_on",
        "stream",
        "streamed",
        "streamed_code",
        "timeout",
        "tracing",
        "tried",
        "waits",
    )

    # Declared again: a checker infers it anew where a method of this class sets it.
    attempts: int
    delivered_to: Delivery | None
    peer: Peer | None
    pending: PendingReply | None
    retry_limit: int | None
    streamed_code: int
    tried: tuple[Peer, ...]

    def __repr__(self) -> str:
        return f"<PendingCall {self.in_words()}: {state_of(self)}>"

    # -- an attempt ---------------------------------------------------------------------------

    def begin(self) -> None:
        """Make the next attempt."""
        channel = self.channel
        hostport = self.hostport
        if hostport is not None:
            # Looked up for each attempt: a peer is dropped with its last connection.
            peer = channel.peers_table.get(hostport)
        else:
            group = channel.peers_table.group
            # One known peer, connected: nothing to choose.
            chosen = group.sole or self._choose(group)
            if chosen is None:
                return
            peer = chosen
        self.peer = peer
        connections = peer.connections
        if not connections:
            self.wait().for_connection(peer)
        elif connections[0].slow and connections[0].congested:
            self.wait().for_reader(connections[0])
        else:
            self.send_on(connections[0])

    def wait(self) -> Wait:
        """Return the part of the call that waits."""
        if self.waits is None:
            self.waits = Wait(self)
        return self.waits

    def _choose(self, group: PeerGroup) -> Peer | None:
        now = self.channel.timers.time()
        peer = group.choose(self.tried, now)
        if peer is None and self.tried:
            # Not again those that cannot be spoken to: another attempt would not change that.
            self.tried = tuple([tried for tried in self.tried if tried.misfit is not None])
            peer = group.choose(self.tried, now)
        if peer is None and self.tried:
            reasons = [f"{tried.hostport}: {tried.misfit}" for tried in self.tried]
            self._give_up(errors.NetworkError(f"cannot connect to {'; '.join(reasons)}"))
        elif peer is None:
            self.wait().for_peers()
        return peer

    def send_on(self, connection: Connection) -> None:
        channel = self.channel
        now = channel.timers.time()
        ttl = self.timeout
        if self.deadline is not None:
            ttl = min(ttl, self.deadline - now)
            if ttl <= 0:
                self.fail(errors.TimeoutError("the deadline passed before the call was sent"))
                return
        hooks = channel.events.callbacks
        if hooks[_BEFORE_SEND] and self._watched():
            return
        self.attempts += 1
        self.connection = connection
        connection.calls_sent += 1
        peer = self.peer
        if peer is not None:
            peer.pending += 1
            if peer.bucket is not None:
                peer.refile()
        try:
            if type(self.arg3) is bytes:
                self.exchange = connection.wire.call(
                    self.prepared, self.arg2, self.arg3, ttl, self.tracing, now, self, self.stream
                )
                if len(self.arg3) > SMALL:
                    # What one turn of the loop makes is not written before its end.
                    connection.slow = True
            else:
                self._start_stream(connection, ttl, now)
        except wire.LocalProtocolError:
            # It has ended in the same bytes whose first part is being handled, or by a hook.
            self.on_connection_lost(False, None)
            return
        except (TypeError, ValueError) as error:
            # What an interceptor made of the call cannot be sent.
            self._end_attempt()
            self.count_error(outcome_of(error), error)
            self.finish_with(error)
            return
        if not connection.flushing:
            connection.flush_soon()
        if hooks[_AFTER_SEND]:
            channel.events.fire(_AFTER_SEND, self.as_request())

    def _watched(self) -> bool:
        """Tell the hooks of an attempt; say whether they hold it up, or have cancelled the call."""
        if self.waits is None or not self.waits.hooks_ended():
            running = self.channel.events.fire(_BEFORE_SEND, self.as_request())
            if running is not None and not self.done():
                self.wait().for_hooks(running)
                return True
        return self.done()

    def _start_stream(self, connection: Connection, ttl: float, now: float) -> None:
        assert not isinstance(self.arg3, bytes)
        self.exchange = connection.wire.start_call(
            self.prepared,
            self.arg2,
            ttl=ttl,
            tracing=self.tracing,
            context=self,
            now=now,
            stream_response=self.stream,
        )
        # Half of a body cannot be sent again.
        self.retry_limit = 0
        self.pump = start_task(self.get_loop(), self._pump(connection, self.exchange, self.arg3))

    async def _pump(
        self,
        connection: Connection,
        exchange: wire.OutboundCall,
        body: AsyncIterable[bytes],
    ) -> None:
        writer = exchange.writer
        assert writer is not None
        try:
            async for chunk in body:
                if self.exchange is not exchange:
                    return
                await write_chunk(connection, writer, chunk)
            if self.exchange is exchange:
                writer.finish()
                connection.flush_soon()
        except Exception as error:
            # The caller's own iterator failed: that is the result of the call.
            if self.exchange is exchange:
                self.pump = None
                self._abandon("the caller's body failed")
                self.count_error(outcome_of(error), error)
                self.finish_with(error)
        finally:
            await close_body(body, self.log_fields(exchange.id))

    # -- what connections tell ----------------------------------------------------------------

    def on_response(self, event: wire.ResponseReceived) -> None:
        """The answer has come, or begins to come when it is streamed."""
        channel = self.channel
        hooks = channel.events.callbacks
        if hooks[_BEFORE_RECEIVE]:
            channel.events.fire(_BEFORE_RECEIVE, self.as_request())
        peer = self.peer
        if peer is not None and peer.penalty and peer.group is not None:
            peer.group.forgive(peer)
        arg3: bytes | Body = event.arg3
        if self.stream:
            arg3 = self._stream_response(event)
            if self.streamed is None:
                self._count_answer(event.code)
        elif self.waits is not None:
            self._count_answer(event.code)
        else:
            # The same for the usual case, without a call. When it was sent and when the answer was read
            # is known already: no look at the clock.
            row = self.prepared.context
            if event.code:
                row.app_errors += 1
            times = row.times
            if times is None:
                row.answered += 1
            else:
                exchange = self.exchange
                took = self.connection.last_heard - exchange.deadline + exchange.ttl  # type: ignore[union-attr]
                at = floor(took * 1e6)
                try:
                    times[BUCKET_OF[at]] += 1
                except IndexError:
                    times[bucket_of(at)] += 1
                    # Only here, where nothing is in a hurry: what is slow is beyond the table.
                    self.remember_if_slow(took, event.code)
                row.seconds += took
            if hooks[_ENDED]:
                self.tell_end(APP_ERROR if event.code else SUCCESS)
        self.waits = None  # else the two would keep each other until the collector comes
        if self.streamed is None:
            self._end_attempt()
        try:
            result = self.decode(event.code, event.arg2, arg3, event.headers)
        except Exception as error:
            self._bad_answer(error, event)
            return
        if hooks[_AFTER_RECEIVE]:
            running = channel.events.fire(_AFTER_RECEIVE, self.as_request(), result)
            if running is not None:
                self.wait().for_outcome(running, partial(self._end_well, event, arg3, result))
                return
        pending = self.pending
        if pending is not None:
            self.pending = None
            pending._outcome = event.code, event.arg2, arg3, event.headers
            if pending._future is not None:
                pending.settle()
        if not self.done():
            self.set_result(result)
            if self.delivered_to is not None:
                self.delivered_to.deliver(self)
                self.delivered_to = None

    def _count_answer(self, status: int) -> None:
        """Count the answer to a call, now that all of it has come."""
        row = self.channel.counts.row_of(self.prepared)
        if status:
            row.app_errors += 1
        if self.channel.events.callbacks[_ENDED]:
            self.tell_end(APP_ERROR if status else SUCCESS)
        connection, exchange = self.connection, self.exchange
        if connection is None or exchange is None:
            row.answered += 1
            return
        sent = exchange.deadline - exchange.ttl
        began = sent if self.waits is None else self.waits.began
        row.answered_late(connection.last_heard - sent, connection.last_heard - began)
        took = connection.last_heard - began
        self.remember_if_slow(took, status)

    # As the end of `on_response`, which spares the usual call this one.
    def _end_well(self, event: wire.ResponseReceived, arg3: bytes | Body, result: object) -> None:
        self.waits = None
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.complete((event.code, event.arg2, arg3, event.headers))
        if not self.done():
            self.set_result(result)
            if self.delivered_to is not None:
                self.delivered_to.deliver(self)
                self.delivered_to = None

    def _stream_response(self, event: wire.ResponseReceived) -> Body:
        body = Body(self.connection, self.stop_body)
        body.feed(event.arg3, not event.more)
        if event.more:
            self.streamed = body
            self.streamed_code = event.code
            if self.exchange is not None:
                # From here on the caller alone holds the call, by its answer.
                self.exchange.context = DroppableCall(self)
        return body

    def _bad_answer(self, error: Exception, event: wire.ResponseReceived) -> None:
        """A declared exception, or an answer that makes no sense to the scheme."""
        if isinstance(error, errors.TChannelError):
            self._complete_error(error)
        elif self.channel.events.callbacks[_AFTER_RECEIVE]:
            failed = Response(error, transport=event.headers, status=event.code)
            running = self.channel.events.fire(_AFTER_RECEIVE, self.as_request(), failed)
            if running is not None:
                self.wait().for_outcome(running, partial(self.finish_with, error))
                return
        self.finish_with(error)

    def on_chunk(self, event: wire.ResponseChunk) -> None:
        """More of a streamed answer."""
        if self.streamed is not None:
            self.streamed.feed(event.data, event.last)
            if event.last:
                self.streamed = None
                self._count_answer(self.streamed_code)
                self._end_attempt()

    def on_error(self, event: wire.ErrorReceived) -> None:
        """The peer answered with an error frame."""
        code = event.code
        error = errors.TChannelError.from_code(
            code,
            description=event.description,
            id=event.id,
            tracing=wire.Tracing.unpack(event.tracing),
        )
        peer = self.peer
        if peer is not None and peer.group is not None:
            if code in {errors.BUSY, errors.UNHEALTHY}:
                peer.group.penalise(peer, self.channel.timers.time())
            elif code != errors.NETWORK_ERROR and peer.penalty:
                peer.group.forgive(peer)
        self._attempt_ended(error, retries.kind_of_code(code))

    def on_expired(self) -> None:
        """No answer within the attempt's timeout; the peer was told already."""
        ends = self.deadline
        if ends is not None and self.channel.timers.time() >= ends:
            waited = "no answer before the deadline"
        else:
            waited = f"no answer within {self.timeout:g} s"
        self._attempt_ended(errors.TimeoutError(waited), retries.UNKNOWN)

    def on_bad_response(self, error: wire.WireError) -> None:
        """The answer was damaged, or too large."""
        damaged = "checksum" in str(error)
        kind = errors.InvalidChecksumError if damaged else errors.FatalProtocolError
        self._attempt_ended(kind(str(error)), retries.NEVER)

    def on_connection_lost(self, written: bool, error: BaseException | None) -> None:
        """The connection ended before the answer came."""
        address = self.connection.address if self.connection is not None else "the peer"
        reason = f": {error}" if error is not None else ""
        when = "after" if written else "before"
        self._attempt_ended(
            errors.NetworkError(f"connection to {address} lost {when} the call was sent{reason}"),
            retries.UNKNOWN if written else retries.UNSENT,
        )

    # -- the end of an attempt ----------------------------------------------------------------

    def _attempt_ended(self, error: errors.TChannelError, kind: str) -> None:
        connection = self.connection
        if connection is not None:
            error.peer = connection.address
        message_id = None
        exchange = self.exchange
        if exchange is not None:
            message_id = exchange.id
            if self.waits is None:
                # So that the time of the whole call is known in the end.
                self.wait().began = exchange.deadline - exchange.ttl
        self._end_attempt()
        if self.waits is not None:
            self.waits.sent()
        self._complete_error(error)
        running = self._attempt_watched(error)
        if self.streamed is not None:
            self.channel.counts.row_of(self.prepared).attempt_failed(outcome_of(error))
            self.count_error(outcome_of(error), error)
            self.waits = None
            self.streamed.fail(error)
            self.streamed = None
        elif self.done():
            pass
        elif running is not None:
            go_on = partial(self.attempt_failed, error, kind, message_id)
            self.wait().for_outcome(running, go_on)
        else:
            self.attempt_failed(error, kind, message_id)
        del connection

    def _attempt_watched(self, error: errors.TChannelError) -> list[asyncio.Future[object]] | None:
        """Tell the hooks of an attempt that was sent and failed; return those that still run."""
        events = self.channel.events
        running = None
        if events.callbacks[EventType.after_receive_error]:
            running = events.fire(EventType.after_receive_error, self.as_request(), error)
        per_attempt = EventType.after_receive_system_error_per_attempt
        if error.id is not None and events.callbacks[per_attempt]:
            events.fire(per_attempt, self.as_request(), error)
        return running

    def attempt_failed(
        self, error: errors.TChannelError, kind: str, message_id: int | None = None
    ) -> None:
        channel = self.channel
        channel.counts.row_of(self.prepared).attempt_failed(outcome_of(error))
        if not isinstance(error.code, int) or kind in {retries.UNSENT, retries.UNKNOWN}:
            events = channel.events
            event = EventType.on_operational_error_per_attempt
            if error.id is None and events.callbacks[event]:
                events.fire(event, self.as_request(), error)
        limit = self.retry_limit
        if limit is None:
            limit = DEFAULT_RETRY_LIMIT if self.hostport is None else 0
        tries = self.attempts
        if (
            tries > limit
            or not channel.state.connects
            or (
                self.hostport is not None and self.peer is not None and self.peer.misfit is not None
            )
            or not retries.may_retry(self.retry_on, kind)
            or (self.waits is not None and self.waits.exhausted())
        ):
            self._give_up(error)
            return
        if self.peer is not None:
            self.tried = (*self.tried, self.peer)
        clock = channel.timers.clock
        now = clock.time()
        delay = retries.delay_before(tries, channel.options)
        if self.deadline is not None and now + delay >= self.deadline:
            self._give_up(error)
            return
        # Who was not reached, or leaves, got no work of it: the first attempt elsewhere is free.
        elsewhere = kind == retries.UNSENT or error.code == errors.DECLINED
        if not (elsewhere and tries == 1) and not channel.retry_budget.take(now):
            log.debug("no retry: too many calls failed lately", extra=self.log_fields(message_id))
            self._give_up(error)
            return
        log.debug(
            "attempt %d of %r at %s failed: %s",
            self.attempts,
            self.prepared,
            self.peer.hostport if self.peer is not None else "no peer",
            error,
            extra=self.log_fields(message_id),
        )
        channel.counts.row_of(self.prepared).retries += 1
        if channel.events.callbacks[EventType.on_retry]:
            channel.events.fire(EventType.on_retry, self.as_request(), tries)
        self.wait().for_retry(now + delay)

    def _give_up(self, error: errors.TChannelError) -> None:
        self.fail(error if self.waits is None else self.waits.unreachable(error))

    def _end_attempt(self) -> None:
        self.exchange = None
        peer = self.peer
        if self.connection is not None:
            self.connection = None
            if peer is not None:
                peer.pending -= 1
                if peer.bucket is not None:
                    peer.refile()
                elif not peer.connections:
                    self.channel.peers_table.drop_unused(peer)
        if self.pump is not None:
            self.pump.cancel()
            self.pump = None
        if self.channel.state.ends:
            self.channel.notify()

    # -- the end of the call ------------------------------------------------------------------

    def cancel(self, msg: object | None = None) -> bool:
        """Cancel the call, and tell the peer if it has got it."""
        if self.done():
            return False
        if self.attempts or self.waits is not None:  # else interceptors have not let it through
            self.count_error("cancelled")
        self._abandon("cancelled by the caller")
        self.waits = None
        if self.pending is not None:
            self.pending.complete(asyncio.CancelledError())
            self.pending = None
        return super().cancel(msg)

    def _abandon(self, why: str) -> None:
        """End the attempt that is being made, without a result."""
        if self.waits is not None:
            self.waits.end()
        if self.exchange is not None and self.connection is not None:
            connection = self.connection
            connection.wire.cancel(self.exchange.id, why, now=self.channel.timers.time())
            connection.flush_soon()
        if self.streamed is not None:
            self.streamed.discard()
            self.streamed = None
        self._end_attempt()

    def stop_body(self) -> None:
        """The caller wants no more of the streamed response."""
        if self.streamed is not None:
            self.count_error("cancelled")
            self._abandon("the caller reads no further")
