"""Incoming calls that interceptors stand in the way of, and what comes out of them."""

from __future__ import annotations

import asyncio
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

from .. import errors
from .._ground.current import current_call
from .._ground.log_fields import fields_of
from .._ground.logs import logger
from .._ground.process import FOR_THE_PROCESS
from ..interceptors import (
    PendingReply,
    Reply,
    UnseenCall,
    as_future,
    no_reply,
    process_wide,
    run,
)

if TYPE_CHECKING:
    from .incoming import IncomingRequest

__all__ = ["intercept_request"]

log = logger("tchannel.inbound")


def intercept_request(request: IncomingRequest) -> None:
    """Let the interceptors have the call; in the context that the handler will have."""
    channel = request.connection.channel
    current_call.set(request)
    outer, own = process_wide.incoming, channel.interceptors.incoming
    call = UnseenCall()
    call._origin = request
    try:
        # As for outgoing calls.
        if not outer and len(own) == 1:
            result = own[0](call, request.proceed)
        else:
            result = run(outer, own, call, request.proceed, channel.loop)
        if type(result) is PendingReply and result._origin is request and result._future is None:
            result.passed_on = True
            outcome, reply = result._outcome, None
        else:
            outcome, reply = None, as_future(result, channel.loop)
    except BaseException as error:
        _settle_error(request, error)
        if isinstance(error, FOR_THE_PROCESS):
            raise
        return
    if reply is None:
        if outcome is None or request.answered:
            return
        if type(outcome) is tuple:
            request.answer(outcome[0], outcome[1], outcome[2])
        elif isinstance(outcome, BaseException):
            request.refuse(outcome)
    elif reply.done():
        _settle(request, reply)
    else:
        reply.add_done_callback(partial(_settle, request), context=Context())


def _settle(request: IncomingRequest, future: asyncio.Future[Reply]) -> None:
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
            _settle_error(request, no_reply(reply))


def _settle_error(request: IncomingRequest, error: BaseException) -> None:
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
