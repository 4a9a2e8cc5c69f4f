"""Transport headers: the block ``nh:1 (hk~1 hv~1)*`` of call requests and call responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, cast

from .caches import BlockCache
from .errors import bad_request

if TYPE_CHECKING:
    from .options import Options

__all__ = [
    "ARG_SCHEME",
    "CALLER_NAME",
    "CLAIM_AT_FINISH",
    "CLAIM_AT_START",
    "FAILURE_DOMAIN",
    "MAX_HEADERS",
    "MAX_HEADER_KEY_LENGTH",
    "MAX_HEADER_VALUE_LENGTH",
    "RETRY_FLAGS",
    "ROUTING_DELEGATE",
    "ROUTING_KEY",
    "SHARD_KEY",
    "SPECULATIVE_EXECUTION",
    "check_header_limits",
    "decode_headers",
    "encode_headers",
    "header_block_end",
    "header_pairs",
]

ARG_SCHEME: Final = "as"
"""How arg2 and arg3 are to be read; on every request and response."""
CALLER_NAME: Final = "cn"
"""Who calls; on every request."""
RETRY_FLAGS: Final = "re"
"""When the call may be sent again."""
SHARD_KEY: Final = "sk"
"""By what a sharded service chooses one of its instances."""
ROUTING_DELEGATE: Final = "rd"
"""The service that a router sends the call to instead of the one it names."""
CLAIM_AT_START: Final = "cas"
"""``host:port`` of the other instance that got this request, to be told when it starts."""
CLAIM_AT_FINISH: Final = "caf"
"""``host:port`` of the other instance that got this request, to be told when it is finished."""
SPECULATIVE_EXECUTION: Final = "se"
"""How many instances got this request; only ``2`` is defined."""
FAILURE_DOMAIN: Final = "fd"
"""A group of services that are expected to fail together."""
ROUTING_KEY: Final = "rk"
"""By what a router chooses among the instances of a service."""

MAX_HEADERS = 128
MAX_HEADER_KEY_LENGTH = 15
"""What we write. tchannel-node counts the length byte in and drops the connection at 16."""
MAX_HEADER_VALUE_LENGTH = 255

_cache: BlockCache[dict[str, str]] = BlockCache()


def encode_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> bytes:
    """The header block of a call request or a call response, in the order given.

    Raises:
        TypeError: A key or a value is not a str.
        ValueError: More than 128 headers, the same key twice, a key that is not 1 to 15 bytes
            long in UTF-8, or a value of more than 255 bytes. The key is named.

    """
    pairs = header_pairs(headers)
    if len(pairs) > MAX_HEADERS:
        raise ValueError(f"headers must be at most {MAX_HEADERS}, not {len(pairs)}")
    parts = [bytes((len(pairs),))]
    seen = set()
    for key, value in pairs:
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"header {key!r} must be a str with a str as its value, not {value!r}")
        raw_key, raw_value = key.encode(), value.encode()
        if not 1 <= len(raw_key) <= MAX_HEADER_KEY_LENGTH:
            raise ValueError(
                f"header key {key!r} must be 1 to {MAX_HEADER_KEY_LENGTH} bytes, not {len(raw_key)}"
            )
        if len(raw_value) > MAX_HEADER_VALUE_LENGTH:
            raise ValueError(
                f"header {key!r} must have a value of at most {MAX_HEADER_VALUE_LENGTH} bytes, "
                f"not {len(raw_value)}"
            )
        if key in seen:
            raise ValueError(f"header {key!r} is given twice")
        seen.add(key)
        parts += (bytes((len(raw_key),)), raw_key, bytes((len(raw_value),)), raw_value)
    return b"".join(parts)


def header_pairs(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keys and values, whichever way they were given."""
    if isinstance(headers, Mapping):
        return list(cast("Mapping[str, str]", headers).items())
    if not isinstance(headers, Iterable):
        raise TypeError(f"headers must be a mapping or pairs of keys and values, not {headers!r}")
    return list(headers)


def header_block_end(data: bytes, start: int) -> int:
    """The offset just behind the header block that begins at `start`.

    Raises:
        IndexError: The block is cut off in a length; a block cut off elsewhere ends beyond `data`.

    """
    end = start + 1
    for _ in range(2 * data[start]):
        end += 1 + data[end]
    return end


def decode_headers(block: bytes) -> dict[str, str]:
    """The headers of a whole block.

    The dict may be shared with other messages that carry the same block: do not change it.

    Raises:
        ProtocolError: The block is cut off or too long, is not UTF-8, has more than 128 headers,
            or has a key twice; code `ErrorCode.BAD_REQUEST`.

    """
    headers = _cache.get(block)
    if headers is not None:
        return headers
    headers = _decode(block)
    _cache.keep(block, headers)
    return headers


def _decode(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    try:
        if header_block_end(block, 0) != len(block):
            raise bad_request("transport headers are cut off")
        count = block[0]
        if count > MAX_HEADERS:
            raise bad_request(f"{count} transport headers, at most {MAX_HEADERS} are allowed")
        offset = 1
        for _ in range(count):
            value_at = offset + 1 + block[offset]
            end = value_at + 1 + block[value_at]
            key = str(block[offset + 1 : value_at], "utf-8")
            if key in headers:
                raise bad_request(f"transport header {key!r} is given twice")
            headers[key] = str(block[value_at + 1 : end], "utf-8")
            offset = end
    except IndexError:
        raise bad_request("transport headers are cut off") from None
    except UnicodeDecodeError:
        raise bad_request("transport headers are not UTF-8") from None
    return headers


def check_header_limits(headers: Mapping[str, str], options: Options) -> None:
    """Compare incoming transport headers with the limits of `options`.

    Raises:
        ProtocolError: Too many headers, or one that is too long; code `ErrorCode.BAD_REQUEST`.

    """
    if len(headers) > options.max_headers:
        raise bad_request(
            f"{len(headers)} transport headers, at most {options.max_headers} are allowed",
            "max_headers",
        )
    most_key, most_value = options.max_header_key_length, options.max_header_value_length
    if most_key == most_value == 0xFF:  # the wire's own limit, so nothing can be longer
        return
    for key, value in headers.items():
        if len(key.encode()) > most_key:
            raise bad_request(
                f"transport header {key[:40]!r} is longer than {most_key} bytes",
                "max_header_key_length",
            )
        if len(value.encode()) > most_value:
            raise bad_request(
                f"value of transport header {key[:40]!r} is longer than {most_value} bytes",
                "max_header_value_length",
            )
