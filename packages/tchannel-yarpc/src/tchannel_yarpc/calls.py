"""Calls: one attempt by default, and errors as YARPC sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

from tchannel import retry
from tchannel.context import current_request
from tchannel.errors import TChannelError
from tchannel.event import EventType
from tchannel.subchannel import SubChannel

from .errors import YarpcError, from_tchannel
from .headers import CALLER_PROCEDURE, check_headers, encode_headers

if TYPE_CHECKING:
    from tchannel import Response, TChannel
    from tchannel.lowlevel import Decode, Timeout, Trace

__all__ = ["CallOptions", "YarpcCall", "channel_of", "checked_options", "start_call"]

_T = TypeVar("_T")
_BEFORE_HEADERS = EventType.before_serialize_request_headers


class CallOptions(TypedDict, total=False):
    """What every call may be given by keyword, with the same meaning as for calls of a channel."""

    timeout: Timeout
    """Seconds for one attempt; default 30. YARPC's services want a deadline, and always get one."""

    deadline: Timeout
    """Seconds for the whole call with its retries; default none."""

    hostport: str | None
    """The peer to call, instead of one of those that the channel knows."""

    shard_key: str | None
    """For routers and services that shard."""

    routing_key: str | None
    """The group of instances, a canary say, that a router may prefer."""

    routing_delegate: str | None
    """The service that a router sends the call to instead."""

    caller_name: str | None
    """Who calls; by default the channel's name."""

    retry_on: str
    """What to retry on, see `tchannel.retry`; default never: a service of YARPC may have worked
    before it says that it is busy or unavailable."""

    retry_limit: int | None
    """Attempts after the first, where ``retry_on`` allows any; default 4, with ``hostport`` 0."""

    trace: Trace | None
    """Whether to trace this call; by default what the channel does."""


_OPTIONS = ", ".join(CallOptions.__annotations__)


def channel_of(channel: TChannel | SubChannel) -> TChannel:
    """Return the channel itself, also where it is one of its services."""
    return channel.channel if isinstance(channel, SubChannel) else channel


def checked_options(options: CallOptions) -> CallOptions:
    """Return options of calls to come.

    Raises:
        TypeError: One of them is none.

    """
    for name in options:
        if name not in CallOptions.__annotations__:
            raise TypeError(f"{name!r} is no option of a call; those are: {_OPTIONS}")
    return options


class YarpcCall(asyncio.Future[_T], Generic[_T]):
    """A call on its way; cancelling it cancels the call. Its exception is a YarpcError, or a
    declared Thrift exception.

    An error that nobody looks at makes no noise.
    """

    __slots__ = ("_call", "_procedure", "_service", "_take")

    # Any: of what the channel gives, which `take` alone looks at.
    def __init__(
        self,
        call: asyncio.Future[Any],
        service: str,
        procedure: str,
        take: Callable[[Any], _T],
    ) -> None:
        super().__init__(loop=call.get_loop())
        self._call: asyncio.Future[Any] | None = call
        self._service = service
        self._procedure = procedure
        self._take = take
        call.add_done_callback(self._done, context=Context())

    def cancel(self, msg: object | None = None) -> bool:
        """Cancel the call."""
        if self._call is not None:
            self._call.cancel(msg)
        return super().cancel(msg)

    def _done(self, call: asyncio.Future[Any]) -> None:
        self._call = None
        if self.done():
            return
        if call.cancelled():
            super().cancel()
            return
        error = call.exception()
        if error is None:
            self.set_result(self._take(call.result()))
            return
        if isinstance(error, TChannelError):
            error = from_tchannel(error)
        if isinstance(error, YarpcError):
            error.service = self._service
            error.procedure = self._procedure
        self.set_exception(error)
        # Looked at once, so that an ignored call makes no "never retrieved" noise.
        self.exception()


def start_call(
    channel: TChannel | SubChannel,
    encoding: str,
    service: str,
    procedure: str,
    headers: Mapping[str, str] | None,
    arg3: bytes,
    decode: Decode,
    take: Callable[[Response], _T],
    *,
    timeout: Timeout = None,
    deadline: Timeout = None,
    hostport: str | None = None,
    shard_key: str | None = None,
    routing_key: str | None = None,
    routing_delegate: str | None = None,
    caller_name: str | None = None,
    retry_on: str | None = None,
    retry_limit: int | None = None,
    trace: Trace | None = None,
) -> YarpcCall[_T]:
    """Start a call.

    Args:
        channel: Whose call it is.
        encoding: The encoding, sent as arg scheme.
        service: Name of the service.
        procedure: The procedure as it is sent.
        headers: Application headers.
        arg3: The body, encoded.
        decode: Makes a Response of the answer, or raises.
        take: Makes the call's result of that.
        timeout: This one and the others as in `CallOptions`.

    Raises:
        TypeError: An argument of a wrong type.
        ValueError: An argument that cannot be sent.

    """
    events = channel_of(channel).hooks.event_emitter
    if events.callbacks[_BEFORE_HEADERS]:
        headers = dict(headers) if headers else {}
        events.fire(_BEFORE_HEADERS, headers, service)
    sent = check_headers(headers)
    serving = current_request()
    if serving is not None and serving.endpoint is not None:
        sent.setdefault(CALLER_PROCEDURE, serving.endpoint)
    call = channel.start_call(
        encoding,
        service,
        procedure,
        encode_headers(encoding, sent),
        arg3,
        decode,
        timeout,
        retry.NEVER if retry_on is None else retry_on,
        retry_limit,
        routing_delegate,
        hostport,
        shard_key,
        None,
        trace,
        caller_name,
        deadline,
        False,
        routing_key,
    )
    return YarpcCall(call, service, procedure, take)
