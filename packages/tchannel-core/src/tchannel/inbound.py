"""Incoming calls: from the request to the handler, and from its result to the answer."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextvars import Context
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Final

import tchannel_wire as wire

from . import errors, interceptors
from .current import current_call
from .event import EventType
from .interceptors import Call, Reply
from .request import Request, TransportHeaders
from .response import Response
from .streaming import Body, close_body, to_chunk

if TYPE_CHECKING:
    from .connection import Connection
    from .endpoints import Endpoint

__all__ = ["InboundRequest", "serve"]

log = logging.getLogger("tchannel.inbound")

_AFTER_RECEIVE: Final = EventType.after_receive_request
_BEFORE_RECEIVE: Final = EventType.before_receive_request
_BEFORE_SEND: Final = EventType.before_send_response
_AFTER_SEND: Final = EventType.after_send_response

# Results that are surely neither awaitable nor a stream: one look-up instead of two checks.
_PLAIN: Final = frozenset({type(None), bytes, str, dict, list, int, float, bool, Response})

# They end the process; whatever else a handler raises costs its own call, not the connection.
_FOR_THE_PROCESS: Final = (KeyboardInterrupt, SystemExit)

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
        "_future",
        "_task",
        "_task_context",
        "_tracing",
        "answered",
        "cancelled",
        "connection",
        "endpoint_",
        "event",
        "stream",
    )

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

    def __init__(
        self, connection: Connection, event: wire.RequestReceived, endpoint: Endpoint
    ) -> None:
        self._transport: TransportHeaders | None = None
        self.body = event.arg3
        self.headers = event.arg2
        self.connection = connection
        self.event = event
        self.endpoint_ = endpoint
        self.answered = False
        self.cancelled = False
        self.stream: Body | None = None
        self._coroutine: Coroutine[Any, Any, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._task_context: Context | None = None
        self._future: asyncio.Future[Reply] | None = None

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
        self._task_context = context
        try:
            result = context.run(self._call_handler)
        except BaseException as error:
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
            return
        # The two kinds of handlers that nearly all are, before any other.
        kind = type(result)
        if kind is CoroutineType:
            self._run(result)
        elif kind in _PLAIN:
            self._finish(result)
        else:
            self._resolve(result)

    def _call_handler(self) -> Any:
        current_call.set(self)
        endpoint = self.endpoint_
        if endpoint.decode is not None:
            self._decode(endpoint.decode)
        channel = self.connection.channel
        if channel.events.callbacks[_BEFORE_RECEIVE]:
            channel.events.fire(_BEFORE_RECEIVE, self)
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
        if inspect.iscoroutine(result):
            self._run(result)
        elif isinstance(result, asyncio.Future):
            result.add_done_callback(self._future_done)
        elif inspect.isawaitable(result):
            self._run(_await(result))
        else:
            self._finish(result)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        # A real task: asyncio.timeout, TaskGroup and anyio need a current task.
        self._coroutine = coroutine
        task: asyncio.Task[None] = _new_task(
            self._finish_coroutine(coroutine),
            loop=self.connection.loop,
            context=self._task_context,
        )
        if not task.done():
            self._task = task
            if self.cancelled:  # in its first step, which ran at once: it closed its connection
                task.cancel()

    async def _finish_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        # Inside the task rather than in a callback of it: one turn of the loop saved.
        try:
            result = await coroutine
        except BaseException as error:
            self._task = self._coroutine = None
            self._failed(error)
            if isinstance(error, _FOR_THE_PROCESS):
                raise
        else:
            # Before the answer, which may be a stream with a task of its own.
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
        if self._future is not None:
            if not self._future.done():
                self._future.set_result(Reply(code, arg2, arg3, {"as": self.scheme}))
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
        pump = self._pump(code, arg2, body)
        self._task = self.connection.loop.create_task(pump, context=self._task_context)

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
        if self._future is not None:
            if not self._future.done():
                self._report(error)
                if isinstance(error, asyncio.CancelledError):
                    self._future.cancel()
                else:
                    self._future.set_exception(error)
            return
        self._report(error)
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
        # The context holds this request: without it there is no cycle to collect.
        self._task_context = None
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
        self.stop_handler()
        if self._future is not None and not self._future.done():
            self._future.cancel()

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
    request = InboundRequest(connection, event, endpoint)
    inbound[event.id] = request
    channel.inbound_calls += 1
    if endpoint.stream:
        request.stream = request.body = Body(connection)
        request.stream.feed(event.arg3, not event.more)
    if channel.events.callbacks[_AFTER_RECEIVE]:
        channel.events.fire(_AFTER_RECEIVE, request)
    # Of its own for each handler: what one sets in it, no other sees.
    context = Context()
    if channel.interceptors.incoming or interceptors.process_wide.incoming:
        _serve_intercepted(request, context)
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


def _serve_intercepted(request: InboundRequest, context: Context) -> None:
    channel = request.connection.channel
    event = request.event
    call = Call(
        service=event.service,
        endpoint=request.endpoint or "",
        scheme=request.scheme,
        arg2=event.arg2,
        arg3=request.stream if request.stream is not None else event.arg3,
        headers=dict(event.headers),
        channel=channel,
        outgoing=False,
        timeout=event.ttl / 1000,
        deadline=event.deadline,
        tracing=request.tracing,
        retry_on=event.headers.get("re", "c"),
        peer=request.connection.address,
        streaming=request.stream is not None,
    )
    chained = interceptors.chain(
        [*interceptors.process_wide.incoming, *channel.interceptors.incoming],
        partial(_proceed, request, context),
    )
    try:
        future = context.run(_run_chain, request, chained, call)
    except BaseException as error:
        _settle_error(request, error)
        if isinstance(error, _FOR_THE_PROCESS):
            raise
        return
    if future.done():
        _settle(request, future)
    else:
        future.add_done_callback(partial(_settle, request), context=Context())


def _run_chain(
    request: InboundRequest, chained: interceptors.Proceed, call: Call
) -> asyncio.Future[Reply]:
    current_call.set(request)
    return interceptors.as_future(chained(call))


def _proceed(request: InboundRequest, context: Context, call: Call) -> asyncio.Future[Reply]:
    """Run the handler on what the interceptors made of the call."""
    future: asyncio.Future[Reply] = request.connection.loop.create_future()
    request._future = future
    future.add_done_callback(partial(_given_up, request), context=Context())
    request.headers = call.arg2
    request.body = call.arg3
    # The interceptors run in the same context, so it is entered already: a copy of it.
    request.start(context.copy())
    return future


def _given_up(request: InboundRequest, future: asyncio.Future[Reply]) -> None:
    """An interceptor waits no more for the handler: its own timeout, perhaps."""
    if future.cancelled() and request._future is future:
        request.stop_handler()


def _settle(request: InboundRequest, future: asyncio.Future[Reply]) -> None:
    request._future = None
    # The interceptors may have an answer before the handler has: it works for nobody then.
    request.stop_handler()
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
    request._future = None
    request.stop_handler()
    if not request.answered:
        if not isinstance(error, errors.TChannelError):
            log.error("serving %s failed", request.endpoint, exc_info=error)
        request.refuse(error)
