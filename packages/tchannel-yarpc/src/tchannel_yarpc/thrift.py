"""The thrift encoding: needs tchannel-thrift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from tchannel import Response
from tchannel.errors import TChannelError, UnexpectedError
from tchannel.lowlevel import Endpoint, Endpoints, Handler, install_hint

from .answers import encode_answer_headers, read_headers
from .calls import CallOptions, YarpcCall, channel_of, start_call
from .codes import frame_of_code
from .errors import YarpcError
from .exceptions import ApplicationError, attach, describe
from .handlers import Handler as YarpcHandler
from .handlers import make_handler
from .headers import (
    SERVICE,
    Headers,
    ReservedHeaderError,
    decode_headers,
    encode_headers,
    refuse_reserved,
)
from .plain import whole

try:
    from tchannel_thrift import ThriftArgScheme, ThriftRequest
    from tchannel_thrift.headers import NO_HEADERS, attach_headers
    from tchannel_thrift.method import Method
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_thrift", dist="'tchannel-yarpc[thrift]'") from None

if TYPE_CHECKING:
    from typing import Unpack

    from tchannel import TChannel
    from tchannel.lowlevel import Decode
    from tchannel.subchannel import SubChannel

__all__ = ["ThriftEncoding"]

_NAME = "thrift"

_HandlerT = TypeVar("_HandlerT", bound=YarpcHandler)
_HandlersT = TypeVar("_HandlersT")


class ThriftEncoding:
    """Calls and handlers of Thrift functions.

    Args:
        channel: Whose calls they are.
        endpoints: Where handlers go.

    """

    NAME: ClassVar[str] = _NAME

    __slots__ = ("_channel", "_scheme")

    def __init__(self, channel: TChannel | SubChannel, endpoints: Endpoints) -> None:
        self._channel = channel
        self._scheme = _Scheme(channel_of(channel), endpoints)

    def __call__(
        self,
        request: ThriftRequest,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> YarpcCall[Response]:
        """Call a Thrift function; the call starts at once.

        Args:
            request: What a function of `tchannel.thrift.load` or of `thrift_request_builder` returns.
            headers: Application headers, str to str.
            **options: As in `CallOptions`.

        Returns:
            A Future of the Response: its body is what the function returns, its headers are
            `Headers`.

        Raises:
            TypeError: ``request`` is no request, or an argument has a wrong type.
            ValueError: Headers that are not str to str, an argument that cannot be sent, or a request
                that names no service.
            Exception: (from the Future) the declared exception that the handler raised;
                `ApplicationError.of` it is what YARPC says about it, `tchannel.thrift.headers_of` it
                its headers.
            YarpcError: (from the Future) whatever else went wrong with the call.

        """
        if not isinstance(request, ThriftRequest):
            raise TypeError(
                "yarpc.thrift takes a request, made by calling a function of a service of"
                " tchannel.thrift.load or of thrift_request_builder, such as"
                f" KeyValue.getValue(...); this is {request!r:.200}"
            )
        method = request.method
        service = request.require_service()
        if request.hostport is not None:
            options.setdefault("hostport", request.hostport)
        return start_call(
            self._channel,
            _NAME,
            service,
            method.endpoint,
            headers,
            method.codec.dump_args(request.call_args),
            _response_decoder(service, method),
            whole,
            **options,
        )

    @overload
    def register(
        self,
        thrift_module: object,
        handler: None = None,
        method: str | None = None,
        service: str | None = None,
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(
        self,
        thrift_module: object,
        handler: _HandlersT,
        method: str | None = None,
        service: str | None = None,
    ) -> _HandlersT: ...

    def register(
        self,
        thrift_module: object,
        handler: object = None,
        method: str | None = None,
        service: str | None = None,
    ) -> object:
        """Register a handler of a Thrift function, or an object for all functions of a service.

        As `tchannel_thrift.ThriftArgScheme.register`, with handlers that take a `Request` and may
        raise a `YarpcError` besides the exceptions that the IDL declares.

        Args:
            thrift_module: A service or module of any kind that tchannel-thrift knows.
            handler: The handler, or an object whose methods are the handlers.
            method: The function; by default the handler's name.
            service: The service, where a module has several.

        Returns:
            The handler; without one, a decorator.

        Raises:
            TypeError: ``thrift_module`` or ``handler`` is nothing of the kind.
            ValueError: There is no such service or function, or it is not clear which is meant.
            OneWayNotSupportedError: The function is oneway.

        """
        return self._scheme.add(thrift_module, handler, method, service)


class _Scheme(ThriftArgScheme):
    """Registers handlers with YARPC's conventions."""

    __slots__ = ()

    def add(
        self, thrift_module: object, handler: object, method: str | None, service: str | None
    ) -> object:
        """Register a handler, or an object, or return a decorator."""
        return self._register(thrift_module, handler, method, service)

    def make_endpoint(self, method: Method, handler: Handler) -> Endpoint:
        """Return what serves the calls of a function."""
        service = self._endpoints.service

        def decode(arg2: bytes, arg3: bytes) -> tuple[Headers, object]:
            headers = decode_headers(_NAME, arg2)
            return headers, method.decode_request(NO_HEADERS, arg3)[1]

        def encode(result: object) -> tuple[int, bytes, bytes]:
            headers = None
            if isinstance(result, Response):
                headers = result.headers
                result = Response(result.body, status=result.status)
            code, _, arg3 = method.encode_result(result)
            return code, encode_answer_headers(_NAME, service, headers), arg3

        def encode_error(error: BaseException) -> tuple[int, bytes, bytes] | None:
            if isinstance(error, YarpcError):
                raise TChannelError.from_code(
                    frame_of_code(error.code), error.message or error.code.text
                )
            answer = None if method.encode_error is None else method.encode_error(error)
            if answer is None:
                return None
            code, arg2, arg3 = answer
            headers = decode_headers(_NAME, arg2)
            refuse_reserved(headers)
            headers.update(describe(error).to_headers())
            headers[SERVICE] = service
            return code, encode_headers(_NAME, headers), arg3

        def encode_failure(error: Exception, text: str) -> tuple[int, bytes, bytes]:
            raise UnexpectedError(str(error) if isinstance(error, ReservedHeaderError) else text)

        return Endpoint(
            _NAME,
            make_handler(service, _NAME, handler),
            decode,
            encode,
            encode_error,
            encode_failure=encode_failure,
        )


def _response_decoder(service: str, method: Method) -> Decode:
    # Any: never a stream here.
    def decode(code: int, arg2: bytes, arg3: Any, transport: Mapping[str, str]) -> Response:
        answer = read_headers(_NAME, arg2, service)
        try:
            response = method.decode_response(code, NO_HEADERS, arg3, transport)
        except TChannelError:
            raise
        except Exception as declared:
            attach_headers(declared, answer.headers)
            said = ApplicationError.from_headers(answer.reserved)
            if said is not None:
                attach(declared, said)
            raise
        assert isinstance(response, Response)
        response.headers = answer.headers
        return response

    return decode
