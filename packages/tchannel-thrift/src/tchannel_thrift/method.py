"""One function of a Thrift service, ready to be called and to be served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from tchannel.errors import OneWayNotSupportedError, ReadError, ValueExpectedError
from tchannel.lowlevel import change_answer
from tchannel.response import Response
from tchannel.status import OK
from tchannel_wire import decode_thrift_headers

from .envelopes import enclose, open_envelope
from .errors import UndeclaredExceptionError
from .headers import NO_HEADERS, attach_headers, declared_headers, encode_headers

if TYPE_CHECKING:
    from tchannel.lowlevel import Decode

__all__ = ["Codec", "Method", "Result"]

DecodeRequest: TypeAlias = Callable[[bytes, bytes], tuple[dict[str, str], object]]
EncodeResult: TypeAlias = Callable[[object], tuple[int, bytes, bytes]]
EncodeError: TypeAlias = Callable[[BaseException], tuple[int, bytes, bytes] | None]

_EMPTY: Final = b"\0"
"""A struct without fields: the result of a void function."""


class Result(Protocol):
    """What a function's answer is made into, whatever made its Thrift module."""

    success: object
    """What the function returned; no such attribute where it returns nothing."""


@dataclass(frozen=True, slots=True)
class Codec:
    """What one kind of Thrift module does for one function; made by the adapters.

    Attributes:
        new_args: Makes the arguments, an object, of positional and keyword arguments.
        dump_args: Makes the bytes of the arguments.
        load_args: Makes the arguments of bytes.
        load_result: Makes the result of bytes: an object with an attribute ``success``, if the
            function returns something, and one for each declared exception.
        dump_result: Makes the bytes of what the handler returned, never None.
        dump_exception: Makes the bytes of a declared exception; None for any other.
        returns: Whether the function returns something.
        exceptions: The result's attributes for declared exceptions.
        result_type: The class of what `load_result` makes.
        unknown_exception: What `load_result` raises for an exception that is not declared; by
            default it just leaves it out.

    Each raises TypeError or ValueError, naming struct and field, for values that do not fit, and
    whatever exception for bytes that do not.

    """

    new_args: Callable[..., object]
    dump_args: Callable[[object], bytes]
    load_args: Callable[[bytes], object]
    load_result: Callable[[bytes], Result]
    dump_result: Callable[[object], bytes]
    dump_exception: Callable[[BaseException], bytes | None]
    returns: bool
    exceptions: tuple[str, ...]
    result_type: type[Result]
    unknown_exception: type[Exception] | tuple[()] = ()


class Method:
    """One function of a Thrift service.

    All that depends on its types is decided here, once: no call inspects them again.

    Args:
        service: Name of the Thrift service; of the one that was asked for, not of that which it
            inherits the function from (protocol, "Arg schemes").
        name: Name of the function.
        codec: What its kind of module does for it.

    Attributes:
        endpoint: ``service::name``.
        codec: As given.
        decode_response: Makes the Response of a call, or raises.
        decode_request: Makes headers and arguments of arg2 and arg3.
        encode_result: Makes code, arg2 and arg3 of what the handler returned.
        encode_error: The same of an exception that the IDL declares; None for any other.

    """

    __slots__ = (
        "codec",
        "decode_request",
        "decode_response",
        "encode_error",
        "encode_result",
        "endpoint",
        "name",
    )

    def __init__(self, service: str, name: str, codec: Codec) -> None:
        self.name: str = name
        self.endpoint: str = f"{service}::{name}"
        self.codec: Codec = codec
        self.decode_request: DecodeRequest = _request_decoder(codec)
        self.decode_response: Decode = _response_decoder(self.endpoint, codec)
        self.encode_result: EncodeResult = _result_encoder(self.endpoint, codec)
        self.encode_error: EncodeError | None = _error_encoder(codec)

    def __repr__(self) -> str:
        return f"<Method {self.endpoint}>"


def refuse_oneway(service: str, name: str) -> OneWayNotSupportedError:
    """Return the error for a ``oneway`` function: in TChannel every call is answered."""
    return OneWayNotSupportedError(
        f"{service}::{name} is oneway, and TChannel has no calls without an answer:"
        " declare it as a void function"
    )


def _request_decoder(codec: Codec) -> DecodeRequest:
    load_args = codec.load_args

    def decode_request(arg2: bytes, arg3: bytes) -> tuple[dict[str, str], object]:
        headers = {} if arg2 == NO_HEADERS else decode_thrift_headers(arg2)
        # An envelope begins with 0 or with the bit that no type of a field has; the stop byte of a
        # function without arguments is 0 as well.
        if not b"\1" <= arg3 < b"\x80" and len(arg3) > 1:
            opened = open_envelope(arg3)
            if opened is not None:
                envelope, arg3 = opened
                change_answer(partial(enclose, envelope))
        return headers, load_args(arg3)

    return decode_request


def _response_decoder(endpoint: str, codec: Codec) -> Decode:
    load_result = codec.load_result
    returns = codec.returns
    exceptions = codec.exceptions

    # arg3 may be a stream for other schemes; here it is bytes, and looking would cost each call.
    def decode_response(
        code: int, arg2: bytes, arg3: Any, transport: Mapping[str, str]
    ) -> Response:
        try:
            result = load_result(arg3)
            headers = {} if arg2 == NO_HEADERS else decode_thrift_headers(arg2)
        except Exception as error:
            if isinstance(error, codec.unknown_exception):
                raise UndeclaredExceptionError(f"{endpoint}: {error}") from error
            if returns and not code and arg3 == _EMPTY:
                raise _missing(endpoint) from None
            raise ReadError(f"cannot decode the answer of {endpoint}: {error}") from error
        if returns:
            value = result.success
            if value is not None:
                return Response(value, headers, transport, 1 if code else OK)
        for name in exceptions:
            declared = getattr(result, name)
            if declared is not None:
                if not isinstance(declared, BaseException):
                    raise UndeclaredExceptionError(
                        f"{endpoint} answered with {name!r}, which the IDL says it throws although"
                        f" it is no exception: {declared!r:.200}"
                    )
                attach_headers(declared, headers)
                raise declared
        if code:
            raise UndeclaredExceptionError(
                f"{endpoint} answered with an exception that the IDL does not declare"
            )
        if returns:
            raise _missing(endpoint)
        return Response(None, headers, transport, OK)

    return decode_response


def _missing(endpoint: str) -> ValueExpectedError:
    return ValueExpectedError(f"{endpoint} returns a value, but the answer has none")


def _result_encoder(endpoint: str, codec: Codec) -> EncodeResult:
    dump_result = codec.dump_result
    returns = codec.returns

    def encode_result(result: object) -> tuple[int, bytes, bytes]:
        arg2 = NO_HEADERS
        if isinstance(result, Response):
            if result.status:
                raise ValueError(
                    f"{endpoint} gave a Response with status {result.status!r}: in Thrift, raise"
                    " an exception that the IDL declares"
                )
            arg2 = encode_headers(result.headers)
            result = result.body
        if not returns:
            return OK, arg2, _EMPTY  # what a void function returns is dropped
        # Only None is no result: False, 0, "" and empty containers are values.
        if result is None:
            raise ValueError(f"{endpoint} returned None, but it must return a value")
        return OK, arg2, dump_result(result)

    return encode_result


def _error_encoder(codec: Codec) -> EncodeError | None:
    if not codec.exceptions:
        return None
    dump_exception = codec.dump_exception

    def encode_error(error: BaseException) -> tuple[int, bytes, bytes] | None:
        arg3 = dump_exception(error)
        return None if arg3 is None else (1, encode_headers(declared_headers(error)), arg3)

    return encode_error
