"""The later frames of a call and of its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from ..checksums import ChecksumType
from ..frames import FrameType
from .base import BYTE
from .chunks import ChunksMessage, read_chunks

__all__ = ["CallRequestContinue", "CallResponseContinue"]


class _Continue(ChunksMessage):
    __slots__ = ()
    _FIELDS = ("flags", "checksum_type", "checksum", "chunks")

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        return BYTE.pack(self.flags) + self._write_chunks()

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Self:
        flags = frame[16]
        checksum_type, checksum, chunks = read_chunks(frame, 17)
        return cls(
            id=id, flags=flags, checksum_type=checksum_type, checksum=checksum, chunks=chunks
        )


class CallRequestContinue(_Continue):
    """A later frame of a call: ``flags:1 csumtype:1 (csum:4){0,1} chunk~2 ...``.

    Args:
        id: The id of the call.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        checksum_type: The type of the first frame.
        checksum: The value on the wire; when left out, computed over `chunks` as if this frame
            were the first (`chunks_checksum` takes the previous frame's value as its seed).
        chunks: The parts of the args in this frame.

    """

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.CALL_REQUEST_CONTINUE


class CallResponseContinue(_Continue):
    """A later frame of an answer; fields as in `CallRequestContinue`."""

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.CALL_RESPONSE_CONTINUE
