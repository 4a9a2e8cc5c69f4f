"""The seam of the library: what stands between a call and its answer, on bytes.

An interceptor is a plain callable ``interceptor(call, proceed)``. It returns a :class:`Reply`, or an
awaitable of one: what ``proceed(call)`` gave, another Future, or a coroutine. Outgoing and incoming
calls have the same shape. For an outgoing call it stands above retries and the choice of a peer, so
that an answer from elsewhere (a recording, a cache) needs no peer; for an incoming call it stands
above the handler and runs in the handler's context.

Failures are exceptions of ``tchannel.errors``, raised or set on the awaitable.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import tchannel_wire as wire

if TYPE_CHECKING:
    from .channel import TChannel

__all__ = [
    "Call",
    "Interceptor",
    "Interceptors",
    "Proceed",
    "Reply",
    "add_incoming",
    "add_outgoing",
    "remove_incoming",
    "remove_outgoing",
]


class Call:
    """A call on its way, whichever way; the attributes may be changed before ``proceed``.

    Attributes:
        service: the service called.
        endpoint: arg1, the endpoint.
        scheme: the arg scheme.
        arg2: the application headers, encoded.
        arg3: the body, encoded; an async iterator of bytes when ``streaming``.
        headers: the transport headers.
        hostport: the peer that the caller named, or None (outgoing).
        timeout: seconds for one attempt.
        deadline: the time of the channel's clock at which the whole call ends, or None.
        retry_on: what is retried (see ``tchannel.retry``; outgoing).
        retry_limit: how many times more, or None for the default (outgoing).
        tracing: span, parent and trace ids.
        channel: the channel it goes through.
        outgoing: True for a call that this process makes, False for one that it serves.
        peer: the caller's address (incoming), else ''.
        known_peers: the peers that the channel knows (outgoing).
        streaming: the body is an async iterator of bytes.

    """

    __slots__ = (
        "arg2",
        "arg3",
        "channel",
        "deadline",
        "endpoint",
        "headers",
        "hostport",
        "known_peers",
        "outgoing",
        "peer",
        "retry_limit",
        "retry_on",
        "scheme",
        "service",
        "streaming",
        "timeout",
        "tracing",
    )

    def __init__(
        self,
        *,
        service: str,
        endpoint: str,
        scheme: str,
        arg2: bytes,
        arg3: bytes | AsyncIterator[bytes],
        headers: dict[str, str],
        channel: TChannel,
        outgoing: bool,
        timeout: float,
        tracing: wire.Tracing,
        deadline: float | None = None,
        hostport: str | None = None,
        retry_on: str = "c",
        retry_limit: int | None = None,
        peer: str = "",
        known_peers: Sequence[str] = (),
        streaming: bool = False,
    ) -> None:
        self.service = service
        self.endpoint = endpoint
        self.scheme = scheme
        self.arg2 = arg2
        self.arg3 = arg3
        self.headers = headers
        self.channel = channel
        self.outgoing = outgoing
        self.timeout = timeout
        self.tracing = tracing
        self.deadline = deadline
        self.hostport = hostport
        self.retry_on = retry_on
        self.retry_limit = retry_limit
        self.peer = peer
        self.known_peers = known_peers
        self.streaming = streaming

    def replace(self, **changes: Any) -> Call:
        """Return a copy with other values for some attributes.

        Raises:
            TypeError: A name that is no attribute of a call.

        """
        fields = {name: getattr(self, name) for name in self.__slots__}
        return Call(**{**fields, **changes})

    def __repr__(self) -> str:
        way = "to" if self.outgoing else f"from {self.peer} for"
        return f"<Call {way} {self.service}::{self.endpoint} as {self.scheme}>"


class Reply:
    """The answer to a call: the args as bytes.

    Args:
        code: 0, or 1 for an application error.
        arg2: the application headers, encoded.
        arg3: the body, encoded; an async iterator of bytes when it is streamed.
        headers: the transport headers.

    """

    __slots__ = ("arg2", "arg3", "code", "headers")

    def __init__(
        self,
        code: int = 0,
        arg2: bytes = b"",
        arg3: bytes | AsyncIterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.arg2 = arg2
        self.arg3 = arg3
        self.headers: Mapping[str, str] = headers if headers is not None else {}

    def __repr__(self) -> str:
        size = f"{len(self.arg3)} bytes" if isinstance(self.arg3, bytes) else "a stream"
        return f"<Reply code {self.code}, {size}>"


Proceed: TypeAlias = Callable[[Call], Awaitable[Reply]]
"""Goes on with a call; what it returns starts at once and may be awaited or passed on."""

Interceptor: TypeAlias = Callable[[Call, Proceed], Awaitable[Reply] | Reply]
"""What may be put in the way of calls."""


class Interceptors:
    """The interceptors of a channel, outermost first; the process-wide ones stand outside them."""

    __slots__ = ("incoming", "outgoing")

    def __init__(self) -> None:
        self.outgoing: list[Interceptor] = []
        self.incoming: list[Interceptor] = []


# The process-wide ones. The lists are never replaced: the hot path looks at them by reference.
process_wide = Interceptors()


def add_outgoing(interceptor: Interceptor) -> None:
    """Put ``interceptor`` in the way of every outgoing call of this process, innermost."""
    process_wide.outgoing.append(interceptor)


def remove_outgoing(interceptor: Interceptor) -> None:
    """Take it away again; ValueError when it is not there."""
    process_wide.outgoing.remove(interceptor)


def add_incoming(interceptor: Interceptor) -> None:
    """Put ``interceptor`` in the way of every incoming call of this process, innermost."""
    process_wide.incoming.append(interceptor)


def remove_incoming(interceptor: Interceptor) -> None:
    """Take it away again; ValueError when it is not there."""
    process_wide.incoming.remove(interceptor)


def chain(interceptors: Sequence[Interceptor], last: Proceed) -> Proceed:
    """Return what runs ``interceptors``, outermost first, and then ``last``."""
    for interceptor in reversed(interceptors):
        last = _Link(interceptor, last)
    return last


class _Link:
    """One interceptor with what comes after it."""

    __slots__ = ("interceptor", "proceed")

    def __init__(self, interceptor: Interceptor, proceed: Proceed) -> None:
        self.interceptor = interceptor
        self.proceed = proceed

    def __call__(self, call: Call) -> asyncio.Future[Reply]:
        return as_future(self.interceptor(call, self.proceed))


def as_future(result: Awaitable[Reply] | Reply) -> asyncio.Future[Reply]:
    """Return a Future for what an interceptor gave.

    Raises:
        TypeError: It gave neither a reply nor an awaitable.

    """
    if isinstance(result, asyncio.Future):
        return result
    loop = asyncio.get_running_loop()
    if isinstance(result, Reply):
        future: asyncio.Future[Reply] = loop.create_future()
        future.set_result(result)
        return future
    if inspect.iscoroutine(result):
        return loop.create_task(result)
    if inspect.isawaitable(result):
        return asyncio.ensure_future(result)
    raise TypeError(f"an interceptor returns a Reply or an awaitable of one, not {result!r}")
