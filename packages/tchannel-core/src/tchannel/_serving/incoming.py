"""Incoming calls: from the request to the handler, and on to its result."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import tchannel_wire as wire
from tchannel_wire import ARG_SCHEME, CALLER_NAME

from .. import errors
from .._ground.current import current_call
from .._ground.log_fields import fields_of
from .._ground.logs import logger
from .._ground.process import FOR_THE_PROCESS
from .._ground.text import quoted, shown
from .._sight.recent import text_of
from ..authorization import Access, Check, refusal
from ..event import EventType
from ..interceptors import Call, PendingReply, Reply, process_wide
from ..options import SMALL
from ..response import Response
from ..stats import CONNECTION_LOST, OTHER_ERROR, OTHERS, OUTCOME_OF_CODE
from ..streaming import Body
from ..tracing import TRACING_KEY_PREFIX
from .answering import ReceivedRequest
from .intercepted import intercept_request
from .queue import EAGER, LATE, SHARE

if TYPE_CHECKING:
    from .._links.connection import Connection

__all__ = ["IncomingRequest", "refused_by_wire", "serve", "wants_body"]

log = logger("tchannel.inbound")

# Plain ints: a list is indexed by an enum member the slow way, at 30 ns each.
_AFTER_RECEIVE: Final = int(EventType.after_receive_request)
_BEFORE_RECEIVE: Final = int(EventType.before_receive_request)

_TRACING: Final = TRACING_KEY_PREFIX.encode()

# Results that are surely neither awaitable nor a stream: one look-up instead of two checks.
_PLAIN: Final = frozenset({type(None), bytes, str, dict, list, int, float, bool, Response})

# Any: type checkers look at the signature of 3.11.
_Task: Final[Any] = asyncio.Task


class IncomingRequest(ReceivedRequest):
    """A call that a handler of this channel serves.

    Attributes:
        cancelled: True once nobody waits for the answer any more: the caller cancelled or is gone,
            or the time is up. A handler that cannot be stopped (``gen.coroutine``) may look at it.
        deadline: when the answer is due, by the channel's clock.
        id: the message id on its connection.

    """

    __slots__ = ()

    # Declared again: a checker infers it anew where a method of this class sets it.
    headers: Any  # of the arg scheme
    body: Any  # of the arg scheme
    cancelled: bool

    if not TYPE_CHECKING:
        # Filled in by `serve`, and so made by C alone: 0.3 % of a small call.
        __init__ = object.__init__

    def __repr__(self) -> str:
        caller = self.event.headers.get(wire.CALLER_NAME, "")
        words = [f"{shown(self.service)}::{shown(self.endpoint)} as {shown(self.scheme)}"]
        words.append(f"from {quoted(caller)} at {shown(self.connection.address)}")
        words.append(f"id {self.id}, timeout {self.timeout:g} s")
        if self.cancelled or self.answered:
            words.append("cancelled" if self.cancelled else "answered")
        return f"<{type(self).__name__} {', '.join(words)}>"

    # -- running the handler ------------------------------------------------------------------

    async def _serve(self) -> None:
        """Call a handler that is a coroutine function, and answer, all in one task."""
        if not EAGER:
            connection = self.connection
            now = connection.channel.timers.time()
            # Within the turn that it was read in nothing is late, and only this need be compared.
            if (now >= connection.turn_ends or now >= self.event.deadline) and self._begins_late(
                now
            ):
                return
        try:
            result = await self._call_handler()
        except BaseException as error:
            self._task = None
            self._failed(error)
            if isinstance(error, FOR_THE_PROCESS):
                raise
        else:
            # Before the answer, which may be a stream with a task of its own.
            self._task = None
            self._finish(result)

    def start(self) -> None:
        """Run the handler, or the interceptors before it."""
        channel = self.connection.channel
        # Of its own for each handler: what one sets in it, no other sees.
        context = Context()
        if channel.interceptors.incoming or process_wide.incoming:
            context.run(intercept_request, self)
        elif self.endpoint_.coroutine:
            # Nothing of the handler runs before its task does, so the task does everything: two calls
            # and a turn into the context less for the usual kind of handler, 0.3 µs.
            self._run(self._serve(), context)
        else:
            context.run(self._serve_plainly)

    def _begins_late(self, now: float) -> bool:
        """See to a request whose task had to wait for its first step; True if it is over already."""
        event = self.event
        if now >= event.deadline:
            self.out_of_time()
            return True
        waited = now - self.received_at
        if waited > SHARE:
            self.connection.write_at_once()  # what those before it have answered
            if waited > LATE:
                self.connection.channel.queue.late(now)
        return False

    def out_of_time(self) -> None:
        """Answer that the ttl has run out before the handler began, which will not run."""
        self._task = None
        if not self.answered:
            self.connection.fault(
                logging.INFO,
                "call %d from %s (service %r, endpoint %r) ran out of time before it was served",
                self.id,
                self.connection.address,
                self.service,
                self.endpoint,
                extra=fields_of(self),
            )
            self._failed(errors.TimeoutError("the ttl has run out before the handler began"))

    @property
    def received_at(self) -> float:
        """When the request was read, by the channel's clock."""
        return self.event.deadline - self.event.ttl_ms * 0.001

    def _serve_plainly(self) -> None:
        """Call a handler of any other kind, and go on with what it returned."""
        try:
            result = self._call_handler()
        except BaseException as error:
            self._failed(error)
            if isinstance(error, FOR_THE_PROCESS):
                raise
            return
        if type(result) in _PLAIN:
            self._finish(result)
        else:
            self._resolve(result)

    def _call_handler(self) -> Any:
        # Interceptors run in the same context, as a rule: not set twice, 0.7 % of a small call.
        if self._pending is None or current_call.get() is not self:
            current_call.set(self)
        endpoint = self.endpoint_
        if endpoint.decode is not None:
            self._decode(endpoint.decode)
        events = self.connection.channel.events
        if events.callbacks[_BEFORE_RECEIVE]:
            hooks = events.fire(_BEFORE_RECEIVE, self)
            if hooks is not None:
                return self._call_after_hooks(hooks)
        return endpoint.handler(self)

    async def _call_after_hooks(self, hooks: list[asyncio.Future[object]]) -> object:
        await asyncio.wait(hooks)
        result = self.endpoint_.handler(self)
        return await result if inspect.isawaitable(result) else result

    def _decode(self, decode: Callable[[bytes, bytes], tuple[object, object]]) -> None:
        arg2 = self.headers
        try:
            self.headers, self.body = decode(arg2, self.body)
        except errors.TChannelError:
            raise
        except Exception as error:
            raise errors.BadRequestError(
                f"cannot decode the request of {self.endpoint}: {error}"
            ) from error
        if _TRACING in arg2 and isinstance(self.headers, dict):
            self.take_tracing_headers()

    def _resolve(self, result: object) -> None:
        """Go on with what the handler returned; a decorated handler may return anything."""
        if inspect.isawaitable(result) and not isinstance(result, asyncio.Future):
            coroutine = result if inspect.iscoroutine(result) else _await(result)
            self._coroutine = coroutine
            # A copy: the context itself is entered already.
            self._run(self._serve_coroutine(coroutine), copy_context())
        elif isinstance(result, asyncio.Future):
            result.add_done_callback(self._future_done)
        else:
            self._finish(result)

    def _run(self, coroutine: Coroutine[object, object, None], context: Context) -> None:
        # A real task: asyncio.timeout, TaskGroup and anyio need a current task.
        loop = self.connection.loop
        name = self.endpoint_.task_name
        task: asyncio.Task[None] = (
            # Not by a partial, which makes the dict of the keywords twice: 0.15 µs less.
            _Task(coroutine, loop=loop, name=name, context=context, eager_start=True)
            if EAGER
            else _Task(coroutine, loop=loop, name=name, context=context)
        )
        if not task.done():
            self._task = task
            if self.cancelled:  # in its first step, which ran at once: it closed its connection
                task.cancel()

    async def _serve_coroutine(self, coroutine: Coroutine[object, object, object]) -> None:
        # Inside the task rather than in a callback of it: one turn of the loop saved.
        try:
            result = await coroutine
        except BaseException as error:
            self._task = self._coroutine = None
            self._failed(error)
            if isinstance(error, FOR_THE_PROCESS):
                raise
        else:
            self._task = self._coroutine = None
            self._finish(result)

    def _future_done(self, future: asyncio.Future[object]) -> None:
        if future.cancelled():
            self._failed(asyncio.CancelledError())
            return
        error = future.exception()
        if error is not None:
            self._failed(error)
        else:
            self._finish(future.result())

    # -- when nobody waits for the handler ----------------------------------------------------

    def abandon(
        self,
        error: errors.TChannelError | None = None,
        outcome: str = CONNECTION_LOST,
        refused: wire.ProtocolError | None = None,
    ) -> None:
        """Nobody waits for the answer any more: stop the handler if it can be stopped.

        Args:
            error: What the caller is told; by default nothing, because it is gone.
            outcome: How the call has ended, where the caller is told nothing.
            refused: What was wrong with the rest of its body, where the caller was told that already.

        """
        self.cancelled = True
        if not self.answered:
            if error is not None:
                self.refuse(error)
            elif refused is not None:
                self.count_error(OUTCOME_OF_CODE[refused.code], str(refused))
            else:
                self.count_error(outcome)
        self._close()
        if self.stream is not None:
            self.stream.fail(
                errors.CanceledError("the caller is gone")
                if refused is None
                else errors.BadRequestError(f"the rest of the body cannot be read: {refused}")
            )
        self.go_on_without_handler()

    def give_way(self, error: errors.TChannelError) -> None:
        """Answer with an error although the handler is at work, which is stopped."""
        if self.stream is not None:
            self.stream.fail(error)
        self.refuse(error)
        self.cancelled = True
        self.go_on_without_handler()

    def go_on_without_handler(self) -> None:
        """Stop the handler if it is still at work: for nobody, once there is an answer."""
        self.stop_handler()
        if self._pending is not None:
            self._pending.complete(asyncio.CancelledError())
            self._pending = None

    def stop_handler(self) -> None:
        """Cancel the handler, or the stream that it answers with."""
        task, coroutine = self._task, self._coroutine
        if task is not None:
            task.cancel()
            if coroutine is not None and inspect.getcoroutinestate(coroutine) == "CORO_CREATED":
                # Its task never gets to it: without this it warns "was never awaited".
                coroutine.close()

    # -- interceptors -------------------------------------------------------------------------

    def describe(self) -> dict[str, object]:
        """Return what an interceptor sees of the call."""
        event = self.event
        return {
            "service": event.service,
            "endpoint": self.endpoint,
            "scheme": self.scheme,
            "arg2": event.arg2,
            "arg3": event.arg3 if self.stream is None else self.stream,
            "headers": dict(event.headers),
            "channel": self.connection.channel.public,
            "outgoing": False,
            "timeout": self.timeout,
            "deadline": event.deadline,
            "tracing": self.tracing,
            "hostport": None,
            "retry_on": event.headers.get(wire.RETRY_FLAGS, "c"),
            "retry_limit": None,
            "peer": self.connection.address,
            "known_peers": (),
            "streaming": self.stream is not None,
        }

    def watch(self, pending: PendingReply) -> asyncio.Future[Reply]:
        """Return a Future of the reply, for an interceptor that waits for it."""
        future: asyncio.Future[Reply] = self.connection.loop.create_future()
        future.add_done_callback(partial(_given_up, self, pending), context=Context())
        return future

    def attempted(self) -> tuple[str, int]:
        """Return that nobody was asked: the call is served here."""
        return "", 0

    def proceed(self, call: Call) -> PendingReply:
        """Run the handler on what the interceptors made of the call, in their context."""
        # As `pending_reply` does, without its call.
        pending = self._pending = PendingReply()
        pending._origin = self
        pending._future = pending._outcome = None
        pending.passed_on = False
        if call._origin is None:
            self.headers, self.body = call.arg2, call.arg3
        if self.connection.channel.timers.time() >= self.event.deadline:
            self.out_of_time()
        elif self.endpoint_.coroutine:
            self._run(self._serve(), copy_context())
        else:
            self._serve_plainly()
        return pending


def _given_up(
    request: IncomingRequest, pending: PendingReply, future: asyncio.Future[Reply]
) -> None:
    """An interceptor waits no more for the handler: its own timeout, perhaps."""
    if future.cancelled() and request._pending is pending:
        request.stop_handler()


async def _await(awaitable: Awaitable[object]) -> object:
    return await awaitable


def serve(connection: Connection, event: wire.RequestReceived) -> None:
    """Serve an incoming call."""
    channel = connection.channel
    if channel.authorize is not None and _barred(channel.authorize, connection, event):
        return
    endpoints = channel.services.get(event.service, channel.default_endpoints)
    scheme = event.headers[ARG_SCHEME]
    endpoint = endpoints.by_name.get(event.arg1)
    # The usual case by itself; whatever is unusual is left to `find`, which names what is wrong.
    if endpoint is None or endpoint.scheme != scheme:
        try:
            endpoint = endpoints.find(event.arg1, scheme)
        except errors.BadRequestError as error:
            if channel.events.callbacks[_BEFORE_RECEIVE]:
                channel.events.fire(_BEFORE_RECEIVE, _without_handler(connection, event))
            _refuse(connection, event, error)
            return
    if endpoint.authorize is not None and _barred(endpoint.authorize, connection, event):
        return
    admission = channel.admission
    # One comparison for all limits of calls in flight, and for whether any is served.
    if channel.incoming_calls >= admission.free:
        objection = admission.objection(connection)
        if objection is not None:
            _refuse(connection, event, objection)
            return
    size = len(event.arg2) + len(event.arg3)
    if size <= SMALL or endpoint.stream:
        size = 0
    else:
        memory = channel.memory
        if memory.held and not memory.take(size, connection.wire):
            channel.limit_reached("incoming_memory", int(channel.options.incoming_memory))
            _refuse(connection, event, errors.BusyError("too many bytes of requests in flight"))
            return
        if not memory.held:
            memory.held = size  # one of any size is served when no other is
    request = connection.incoming[event.id] = IncomingRequest()
    request.held = size
    request.body = event.arg3
    request.headers = event.arg2
    request.connection = connection
    request.event = event
    request.endpoint_ = endpoint
    request.answered = request.cancelled = False
    request._transport = request.stream = request._task = None
    request._coroutine = request._pending = None
    channel.incoming_calls += 1
    connection.calls_received += 1
    if endpoint.stream:
        request.stream = request.body = Body(connection)
        request.stream.feed(event.arg3, not event.more)
    if channel.events.callbacks[_AFTER_RECEIVE]:
        channel.events.fire(_AFTER_RECEIVE, request)
    if EAGER or not endpoint.coroutine:
        now = channel.timers.time()
        waits = now >= connection.turn_ends or now >= event.deadline
    else:
        waits = not connection.turn_ends  # its task looks at the time, once it begins
    if waits:
        channel.queue.add(request)
        return
    # As `IncomingRequest.start` does, without its call.
    context = Context()
    if channel.interceptors.incoming or process_wide.incoming:
        context.run(intercept_request, request)
    elif endpoint.coroutine:
        request._run(request._serve(), context)
    else:
        context.run(request._serve_plainly)


def _barred(check: Check, connection: Connection, event: wire.RequestReceived) -> bool:
    """Refuse a call that the check does not let pass, and say whether that was done."""
    verdicts = event.context
    for asked, verdict in verdicts if isinstance(verdicts, list) else ():
        if asked is check:
            error = verdict  # with the first of several frames
            break
    else:
        error = refusal(check, _access(connection, event))
    if error is not None:
        _refuse(connection, event, error)
    return error is not None


def wants_body(connection: Connection, event: wire.RequestReceived) -> bool:
    """Say whether a request is to be served from its first frame on, of those that have several.

    Because its handler reads it as it arrives, or because it will be refused: then nobody needs the
    rest, which is dropped as it comes.
    """
    channel = connection.channel
    endpoints = channel.services.get(event.service, channel.default_endpoints)
    endpoint = endpoints.get(event.arg1, event.headers[ARG_SCHEME]) or endpoints.fallback
    if endpoint is not None and endpoint.stream:
        return True
    # Each check is asked once: `_barred` looks here.
    verdicts: list[tuple[Check, errors.TChannelError | None]] = []
    event.context = verdicts
    for check in (channel.authorize, endpoint.authorize if endpoint is not None else None):
        if check is not None:
            error = refusal(check, _access(connection, event))
            verdicts.append((check, error))
            if error is not None:
                return True
    return False


def _access(connection: Connection, event: wire.RequestReceived) -> Access:
    return Access(
        channel=connection.channel.public,
        peer=connection.address,
        announced=connection.announced,
        certificate=connection.certificate,
        caller_name=event.headers[wire.CALLER_NAME],
        service=event.service,
        endpoint=event.arg1.decode(errors="replace"),
        scheme=event.headers[ARG_SCHEME],
        headers=event.headers,
    )


def _without_handler(connection: Connection, event: wire.RequestReceived) -> IncomingRequest:
    """Return the request that hooks see of a call which nothing here serves."""
    request = IncomingRequest()
    request.body, request.headers = event.arg3, event.arg2
    request.connection, request.event = connection, event
    request.answered = request.cancelled = False
    request._transport = request.stream = None
    return request


def refused_by_wire(connection: Connection, event: wire.RequestRefused) -> None:
    """Count a call that was refused before it could be read whole, and tell the hooks."""
    channel = connection.channel
    row = channel.counts.incoming_row(event.service, event.endpoint, OTHERS)
    outcome = OUTCOME_OF_CODE[event.error.code]
    row.ended(outcome, 0.0)
    if channel.events.callbacks[EventType.on_call_served]:
        now = channel.timers.time()
        what_is_known = wire.RequestReceived(
            *(
                event.id,
                0,
                0,
                now,
                wire.NO_TRACING,
                event.service,
                {ARG_SCHEME: "", CALLER_NAME: ""},
            ),
            *(wire.ChecksumType.NONE, event.endpoint, b"", b"", False),
        )
        _without_handler(connection, what_is_known).tell_served(outcome)
    channel.recent.ended(
        *("incoming", event.service, event.endpoint.decode(errors="replace"), ""),
        *(connection.address, 0.0, outcome, str(event.error)),
    )


def _refuse(
    connection: Connection, event: wire.RequestReceived, error: errors.TChannelError
) -> None:
    """Answer a call that no handler gets to see."""
    code = error.code
    if code is None or not 0 < code < errors.FATAL:  # of a check that raises what is never sent
        code = errors.UNEXPECTED_ERROR
    connection.wire.fail(event.id, code, error.description or type(error).__name__)
    counts = connection.channel.counts
    row = counts.incoming_row(event.service, event.arg1, event.headers[wire.CALLER_NAME])
    outcome = OUTCOME_OF_CODE.get(code, OTHER_ERROR)
    row.ended(outcome, 0.0)
    if connection.channel.events.callbacks[EventType.on_call_served]:
        _without_handler(connection, event).tell_served(outcome)
    endpoint = event.arg1.decode(errors="replace")
    connection.channel.recent.ended(
        "incoming",
        event.service,
        endpoint,
        event.headers[wire.CALLER_NAME],
        connection.address,
        0.0,
        outcome,
        text_of(error),
        tracing=event.tracing,
    )
    connection.fault(
        logging.INFO,
        "refused call %d from %s (service %r, endpoint %r): %s",
        event.id,
        connection.address,
        event.service,
        endpoint,
        error.description,
        extra=connection.log_fields(event.service, endpoint, event.id),
    )
    events = connection.channel.events
    if events.callbacks[EventType.after_send_error]:
        error.tracing = wire.Tracing.unpack(event.tracing)
        events.fire(EventType.after_send_error, error)
