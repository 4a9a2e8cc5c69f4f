"""The first frames of a call and of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import ClassVar

from ..checksums import ChecksumType
from ..frames import FrameType
from ..headers import decode_headers, encode_headers, header_block_end
from ..layouts import REQUEST_PREFIX, RESPONSE_PREFIX
from ..tracing import NO_TRACING, Tracing
from .base import BYTE, LONG, pack_tracing
from .chunks import ChunksMessage, read_chunks

__all__ = ["CallRequest", "CallResponse"]

# The first fields of each frame, its header included, in one unpacking.
_REQUEST_HEAD = Struct(">HBxI8xBI25s")
_RESPONSE_HEAD = Struct(">HBxI8xBB25s")


class CallRequest(ChunksMessage):
    """The first frame of a call.

    ``flags:1 ttl:4 tracing:25 service~1 nh:1 (hk~1 hv~1)* csumtype:1 (csum:4){0,1} chunk~2 ...``

    Args:
        id: The message id, chosen by the caller.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        ttl_ms: Milliseconds until the call's deadline.
        tracing: The 25 bytes of a span, or a `Tracing`.
        service: The service that is called.
        headers: The transport headers.
        checksum_type: The checksum of this message, which its response will use, too.
        checksum: The value on the wire; computed over `chunks` when left out.
        chunks: The parts of arg1, arg2 and arg3 in this frame.

    """

    __slots__ = ("headers", "service", "tracing", "ttl_ms")
    TYPE: ClassVar[FrameType] = FrameType.CALL_REQUEST
    _FIELDS = (
        *("flags", "ttl_ms", "tracing", "service", "headers"),
        *("checksum_type", "checksum", "chunks"),
    )

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        ttl_ms: int,
        tracing: bytes | Tracing = NO_TRACING,
        service: str,
        headers: Mapping[str, str],
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self.ttl_ms: int = ttl_ms
        self.tracing: bytes = pack_tracing(tracing)
        self.service: str = service
        self.headers: dict[str, str] = dict(headers)
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        service = self.service.encode()
        if len(service) > 0xFF:
            raise ValueError(f"service must be at most 255 bytes, not {len(service)}")
        return b"".join(
            (
                BYTE.pack(self.flags),
                LONG.pack(self.ttl_ms),
                self.tracing,
                bytes((len(service),)),
                service,
                encode_headers(self.headers),
                self._write_chunks(),
            )
        )

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallRequest:
        if len(frame) < _REQUEST_HEAD.size:
            raise IndexError
        _, _, _, flags, ttl_ms, tracing = _REQUEST_HEAD.unpack_from(frame)
        start = REQUEST_PREFIX + 1 + frame[REQUEST_PREFIX]
        if start > len(frame):
            raise IndexError
        service = str(frame[REQUEST_PREFIX + 1 : start], "utf-8")
        end = header_block_end(frame, start)
        headers = decode_headers(frame[start:end])
        checksum_type, checksum, chunks = read_chunks(frame, end)
        return cls(
            id=id,
            flags=flags,
            ttl_ms=ttl_ms,
            tracing=tracing,
            service=service,
            headers=headers,
            checksum_type=checksum_type,
            checksum=checksum,
            chunks=chunks,
        )


class CallResponse(ChunksMessage):
    """The first frame of the answer to a call.

    ``flags:1 code:1 tracing:25 nh:1 (hk~1 hv~1)* csumtype:1 (csum:4){0,1} chunk~2 ...``

    Args:
        id: The id of the call.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        code: 0 for success, anything else for an application error that the args describe.
        tracing: The tracing of the call.
        headers: The transport headers.
        checksum_type: The checksum type of the call.
        checksum: The value on the wire; computed over `chunks` when left out.
        chunks: The parts of arg1 (always empty), arg2 and arg3 in this frame.

    """

    __slots__ = ("code", "headers", "tracing")
    TYPE: ClassVar[FrameType] = FrameType.CALL_RESPONSE
    _FIELDS = (
        *("flags", "code", "tracing", "headers"),
        *("checksum_type", "checksum", "chunks"),
    )

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        code: int = 0,
        tracing: bytes | Tracing = NO_TRACING,
        headers: Mapping[str, str],
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self.code: int = code
        self.tracing: bytes = pack_tracing(tracing)
        self.headers: dict[str, str] = dict(headers)
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        return b"".join(
            (
                BYTE.pack(self.flags) + BYTE.pack(self.code),
                self.tracing,
                encode_headers(self.headers),
                self._write_chunks(),
            )
        )

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallResponse:
        if len(frame) < _RESPONSE_HEAD.size:
            raise IndexError
        _, _, _, flags, code, tracing = _RESPONSE_HEAD.unpack_from(frame)
        end = header_block_end(frame, RESPONSE_PREFIX)
        headers = decode_headers(frame[RESPONSE_PREFIX:end])
        checksum_type, checksum, chunks = read_chunks(frame, end)
        return cls(
            id=id,
            flags=flags,
            code=code,
            tracing=tracing,
            headers=headers,
            checksum_type=checksum_type,
            checksum=checksum,
            chunks=chunks,
        )
