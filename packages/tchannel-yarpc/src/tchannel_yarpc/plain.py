"""The raw and json encodings: procedures by a name, with bytes or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, overload

from tchannel import Response
from tchannel.errors import ReadError

from .answers import error_in, read_headers
from .calls import CallOptions, YarpcCall, start_call
from .handlers import Body, Handler, make_endpoint, name_of

if TYPE_CHECKING:
    from typing import Unpack

    from tchannel import TChannel
    from tchannel.lowlevel import Decode, Endpoints
    from tchannel.subchannel import SubChannel

__all__ = ["JsonEncoding", "RawEncoding", "decode_json", "encode_json", "response_decoder", "whole"]

_HandlerT = TypeVar("_HandlerT", bound=Handler)

# NaN and the infinities are no JSON. Text as it is: others read it in their logs.
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_decode: Final = json.JSONDecoder().decode


def encode_json(body: object) -> bytes:
    """Return the bytes of a body.

    Raises:
        TypeError, ValueError: It cannot become JSON.

    """
    try:
        return _encode(body).encode()
    except TypeError as error:
        raise TypeError(f"body cannot become JSON: {error}") from None
    except ValueError as error:
        raise ValueError(f"body cannot become JSON: {error}") from None
    except RecursionError:
        raise ValueError("body cannot become JSON: it is nested too deeply") from None


# Any: JSON has no type that says more.
def decode_json(arg3: bytes) -> Any:
    """Return the body that bytes say.

    Raises:
        ValueError: They are no JSON; nor are no bytes.

    """
    if not arg3:
        raise ValueError("no JSON in an empty body")
    try:
        return _decode(arg3.decode())
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None


def encode_raw(body: object) -> bytes:
    """Return the bytes of a body; a str as UTF-8, None as nothing.

    Raises:
        TypeError: It is something else.

    """
    if isinstance(body, bytes):
        return body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"body must be bytes, bytearray, memoryview or str, not {type(body).__name__}")


def response_decoder(encoding: str, service: str, decode_body: Callable[[bytes], object]) -> Decode:
    """Return what makes a Response of an answer to a call of ``service``, or raises."""

    # Any: never a stream here.
    def decode(code: int, arg2: bytes, arg3: Any, transport: Mapping[str, str]) -> Response:
        answer = read_headers(encoding, arg2, service)
        error = error_in(answer, arg3, decode_body)
        if error is not None:
            raise error
        try:
            body = decode_body(arg3)
        except Exception as failure:
            raise ReadError(f"cannot decode the body of the answer: {failure}") from failure
        return Response(body, answer.headers, transport, 1 if code else 0)

    return decode


def whole(response: Response) -> Response:
    """Return what a call gives of its response: all of it."""
    return response


class _Named:
    """An encoding whose procedures have names of their own."""

    NAME: ClassVar[str]

    __slots__ = ("_body", "_channel", "_endpoints")

    def __init__(self, channel: TChannel | SubChannel, endpoints: Endpoints, body: Body) -> None:
        self._channel = channel
        self._endpoints = endpoints
        self._body = body

    def _call(
        self,
        service: str,
        procedure: str,
        body: object,
        headers: Mapping[str, str] | None,
        options: CallOptions,
    ) -> YarpcCall[Response]:
        return start_call(
            self._channel,
            self.NAME,
            service,
            procedure,
            headers,
            self._body.encode(body),
            response_decoder(self.NAME, service, self._body.decode),
            whole,
            **options,
        )

    @overload
    def register(
        self, procedure: str | None = None, handler: None = None
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(self, procedure: str, handler: _HandlerT) -> _HandlerT: ...

    @overload
    def register(self, procedure: _HandlerT, /) -> _HandlerT: ...

    def register(self, procedure: Any = None, handler: Any = None) -> Any:
        """Register a handler: ``@yarpc.json.register``, ``@yarpc.json.register("name")``, or a call.

        Args:
            procedure: The procedure; by default the handler's name.
            handler: The handler. It takes a `Request` and returns the body, a `tchannel.Response`
                around it to send headers, or an awaitable of these; it raises a `YarpcError`.

        Returns:
            The handler itself.

        Raises:
            TypeError: One that cannot be called, or a procedure that is no name.

        """
        if handler is None and callable(procedure):
            procedure, handler = None, procedure
        if handler is None:
            return lambda function: self.register(procedure, function)
        name = name_of(procedure, handler)
        self._endpoints.add(
            name,
            make_endpoint(
                self._endpoints.service,
                self.NAME,
                name,
                self._body,
                handler,
            ),
        )
        return handler


class RawEncoding(_Named):
    """Calls and handlers whose bodies are bytes; headers are strings by name all the same.

    Args:
        channel: Whose calls they are.
        endpoints: Where handlers go.

    """

    NAME: ClassVar[str] = "raw"

    __slots__ = ()

    def __init__(self, channel: TChannel | SubChannel, endpoints: Endpoints) -> None:
        super().__init__(channel, endpoints, Body(bytes, encode_raw))

    def __call__(
        self,
        service: str,
        procedure: str,
        body: bytes | bytearray | memoryview | str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> YarpcCall[Response]:
        """Call ``procedure`` of ``service``; the call starts at once.

        Args:
            service: Name of the service.
            procedure: The procedure.
            body: The body; a str as UTF-8, None as nothing.
            headers: Application headers, str to str.
            **options: As in `CallOptions`.

        Returns:
            A Future of the Response: its body is bytes, its headers are `Headers`.

        Raises:
            TypeError: An argument of a wrong type.
            ValueError: Headers that are not str to str, or an argument that cannot be sent.
            YarpcError: (from the Future) whatever went wrong with the call.

        """
        return self._call(service, procedure, body, headers, options)


class JsonEncoding(_Named):
    """Calls and handlers whose bodies are JSON.

    Args:
        channel: Whose calls they are.
        endpoints: Where handlers go.

    """

    NAME: ClassVar[str] = "json"

    __slots__ = ()

    def __init__(self, channel: TChannel | SubChannel, endpoints: Endpoints) -> None:
        super().__init__(channel, endpoints, Body(decode_json, encode_json))

    def __call__(
        self,
        service: str,
        procedure: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> YarpcCall[Response]:
        """Call ``procedure`` of ``service``; the call starts at once.

        Args:
            service: Name of the service.
            procedure: The procedure.
            body: What becomes JSON; None is sent as ``null``.
            headers: Application headers, str to str.
            **options: As in `CallOptions`.

        Returns:
            A Future of the Response: its body is what the JSON says, its headers are `Headers`.

        Raises:
            TypeError: The body cannot become JSON, or an argument has a wrong type.
            ValueError: Headers that are not str to str, a body with NaN in it, or an argument that
                cannot be sent.
            YarpcError: (from the Future) whatever went wrong with the call.

        """
        return self._call(service, procedure, body, headers, options)
