"""The error message, and how its text is cut to what fits."""

from __future__ import annotations

from typing import ClassVar

from ..errors import NO_MESSAGE_ID, error_name
from ..frames import HEADER_SIZE, MAX_FRAME_SIZE, FrameType
from ..tracing import NO_TRACING, TRACING_SIZE, Tracing
from .base import BYTE, SHORT, BaseMessage, pack_tracing, read_text

__all__ = ["MAX_ERROR_DESCRIPTION", "ErrorMessage", "cut_description"]

MAX_ERROR_DESCRIPTION = MAX_FRAME_SIZE - HEADER_SIZE - 1 - TRACING_SIZE - 2


class ErrorMessage(BaseMessage):
    """Ends a call, or says something about the connection: ``code:1 tracing:25 message~2``.

    Args:
        id: The id of the call, or `NO_MESSAGE_ID` when it is about the connection.
        code: An `ErrorCode`, or the number that a newer peer sent.
        tracing: The tracing of the call.
        description: A text for people; cut to 65,491 bytes, on a character, when written. Bytes
            that are no UTF-8 are read as replacement characters.

    """

    __slots__ = ("code", "description", "tracing")
    TYPE: ClassVar[FrameType] = FrameType.ERROR
    _FIELDS = ("code", "tracing", "description")

    def __init__(
        self,
        *,
        id: int = NO_MESSAGE_ID,
        code: int,
        tracing: bytes | Tracing = NO_TRACING,
        description: str = "",
    ) -> None:
        self.id = id
        self.code: int = code
        self.tracing: bytes = pack_tracing(tracing)
        self.description: str = description

    def _write(self) -> bytes:
        text = cut_description(self.description)
        return BYTE.pack(self.code) + self.tracing + SHORT.pack(len(text)) + text

    @classmethod
    def _read(cls, frame: bytes, id: int) -> ErrorMessage:
        tracing = frame[17:42]
        text, _ = read_text(frame, 42)
        return cls(
            id=id, code=frame[16], tracing=tracing, description=str(text, "utf-8", "replace")
        )

    def __str__(self) -> str:
        return f"{error_name(self.code)}: {self.description}"


def cut_description(text: str, most: int = MAX_ERROR_DESCRIPTION) -> bytes:
    """`text` in UTF-8, cut to `most` bytes without cutting a character; lone surrogates are `?`."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw
    return raw[:most].decode("utf-8", "ignore").encode()
