"""Incoming calls: from the request to the handler, and from its result to the answer."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import tchannel_wire as wire

from . import errors, interceptors
from .current import current_call
from .event import EventType
from .interceptors import Call, PendingReply, Reply, pending_reply
from .request import Request, TransportHeaders
from .response import Response
from .streaming import Body, close_body, to_chunk

if TYPE_CHECKING:
    from .connection import Connection
    from .endpoints import Endpoint

__all__ = ["InboundRequest", "serve"]

log = logging.getLogger("tchannel.inbound")

# Plain ints: a list is indexed by an enum member the slow way, at 30 ns each.
_AFTER_RECEIVE: Final = int(EventType.after_receive_request)
_BEFORE_RECEIVE: Final = int(EventType.before_receive_request)
_BEFORE_SEND: Final = int(EventType.before_send_response)
_AFTER_SEND: Final = int(EventType.after_send_response)

# Results that are surely neither awaitable nor a stream: one look-up instead of two checks.
_PLAIN: Final = frozenset({type(None), bytes, str, dict, list, int, float, bool, Response})

# They end the process; whatever else a handler raises costs its own call, not the connection.
_FOR_THE_PROCESS: Final = (KeyboardInterrupt, SystemExit)

_new = object.__new__

# From 3.12 on a task may begin at once: a handler that never waits costs 1.5 µs less.
_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
# Any: type checkers look at the signature of 3.11.
_new_task: Final[Any] = partial(asyncio.Task, **_EAGER) if _EAGER else asyncio.Task


class InboundRequest(Request):
    """A call that a handler of this channel serves.

    Attributes:
        cancelled: True once nobody waits for the answer any more: the caller cancelled or is gone,
            or the time is up. A handler that cannot be stopped (``gen.coroutine``) may look at it.
        deadline: when the answer is due, by the channel's clock.
        id: the message id on its connection.

    """

    __slots__ = (
        "_coroutine",
        "_pending",
        "_task",
        "answered",
        "cancelled",
        "connection",
        "endpoint_",
        "event",
        "stream",
    )

    # Made and filled in by `serve`, without a call of __init__: 0.1 µs less.
    connection: Connection
    event: wire.RequestReceived
    endpoint_: Endpoint
    answered: bool
    cancelled: bool
    stream: Body | None
    _task: asyncio.Task[None] | None
    _coroutine: Coroutine[Any, Any, Any] | None
    """What the handler returned and `_task` runs, unless the handler is a coroutine function."""
    _pending: PendingReply | None
    """What interceptors hold of the answer until it is there."""

    # What the event says is not copied for each call: 0.2 µs less.
    @property
    def id(self) -> int:
        """The message id on its connection."""
        return self.event.id

    @property
    def deadline(self) -> float:
        """When the answer is due, by the channel's clock."""
        return self.event.deadline

    @property
    def tracing_bytes(self) -> bytes:
        """The tracing of the call, as on the wire."""
        return self.event.tracing

    @property
    def scheme(self) -> str:
        """The arg scheme of the call."""
        return self.event.headers["as"]

    @property
    def service(self) -> str:  # type: ignore[override]  # what came is not changed
        """The service that was called."""
        return self.event.service

    @property
    def endpoint(self) -> str:  # type: ignore[override]  # what came is not changed
        """The endpoint that was called."""
        return self.event.arg1.decode(errors="replace")

    @property
    def timeout(self) -> float:  # type: ignore[override]  # what came is not changed
        """Seconds within which the caller wants the answer."""
        return self.event.ttl / 1000

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers, made when first looked at."""
        transport = self._transport
        if transport is None:
            event = self.event
            transport = self._transport = TransportHeaders.from_dict(
                event.headers,
                flags=event.flags,
                ttl=event.ttl,
                peer=self.connection.address,
                peer_certificate=self.connection.certificate,
            )
        return transport

    @transport.setter
    def transport(self, value: TransportHeaders | None) -> None:
        self._transport = value

    @property
    def tracing(self) -> wire.Tracing:
        """Span, parent and trace ids of the call."""
        return wire.Tracing.unpack(self.tracing_bytes)

    # -- running the handler ------------------------------------------------------------------

    def start(self, context: Context) -> None:
        """Run the handler within ``context``."""
        if self.endpoint_.coroutine:
            # Nothing of the handler runs before its task does, so the task does everything: two
            # calls and a turn into the context less for the usual kind of handler, 0.3 µs.
            self._run(self._serve(), context)
        else:
            context.run(self._serve_plainly)

    def describe(self) -> dict[str, Any]:
        """Return what an interceptor sees of the call."""
        event = self.event
        return {
            "service": event.service,
            "endpoint": self.endpoint,
            "scheme": self.scheme,
            "arg2": event.arg2,
            "arg3": event.arg3 if self.stream is None else self.stream,
            "headers": dict(event.headers),
            "channel": self.connection.channel,
            "outgoing": False,
            "timeout": self.timeout,
            "deadline": event.deadline,
            "tracing": self.tracing,
            "hostport": None,
            "retry_on": event.headers.get("re", "c"),
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

    def proceed(self, call: Call) -> PendingReply:
        """Run the handler on what the interceptors made of the call, in their context."""
        pending = self._pending = pending_reply(self)
        if call._origin is None:
            self.headers, self.body = call.arg2, call.arg3
        if self.endpoint_.coroutine:
            self._run(self._serve(), copy_context())
        else:
            self._serve_plainly()
        return pending

    def pass_on(self, pending: PendingReply) -> None:
        """Answer with what the interceptors passed on without a look at it, once it is there."""
        pending.passed_on = True
        outcome = pending.take()
        if outcome is None or self.answered:
            return
        if isinstance(outcome, tuple):
            self._answer(outcome[0], outcome[1], outcome[2])
        else:
            self.refuse(outcome)

    async def _serve(self) -> None:
        """Call a handler that is a coroutine function, and answer, all in one task."""
        try:
            result = await self._call_handler()
        except BaseException as error:
            self._task = None
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
        else:
            # Before the answer, which may be a stream with a task of its own.
            self._task = None
            self._finish(result)

    def _serve_plainly(self) -> None:
        """Call a handler of any other kind, and go on with what it returned."""
        try:
            result = self._call_handler()
        except BaseException as error:
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
            return
        if type(result) in _PLAIN:
            self._finish(result)
        else:
            self._resolve(result)

    def _call_handler(self) -> Any:
        current_call.set(self)
        endpoint = self.endpoint_
        if endpoint.decode is not None:
            self._decode(endpoint.decode)
        events = self.connection.channel.events
        if events.callbacks[_BEFORE_RECEIVE]:
            events.fire(_BEFORE_RECEIVE, self)
        return endpoint.handler(self)

    def _decode(self, decode: Callable[[bytes, bytes], tuple[Any, Any]]) -> None:
        try:
            self.headers, self.body = decode(self.headers, self.body)
        except errors.TChannelError:
            raise
        except Exception as error:
            raise errors.BadRequestError(
                f"cannot decode the request of {self.endpoint}: {error}"
            ) from error

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

    def _run(self, coroutine: Coroutine[Any, Any, None], context: Context) -> None:
        # A real task: asyncio.timeout, TaskGroup and anyio need a current task.
        task: asyncio.Task[None] = _new_task(coroutine, loop=self.connection.loop, context=context)
        if not task.done():
            self._task = task
            if self.cancelled:  # in its first step, which ran at once: it closed its connection
                task.cancel()

    async def _serve_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        # Inside the task rather than in a callback of it: one turn of the loop saved.
        try:
            result = await coroutine
        except BaseException as error:
            self._task = self._coroutine = None
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
        else:
            self._task = self._coroutine = None
            self._finish(result)

    def _future_done(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._failed(asyncio.CancelledError())
            return
        error = future.exception()
        if error is not None:
            self._failed(error)
        else:
            self._finish(future.result())

    # -- answering ----------------------------------------------------------------------------

    def _finish(self, result: object) -> None:
        if self.answered:
            return
        channel = self.connection.channel
        hooks = channel.events.callbacks
        if hooks[_BEFORE_SEND]:
            response = result if isinstance(result, Response) else Response(result)
            channel.events.fire(_BEFORE_SEND, response)
            result = response
        try:
            code, arg2, arg3 = self.endpoint_.encode(result)
        except Exception as error:
            self._failed(error)
            return
        self._answer(code, arg2, arg3)
        if hooks[_AFTER_SEND]:
            response = result if isinstance(result, Response) else Response(result)
            channel.events.fire(_AFTER_SEND, response)

    def _answer(self, code: int, arg2: bytes, arg3: bytes | AsyncIterator[bytes]) -> None:
        pending = self._pending
        if pending is not None:
            self._pending = None
            pending.complete((code, arg2, arg3, self.endpoint_.headers or {"as": self.scheme}))
            if not pending.passed_on:
                return
        if not isinstance(arg3, bytes):
            self._answer_stream(code, arg2, arg3)
            return
        connection = self.connection
        event = self.event
        endpoint = self.endpoint_
        block = endpoint.block or endpoint.header_block(event.headers["as"])
        try:
            connection.wire.respond(event.id, block, arg2, arg3, code)
        except (TypeError, ValueError) as error:
            # What a scheme or an interceptor made of the answer cannot be sent.
            self._report(error)
            self.refuse(error)
            return
        self._close()
        if not connection.flushing:
            connection.flush_soon()
        if connection.paused:
            connection.count_unsent(len(arg2) + len(arg3))

    def _answer_stream(self, code: int, arg2: bytes, body: AsyncIterator[bytes]) -> None:
        self._task = self.connection.loop.create_task(self._pump(code, arg2, body))

    async def _pump(self, code: int, arg2: bytes, body: AsyncIterator[bytes]) -> None:
        connection = self.connection
        options = connection.channel.options
        task = asyncio.current_task()
        try:
            # The first chunk decides whether there is an answer or an error.
            writer = None
            async for chunk in body:
                if self.answered:
                    return
                if writer is None:
                    writer = self._start_response(code, arg2)
                writer.write(to_chunk(chunk))
                connection.flush_soon()
                if connection.paused or writer.buffered > options.stream_buffer:
                    await connection.writable()
            if not self.answered:
                if writer is None:
                    writer = self._start_response(code, arg2)
                self._close()
                writer.finish()
                connection.flush_soon()
        except BaseException as error:
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
        finally:
            if self._task is task:
                self._task = None
            await close_body(body)

    def _start_response(self, code: int, arg2: bytes) -> wire.FragmentWriter:
        return self.connection.wire.start_response(
            self.id, self.endpoint_.header_block(self.scheme), arg2, code
        )

    def _failed(self, error: BaseException) -> None:
        if self.answered:
            return
        encode_error = self.endpoint_.encode_error
        if encode_error is not None:
            answer = None
            try:
                answer = encode_error(error)
            except Exception as failure:
                error = failure
            if answer is not None:
                self._answer(*answer)
                return
        self._report(error)
        pending = self._pending
        if pending is not None:
            self._pending = None
            pending.complete(error)
            if not pending.passed_on:
                return
        self.refuse(error)

    def _report(self, error: BaseException) -> None:
        """Log what the interface does not declare, and tell the hooks."""
        if isinstance(error, errors.TChannelError | asyncio.CancelledError):
            return
        channel = self.connection.channel
        if channel.events.callbacks[EventType.on_exception]:
            # While it is being handled, so that a hook's traceback shows where it comes from.
            try:
                raise error
            except BaseException:
                channel.events.fire(EventType.on_exception, self, error)
        log.error(
            "handler of %s failed (service %s, caller %s at %s, message %d)",
            self.endpoint,
            self.service,
            self.event.headers.get("cn"),
            self.connection.address,
            self.id,
            exc_info=error,
        )

    def refuse(self, error: BaseException) -> None:
        """Answer with an error frame."""
        code, text = self._describe(error)
        self._close()
        connection = self.connection
        connection.wire.fail(self.id, code, text)
        connection.flush_soon()
        events = connection.channel.events
        if events.callbacks[EventType.after_send_error]:
            if not isinstance(error, errors.TChannelError):
                error = errors.TChannelError.from_code(code, description=text, id=self.id)
            events.fire(EventType.after_send_error, error)

    def _describe(self, error: BaseException) -> tuple[int, str]:
        if isinstance(error, errors.TChannelError):
            code = error.code
            if code is None or not 0 < code < errors.FATAL:
                # Go closes the connection on 0xFF whatever its id (protocol, "Errors"); what does
                # not fit a byte comes from a class of the application's own.
                code = errors.UNEXPECTED_ERROR
            return code, error.description or type(error).__name__
        if isinstance(error, asyncio.CancelledError):
            return errors.CANCELED, "the handler was cancelled"
        channel = self.connection.channel
        if not channel.expose_errors:
            return errors.UNEXPECTED_ERROR, type(error).__name__
        try:
            what = str(error)
        except Exception:  # its own __str__ is broken; the caller is answered all the same
            what = "(no description)"
        name = type(error).__name__
        text = (f"{name}: {what}" if what else name).encode(errors="replace")
        limit = int(channel.options.max_error_text)
        return errors.UNEXPECTED_ERROR, text[:limit].decode(errors="ignore")

    def _close(self) -> None:
        """The call is answered: it bounds no nested call and is in flight no more."""
        if self.answered:
            return
        self.answered = True
        connection = self.connection
        connection.inbound.pop(self.event.id, None)
        channel = connection.channel
        channel.inbound_calls -= 1
        if channel.winding_down:
            channel.notify()
        if self.stream is not None:
            self.stream.discard()

    def abandon(self) -> None:
        """Nobody waits for the answer any more: stop the handler if it can be stopped."""
        self.cancelled = True
        self._close()
        if self.stream is not None:
            self.stream.fail(errors.CanceledError("the caller is gone"))
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


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def serve(connection: Connection, event: wire.RequestReceived) -> None:
    """Serve an incoming call."""
    channel = connection.channel
    endpoints = channel.services.get(event.service, channel.endpoints)
    scheme = event.headers["as"]
    endpoint = endpoints.by_name.get(event.arg1)
    # The usual case by itself; whatever is unusual is left to `find`, which names what is wrong.
    if endpoint is None or endpoint.scheme != scheme:
        try:
            endpoint = endpoints.find(event.arg1, scheme)
        except errors.BadRequestError as error:
            _refuse(connection, event, error)
            return
    inbound = connection.inbound
    options = channel.options
    if (
        len(inbound) >= options.max_calls_per_connection
        or channel.inbound_calls >= options.max_calls
    ):
        _refuse(connection, event, errors.BusyError("too many calls in flight"))
        return
    if channel.draining:
        _refuse(connection, event, errors.DeclinedError("draining: the channel is closing"))
        return
    request = inbound[event.id] = _new(InboundRequest)
    request.body = event.arg3
    request.headers = event.arg2
    request.connection = connection
    request.event = event
    request.endpoint_ = endpoint
    request.answered = request.cancelled = False
    request._transport = request.stream = request._task = None
    request._coroutine = request._pending = None
    channel.inbound_calls += 1
    if endpoint.stream:
        request.stream = request.body = Body(connection)
        request.stream.feed(event.arg3, not event.more)
    if channel.events.callbacks[_AFTER_RECEIVE]:
        channel.events.fire(_AFTER_RECEIVE, request)
    # Of its own for each handler: what one sets in it, no other sees.
    context = Context()
    if channel.interceptors.incoming or interceptors.process_wide.incoming:
        context.run(_intercept, request)
    else:
        request.start(context)


def _refuse(
    connection: Connection, event: wire.RequestReceived, error: errors.TChannelError
) -> None:
    """Answer a call that no handler gets to see."""
    assert error.code is not None
    connection.wire.fail(event.id, error.code, error.description or "")
    log.info("%s from %s: %s", event.service, connection.address, error.description)
    events = connection.channel.events
    if events.callbacks[EventType.after_send_error]:
        events.fire(EventType.after_send_error, error)


def _intercept(request: InboundRequest) -> None:
    """Let the interceptors have the call; in the context that the handler will have."""
    channel = request.connection.channel
    current_call.set(request)
    try:
        reply = interceptors.run(
            interceptors.process_wide.incoming, channel.interceptors.incoming, request
        )
    except BaseException as error:
        _settle_error(request, error)
        if isinstance(error, _FOR_THE_PROCESS):
            raise
        return
    if type(reply) is PendingReply and reply.is_unseen_of(request):
        request.pass_on(reply)
        return
    future = interceptors.as_future(reply)
    if future.done():
        _settle(request, future)
    else:
        future.add_done_callback(partial(_settle, request), context=Context())


def _given_up(
    request: InboundRequest, pending: PendingReply, future: asyncio.Future[Reply]
) -> None:
    """An interceptor waits no more for the handler: its own timeout, perhaps."""
    if future.cancelled() and request._pending is pending:
        request.stop_handler()


def _settle(request: InboundRequest, future: asyncio.Future[Reply]) -> None:
    request.go_on_without_handler()
    if future.cancelled():
        if not request.answered:
            request.refuse(asyncio.CancelledError())
        return
    error = future.exception()
    if error is not None:
        _settle_error(request, error)
    elif not request.answered:
        reply = future.result()
        if isinstance(reply, Reply):
            request._answer(reply.code, reply.arg2, reply.arg3)
        else:
            _settle_error(request, TypeError(f"an interceptor gave no Reply, but {reply!r}"))


def _settle_error(request: InboundRequest, error: BaseException) -> None:
    request.go_on_without_handler()
    if not request.answered:
        if not isinstance(error, errors.TChannelError):
            log.error("serving %s failed", request.endpoint, exc_info=error)
        request.refuse(error)
