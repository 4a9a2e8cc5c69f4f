"""Application headers as strings by name, read of arg2 and written to it, whatever the arg scheme."""

from __future__ import annotations

import json
from collections.abc import Mapping

import tchannel_wire as wire

__all__ = ["decode_application_headers", "encode_application_headers"]

_encode_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def decode_application_headers(scheme: str | None, arg2: bytes) -> dict[str, str] | None:
    """Return the headers that ``arg2`` says; None where it says none that have names.

    Those of json are an object, whose values are what the peer made them; those of thrift, and of
    YARPC's encodings, are a block of strings. Raw headers are that block, or bytes of any meaning.
    """
    if not arg2:
        return {}
    try:
        if scheme == "json":
            headers: object = json.loads(arg2.decode("utf-8", "surrogateescape"))
            if headers is None:
                return {}
            return headers if isinstance(headers, dict) else None
        return wire.decode_thrift_headers(arg2)
    except (ValueError, RecursionError, wire.ProtocolError):
        return None


def encode_application_headers(scheme: str | None, headers: Mapping[str, str]) -> bytes:
    """Return the arg2 that says them.

    Raises:
        TypeError: They are no mapping of str to str.
        ValueError: They are too long for the scheme.

    """
    if not isinstance(headers, Mapping):
        raise TypeError(f"application headers must be a mapping of str to str, not {headers!r}")
    if scheme != "json":
        return wire.encode_thrift_headers(headers)
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"header {key!r} must be a str with a str as its value, not {value!r}")
    return _encode_json(dict(headers)).encode("utf-8", "surrogateescape")
