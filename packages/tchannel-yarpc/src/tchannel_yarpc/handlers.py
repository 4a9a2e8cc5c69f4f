"""Handlers: requests as they see them, and what they return or raise on its way to the caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tchannel import Request as ChannelRequest
from tchannel import Response
from tchannel.authorization import authorize, check_of
from tchannel.errors import BadRequestError, UnexpectedError
from tchannel.lowlevel import Endpoint, must_take_a_request
from tchannel.lowlevel import Handler as ChannelHandler

from .answers import encode_answer_headers, encode_error
from .errors import UnknownError, YarpcError
from .headers import CALLER_PROCEDURE, Headers, ReservedHeaderError, decode_headers

if TYPE_CHECKING:
    from tchannel.request import TransportHeaders

__all__ = ["Body", "Handler", "Request", "make_endpoint", "make_handler", "name_of"]


class Request(ChannelRequest):
    """A call, as its handler gets it.

    Args:
        request: The call as the channel has it; `tchannel.Request(body, headers)` in a test.
        encoding: The encoding.

    Attributes:
        body: What the encoding says: bytes, what was JSON, a message, or the arguments.
        headers: Application headers, whose names are found without regard to case.
        service: The service that was called.
        endpoint: The procedure that was called.
        encoding: ``raw``, ``json``, ``thrift`` or ``proto``.
        caller_procedure: The procedure that the caller was serving when it called; None without.
        timeout: Seconds within which the caller wants the answer.
        transport: Who calls, and what was said for routers: ``caller_name``, ``shard_key``,
            ``routing_key``, ``routing_delegate`` and the like.

    """

    __slots__ = ("_request", "caller_procedure", "encoding")

    def __init__(self, request: ChannelRequest, encoding: str) -> None:
        headers = request.headers
        if not isinstance(headers, Headers):
            headers = Headers(headers)
        self.caller_procedure: str | None = headers.pop(CALLER_PROCEDURE, None)
        super().__init__(
            request.body, headers, None, request.endpoint, request.service, request.timeout
        )
        self.encoding: str = encoding
        self._request = request
        self.take_tracing_headers()

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle without the connection, and what waits for the answer."""
        plain = ChannelRequest(
            self.body, self.headers, self.transport, self.endpoint, self.service, self.timeout
        )
        state = {
            "caller_procedure": self.caller_procedure,
            "_tracing_headers": self.tracing_headers,
        }
        return type(self), (plain, self.encoding), (None, state)

    @property
    def procedure(self) -> str:
        """The procedure that was called: `endpoint` by the name that YARPC has for it."""
        return self.endpoint or ""

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers."""
        return self._request.transport

    @transport.setter
    def transport(self, value: TransportHeaders | None) -> None:
        self._request.transport = value

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return bool(getattr(self._request, "cancelled", False))


Handler: TypeAlias = Callable[[Request], object]
"""Takes the request; returns the body, a `tchannel.Response`, or an awaitable of either."""


DescribeDetails: TypeAlias = Callable[[Sequence[object]], tuple[str | None, str]]
"""Makes a type's name and a text of an error's details."""


class Body:
    """How one procedure's bodies become bytes, and what they are at the other end.

    Args:
        decode: Makes the body of bytes.
        encode: Makes bytes of the body.
        describe_details: Makes a type's name and a text of an error's details, when those are no
            text; None where details are text.

    """

    __slots__ = ("decode", "describe_details", "encode")

    def __init__(
        self,
        decode: Callable[[bytes], object],
        encode: Callable[[object], bytes],
        describe_details: DescribeDetails | None = None,
    ) -> None:
        self.decode: Callable[[bytes], object] = decode
        self.encode: Callable[[object], bytes] = encode
        self.describe_details: DescribeDetails | None = describe_details


def make_handler(service: str, encoding: str, handler: Handler) -> ChannelHandler:
    """Return what the channel calls: it lets in calls of ``service`` alone, as YARPC does.

    Raises:
        TypeError: The handler cannot be called with one argument, the request.

    """
    must_take_a_request(handler)

    def serve(request: ChannelRequest) -> object:
        if request.service != service:
            raise BadRequestError(
                f'unrecognized service name "{request.service}", available services: "{service}"'
            )
        return handler(Request(request, encoding))

    check = check_of(handler)
    return serve if check is None else authorize(check)(serve)


def make_endpoint(
    service: str, encoding: str, procedure: str, body: Body, handler: Handler
) -> Endpoint:
    """Return what serves a procedure of the raw, json or proto encoding."""

    def decode(arg2: bytes, arg3: bytes) -> tuple[Headers, object]:
        return decode_headers(encoding, arg2), body.decode(arg3)

    def encode(result: object) -> tuple[int, bytes, bytes]:
        headers = None
        if isinstance(result, Response):
            if result.status:
                raise ValueError(
                    f"a handler gave a Response with status {result.status!r}: raise a YarpcError"
                )
            headers, result = result.headers, result.body
        arg3 = body.encode(result)
        return 0, encode_answer_headers(encoding, service, headers), arg3

    def encode_application_error(error: BaseException) -> tuple[int, bytes, bytes] | None:
        if not isinstance(error, YarpcError):
            return None
        return encode_error(encoding, service, error, body.encode, body.describe_details)

    def encode_failure(error: Exception, text: str) -> tuple[int, bytes, bytes]:
        if isinstance(error, ReservedHeaderError):
            raise UnexpectedError(str(error))
        message = f'error for service "{service}" and procedure "{procedure}": {text}'
        return encode_error(encoding, service, UnknownError(message), body.encode)

    return Endpoint(
        encoding,
        make_handler(service, encoding, handler),
        decode,
        encode,
        encode_application_error,
        encode_failure=encode_failure,
    )


def name_of(procedure: object, handler: Handler) -> str:
    """Return the name to register a handler under.

    Raises:
        TypeError: The procedure is no name, or the handler cannot be called.
        ValueError: A handler without a name of its own, and none given.

    """
    if not callable(handler):
        raise TypeError(f"handler must be callable, not {handler!r}")
    if procedure is None:
        procedure = getattr(handler, "__name__", None)
        if procedure is None:
            raise ValueError(f"handler {handler!r} has no name: say which procedure it serves")
    if not isinstance(procedure, str) or not procedure:
        raise TypeError(f"procedure must be a name, not {procedure!r}")
    return procedure
