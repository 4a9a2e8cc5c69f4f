"""Application headers in arg2, as far as VCR has to understand them: to leave tracing aside."""

import json
from collections.abc import Hashable
from typing import Final

from tchannel.tracing import TRACING_KEY_PREFIX
from tchannel_wire import WireError, decode_thrift_headers, encode_thrift_headers

__all__ = ["SCHEMES_WITH_HEADERS", "comparable_headers", "parse_headers", "strip_tracing"]

#: The schemes whose arg2 has keys and values.
SCHEMES_WITH_HEADERS: Final = ("json", "thrift")


# The context of a trace as OpenTelemetry sends it (W3C Trace Context and Baggage).
_W3C: Final = frozenset({"traceparent", "tracestate", "baggage"})


def comparable_headers(scheme: str, arg2: bytes) -> Hashable:
    """What is equal for two header blocks that mean the same.

    Keys and values without tracing where the scheme has them, else the bytes; also when they are
    not what the scheme says.
    """
    headers = parse_headers(scheme, arg2)
    if headers is None:
        return arg2
    kept = {key: value for key, value in headers.items() if not _is_tracing(key)}
    return json.dumps(kept, sort_keys=True)


def strip_tracing(scheme: str, arg2: bytes) -> bytes:
    """The block without tracing headers, which differ with every call; else as it is."""
    headers = parse_headers(scheme, arg2)
    if not headers or not any(map(_is_tracing, headers)):
        return arg2
    kept = {key: value for key, value in headers.items() if not _is_tracing(key)}
    if scheme == "json":
        return json.dumps(kept).encode()
    return encode_thrift_headers(kept)


def parse_headers(scheme: str, arg2: bytes) -> dict[str, str] | None:
    """Keys and values; None where the scheme has none, or the block is not what the scheme says."""
    if scheme == "json":
        try:
            headers = json.loads(arg2) if arg2 else {}
        except ValueError:
            return None
        return {} if headers is None else headers if isinstance(headers, dict) else None
    if scheme == "thrift":
        try:
            return decode_thrift_headers(arg2)
        except WireError:
            return None
    return None


def _is_tracing(key: str) -> bool:
    return key in _W3C or key.startswith(TRACING_KEY_PREFIX)
