"""The json arg scheme: headers and body are JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
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

__all__ = ["JsonArgScheme", "JsonCodec"]

_HandlerT = TypeVar("_HandlerT", bound=Handler)

# Made once: json.dumps with options makes an encoder for each call. NaN and the infinities are no
# JSON, and the other side would refuse them without saying which field it was.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode

# As deep as the way to a value that cannot become JSON is told; a circle has no end.
_MAX_DEPTH = 20

# Bytes up to which JSON is decoded without a look at what it would become.
_SMALL = 64 * 1024

_MOST_PER_BYTE = 30
_ALWAYS_DECODED = 64 * 1024 * 1024
_MOST_DECODED = 512 * 1024 * 1024

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

_BEFORE_HEADERS = int(EventType.before_serialize_request_headers)


class JsonCodec:
    """How bodies become JSON and are read again: what ``TChannel(json=...)`` takes.

    ::

        TChannel("name", json=JsonCodec(default=str))
        TChannel("name", json=JsonCodec(orjson.dumps, orjson.loads))
        TChannel("name", json=JsonCodec(msgspec.json.encode, msgspec.json.decode))

    Headers are str to str and need none.

    Args:
        encode: Makes bytes, or a str, of a value; raises what it likes for one that it cannot encode.
            By default the json of the standard library, without NaN and the infinities.
        decode: Makes a value of bytes; raises what it likes for bytes that are none.
        default: With the default ``encode``: makes something that JSON knows of a value that it does
            not, or raises TypeError, as ``default=`` of `json.dumps`.

    Raises:
        TypeError: One of them is not callable.
        ValueError: Both ``encode`` and ``default``.

    """

    __slots__ = ("_decode", "_encode")

    def __init__(
        self,
        encode: Callable[[object], bytes | str] | None = None,
        decode: Callable[[bytes], object] | None = None,
        *,
        default: Callable[[object], object] | None = None,
    ) -> None:
        for name, value in (("encode", encode), ("decode", decode), ("default", default)):
            if value is not None and not callable(value):
                raise TypeError(f"{name} must be a function, not {value!r}")
        if encode is not None and default is not None:
            raise ValueError("give encode or default, not both: default belongs to the json module")
        if encode is None:
            encode = _encode
            if default is not None:
                encode = json.JSONEncoder(
                    separators=(",", ":"), allow_nan=False, default=default
                ).encode
        self._encode: Callable[[object], bytes | str] = encode
        self._decode = decode

    def encode(self, body: object, name: str) -> bytes:
        """Return the JSON of ``body``; ``name`` is what errors call it.

        Raises:
            TypeError: It holds a value of a type that cannot become JSON; says where.
            ValueError: It holds another value that cannot; says where.

        """
        try:
            data = self._encode(body)
        except RecursionError:
            raise ValueError(f"{name} cannot become JSON: it is nested too deeply") from None
        except Exception as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"{name} cannot become JSON: {error}{self._place_of_fault(body)}") from error
        if isinstance(data, str):
            return data.encode()
        if not isinstance(data, bytes):
            raise TypeError(f"encode of a JsonCodec must give bytes or str, not {data!r:.100}")
        return data

    def decode(self, arg3: bytes) -> object:
        """Return the value that bytes say; zero bytes are an empty object, as in tchannel-python."""
        if not arg3:
            return {}
        if len(arg3) > _SMALL:
            check_json_size(arg3)  # whatever decodes it then
        return _decode(arg3.decode()) if self._decode is None else self._decode(arg3)

    def _place_of_fault(self, value: object) -> str:
        """Say the way to the innermost value that cannot be encoded; nothing if that is the whole."""
        path = ""
        for _ in range(_MAX_DEPTH):
            steps: Iterable[tuple[object, object]] = ()
            if isinstance(value, dict):
                steps = value.items()
            elif isinstance(value, list | tuple):
                steps = enumerate(value)
            for key, item in steps:
                if self._fails(item):
                    path += f"[{key!r:.40}]"
                    value = item
                    break
            else:
                return f" (at {path})" if path else ""
        return ""

    def _fails(self, value: object) -> bool:
        try:
            self._encode(value)
        except Exception:
            return True
        return False


class JsonArgScheme:
    """Makes calls whose headers and body are JSON, and registers handlers for them.

    Args:
        channel: whose calls they are.
        endpoints: where handlers go; by default the channel's own.

    """

    NAME: ClassVar[str] = "json"

    __slots__ = ("_callbacks", "_channel", "_codec", "_endpoints", "_read", "_start_call")

    def __init__(self, channel: TChannel, endpoints: Endpoints | None = None) -> None:
        self._channel = channel
        self._endpoints = endpoints if endpoints is not None else channel.endpoints
        # Looked up once rather than by each call: what telling hooks of headers costs.
        self._start_call = channel.start_call
        self._callbacks = channel.hooks.event_emitter.callbacks
        self._codec: JsonCodec = channel.json_codec
        self._read = self._decode_response

    def __call__(
        self,
        service: str,
        endpoint: str,
        # JSON has no type that says more than this.
        body: object = None,
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
    ) -> PendingCall[Response[Any, dict[str, str]]]:  # JSON has no type that says more
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
            TypeError: The body cannot become JSON (the error says where in it), or an argument has a
                wrong type.
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
            self._codec.encode(body, "body"),
            self._read,
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

    def register(self, endpoint: object = None, handler: object = None) -> object:
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
            lambda function: Endpoint(
                self.NAME, function, self._decode_request, self._encode_result
            ),
        )

    def _decode_request(self, arg2: bytes, arg3: bytes) -> tuple[object, object]:
        return _decode_headers(arg2), self._codec.decode(arg3)

    def _encode_result(self, result: object) -> tuple[int, bytes, bytes]:
        if isinstance(result, Response):
            headers = result.headers
            return (
                check_status(result.status),
                _encode_headers(headers) if headers else b"{}",
                self._encode_answer(result.body, "the body of a response"),
            )
        return 0, b"{}", self._encode_answer(result, "the result of a json handler")

    def _encode_answer(self, body: object, name: str) -> bytes:
        # Nothing is an empty object, as in every tchannel-python; the body of a request may be null.
        return b"{}" if body is None else self._codec.encode(body, name)

    def _decode_response(
        self, code: int, arg2: bytes, arg3: bytes | Body, headers: Mapping[str, str]
    ) -> Response[Any, dict[str, str]]:  # JSON has no type that says more
        assert isinstance(arg3, bytes)
        try:
            body = self._codec.decode(arg3)
            return Response(body, _decode_headers(arg2), headers, 1 if code else 0)
        except Exception as error:  # of whichever library reads it
            raise ReadError(f"the answer is no JSON: {error}") from error


def _encode_headers(headers: object) -> bytes:
    if not isinstance(headers, Mapping):
        raise ValueError(f"headers must be a mapping of str to str, not {headers!r}")
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise ValueError(f"headers must be str to str, not {key!r}: {value!r}")
    return _encode(headers if isinstance(headers, dict) else dict(headers)).encode()


def check_json_size(data: bytes) -> None:
    """Refuse JSON that would become far more memory than it has bytes, before it is decoded.

    15 MB of ``[],`` are 454 MB of lists, and take seconds. 30 times its bytes are allowed, which a list
    of objects like ``{"a":1}`` does not reach, 64 MiB in any case, and 512 MiB at most.

    Raises:
        ValueError: It would become more; with the figures.

    """
    most = min(_MOST_DECODED, max(_ALWAYS_DECODED, _MOST_PER_BYTE * len(data)))
    size = _decoded_size(data)
    if size > most:
        # Not everything that looks like structure is: what stands in texts is not.
        size = _decoded_size(_TEXT.sub(b"0", data))
    if size > most:
        raise ValueError(
            f"{len(data)} bytes of JSON would become about {size} bytes of objects, {most} are allowed"
        )


def _decoded_size(data: bytes) -> int:
    """About how many bytes the containers and values of ``data`` become, without their texts."""
    count = data.count
    return len(data) + 64 * count(b"[") + 184 * count(b"{") + 36 * count(b",")


def _decode_headers(arg2: bytes) -> dict[str, str]:
    if arg2 in {b"", b"{}", b"null"}:
        return {}
    if len(arg2) > _SMALL:
        check_json_size(arg2)
    # Bytes that are not UTF-8 as lone surrogates: no header's value is worth the call.
    headers = _decode(arg2.decode("utf-8", "surrogateescape"))
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        raise ValueError("the headers are no JSON object")
    return headers
