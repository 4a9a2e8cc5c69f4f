"""Spans and durations of calls: the interceptors that make them, and the hook for what is refused."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextvars import Context as Variables
from functools import partial
from typing import Final
from weakref import WeakSet

from opentelemetry import context as contexts
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.metrics import Histogram, MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from tchannel import Request, TChannel
from tchannel.context import current_request
from tchannel.errors import TChannelError
from tchannel.interceptors import Call, PendingReply, Proceed, Reply
from tchannel.lowlevel import call_of, logger, served_as
from tchannel.stats import CallEnded
from tchannel.streaming import Body

from .._version import __version__
from ..text import safe
from . import conventions
from .conventions import APPLICATION_ERROR, CANCELLED, OK, SYSTEM, address_of
from .propagation import extract, inject, parent_in_bytes

__all__ = ["CallTelemetry"]

log: Final = logger(__name__)

_NAME: Final = "tchannel_observe.otel"
_OTHER: Final = "_OTHER"
"""``rpc.method`` of what a channel does not know by that name."""

_LONGEST_TEXT: Final = 1_000
_LONGEST_STACK: Final = 8_000


class CallTelemetry:
    """The interceptors that make spans of calls, and measure them.

    Args:
        tracer_provider: Who takes the spans; by default the one of the process.
        meter_provider: Who takes the durations; by default the one of the process.
        but_not: Channels whose calls are let pass: others see to them.

    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        but_not: WeakSet[TChannel] | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider, conventions.SCHEMA_URL)
        meter = metrics.get_meter(_NAME, __version__, meter_provider, conventions.SCHEMA_URL)
        self._client = meter.create_histogram(
            conventions.CLIENT_DURATION,
            "s",
            "Time from the start of a call to the end of its answer, retries included.",
            explicit_bucket_boundaries_advisory=conventions.BUCKETS,
        )
        self._server = meter.create_histogram(
            conventions.SERVER_DURATION,
            "s",
            "Time from the arrival of a call to the end of its answer.",
            explicit_bucket_boundaries_advisory=conventions.BUCKETS,
        )
        self._but_not: WeakSet[TChannel] = WeakSet() if but_not is None else but_not
        # Requests that have a span, by identity: each ends once, and is dropped here then.
        self._seen: set[int] = set()

    def outgoing(self, call: Call, proceed: Proceed) -> Awaitable[Reply] | Reply:
        """Make a client span of a call with all its attempts."""
        if call.channel in self._but_not or not is_instrumentation_enabled():
            return proceed(call)
        context = contexts.get_current()
        parent = trace.get_current_span(context).get_span_context()
        if not parent.is_valid:
            # The request that is served was not seen by us, or the caller gave `tracing_span`.
            parent = parent_in_bytes(call) or parent
            if parent.is_valid:
                context = trace.set_span_in_context(trace.NonRecordingSpan(parent), context)
        method = safe(f"{call.service}/{call.endpoint}")
        attributes: dict[str, AttributeValue] = {"rpc.system.name": SYSTEM, "rpc.method": method}
        known = call.known_peers
        named = call.hostport or (known[0] if len(known) == 1 else "")
        if named:
            attributes.update(_server_at(named))
        span = self._tracer.start_span(
            method,
            context,
            SpanKind.CLIENT,
            {**attributes, "tchannel.scheme": safe(call.scheme)},
        )
        context = trace.set_span_in_context(span, context)
        try:
            inject(call, context, parent)
        except Exception:  # as above; of baggage that is no text, say
            log.debug("cannot send the context with a call of %s", call.endpoint, exc_info=True)
        watched = _ClientCall(span, context, self._client, attributes, call.service, named)
        try:
            pending = proceed(call)
        except BaseException as error:
            watched.failed(error)
            raise
        return watched.watch(pending)

    def incoming(self, call: Call, proceed: Proceed) -> Awaitable[Reply] | Reply:
        """Make a server span of a call that has a handler."""
        if call.channel in self._but_not:
            return proceed(call)
        request = current_request()
        if request is not None:
            self._seen.add(id(request))
        # Empty but for what the application put there: each request has a context of its own.
        watched = self._server_call(call, contexts.get_current())
        # Never detached: we are in the context of this one request, and it ends with it.
        contexts.attach(watched.context)
        try:
            pending = proceed(call)
        except BaseException as error:
            watched.failed(error)
            raise
        return watched.watch(pending)

    def served(self, request: Request, ended: CallEnded) -> None:
        """Make a server span of a call that was refused, or given up, before a handler had it.

        A hook for the event `on_call_served`, which every call ends in.
        """
        if id(request) in self._seen:
            self._seen.discard(id(request))
            return
        call = call_of(request)
        if call.channel in self._but_not:
            return
        began = time.time_ns() - int(ended.seconds * 1e9)
        watched = self._server_call(call, Context(), began)
        watched.began = time.perf_counter() - ended.seconds
        failed = ended.outcome != OK
        watched.end(ended.outcome, ended.outcome if failed else None)

    def forget(self) -> None:
        """Nothing is told any more of the calls that are under way."""
        self._seen.clear()

    def _server_call(self, call: Call, context: Context, began: int | None = None) -> _ServerCall:
        """Start the span of an incoming call, now or in the nanoseconds of the epoch."""
        channel = call.channel
        try:
            context = extract(call, context)
        except Exception:  # a propagator that the application chose: the call goes on all the same
            log.debug("cannot read the context of a call of %s", call.endpoint, exc_info=True)
        # What callers make up names no span and no row of metrics.
        asked = safe(f"{call.service}/{call.endpoint}")
        service = served_as(channel, call)
        method = _OTHER if service is None else safe(f"{service}/{call.endpoint}")
        attributes: dict[str, AttributeValue] = {"rpc.system.name": SYSTEM, "rpc.method": method}
        details = {**attributes, **_server_at(channel.hostport), **_client_at(call.peer)}
        details["tchannel.scheme"] = safe(call.scheme)
        details["tchannel.caller_name"] = safe(call.headers.get("cn", ""))
        if method != asked:
            details["rpc.method_original"] = asked
        span = self._tracer.start_span(
            SYSTEM if service is None else method,
            context,
            SpanKind.SERVER,
            details,
            start_time=began,
        )
        return _ServerCall(span, trace.set_span_in_context(span, context), self._server, attributes)


class _WatchedCall:
    """A call with the span that is made of it."""

    def __init__(
        self,
        span: Span,
        context: Context,
        histogram: Histogram,
        attributes: dict[str, AttributeValue],
    ) -> None:
        self.span = span
        self.context = context
        self.histogram = histogram
        self.attributes = attributes
        self.began = time.perf_counter()
        self.over = False

    def watch(self, pending: Awaitable[Reply]) -> asyncio.Future[Reply]:
        """Look at the reply before anybody else does; return the Future of it."""
        future = _future_of(pending)
        ended = partial(self._ended, pending)
        if future.done():
            ended(future)
        else:
            future.add_done_callback(ended, context=Variables())
        return future

    def _ended(self, pending: Awaitable[Reply], future: asyncio.Future[Reply]) -> None:
        if isinstance(pending, PendingReply):
            self.sent_to(pending.peer, pending.attempts)
        if future.cancelled():
            self.end(CANCELLED, CANCELLED)
        elif (error := future.exception()) is not None:
            self.failed(error)
        else:
            self.replied(future.result())

    def sent_to(self, peer: str, attempts: int) -> None:
        """Learn to whom the call was sent, and how often."""

    def replied(self, reply: Reply) -> None:
        """Take the reply, whose body may be on its way still."""
        raise NotImplementedError

    def streamed(self, code: int, error: BaseException | None) -> None:
        """Take the end of a streamed body."""
        if isinstance(error, asyncio.CancelledError):
            self.end(CANCELLED, CANCELLED)
        elif error is not None:
            self.failed(error)
        elif code:
            self.end(APPLICATION_ERROR, APPLICATION_ERROR)
        else:
            self.end(OK)

    def failed(self, error: BaseException) -> None:
        """Take the error that came instead of a reply."""
        raise NotImplementedError

    def end(self, code: str | None, error: str | None = None, text: str | None = None) -> None:
        """End the span and count the call, once.

        Args:
            code: ``rpc.response.status_code``, if there is one.
            error: ``error.type``, unless it ended well.
            text: What the span says of the error.

        """
        if self.over:
            return
        self.over = True
        took = time.perf_counter() - self.began
        attributes = self.attributes
        if code is not None:
            attributes["rpc.response.status_code"] = code
        if error is not None:
            attributes["error.type"] = error
            self.span.set_status(Status(StatusCode.ERROR, text))
        self.span.set_attributes(attributes)
        self.span.end()
        self.histogram.record(took, attributes, context=self.context)


class _ClientCall(_WatchedCall):
    def __init__(
        self,
        span: Span,
        context: Context,
        histogram: Histogram,
        attributes: dict[str, AttributeValue],
        service: str,
        named: str,
    ) -> None:
        super().__init__(span, context, histogram, attributes)
        self.service = service
        self.named = named

    def sent_to(self, peer: str, attempts: int) -> None:
        if peer and peer != self.named:
            self.attributes.update(_server_at(peer))
        if attempts > 1:
            self.span.set_attribute("tchannel.attempts", attempts)

    def replied(self, reply: Reply) -> None:
        body = reply.arg3
        if isinstance(body, Body):
            body.add_done_callback(partial(self.streamed, reply.code))
        else:
            self.streamed(reply.code, None)

    def failed(self, error: BaseException) -> None:
        if isinstance(error, TChannelError):
            text = safe(error.description or "", _LONGEST_TEXT)
        else:
            text = safe(str(error), _LONGEST_TEXT)
        code = conventions.status_of(error)
        self.end(code, code or conventions.error_type(error), text)

    def end(self, code: str | None, error: str | None = None, text: str | None = None) -> None:
        # Required; a call that was sent nowhere was for those who are the service.
        self.attributes.setdefault("server.address", safe(self.service))
        super().end(code, error, text)


class _ServerCall(_WatchedCall):
    def replied(self, reply: Reply) -> None:
        body = reply.arg3
        if isinstance(body, bytes):
            self.streamed(reply.code, None)
        else:
            reply.arg3 = _WatchedBody(body, self, reply.code)

    def failed(self, error: BaseException) -> None:
        code = conventions.status_of(error, served=True)
        text = None
        if isinstance(error, TChannelError):
            text = safe(error.description or "", _LONGEST_TEXT)
        else:
            text = safe(_text_of(error), _LONGEST_TEXT)
            # Not by `record_exception`, which hands texts on as they are.
            stack = "".join(traceback.format_exception(error))
            self.span.add_event(
                "exception",
                {
                    "exception.type": conventions.error_type(error),
                    "exception.message": text,
                    "exception.stacktrace": safe(stack[-_LONGEST_STACK:], _LONGEST_STACK),
                },
            )
        self.end(code, code, text)


class _WatchedBody(AsyncIterator[bytes]):
    """A streamed answer on its way out; its end is the end of the call."""

    def __init__(self, body: AsyncIterator[bytes], call: _ServerCall, code: int) -> None:
        self._body = body
        self._call = call
        self._code = code

    async def __anext__(self) -> bytes:
        try:
            return await self._body.__anext__()
        except StopAsyncIteration:
            self._call.streamed(self._code, None)
            raise
        except BaseException as error:
            self._call.streamed(self._code, error)
            raise

    async def aclose(self) -> None:
        """Close it; before its end because the caller is gone."""
        self._call.end(CANCELLED, CANCELLED)
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()

    def __del__(self) -> None:
        self._call.end(CANCELLED, CANCELLED)


def _future_of(pending: Awaitable[Reply]) -> asyncio.Future[Reply]:
    if isinstance(pending, PendingReply):
        return pending.future
    return asyncio.ensure_future(pending)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # its own __str__ is broken
        return type(error).__name__


def _server_at(hostport: str) -> Mapping[str, AttributeValue]:
    host, port, transport = address_of(hostport)
    found: dict[str, AttributeValue] = {"server.address": host, "network.transport": transport}
    if port is not None:
        found["server.port"] = port
    return found


def _client_at(peer: str) -> Mapping[str, AttributeValue]:
    if not peer:
        return {}
    host, port, transport = address_of(peer)
    found: dict[str, AttributeValue] = {
        "client.address": host,
        "network.peer.address": host,
        "network.transport": transport,
    }
    if port is not None:
        found.update({"client.port": port, "network.peer.port": port})
    return found
