"""Calls that interceptors stand in the way of: how they go in, and what comes out of them."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

from . import errors, interceptors
from .answering import FOR_THE_PROCESS
from .current import current_call
from .interceptors import PendingReply, Reply
from .log_fields import fields_of
from .outbound import Decode, OutgoingCall

if TYPE_CHECKING:
    from .inbound import InboundRequest

__all__ = ["Delivery", "intercept_call", "intercept_request"]

log = logging.getLogger("tchannel.inbound")


def intercept_call(made: OutgoingCall) -> asyncio.Future[Any]:
    """Let the interceptors have an outgoing call; return what its caller holds."""
    channel = made.channel
    decode = made.decode
    try:
        reply = interceptors.run(
            interceptors.process_wide.outgoing, channel.interceptors.outgoing, made
        )
    except Exception as error:
        inner: asyncio.Future[Any] = channel.loop.create_future()
        inner.set_exception(error)
        inner.exception()
        return Delivery(inner, decode)
    if type(reply) is PendingReply and reply.is_unseen_of(made):
        reply.passed_on = True
        return made
    return Delivery(interceptors.as_future(reply), decode)


class Delivery(asyncio.Future[Any]):
    """What the caller holds when interceptors stand between it and the call.

    It takes the result of the interceptors' Future in the same turn of the loop where it can: that
    saves one turn and the callback, 0.3 µs.
    """

    __slots__ = ("_decode", "_inner")

    def __init__(self, inner: asyncio.Future[Any], decode: Decode) -> None:
        super().__init__(loop=inner.get_loop())
        self._inner: asyncio.Future[Any] | None = inner
        self._decode = decode
        if isinstance(inner, OutgoingCall) and inner.delivered_to is None and not inner.done():
            inner.delivered_to = self
        else:
            inner.add_done_callback(self.deliver, context=Context())

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel what the interceptors made of the call."""
        if self.done():
            return False
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.cancel(msg)
        return super().cancel(msg)

    def deliver(self, inner: asyncio.Future[Any]) -> None:
        """Take over the result of ``inner``, a reply or an error."""
        self._inner = None
        if self.done():
            if not inner.cancelled():
                inner.exception()  # looked at: nobody else will
            return
        if inner.cancelled():
            super().cancel()
            return
        error = inner.exception()
        if error is None:
            reply = inner.result()
            try:
                result = self._decode(reply.code, reply.arg2, reply.arg3, reply.headers)
            except Exception as failure:
                error = failure
            else:
                self.set_result(result)
                return
        self.set_exception(error)
        self.exception()


def intercept_request(request: InboundRequest) -> None:
    """Let the interceptors have the call; in the context that the handler will have."""
    channel = request.connection.channel
    current_call.set(request)
    try:
        reply = interceptors.run(
            interceptors.process_wide.incoming, channel.interceptors.incoming, request
        )
    except BaseException as error:
        _settle_error(request, error)
        if isinstance(error, FOR_THE_PROCESS):
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
            request.answer(reply.code, reply.arg2, reply.arg3)
        else:
            _settle_error(request, TypeError(f"an interceptor gave no Reply, but {reply!r}"))


def _settle_error(request: InboundRequest, error: BaseException) -> None:
    request.go_on_without_handler()
    if not request.answered:
        if not isinstance(error, errors.TChannelError):
            log.error(
                "an interceptor of %s failed (service %s, caller %s, message %d)",
                request.endpoint,
                request.service,
                request.connection.address,
                request.id,
                exc_info=error,
                extra=fields_of(request),
            )
        request.refuse(error)
