"""The answer to an incoming call: a response, a streamed one, or an error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from copy import copy
from math import floor
from typing import TYPE_CHECKING, Final, ParamSpec, TypeGuard, TypeVar, cast

import tchannel_wire as wire
from tchannel_wire import ARG_SCHEME, CALLER_NAME

from .. import errors
from .._ground.current import current_call
from .._ground.log_fields import fields_of
from .._ground.logs import logger
from .._ground.process import FOR_THE_PROCESS
from .._ground.tasks import start_task
from .._sight.counting import BUCKET_OF
from ..event import EventType
from ..request import Request, TransportHeaders
from ..response import Response
from ..stats import APP_ERROR, OTHER_ERROR, OUTCOME_OF_CODE, SUCCESS, CallEnded, bucket_of
from ..streaming import Body, close_body, write_chunk

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .._sight.counting import IncomingRow
    from ..interceptors import PendingReply
    from .endpoints import Endpoint

__all__ = ["ReceivedRequest", "change_answer"]

_Given = ParamSpec("_Given")
_AnswerT = TypeVar("_AnswerT", bound="tuple[int, bytes, bytes | AsyncIterator[bytes]] | None")

log = logger("tchannel.inbound")

# Plain ints: a list is indexed by an enum member the slow way, at 30 ns each.
_BEFORE_SEND: Final = int(EventType.before_send_response)
_AFTER_SEND: Final = int(EventType.after_send_response)
_SERVED: Final = int(EventType.on_call_served)

# Bytes of an answer after which it is looked whether the peer reads; many small ones are few bytes.
_LARGE: Final = 16 * 1024

# Bytes that leave in one write anyhow: to wait for more of them saves nothing.
_MUCH: Final = 256 * 1024


class ReceivedRequest(Request):
    """A request that came from a peer, and is to be answered once."""

    __slots__ = (
        "_coroutine",
        "_pending",
        "_task",
        "answered",
        "cancelled",
        "connection",
        "endpoint_",
        "event",
        "held",
        "stream",
    )

    # Made and filled in by `serve`, without a call of __init__: 0.1 µs less.
    connection: Connection
    event: wire.RequestReceived
    endpoint_: Endpoint
    answered: bool
    cancelled: bool
    held: int
    """Its bytes that count for `Options.incoming_memory`."""
    stream: Body | None
    _task: asyncio.Task[None] | None
    _coroutine: Coroutine[object, object, object] | None
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
        return self.event.headers[ARG_SCHEME]

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
        return self.event.ttl_ms / 1000

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers, made when first looked at."""
        transport = self._transport
        if transport is None:
            event = self.event
            transport = self._transport = TransportHeaders.from_dict(
                event.headers,
                flags=event.flags,
                ttl_ms=event.ttl_ms,
                peer=self.connection.address,
                announced=self.connection.announced,
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
        self.answer(code, arg2, arg3)
        if hooks[_AFTER_SEND]:
            response = result if isinstance(result, Response) else Response(result)
            channel.events.fire(_AFTER_SEND, response)

    def answer(self, code: int, arg2: bytes, arg3: bytes | AsyncIterator[bytes]) -> None:
        """Answer with a response, unless interceptors want to see it first."""
        pending = self._pending
        if pending is not None:
            self._pending = None
            pending._outcome = code, arg2, arg3, self.endpoint_.headers or {ARG_SCHEME: self.scheme}
            if pending._future is not None:
                pending.settle()
            if not pending.passed_on:
                return
        if not isinstance(arg3, bytes):
            self._answer_stream(code, arg2, arg3)
            return
        connection = self.connection
        event = self.event
        endpoint = self.endpoint_
        block = endpoint.block or endpoint.header_block(event.headers[ARG_SCHEME])
        size = len(arg3)
        if connection.paused and not connection.takes_answer(size + len(arg2)):
            self._drop_answer(size + len(arg2))
            return
        try:
            connection.wire.respond(event.id, block, arg2, arg3, code)
        except (TypeError, ValueError) as error:
            # What a scheme or an interceptor made of the answer cannot be sent.
            self._report(error)
            self.refuse(error)
            return
        # Counted here alone: how many calls began, the connections know.
        row = endpoint.rows.get(event.headers[CALLER_NAME])
        if row is None or row.service != event.service:
            row = self.row()
        if code:
            row.app_errors += 1
        if row.times is None:
            row.answered += 1
        else:
            took = connection.timers.time() - event.deadline + event.ttl_ms * 0.001
            at = floor(took * 1e6)
            try:
                row.times[BUCKET_OF[at]] += 1
            except IndexError:
                row.times[bucket_of(at)] += 1
                # Only here, where nothing is in a hurry: what is slow is beyond the table.
                if took >= connection.channel.recent.slow:
                    self.remember(took, APP_ERROR if code else SUCCESS)
            row.seconds += took
        if connection.channel.events.callbacks[_SERVED]:
            self.tell_served(APP_ERROR if code else SUCCESS)
        self._close()
        if not connection.flushing:
            connection.flush_soon()
        if size > _LARGE and connection.wire.buffered > _MUCH and not connection.paused:
            connection.write_at_once()

    def row(self) -> IncomingRow:
        """Return where the call is counted, and let it be found faster the next time."""
        event = self.event
        endpoint = self.endpoint_
        caller = event.headers[CALLER_NAME]
        row = self.connection.channel.counts.incoming_row(event.service, event.arg1, caller)
        # Not where the endpoint serves any name, nor the row any caller.
        if endpoint.scheme is not None and row.caller == caller:
            endpoint.rows[caller] = row
        return row

    def remember(self, seconds: float, outcome: str, error: str | None = None) -> None:
        """Keep a call that failed, or was slow, for those who ask what went wrong lately."""
        event = self.event
        connection = self.connection
        connection.channel.recent.ended(
            "incoming",
            event.service,
            self.endpoint,
            event.headers[CALLER_NAME],
            connection.address,
            seconds,
            outcome,
            error,
            tracing=event.tracing,
        )

    def took(self) -> float:
        """Return for how many seconds it has been served."""
        event = self.event
        return self.connection.timers.time() - event.deadline + event.ttl_ms * 0.001

    def count_error(self, outcome: str, text: str = "") -> None:
        """Count a call that ended without a response; ``text`` is what the caller is told."""
        took = self.took()
        self.row().ended(outcome, took)
        self.remember(took, outcome, text)
        self.tell_served(outcome)

    def tell_served(self, outcome: str) -> None:
        """Tell the hooks how the call has ended."""
        events = self.connection.channel.events
        if events.callbacks[_SERVED]:
            events.fire(_SERVED, self, CallEnded(outcome, self.took()))

    def _drop_answer(self, size: int) -> None:
        channel = self.connection.channel
        channel.limit_reached("unsent_memory", int(channel.options.unsent_memory))
        self.connection.fault(
            logging.WARNING,
            "the answer of %s to %s, %d bytes, is dropped: too many wait for peers that do not read",
            self.endpoint,
            self.connection.address,
            size,
            extra=fields_of(self),
        )
        self.refuse(
            errors.UnexpectedError("the answer was dropped: too many wait for slow readers")
        )

    def _answer_stream(self, code: int, arg2: bytes, body: AsyncIterator[bytes]) -> None:
        self._task = start_task(self.connection.loop, self._pump(code, arg2, body))
        if self.answered:
            self._task.cancel()  # a hook has just ended the call: nobody else would stop it

    async def _pump(self, code: int, arg2: bytes, body: AsyncIterator[bytes]) -> None:
        connection = self.connection
        task = asyncio.current_task()
        try:
            # The first chunk decides whether there is an answer or an error.
            writer = None
            async for chunk in body:
                if self.answered:
                    return
                if writer is None:
                    writer = self._start_response(code, arg2)
                await write_chunk(connection, writer, chunk)
            if not self.answered:
                if writer is None:
                    writer = self._start_response(code, arg2)
                took = self.took()
                self.row().answered_in(took, code)
                if took >= connection.channel.recent.slow:
                    self.remember(took, APP_ERROR if code else SUCCESS)
                self.tell_served(APP_ERROR if code else SUCCESS)
                self._close()
                writer.finish()
                connection.flush_soon()
        except BaseException as error:
            self._failed(error)
            if isinstance(error, FOR_THE_PROCESS):
                raise
        finally:
            if self._task is task:
                self._task = None
            await close_body(body, fields_of(self))

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
                self.answer(*answer)
                return
        self._report(error)
        encode_failure = self.endpoint_.encode_failure
        if encode_failure is not None and is_undeclared(error):
            try:
                self.answer(*encode_failure(error, self._describe(error)[1]))
                return
            except errors.TChannelError as failure:
                error = failure
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
            self.event.headers.get(wire.CALLER_NAME),
            self.connection.address,
            self.id,
            exc_info=error,
            extra=fields_of(self),
        )

    def refuse(self, error: BaseException) -> None:
        """Answer with an error frame."""
        code, text = self._describe(error)
        if not self.answered:
            self.count_error(OUTCOME_OF_CODE.get(code, OTHER_ERROR), text)
        self._close()
        connection = self.connection
        connection.wire.fail(self.id, code, text)
        connection.flush_soon()
        events = connection.channel.events
        if events.callbacks[EventType.after_send_error]:
            if not isinstance(error, errors.TChannelError):
                error = errors.TChannelError.from_code(code, description=text, id=self.id)
            if error.tracing is None:
                error.tracing = self.tracing
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
        connection.incoming.pop(self.event.id, None)
        channel = connection.channel
        channel.incoming_calls -= 1
        if self.held:
            channel.memory.held -= self.held
            channel.memory.read_on()
        if channel.state.ends:
            channel.notify()
        if self.stream is not None:
            self.stream.discard()


def is_undeclared(error: BaseException) -> TypeGuard[Exception]:
    """Say whether an error is the handler's own: none of a call, and no cancellation."""
    return isinstance(error, Exception) and not isinstance(error, errors.TChannelError)


def change_answer(change: Callable[[bytes], bytes]) -> None:
    """Let the arg3 of the answer to the current call be changed before it is sent.

    For the ``decode`` of an `Endpoint`, where what came says how it is to be answered: a Thrift
    envelope, say. Error frames and streams stay as they are.

    Args:
        change: Makes the arg3 that is sent of the one that the endpoint made.

    Raises:
        RuntimeError: If no call is being served.

    """
    call = current_call.get()
    if call is None:
        raise RuntimeError("no call is being served: change_answer belongs into decode")
    endpoint = call.endpoint_ = copy(call.endpoint_)
    endpoint.encode = _changed(endpoint.encode, change)
    if endpoint.encode_error is not None:
        endpoint.encode_error = _changed(endpoint.encode_error, change)
    if endpoint.encode_failure is not None:
        endpoint.encode_failure = _changed(endpoint.encode_failure, change)


def _changed(
    encode: Callable[_Given, _AnswerT], change: Callable[[bytes], bytes]
) -> Callable[_Given, _AnswerT]:
    def changed(*result: _Given.args, **named: _Given.kwargs) -> _AnswerT:
        answer = encode(*result, **named)
        if answer is None:
            return answer
        code, arg2, arg3 = answer
        if not isinstance(arg3, bytes):
            return answer
        return cast("_AnswerT", (code, arg2, change(arg3)))

    return changed
