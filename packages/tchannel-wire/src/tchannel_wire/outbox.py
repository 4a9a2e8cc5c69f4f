"""What a connection has to send, and in which order it leaves."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fragments import FragmentWriter

__all__ = ["DEFAULT_LIMIT", "Outbox"]

DEFAULT_LIMIT = 256 * 1024
"""Bytes that are handed out at once, unless the user says otherwise."""


class Outbox:
    """Whole frames first, in order; then one frame of each unfinished message in turn.

    Messages of several frames are built as they leave, so that a large one neither delays the
    small ones nor is written any further once its call is over.
    """

    __slots__ = ("_writers", "frames", "pending", "pulled", "size")

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.size: int = 0
        """Bytes in `frames`."""
        self.pending: int = 0
        """Bytes of args that are in no frame yet."""
        self.pulled: int = 0
        """How many of `frames` were ever handed out: the next one's number is this + len(frames).

        A call keeps its frame's number, and so learns without any work on the hot path whether
        the peer may have seen it.
        """
        # Made when first needed: an empty deque has 760 bytes, more than the rest of a connection.
        self._writers: deque[FragmentWriter] | None = None

    @property
    def has_data(self) -> bool:
        """Whether `take` would return anything."""
        return self.size > 0 or bool(self._writers)

    def append(self, frame: bytes) -> None:
        """Queue a whole frame."""
        self.frames.append(frame)
        self.size += len(frame)

    def drop(self, number: int) -> None:
        """Take back the frame with this number, which has not been handed out."""
        index = number - self.pulled
        self.size -= len(self.frames[index])
        self.frames[index] = b""  # keeps its place, so that the other numbers stay right

    def add(self, writer: FragmentWriter) -> None:
        """Queue a message of several frames."""
        self.pending += writer.buffered
        self.queue(writer)

    def queue(self, writer: FragmentWriter) -> None:
        """Give a writer that has something to write its turn."""
        writer.queued = True
        if self._writers is None:
            self._writers = deque()
        self._writers.append(writer)

    def remove(self, writer: FragmentWriter) -> None:
        """Forget a message that was given up."""
        self.pending -= writer.buffered
        if writer.queued:
            writer.queued = False
            assert self._writers is not None
            self._writers.remove(writer)

    def take(self, limit: int | None = None) -> bytes:
        """The next bytes to send, whole frames, until `limit` bytes are reached; b"" for none."""
        frames = self.frames
        if limit is None:
            limit = DEFAULT_LIMIT
        if not self._writers and self.size <= limit:
            self.pulled += len(frames)
            self.size = 0
            data = frames[0] if len(frames) == 1 else b"".join(frames)
            frames.clear()
            return data
        parts: list[bytes] = []
        taken = 0
        for frame in frames:
            parts.append(frame)
            taken += len(frame)
            if taken >= limit:
                break
        del frames[: len(parts)]
        self.pulled += len(parts)
        self.size -= taken
        writers = self._writers
        while writers:
            writer = writers.popleft()
            writer.queued = False
            # In parts, so that a large chunk is copied once, into all that leaves now.
            for part in writer.next_parts():
                parts.append(part)
                taken += len(part)
            if writer.done:
                writer.owner.written_out()
            elif writer.ready:
                self.queue(writer)
            # At least one of their frames leaves each time: small messages cannot starve them.
            if taken >= limit:
                break
        return b"".join(parts)
