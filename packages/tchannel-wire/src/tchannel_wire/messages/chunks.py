"""The end that all four call messages share: their checksum and the chunks of their args."""

from __future__ import annotations

from collections.abc import Iterable

from ..checksums import ChecksumType, chunks_checksum
from ..errors import ProtocolError, bad_request
from .base import LONG, BaseMessage, length

__all__ = ["MORE_FRAGMENTS", "STREAMING", "ChunksMessage", "read_chunks"]

MORE_FRAGMENTS = 0x01
"""The flag of every call frame but the last of its message."""
STREAMING = 0x02
"""A flag that some peers may set on a call's first frame; it is read and never written."""


_MAX_CHUNKS = 64
"""Chunks of one frame that are looked at. Three are right, but a frame has room for 32,000 empty
ones, which took 24 ms to read."""


class ChunksMessage(BaseMessage):
    """The end that all four call messages share: ``csumtype:1 (csum:4){0,1} chunk~2 ...``."""

    __slots__ = ("checksum", "checksum_type", "chunks", "flags")

    flags: int
    checksum_type: ChecksumType
    checksum: int
    chunks: list[bytes]

    def _set_chunks(
        self,
        flags: int,
        checksum_type: ChecksumType,
        checksum: int | None,
        chunks: Iterable[bytes],
    ) -> None:
        self.flags = flags
        self.checksum_type = ChecksumType(checksum_type)
        self.chunks = list(chunks)
        if checksum is None:
            checksum = chunks_checksum(self.checksum_type, self.chunks)
        self.checksum = checksum

    @property
    def more(self) -> bool:
        """Whether more frames of this message follow."""
        return bool(self.flags & MORE_FRAGMENTS)

    def _write_chunks(self) -> bytes:
        parts = [bytes((self.checksum_type,))]
        if self.checksum_type:
            parts.append(LONG.pack(self.checksum))
        for chunk in self.chunks:
            parts += (length(chunk, "chunk"), chunk)
        return b"".join(parts)


def read_chunks(
    frame: bytes, offset: int, end: int | None = None
) -> tuple[ChecksumType, int, list[bytes]]:
    """Checksum type, checksum and chunks of a frame, from the checksum type's `offset` to its `end`.

    Raises:
        ProtocolError: The frame is cut off, has an unknown checksum type, or far more chunks than
            args; code BAD_REQUEST.

    """
    if end is None:
        end = len(frame)
    if offset >= end:
        raise _cut_off()
    try:
        checksum_type = ChecksumType(frame[offset])
    except ValueError:
        raise bad_request(f"unknown checksum type {frame[offset]}") from None
    offset += 1
    checksum = 0
    if checksum_type:
        if offset + 4 > end:
            raise _cut_off()
        checksum = LONG.unpack_from(frame, offset)[0]
        offset += 4
    chunks = []
    while offset < end:
        start = offset + 2
        if start > end:
            raise _cut_off()
        offset = start + (frame[offset] << 8 | frame[offset + 1])
        chunks.append(frame[start:offset])
        if len(chunks) > _MAX_CHUNKS:
            raise bad_request("more than three args")
    if offset > end:
        raise _cut_off()
    return checksum_type, checksum, chunks


def _cut_off() -> ProtocolError:
    return bad_request("call is cut off")
