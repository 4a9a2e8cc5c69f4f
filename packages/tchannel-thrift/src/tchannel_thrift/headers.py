"""Application headers of Thrift calls: str to str, in arg2 (protocol, "Arg schemes")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tchannel_wire import decode_thrift_headers, encode_thrift_headers

__all__ = ["NO_HEADERS", "decode_headers", "encode_headers"]

NO_HEADERS: Final = b"\0\0"


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


def decode_headers(arg2: bytes) -> dict[str, str]:
    """Return the headers in ``arg2``; an empty one has none.

    Raises:
        tchannel_wire.ProtocolError: It is cut off, goes on behind its end, or is not UTF-8.

    """
    # Most calls have none: the comparison saves a function call and its loop, 0.3 µs.
    return {} if arg2 == NO_HEADERS else decode_thrift_headers(arg2)
