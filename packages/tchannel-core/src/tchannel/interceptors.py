"""The seam of the library: what stands between a call and its answer, on bytes.

An interceptor is a plain callable ``interceptor(call, proceed)``. It returns a :class:`Reply`, or an
awaitable of one: what ``proceed(call)`` gave, another Future, or a coroutine. Outgoing and incoming
calls have the same shape. For an outgoing call it stands above retries and the choice of a peer, so
that an answer from elsewhere (a recording, a cache) needs no peer; for an incoming call it stands
above the handler and runs in the handler's context.

Failures are exceptions of ``tchannel.errors``, raised or set on the awaitable.

Interceptors of outgoing calls have no more time than the call. At its ``deadline`` the caller gets
TimeoutError, and what the interceptors returned is cancelled: a coroutine sees CancelledError. The same
happens to a call without a deadline that they have held up for as long as its ``timeout``, before
``proceed`` or after its answer; attempts under way have timeouts of their own. A coroutine that has to
have the last word at a deadline should give ``proceed`` an earlier one.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast

import tchannel_wire as wire

from ._ground import tasks
from ._ground.application_headers import decode_application_headers, encode_application_headers
from ._ground.text import shown

if TYPE_CHECKING:
    from .channel import TChannel
    from .request import Request

__all__ = [
    "Call",
    "Interceptor",
    "Interceptors",
    "PendingReply",
    "Proceed",
    "Reply",
    "add_incoming",
    "add_outgoing",
    "remove_incoming",
    "remove_outgoing",
]


_T = TypeVar("_T")


class _Attribute(Generic[_T]):
    """An attribute of a call; looking at one, or changing it, fills in all of them."""

    def __set_name__(self, owner: type[Call], name: str) -> None:
        self.name = name

    def __get__(self, call: Call, owner: type[Call]) -> _T:
        value: _T = call.described()[self.name]
        return value

    def __set__(self, call: Call, value: _T) -> None:
        call.described()[self.name] = value


class Call:
    """A call on its way, whichever way; the attributes may be changed before ``proceed``.

    Attributes:
        service: the service called.
        endpoint: arg1, the endpoint.
        scheme: the arg scheme.
        arg2: the application headers, encoded.
        application_headers: the same, as strings by name.
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

    # Filled in when somebody first looks at the call or changes it: an interceptor that only
    # passes calls on pays for none of them, 1.5 µs less. Descriptors on one dict, not 17 slots: an
    # object that size costs 0.3 % of a small call, and a `__setattr__` to see changes 0.5 % more.
    __slots__ = ("_fields", "_origin")

    _origin: Origin | None
    """Who knows the attributes, while nobody has looked at them; None from then on."""
    _fields: dict[str, object]
    """The attributes, once ``_origin`` is None."""

    service: _Attribute[str] = _Attribute()
    endpoint: _Attribute[str] = _Attribute()
    scheme: _Attribute[str] = _Attribute()
    arg2: _Attribute[bytes] = _Attribute()
    arg3: _Attribute[bytes | AsyncIterator[bytes]] = _Attribute()
    headers: _Attribute[dict[str, str]] = _Attribute()
    channel: _Attribute[TChannel] = _Attribute()
    outgoing: _Attribute[bool] = _Attribute()
    timeout: _Attribute[float] = _Attribute()
    tracing: _Attribute[wire.Tracing] = _Attribute()
    deadline: _Attribute[float | None] = _Attribute()
    hostport: _Attribute[str | None] = _Attribute()
    retry_on: _Attribute[str] = _Attribute()
    retry_limit: _Attribute[int | None] = _Attribute()
    peer: _Attribute[str] = _Attribute()
    known_peers: _Attribute[Sequence[str]] = _Attribute()
    streaming: _Attribute[bool] = _Attribute()

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
        self._origin = None
        self._fields = {
            "service": service,
            "endpoint": endpoint,
            "scheme": scheme,
            "arg2": arg2,
            "arg3": arg3,
            "headers": headers,
            "channel": channel,
            "outgoing": outgoing,
            "timeout": timeout,
            "tracing": tracing,
            "deadline": deadline,
            "hostport": hostport,
            "retry_on": retry_on,
            "retry_limit": retry_limit,
            "peer": peer,
            "known_peers": known_peers,
            "streaming": streaming,
        }

    @property
    def application_headers(self) -> Mapping[str, str] | None:
        """The application headers as strings by name, whatever the scheme: of ``arg2``, read anew.

        Read-only: what is to be changed in the call is set as a whole. None for raw
        headers that are not encoded as strings by name, and for those of json or thrift that are no
        such headers. Values that a peer sent as json may be of any type.

        Setting them encodes ``arg2``; raw headers become a block of strings by name, which handlers
        read with ``string_headers=True``.

        Raises:
            TypeError: (set) They are no mapping of str to str.
            ValueError: (set) They are too long for the scheme, or those that are there have no names
                and would be lost.

        """
        headers = decode_application_headers(self.scheme, self.arg2)
        # A change of a copy would be lost without a word.
        return None if headers is None else MappingProxyType(headers)

    @application_headers.setter
    def application_headers(self, value: Mapping[str, str]) -> None:
        if self.application_headers is None:
            raise ValueError(f"the headers of this {self.scheme} call have no names: set arg2")
        self.arg2 = encode_application_headers(self.scheme, value)

    # Any, here and below: each attribute has a type of its own.
    def described(self) -> dict[str, Any]:
        """Return the attributes, filled in from now on."""
        origin = self._origin
        if origin is not None:
            self._fields = origin.describe()
            self._origin = None
        return self._fields

    def replace(self, **changes: Any) -> Call:  # Any: of each attribute's type
        """Return a copy with other values for some attributes.

        Raises:
            TypeError: A name that is no attribute of a call.

        """
        return Call(**{**self.described(), **changes})

    def __copy__(self) -> Call:
        return self.replace()

    def __repr__(self) -> str:
        way = "to" if self.outgoing else f"from {shown(self.peer)} for"
        return f"<Call {way} {shown(self.service)}::{shown(self.endpoint)} as {shown(self.scheme)}>"


class UnseenCall(Call):
    """A call as interceptors are given it, described by its origin once they look at it.

    Made without arguments, and so by C alone: 0.3 % of a small call less than by `object.__new__`.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __init__(self) -> None: ...

    else:
        __init__ = object.__init__


def call_of(request: Request) -> Call:
    """Return an incoming request as interceptors are given it; of one that was refused, as it came.

    Args:
        request: What hooks are given at `tchannel.event.EventType.on_call_served`.

    """
    call = UnseenCall()
    call._origin = cast("Origin", request)  # noqa: SLF001 - made here
    return call


class Origin(Protocol):
    """What a call comes from: an outgoing call, or a request to be served."""

    def describe(self) -> dict[str, object]:
        """Return the attributes of a `Call`, all of them."""
        ...

    def proceed(self, call: Call) -> PendingReply:
        """Go on with ``call``, which the interceptors may have changed."""
        ...

    def watch(self, pending: PendingReply) -> asyncio.Future[Reply]:
        """Return a Future of the reply, for somebody who waits for it before it is passed on."""
        ...

    def attempted(self) -> tuple[str, int]:
        """Return the address of the peer that was asked last, or '', and how often peers were asked."""
        ...


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
        self.code: int = code
        self.arg2: bytes = arg2
        self.arg3: bytes | AsyncIterator[bytes] = arg3
        self.headers: Mapping[str, str] = headers if headers is not None else {}

    def __repr__(self) -> str:
        size = f"{len(self.arg3)} bytes" if isinstance(self.arg3, bytes) else "a stream"
        return f"<Reply code {self.code}, {size}>"


Outcome: TypeAlias = "tuple[int, bytes, bytes | AsyncIterator[bytes], Mapping[str, str]]"
"""Code, arg2, arg3 and transport headers of an answer: what a `Reply` is made of."""


class PendingReply:
    """What ``proceed`` returns: an awaitable of the reply, and a Future to all who look closer.

    An interceptor that returns it as it got it has not looked, and then neither a Future nor a
    `Reply` is made for it: the answer goes straight to the caller, 2 µs less.
    """

    __slots__ = ("_future", "_origin", "_outcome", "passed_on")

    # Those who make and answer calls fill it in and look at it without calls: half of what an
    # interceptor costs that only passes calls on.
    _origin: Origin
    _future: asyncio.Future[Reply] | None
    """What somebody waits for; None while nobody has looked."""
    _outcome: Outcome | BaseException | None
    """The answer, or the error that came instead; None before. Whoever sets it calls `settle`."""
    passed_on: bool
    """Whether the interceptors gave it back: the answer goes to the caller by itself."""

    @property
    def future(self) -> asyncio.Future[Reply]:
        """The Future of the reply, made when first looked at."""
        future = self._future
        if future is None:
            if self.passed_on:
                future = asyncio.get_running_loop().create_future()
            else:
                future = self._origin.watch(self)
            self._future = future
            self.settle()
        return future

    @property
    def peer(self) -> str:
        """The address of the peer that an outgoing call was last sent to; '' while there is none."""
        return self._origin.attempted()[0]

    @property
    def attempts(self) -> int:
        """How often an outgoing call was sent so far; 0 for incoming ones."""
        return self._origin.attempted()[1]

    def complete(self, outcome: Outcome | BaseException) -> None:
        """Take the answer, or the error that came instead."""
        self._outcome = outcome
        self.settle()

    def settle(self) -> None:
        """Let those know of the outcome who wait for it."""
        future, outcome = self._future, self._outcome
        if future is None or outcome is None or future.done():
            return
        if isinstance(outcome, tuple):
            future.set_result(Reply(*outcome))
        elif isinstance(outcome, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(outcome)
            future.exception()

    def __await__(self) -> Generator[object, None, Reply]:
        return self.future.__await__()

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            return getattr(self.future, name)


def pending_reply(origin: Origin) -> PendingReply:
    """Return what the interceptors of ``origin`` may wait for."""
    pending = PendingReply()
    # Filled in from here, without a call of __init__.
    pending._origin = origin  # noqa: SLF001
    pending._future = pending._outcome = None  # noqa: SLF001
    pending.passed_on = False
    return pending


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
process_wide: Interceptors = Interceptors()


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


def run(
    outer: Sequence[Interceptor],
    inner: Sequence[Interceptor],
    call: Call,
    proceed: Proceed,
    loop: asyncio.AbstractEventLoop,
) -> Awaitable[Reply] | Reply:
    """Run several interceptors, ``outer`` ones first, on ``call``, and let it ``proceed``.

    ``loop`` is the channel's, which need not run yet.

    Raises:
        TypeError: One gave neither a reply nor an awaitable.
        Exception: Whatever the outermost raised.

    """
    first, *others = [*outer, *inner]
    for interceptor in reversed(others):
        proceed = _Link(interceptor, proceed, loop)
    return first(call, proceed)


class _Link:
    """One interceptor with what comes after it."""

    __slots__ = ("interceptor", "loop", "proceed")

    def __init__(
        self, interceptor: Interceptor, proceed: Proceed, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.interceptor = interceptor
        self.proceed = proceed
        self.loop = loop

    def __call__(self, call: Call) -> PendingReply | asyncio.Future[Reply]:
        result = self.interceptor(call, self.proceed)
        return result if type(result) is PendingReply else as_future(result, self.loop)


def as_future(
    result: Awaitable[Reply] | Reply, loop: asyncio.AbstractEventLoop | None = None
) -> asyncio.Future[Reply]:
    """Return a Future for what an interceptor gave.

    Args:
        result: That.
        loop: Whose Future, where no loop runs yet.

    Raises:
        TypeError: It gave neither a reply nor an awaitable.

    """
    if isinstance(result, asyncio.Future):
        return result
    if isinstance(result, PendingReply):
        return result.future
    if loop is None:
        loop = asyncio.get_running_loop()
    if isinstance(result, Reply):
        future: asyncio.Future[Reply] = loop.create_future()
        future.set_result(result)
        return future
    if inspect.isawaitable(result):
        return tasks.as_future(result, loop)
    raise no_reply(result)


def no_reply(result: object) -> TypeError:
    """Return the error for an interceptor that gave something else, None mostly."""
    return TypeError(
        f"an interceptor returns a Reply or an awaitable of one, not {shown(repr(result))}:"
        " return what proceed(call) gives, or what came of awaiting it"
    )
