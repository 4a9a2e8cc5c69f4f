"""Application headers by YARPC's conventions: names without case, and names of its own.

arg2 is a block ``nh:2 (k~2 v~2)*`` in every encoding but json, two zero bytes when there are none; in
json it is a JSON object of strings. Values are byte strings to YARPC: what is not UTF-8 comes as lone
surrogates, and goes out as the same bytes (`tchannel_wire.decode_thrift_headers`); JSON cannot say it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Final

import tchannel_wire as wire

__all__ = [
    "CALLER_PROCEDURE",
    "ERROR_CODE",
    "ERROR_DETAILS",
    "ERROR_MESSAGE",
    "ERROR_NAME",
    "EXCEPTION_CODE",
    "EXCEPTION_NAME",
    "RESERVED",
    "SERVICE",
    "Headers",
    "ReservedHeaderError",
    "check_headers",
    "decode_headers",
    "encode_headers",
    "refuse_reserved",
    "take_reserved",
]

SERVICE: Final = "$rpc$-service"
"""The service that answers, in every answer; checked by the caller."""

ERROR_CODE: Final = "$rpc$-error-code"
"""The code of an application error by its text; it alone makes an answer an error."""

ERROR_NAME: Final = "$rpc$-error-name"
"""The name of an application error."""

ERROR_MESSAGE: Final = "$rpc$-error-message"
"""What happened, for people."""

EXCEPTION_NAME: Final = "$rpc$-application-error-name"
"""The type of a declared Thrift exception, or of the first of an error's protobuf details."""

ERROR_DETAILS: Final = "$rpc$-application-error-details"
"""The same as text for people, with all it holds."""

EXCEPTION_CODE: Final = "$rpc$-application-error-code"
"""The number of the code that the IDL gives a Thrift exception."""

RESERVED: Final = frozenset(
    {
        SERVICE,
        ERROR_CODE,
        ERROR_NAME,
        ERROR_MESSAGE,
        EXCEPTION_NAME,
        ERROR_DETAILS,
        EXCEPTION_CODE,
    }
)
"""Headers of answers that are YARPC's own: handlers may not send them, callers do not see them."""

CALLER_PROCEDURE: Final = "$rpc$-caller-procedure"
"""The procedure that the caller was serving when it called; in requests, never seen by handlers."""

_JSON: Final = "json"
_NO_HEADERS: Final = wire.encode_thrift_headers({})
_NO_JSON_HEADERS: Final = b"{}\n"
# As YARPC writes them: sorted, and text as it is.
_encode_json: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True
).encode
_decode_json: Final = json.JSONDecoder(object_pairs_hook=tuple).decode


class ReservedHeaderError(ValueError):
    """A handler wants to send a header that is YARPC's own."""


class Headers(MutableMapping[str, str]):
    """Application headers, str to str, whose names are found without regard to case.

    Names are kept and shown in lower case. Of two names that differ in case alone, the last counts.

    Args:
        headers: What it begins with.

    """

    __slots__ = ("_values",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, str] = {}
        if headers:
            self.update(headers)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __setitem__(self, name: str, value: str) -> None:
        self._values[name.lower()] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Headers):
            return self._values == other._values
        if not isinstance(other, Mapping):
            return NotImplemented
        if not all(isinstance(name, str) for name in other):
            return False
        return self._values == Headers(other)._values

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Headers({self._values!r})"


def check_headers(headers: object) -> Headers:
    """Return headers that somebody gave, None as none.

    Raises:
        ValueError: They are no mapping of str to str.

    """
    if headers is None:
        return Headers()
    if not isinstance(headers, Mapping):
        raise ValueError(f"headers must be a mapping of str to str, not {headers!r}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"headers must be str to str, not {name!r}: {value!r}")
    return Headers(headers)


def refuse_reserved(headers: Headers) -> None:
    """Check the headers of an answer.

    Raises:
        ReservedHeaderError: One of them is YARPC's own.

    """
    for name in headers:
        if name in RESERVED:
            raise ReservedHeaderError(f"cannot use reserved header key: {name}")


def take_reserved(headers: Headers) -> dict[str, str]:
    """Take YARPC's own headers out of those of an answer, and return them."""
    return {name: headers.pop(name) for name in list(headers) if name in RESERVED}


def encode_headers(encoding: str, headers: Mapping[str, str]) -> bytes:
    """Return the arg2 that carries ``headers`` in an encoding.

    Raises:
        ValueError: One that is too long, or has surrogates that stand for no byte.

    """
    if encoding == _JSON:
        if not headers:
            return _NO_JSON_HEADERS
        return (_encode_json(dict(headers)) + "\n").encode("utf-8", "surrogateescape")
    return wire.encode_thrift_headers(headers) if headers else _NO_HEADERS


def decode_headers(encoding: str, arg2: bytes) -> Headers:
    """Return the headers in an arg2; an empty one has none, though YARPC itself refuses that.

    Raises:
        ProtocolError: The block is cut off, or goes on behind its last header.
        ValueError: (json) It is no object of strings.

    """
    headers = Headers()
    if encoding != _JSON:
        for name, value in wire.thrift_header_pairs(arg2):
            headers[name] = value
        return headers
    if not arg2.strip():
        return headers
    try:
        # Tuples of pairs, not dicts: of two names that differ in case the last counts.
        pairs = _decode_json(arg2.decode("utf-8", "surrogateescape"))
    except RecursionError:
        raise ValueError("the headers are nested too deeply") from None
    if pairs is None:
        return headers
    if not isinstance(pairs, tuple):
        raise ValueError("the headers are no JSON object")
    for name, value in pairs:
        if not isinstance(value, str):
            raise ValueError(f"the header {name[:40]!r} is no string")
        headers[name] = value
    return headers
