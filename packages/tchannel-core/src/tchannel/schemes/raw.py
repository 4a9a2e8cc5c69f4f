"""The raw arg scheme: bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypeVar, overload

import tchannel_wire as wire

from .._calls.hooked import start_watched
from .._calls.pending import PendingCall
from .._calls.spans import Trace
from .._ground.timeouts import Timeout
from .._serving.endpoints import Endpoint, Handler
from .._serving.fallback import FALLBACK, Fallback
from ..errors import ReadError
from ..event import EventType
from ..response import Response, bytes_response

if TYPE_CHECKING:
    from .._serving.endpoints import Endpoints
    from ..channel import TChannel
    from ..streaming import Body

__all__ = ["RawArgScheme"]

Bytes: TypeAlias = bytes | bytearray | memoryview | str | None
"""What is sent as it is; a str as UTF-8, None as nothing."""

Headers: TypeAlias = Bytes | Mapping[str, str]
"""Application headers: a mapping where ``string_headers`` says so."""

_BEFORE_HEADERS: Final = int(EventType.before_serialize_request_headers)

_NO_HEADERS: Final = wire.encode_thrift_headers({})

if TYPE_CHECKING:
    # What a call gives whose flags are known at run time only.
    _AnyRawCall: TypeAlias = (
        PendingCall[Response[bytes, bytes]]
        | PendingCall[Response[Body, bytes]]
        | PendingCall[Response[bytes, dict[str, str]]]
        | PendingCall[Response[Body, dict[str, str]]]
    )

_HandlerT = TypeVar("_HandlerT", bound=Handler)


class RawArgScheme:
    """Makes calls whose headers and body are bytes, and registers handlers for them.

    Args:
        channel: whose calls they are.
        endpoints: where handlers go; by default the channel's own.

    """

    NAME: ClassVar[str] = "raw"

    __slots__ = ("_callbacks", "_channel", "_endpoints", "_start_call")

    def __init__(self, channel: TChannel, endpoints: Endpoints | None = None) -> None:
        self._channel = channel
        self._endpoints = endpoints if endpoints is not None else channel.endpoints
        # Looked up once rather than by each call: what telling hooks of headers costs.
        self._start_call = channel.start_call
        self._callbacks = channel.hooks.event_emitter.callbacks

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[False] = False,
        routing_key: str | None = None,
        string_headers: Literal[False] = False,
    ) -> PendingCall[Response[bytes, bytes]]: ...

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[True],
        routing_key: str | None = None,
        string_headers: Literal[False] = False,
    ) -> PendingCall[Response[Body, bytes]]: ...

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[False] = False,
        routing_key: str | None = None,
        string_headers: Literal[True],
    ) -> PendingCall[Response[bytes, dict[str, str]]]: ...

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[True],
        routing_key: str | None = None,
        string_headers: Literal[True],
    ) -> PendingCall[Response[Body, dict[str, str]]]: ...

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: bool,
        routing_key: str | None = None,
        string_headers: bool = False,
    ) -> _AnyRawCall: ...

    @overload
    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: bool = False,
        routing_key: str | None = None,
        string_headers: bool,
    ) -> _AnyRawCall: ...

    def __call__(
        self,
        service: str,
        endpoint: str,
        body: Bytes | AsyncIterable[bytes] = None,
        headers: Headers = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: bool = False,
        routing_key: str | None = None,
        string_headers: bool = False,
    ) -> PendingCall[Any]:  # of what the overloads say
        """Call ``endpoint`` of ``service``; the call starts at once.

        Args:
            service: Name of the service.
            endpoint: Endpoint of the service.
            body: bytes, bytearray, memoryview or str (UTF-8); or an async iterator of them, sent
                chunk by chunk.
            headers: The same, not streamed; with ``string_headers`` a mapping of str to str.
            timeout: Seconds for one attempt; default 30.
            retry_on: What to retry on, see `tchannel.retry`; default ``c``.
            retry_limit: Attempts after the first; default 4, with ``hostport`` 0.
            hostport: The peer to call, instead of one of those that the channel knows.
            shard_key: For routers and services that shard.
            trace: Whether to trace this call; by default what the channel does.
            routing_delegate: The service that a router sends the call to instead.
            caller_name: Who calls; by default the channel's name.
            deadline: Seconds for the whole call with its retries; default none.
            stream: Give the response's body as an async iterator, as it arrives.
            routing_key: The group of instances, a canary say, that a router may prefer.
            string_headers: Headers are strings by name, both ways, encoded as those of Thrift calls
                are: what YARPC has in raw calls. Bytes that are not UTF-8 come as lone surrogates
                ("surrogateescape"), and go out as the same bytes.

        Returns:
            A Future of the Response, whose headers and body are bytes; with ``string_headers``
            the headers are a dict. Status 1 is an application error; it is returned, not raised.

        Raises:
            TypeError: An argument of a wrong type.
            ValueError: An argument that cannot be sent.
            ReadError: (from the Future) with ``string_headers``: the answer's headers are none.
            TChannelError: (from the Future) whatever else went wrong with the call.

        """
        if string_headers:
            headers = _encode_headers(headers)
        start_call = self._start_call
        if self._callbacks[_BEFORE_HEADERS]:
            start_call = partial(start_watched, self._channel, None, None)
        return start_call(
            "raw",
            service,
            endpoint,
            b"" if headers is None else to_bytes(headers, "headers"),
            # The usual case first: no look for an attribute that bytes do not have.
            body if type(body) is bytes else _body(body),
            _string_headers_response if string_headers else bytes_response,
            timeout,
            retry_on,
            retry_limit,
            routing_delegate,
            hostport,
            shard_key,
            None,
            trace,
            caller_name,
            deadline,
            stream,
            routing_key,
        )

    @overload
    def register(
        self,
        endpoint: str | Fallback | None = None,
        handler: None = None,
        *,
        stream: bool = False,
        string_headers: bool = False,
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(
        self,
        endpoint: str | Fallback,
        handler: _HandlerT,
        *,
        stream: bool = False,
        string_headers: bool = False,
    ) -> _HandlerT: ...

    @overload
    def register(self, endpoint: _HandlerT, /) -> _HandlerT: ...

    def register(
        self,
        endpoint: object = None,
        handler: object = None,
        *,
        stream: bool = False,
        string_headers: bool = False,
    ) -> object:
        """Register a handler: ``@channel.raw.register``, ``@channel.raw.register("name")``, or a call.

        Args:
            endpoint: The endpoint; by default the handler's name. ``TChannel.FALLBACK`` takes
                every call that no other handler takes.
            handler: The handler. It may return bytes or a str, None, a Response, an awaitable of
                these, or be an async generator (or return an async iterator) of bytes.
            stream: Give the handler ``request.body`` as an async iterator, as it arrives.
            string_headers: Headers of requests and responses are strings by name, as for calls. A
                fallback gets bytes all the same: it takes every scheme.

        Returns:
            The handler itself.

        """
        return register(
            self._endpoints,
            endpoint,
            handler,
            lambda function: Endpoint(
                self.NAME,
                function,
                _decode_string_headers if string_headers else None,
                _encode_string_headers_result if string_headers else encode_result,
                stream=stream,
            ),
        )


def register(
    endpoints: Endpoints,
    endpoint: object,
    handler: object,
    make: Callable[[Handler], Endpoint],
) -> object:
    """Register a handler in any of the forms that users write."""
    if handler is None and endpoint is not FALLBACK and callable(endpoint):
        endpoint, handler = None, endpoint
    if handler is None:
        return lambda function: register(endpoints, endpoint, function, make)
    if not callable(handler):
        raise TypeError(f"handler must be callable, not {handler!r}")
    if endpoint is FALLBACK:
        # It gets and gives raw bytes, whatever the scheme of the call.
        endpoints.fallback = Endpoint(None, handler, None, encode_result)
        return handler
    name = getattr(handler, "__name__", None) if endpoint is None else endpoint
    if not isinstance(name, str) or not name:
        raise TypeError(f"endpoint must be a name, not {endpoint!r}")
    endpoints.add(name, make(handler))
    return handler


def to_bytes(value: object, name: str) -> bytes:
    """Return what the raw scheme sends for ``value``.

    Raises:
        TypeError: it is neither bytes, bytearray, memoryview nor str.
        ValueError: a str that UTF-8 cannot say.

    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name} cannot be sent as UTF-8: {error}") from None
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    raise TypeError(
        f"{name} must be bytes, bytearray, memoryview or str, not {type(value).__name__}"
    )


# Any: whatever has __aiter__, as it came; no cast, which would be a call.
def _body(body: Any) -> Any:
    if body is None:
        return b""
    return body if hasattr(body, "__aiter__") else to_bytes(body, "body")


# Any: a handler may return anything, and is told when that is no body.
def encode_result(result: Any) -> tuple[int, bytes, bytes | AsyncIterator[bytes]]:
    """Make code, arg2 and arg3 of a handler's result."""
    if type(result) is bytes:
        return 0, b"", result
    if isinstance(result, Response):
        headers = result.headers
        body = result.body
        if type(body) is not bytes:
            body = body.__aiter__() if hasattr(body, "__aiter__") else _body(body)
        return (
            result.status if result.status == 0 else check_status(result.status),
            # As for the body: no call for what is bytes already.
            headers
            if type(headers) is bytes
            else b""
            if headers is None
            else to_bytes(headers, "headers"),
            body,
        )
    if result is None:
        return 0, b"", b""
    if hasattr(result, "__aiter__"):
        return 0, b"", result.__aiter__()
    return 0, b"", to_bytes(result, "the result of a raw handler")


def _encode_headers(headers: object) -> bytes:
    """Return the arg2 for headers that are strings.

    Raises:
        ValueError: They are no mapping of str to str, or too long.

    """
    if headers is None:
        return _NO_HEADERS
    if not isinstance(headers, Mapping):
        raise ValueError(
            f"headers must be a mapping of str to str with string_headers, not {headers!r}"
        )
    try:
        return wire.encode_thrift_headers(headers)
    except TypeError as error:
        raise ValueError(f"headers must be str to str: {error}") from None


def _decode_string_headers(arg2: bytes, arg3: object) -> tuple[dict[str, str], object]:
    return wire.decode_thrift_headers(arg2), arg3


def _encode_string_headers_result(
    result: object,
) -> tuple[int, bytes, bytes | AsyncIterator[bytes]]:
    headers = None
    if isinstance(result, Response):
        headers = result.headers
        result = Response(result.body, None, status=result.status)
    code, _, arg3 = encode_result(result)
    return code, _encode_headers(headers), arg3


def _string_headers_response(
    code: int, arg2: bytes, arg3: bytes | Body, headers: Mapping[str, str]
) -> Response[bytes | Body, dict[str, str]]:
    try:
        decoded = wire.decode_thrift_headers(arg2)
    except wire.ProtocolError as error:
        raise ReadError(f"the headers of the answer are no strings: {error}") from error
    return Response(arg3, decoded, headers, 1 if code else 0)


def check_status(status: object) -> int:
    """Return 0 or 1 for the status of a handler's response.

    Raises:
        ValueError: it is neither.

    """
    if status in {0, 1}:
        return 1 if status else 0
    if status is None:
        return 0
    raise ValueError(f"status must be OK (0) or FAILED (1), not {status!r}")
