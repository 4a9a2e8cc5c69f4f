"""Forwarding calls, frame by frame, without decoding their args.

Of a frame only the header is rewritten: the message id, which each connection numbers for itself, and
of a first frame the ttl. Checksums cover the args alone, so they stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from logging import Logger
from typing import TYPE_CHECKING

import tchannel_wire as wire
from tchannel.clock import Clock, TimerHandle
from tchannel.lowlevel import logger

from .backlog import Backlog
from .directory import Directory, Instance
from .exchange import Exchange
from .routing import bad_chunks

if TYPE_CHECKING:
    from .connection import RouterConnection

__all__ = ["MAX_TTL_MS", "Relay"]

log: Logger = logger("tchannel.router")

MAX_TTL_MS = 120_000
"""Milliseconds that a call may take at most, as with Hyperbahn."""

_REQUESTS = frozenset(
    (wire.FrameType.CALL_REQUEST_CONTINUE, wire.FrameType.CANCEL, wire.FrameType.CLAIM)
)
_ANSWERS = frozenset(
    (wire.FrameType.CALL_RESPONSE, wire.FrameType.CALL_RESPONSE_CONTINUE, wire.FrameType.ERROR)
)


class Relay:
    """All calls that are being relayed.

    Args:
        directory: Who serves what.
        clock: For deadlines.
        connect: Begins to connect to an instance; its queue is looked at afterwards.

    What takes a frame returns the receiver for which it has to wait, or None when it was taken: the
    connection then keeps the frame, and offers it again.

    """

    def __init__(
        self, directory: Directory, clock: Clock, connect: Callable[[Instance], object]
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._connect = connect
        self._deadlines = wire.DeadlineQueue(on_earlier=self._arm)
        self._timer: TimerHandle | None = None
        self._fires_at = 0.0

    def serves(self, name: str) -> bool:
        """Say whether some instance serves ``name``."""
        return self._directory.serves(name)

    # -- from the caller ----------------------------------------------------------------------

    def begin(self, caller: RouterConnection, frame: bytes, name: str) -> Backlog | None:
        """Forward the first frame of a call of ``name``, or refuse the call."""
        id = wire.peek_id(frame)
        ttl_ms = wire.peek_ttl_ms(frame)
        tracing = wire.peek_tracing(frame)
        if not ttl_ms:
            caller.refuse(id, wire.ErrorCode.BAD_REQUEST, "ttl must be above 0", tracing)
            return None
        instance = self._directory.choose(name)
        if instance is None:
            caller.refuse(
                id, wire.ErrorCode.DECLINED, f"no peer available for request of {name!r}", tracing
            )
            return None
        link = instance.connection
        if link.full if link is not None else instance.queue.full:
            return link or instance.queue
        if ttl_ms > MAX_TTL_MS:
            ttl_ms = MAX_TTL_MS
            frame = wire.replace_ttl_ms(frame, ttl_ms)
        arrived = now = self._clock.time()
        if caller.held_since is not None:
            arrived = caller.held_since
            left = ttl_ms - int((now - arrived) * 1000)
            if left <= 0:
                waited = f"{instance.hostport} could not be sent the call within {ttl_ms} ms"
                caller.refuse(id, wire.ErrorCode.TIMEOUT, waited, tracing)
                return None
            frame = wire.replace_ttl_ms(frame, left)
        exchange = Exchange(self, caller, id, instance, tracing, ttl_ms, arrived)
        caller.incoming[id] = exchange
        self._deadlines.add(exchange, arrived + ttl_ms / 1000)
        if link is not None:
            self._assign(exchange, link)
            link.forward(frame, exchange.link_id)
        else:
            instance.queue.keep(exchange, frame)
            self._connect(instance)
        return None

    def continue_request(self, caller: RouterConnection, frame: bytes) -> Backlog | None:
        """Forward a later frame from the caller: more of its request, a cancel or a claim."""
        exchange = caller.incoming.get(wire.peek_id(frame))
        if exchange is None:
            return None  # it has been answered already
        problem = bad_chunks(frame)
        if problem:
            self.fail(exchange, wire.ErrorCode.BAD_REQUEST, problem, tell_service=problem)
            return None
        link = exchange.link
        if link is None:
            queue = exchange.instance.queue
            if queue.full:
                return queue
            queue.keep(exchange, frame)
        else:
            if link.full:
                return link
            link.forward(frame, exchange.link_id)
        return None

    def receiver_of_calls(self, name: str) -> Backlog | None:
        """Who would get the next call of ``name``."""
        instance = self._directory.next_choice(name)
        return None if instance is None else instance.connection or instance.queue

    def receiver_of(self, sender: RouterConnection, prefix: bytes) -> Backlog | None:
        """Who gets a frame of a call that is under way, of which only the beginning is here."""
        id = wire.peek_id(prefix)
        if prefix[2] in _ANSWERS:
            exchange = sender.outgoing.get(id)
            return None if exchange is None else exchange.caller
        exchange = sender.incoming.get(id) if prefix[2] in _REQUESTS else None
        return None if exchange is None else exchange.link or exchange.instance.queue

    def _assign(self, exchange: Exchange, link: RouterConnection) -> None:
        exchange.link = link
        exchange.link_id = link.next_id()
        link.outgoing[exchange.link_id] = exchange
        exchange.instance.pending += 1

    # -- from the service ---------------------------------------------------------------------

    def answer(self, link: RouterConnection, frame: bytes) -> Backlog | None:
        """Forward a frame of an answer."""
        exchange = link.outgoing.get(wire.peek_id(frame))
        if exchange is None:
            return None  # nobody waits for it any more
        problem = bad_chunks(frame)
        if problem:
            text = f"{exchange.instance.hostport} answered badly: {problem}"
            self.fail(exchange, wire.ErrorCode.UNEXPECTED, text)
            return None
        caller = exchange.caller
        if caller.full:
            return caller
        caller.forward(frame, exchange.caller_id)
        if not frame[16] & wire.MORE_FRAGMENTS:
            self._end(exchange)
        return None

    def error(self, link: RouterConnection, frame: bytes) -> Backlog | None:
        """Forward an error, which ends its call."""
        exchange = link.outgoing.get(wire.peek_id(frame))
        if exchange is None:
            return None
        try:
            wire.decode(frame)
        except wire.ProtocolError as error:
            text = f"{exchange.instance.hostport} answered badly: {error.description}"
            self.fail(exchange, wire.ErrorCode.UNEXPECTED, text)
        else:
            if exchange.caller.full:
                return exchange.caller
            exchange.caller.forward(frame, exchange.caller_id)
            self._end(exchange)
        return None

    # -- connections that come and go ---------------------------------------------------------

    def connected(self, instance: Instance) -> None:
        """Forward what waits for a connection to ``instance``."""
        link = instance.connection
        queue = instance.queue
        if link is None or not queue.exchanges:
            return
        if link.full:
            link.hold_back(_QueueSender(self, instance))
            return
        now = self._clock.time()
        for exchange in queue.take():
            frames = exchange.waiting
            exchange.waiting = []
            left = exchange.ttl_ms - int((now - exchange.arrived) * 1000)
            if left <= 0:
                self.expire_item(exchange, now)
                continue
            self._assign(exchange, link)
            frames[0] = wire.replace_ttl_ms(frames[0], left)
            for frame in frames:
                link.forward(frame, exchange.link_id)
        queue.let_go_on()

    def not_connected(self, instance: Instance, reason: str) -> None:
        """Fail what waits for a connection to ``instance``."""
        for exchange in instance.queue.take():
            text = f"cannot connect to {instance.hostport}: {reason}"
            self.fail(exchange, wire.ErrorCode.NETWORK, text)
        instance.queue.let_go_on()

    def connection_lost(self, connection: RouterConnection) -> None:
        """End the calls made or served on a connection that is gone."""
        for exchange in list(connection.outgoing.values()):
            text = f"connection to {exchange.instance.hostport} lost"
            self.fail(exchange, wire.ErrorCode.NETWORK, text)
        for exchange in list(connection.incoming.values()):
            self._tell_service(exchange, "the caller is gone")
            self._end(exchange)

    # -- the end of a call --------------------------------------------------------------------

    def fail(
        self,
        exchange: Exchange,
        code: wire.ErrorCode,
        text: str,
        *,
        tell_service: str | None = None,
    ) -> None:
        """End a call with an error of our own."""
        if tell_service is not None:
            self._tell_service(exchange, tell_service)
        exchange.caller.refuse(exchange.caller_id, code, text, exchange.tracing)
        self._end(exchange)

    def _tell_service(self, exchange: Exchange, why: str) -> None:
        if exchange.link is not None:
            cancel = wire.Cancel(
                id=exchange.link_id, ttl_ms=exchange.ttl_ms, tracing=exchange.tracing, why=why
            )
            exchange.link.write(wire.encode(cancel))

    def _end(self, exchange: Exchange) -> None:
        caller = exchange.caller
        # An id may have been used again before its first call was answered.
        if caller.incoming.get(exchange.caller_id) is exchange:
            del caller.incoming[exchange.caller_id]
        link = exchange.link
        if link is not None:
            del link.outgoing[exchange.link_id]
            exchange.instance.pending -= 1
        self._deadlines.discard(exchange)
        if link is None:
            exchange.instance.queue.remove(exchange)

    # -- deadlines ----------------------------------------------------------------------------

    def expire_item(self, item: wire.DeadlineItem, now: float) -> list[wire.Event]:
        """End a call whose ttl is over; part of `tchannel_wire.Expirer`."""
        assert isinstance(item, Exchange)
        waited = f"{item.instance.hostport} did not answer within {item.ttl_ms} ms"
        self.fail(item, wire.ErrorCode.TIMEOUT, waited, tell_service="the deadline passed")
        return []

    def _arm(self) -> None:
        next_deadline = self._deadlines.next_deadline()
        if next_deadline is None or (self._timer and self._fires_at <= next_deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = next_deadline
        self._timer = self._clock.call_at(next_deadline, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = self._clock.time()
        for item in self._deadlines.pop_expired(now):
            self.expire_item(item, now)
        self._arm()

    def close(self) -> None:
        """End the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _QueueSender:
    """Forwards what waited for a connection, once that has room."""

    def __init__(self, relay: Relay, instance: Instance) -> None:
        self._relay = relay
        self._instance = instance

    def wait_for(self, backlog: Backlog) -> None:
        """Nothing is to be stopped."""

    def go_on(self, backlog: Backlog) -> None:
        """Try again."""
        self._relay.connected(self._instance)
