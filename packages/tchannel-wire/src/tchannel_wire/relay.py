"""Looking into a whole frame, and rewriting it, without decoding its args: what a relay needs.

All functions take the bytes of one frame as `FrameBuffer.split` yields it. A frame that is cut off
raises `ProtocolError` (code BAD_REQUEST); which functions suit which frame types is said in each.
"""

from __future__ import annotations

from struct import Struct

from .arguments import MAX_TTL_MS
from .checksums import ChecksumType
from .errors import ErrorCode, ProtocolError
from .frames import FrameType
from .headers import decode_headers, header_block_end
from .layouts import REQUEST_PREFIX, RESPONSE_PREFIX

__all__ = [
    "peek_arg1",
    "peek_checksum_type",
    "peek_flags",
    "peek_has_chunks",
    "peek_headers",
    "peek_id",
    "peek_more",
    "peek_service",
    "peek_tracing",
    "peek_ttl_ms",
    "peek_type",
    "replace_id",
    "replace_ttl_ms",
]

_LONG = Struct(">I")
_TTL = 17

_CALL_REQUEST = int(FrameType.CALL_REQUEST)
_CALL_RESPONSE = int(FrameType.CALL_RESPONSE)
_CONTINUATIONS = (
    int(FrameType.CALL_REQUEST_CONTINUE),
    int(FrameType.CALL_RESPONSE_CONTINUE),
)


def peek_type(frame: bytes) -> int:
    """The type byte, of any frame."""
    return frame[2]


def peek_id(frame: bytes) -> int:
    """The message id, of any frame."""
    id: int = _LONG.unpack_from(frame, 4)[0]
    return id


def peek_flags(frame: bytes) -> int:
    """The flags of a call frame: call req, call res, or a continuation of one."""
    if len(frame) <= 16:
        raise _cut_off(frame)
    return frame[16]


def peek_more(frame: bytes) -> bool:
    """Whether more frames of the same message follow this call frame."""
    return bool(peek_flags(frame) & 1)


def peek_ttl_ms(frame: bytes) -> int:
    """The ttl of a call request, in milliseconds."""
    if len(frame) < REQUEST_PREFIX:
        raise _cut_off(frame)
    ttl_ms: int = _LONG.unpack_from(frame, _TTL)[0]
    return ttl_ms


def peek_tracing(frame: bytes) -> bytes:
    """The 25 bytes of tracing of a call request, a call response or an error."""
    start = {_CALL_REQUEST: 21, _CALL_RESPONSE: 18}.get(frame[2], 17)
    tracing = frame[start : start + 25]
    if len(tracing) != 25:
        raise _cut_off(frame)
    return tracing


def peek_service(frame: bytes) -> str:
    """The service of a call request."""
    try:
        end = REQUEST_PREFIX + 1 + frame[REQUEST_PREFIX]
        if end > len(frame):
            raise _cut_off(frame)
        return str(frame[REQUEST_PREFIX + 1 : end], "utf-8")
    except IndexError:
        raise _cut_off(frame) from None
    except UnicodeDecodeError:
        raise ProtocolError(
            "the service is not UTF-8", code=ErrorCode.BAD_REQUEST, message_id=peek_id(frame)
        ) from None


def peek_headers(frame: bytes) -> dict[str, str]:
    """The transport headers of a call request or response; shared, so not to be changed."""
    try:
        start = _headers_start(frame)
        return decode_headers(frame[start : header_block_end(frame, start)])
    except IndexError:
        raise _cut_off(frame) from None
    except ProtocolError as error:
        error.message_id = peek_id(frame)
        raise


def peek_checksum_type(frame: bytes) -> int:
    """The checksum type byte of a call frame.

    It may be a type that does not exist. Do not pass such a frame on: it crashes tchannel-go.
    """
    try:
        return frame[_checksum_start(frame)]
    except IndexError:
        raise _cut_off(frame) from None


def peek_has_chunks(frame: bytes) -> bool:
    """Whether a call frame has any chunk.

    Do not pass one on that has none: it crashes tchannel-go.
    """
    return _chunks_start(frame) < len(frame)


def peek_arg1(frame: bytes) -> bytes:
    """The arg1 of a call request, which its first frame holds whole."""
    start = _chunks_start(frame) + 2
    end = start + int.from_bytes(frame[start - 2 : start], "big")
    if end > len(frame) or start > len(frame):
        raise _cut_off(frame)
    return frame[start:end]


def replace_id(frame: bytes, id: int) -> bytes:
    """The same frame, of any type, with another message id."""
    return frame[:4] + _LONG.pack(id) + frame[8:]


def replace_ttl_ms(frame: bytes, ttl_ms: int) -> bytes:
    """The same call request with another ttl, in milliseconds.

    Raises:
        ValueError: `ttl_ms` is not 1 to `MAX_TTL_MS`; a ttl of 0 makes tchannel-node close.

    """
    if not 1 <= ttl_ms <= MAX_TTL_MS:
        raise ValueError(f"ttl_ms must be 1 to {MAX_TTL_MS}, not {ttl_ms}")
    if len(frame) < REQUEST_PREFIX:
        raise _cut_off(frame)
    return frame[:_TTL] + _LONG.pack(ttl_ms) + frame[_TTL + 4 :]


def _headers_start(frame: bytes) -> int:
    if frame[2] == _CALL_REQUEST:
        return REQUEST_PREFIX + 1 + frame[REQUEST_PREFIX]
    return RESPONSE_PREFIX


def _checksum_start(frame: bytes) -> int:
    if frame[2] in _CONTINUATIONS:
        return 17
    return header_block_end(frame, _headers_start(frame))


def _chunks_start(frame: bytes) -> int:
    try:
        start = _checksum_start(frame)
        return start + (5 if frame[start] != ChecksumType.NONE else 1)
    except IndexError:
        raise _cut_off(frame) from None


def _cut_off(frame: bytes) -> ProtocolError:
    return ProtocolError("frame is cut off", code=ErrorCode.BAD_REQUEST, message_id=peek_id(frame))
