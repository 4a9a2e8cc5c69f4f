"""The json arg scheme: headers and body are JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from .._calls.hooked import start_watched
from .._calls.pending import PendingCall
from .._calls.spans import Trace
from .._ground.timeouts import Timeout
from .._serving.endpoints import Endpoint, Handler
from ..errors import ReadError
from ..event import EventType
from ..response import Response
from ..streaming import Body
from .raw import check_status, register

if TYPE_CHECKING:
    from .._serving.endpoints import Endpoints
    from .._serving.fallback import Fallback
    from ..channel import TChannel

__all__ = ["JsonArgScheme"]

_HandlerT = TypeVar("_HandlerT", bound=Handler)

# Made once: json.dumps with options makes an encoder for each call. NaN and the infinities are no
# JSON, and the other side would refuse them without saying which field it was.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode

_BEFORE_HEADERS = int(EventType.before_serialize_request_headers)


class JsonArgScheme:
    """Makes calls whose headers and body are JSON, and registers handlers for them.

    Args:
        channel: whose calls they are.
        endpoints: where handlers go; by default the channel's own.

    """

    NAME: ClassVar[str] = "json"

    __slots__ = ("_callbacks", "_channel", "_endpoints", "_start_call")

    def __init__(self, channel: TChannel, endpoints: Endpoints | None = None) -> None:
        self._channel = channel
        self._endpoints = endpoints if endpoints is not None else channel.endpoints
        # Looked up once rather than by each call: what telling hooks of headers costs.
        self._start_call = channel.start_call
        self._callbacks = channel.events.callbacks

    def __call__(
        self,
        service: str,
        endpoint: str,
        # JSON has no type that says more than this.
        body: Any = None,
        headers: Mapping[str, str] | None = None,
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
        routing_key: str | None = None,
    ) -> PendingCall[Response[Any, dict[str, str]]]:
        """Call ``endpoint`` of ``service``; the call starts at once.

        Args:
            service: Name of the service.
            endpoint: Endpoint of the service.
            body: What becomes JSON; None is sent as ``null``.
            headers: Application headers, str to str.
            timeout: Seconds for one attempt; default 30.
            retry_on: What to retry on, see `tchannel.retry`; default ``c``.
            retry_limit: Attempts after the first; default 4, with ``hostport`` 0.
            hostport: The peer to call, instead of one of those that the channel knows.
            shard_key: For routers and services that shard.
            trace: Whether to trace this call; by default what the channel does.
            routing_delegate: The service that a router sends the call to instead.
            caller_name: Who calls; by default the channel's name.
            deadline: Seconds for the whole call with its retries; default none.
            routing_key: The group of instances, a canary say, that a router may prefer.

        Returns:
            A Future of the Response. Status 1 is an application error; it is returned, not raised.

        Raises:
            TypeError: The body cannot become JSON, or an argument has a wrong type.
            ValueError: Headers that are not str to str, a body with NaN in it, or an argument that
                cannot be sent.
            ReadError: (from the Future) the answer is no JSON.
            TChannelError: (from the Future) whatever else went wrong with the call.

        """
        start_call = self._start_call
        if self._callbacks[_BEFORE_HEADERS]:
            start_call = partial(start_watched, self._channel, headers, _encode_headers)
            headers = None
        return start_call(
            "json",
            service,
            endpoint,
            # Most calls have no headers: the constant saves an encoding, 1.2 µs.
            _encode_headers(headers) if headers else b"{}",
            _encode_body(body, "body"),
            _decode_response,
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
            False,
            routing_key,
        )

    @overload
    def register(
        self, endpoint: str | Fallback | None = None, handler: None = None
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(self, endpoint: str | Fallback, handler: _HandlerT) -> _HandlerT: ...

    @overload
    def register(self, endpoint: _HandlerT, /) -> _HandlerT: ...

    def register(self, endpoint: Any = None, handler: Any = None) -> Any:
        """Register a handler: ``@channel.json.register``, ``@channel.json.register("name")``, or a call.

        Args:
            endpoint: The endpoint; by default the handler's name. ``TChannel.FALLBACK`` takes
                every call that no other handler takes, as raw bytes.
            handler: The handler. It may return anything that becomes JSON, a Response, or an
                awaitable of these.

        Returns:
            The handler itself.

        """
        return register(
            self._endpoints,
            endpoint,
            handler,
            lambda function: Endpoint(self.NAME, function, _decode_request, _encode_result),
        )


def _encode_body(body: object, name: str) -> bytes:
    try:
        return _encode(body).encode()
    except TypeError as error:
        raise TypeError(f"{name} cannot become JSON: {error}") from None
    except ValueError as error:
        raise ValueError(f"{name} cannot become JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{name} cannot become JSON: it is nested too deeply") from None


def _encode_headers(headers: object) -> bytes:
    if not isinstance(headers, Mapping):
        raise ValueError(f"headers must be a mapping of str to str, not {headers!r}")
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(f"headers must be str to str, not {key!r}: {value!r}")
    return _encode(headers if isinstance(headers, dict) else dict(headers)).encode()


def _decode_headers(arg2: bytes) -> dict[str, Any]:
    if arg2 in {b"", b"{}", b"null"}:
        return {}
    # Bytes that are not UTF-8 as lone surrogates: no header's value is worth the call.
    headers = _decode(arg2.decode("utf-8", "surrogateescape"))
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise ValueError("the headers are no JSON object")
    return headers


def _decode_body(arg3: bytes) -> Any:
    # Zero bytes are an empty object, as in every tchannel-python.
    return _decode(arg3.decode()) if arg3 else {}


def _decode_request(arg2: bytes, arg3: bytes) -> tuple[Any, Any]:
    return _decode_headers(arg2), _decode_body(arg3)


def _encode_result(result: object) -> tuple[int, bytes, bytes]:
    if isinstance(result, Response):
        headers = result.headers
        return (
            check_status(result.status),
            _encode_headers(headers) if headers else b"{}",
            _encode_answer(result.body, "the body of a response"),
        )
    return 0, b"{}", _encode_answer(result, "the result of a json handler")


def _encode_answer(body: object, name: str) -> bytes:
    # Nothing is an empty object, as in every tchannel-python; the body of a request may be null.
    return b"{}" if body is None else _encode_body(body, name)


def _decode_response(
    code: int, arg2: bytes, arg3: bytes | Body, headers: Mapping[str, str]
) -> Response[Any, dict[str, str]]:
    assert isinstance(arg3, bytes)
    try:
        return Response(_decode_body(arg3), _decode_headers(arg2), headers, 1 if code else 0)
    except (ValueError, RecursionError) as error:
        raise ReadError(f"the answer is no JSON: {error}") from error
