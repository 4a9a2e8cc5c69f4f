"""Application headers as a block ``nh:2 (k~2 v~2)*`` in arg2.

It is what the Thrift arg scheme has there, and YARPC in every encoding but JSON. Keys and values are
byte strings to some peers. Here they are str: bytes that are not UTF-8 become lone surrogates, as
those of file names do in Python ("surrogateescape", PEP 383), and are the same bytes when they are
sent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import bad_request
from .headers import header_pairs

__all__ = ["decode_thrift_headers", "encode_thrift_headers", "thrift_header_pairs"]

_MOST = 0xFFFF


def encode_thrift_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """The arg2 that carries `headers`, in the order given.

    Raises:
        TypeError: A key or a value is not a str.
        ValueError: More than 65,535 headers, or a key or value that is no UTF-8 and no
            "surrogateescape", or has more than 65,535 bytes.

    """
    pairs = header_pairs(headers)
    if len(pairs) > _MOST:
        raise ValueError(f"headers must be at most {_MOST}, not {len(pairs)}")
    parts = [len(pairs).to_bytes(2, "big")]
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"header {key!r} must be a str with a str as its value, not {value!r}")
        for what, text in (("key", key), ("value", value)):
            raw = text.encode("utf-8", "surrogateescape")
            if len(raw) > _MOST:
                raise ValueError(
                    f"header {key[:40]!r} has a {what} of {len(raw)} bytes, at most {_MOST} fit"
                )
            parts += (len(raw).to_bytes(2, "big"), raw)
    return b"".join(parts)


def decode_thrift_headers(arg2: bytes) -> dict[str, str]:
    """The headers in `arg2`; an empty arg2 has none. Of a key given twice the last value counts.

    Raises:
        ProtocolError: `arg2` is cut off, or goes on behind its last header; code
            `ErrorCode.BAD_REQUEST`.

    """
    return dict(thrift_header_pairs(arg2))


def thrift_header_pairs(arg2: bytes) -> list[tuple[str, str]]:
    """The headers in `arg2` one by one, for whom it matters that a key comes twice.

    Raises:
        ProtocolError: As `decode_thrift_headers`.

    """
    pairs: list[tuple[str, str]] = []
    if not arg2:
        return pairs
    if len(arg2) < 2:
        raise bad_request("thrift headers are cut off")
    offset = 2
    for _ in range(int.from_bytes(arg2[:2], "big")):
        key, offset = _string(arg2, offset)
        value, offset = _string(arg2, offset)
        pairs.append((key, value))
    if offset != len(arg2):
        raise bad_request(f"{len(arg2) - offset} bytes follow the last thrift header")
    return pairs


def _string(data: bytes, offset: int) -> tuple[str, int]:
    start = offset + 2
    end = start + int.from_bytes(data[offset:start], "big")
    if end > len(data) or start > len(data):
        raise bad_request("thrift headers are cut off")
    return str(data[start:end], "utf-8", "surrogateescape"), end
