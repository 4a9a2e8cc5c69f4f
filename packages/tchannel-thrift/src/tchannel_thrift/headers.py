"""Application headers of Thrift calls: str to str, in arg2 (protocol, "Arg schemes")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tchannel_wire import encode_thrift_headers

__all__ = ["NO_HEADERS", "attach_headers", "encode_headers", "headers_of"]

_ATTRIBUTE: Final = "application_headers"

NO_HEADERS: Final = b"\0\0"
"""What most calls have; who compares with it first saves decoding it, 0.3 µs."""


def encode_headers(headers: object) -> bytes:
    """Return the arg2 for ``headers``, a mapping or None.

    Raises:
        ValueError: They are no mapping of str to str, or too long.

    """
    if not headers and (headers is None or isinstance(headers, Mapping)):
        return NO_HEADERS
    if not isinstance(headers, Mapping):
        raise ValueError(f"headers must be a mapping of str to str, not {headers!r}")
    try:
        return encode_thrift_headers(headers)
    except TypeError as error:
        raise ValueError(f"headers must be str to str: {error}") from None


def headers_of(exception: BaseException) -> dict[str, str]:
    """Return the application headers of a declared exception; none are an empty dict.

    At the caller they are those that came with it. A handler sets the attribute
    ``application_headers``, a mapping of str to str, before it raises the exception::

        error = NotFound(key)
        error.application_headers = {"retry-after": "30"}
        raise error

    A handler that lets the exception of a call of its own through sends none of its headers on.
    An exception for which the IDL declares a field of that very name has no headers.
    """
    headers = getattr(exception, _ATTRIBUTE, None)
    return {} if not headers or _is_field(exception) else dict(headers)


def declared_headers(exception: BaseException) -> object:
    """Return what a handler set as the headers of an exception, whatever it is; or None.

    Those that the exception came with are none of them: raised on by a handler whose own call got
    it, it would tell its caller what was said to the handler.
    """
    headers = getattr(exception, _ATTRIBUTE, None)
    return (
        None if headers is None or type(headers) is _Received or _is_field(exception) else headers
    )


class _Received(dict[str, str]):
    """Headers that an exception came with."""


def attach_headers(exception: BaseException, headers: Mapping[str, str]) -> None:
    """Let an exception carry the headers that it came with.

    Without any it stays as it is: Apache's exceptions compare all their attributes.
    """
    if headers and not _is_field(exception):
        # Not by the class's own `__setattr__`: Apache has exceptions whose one raises.
        BaseException.__setattr__(exception, _ATTRIBUTE, _Received(headers))


def _is_field(exception: BaseException) -> bool:
    cls = type(exception)
    spec = getattr(cls, "type_spec", None)
    if spec is not None:
        return any(field.name == _ATTRIBUTE for field in spec.fields)
    entries = getattr(cls, "thrift_spec", None) or ()
    return any(entry is not None and entry[2] == _ATTRIBUTE for entry in entries)
