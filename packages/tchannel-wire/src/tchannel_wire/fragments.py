"""Args into frames and frames into args.

The three args of a message are one byte stream with two boundaries. A frame carries chunks of it; a
chunk that is followed by another one in the same frame ends its arg. An arg that ends exactly at a
frame's end is ended by an empty chunk at the start of the next frame.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING

from .checksums import ChecksumType, chunks_checksum, verify_chunks
from .errors import bad_request
from .frames import HEADER_SIZE, MAX_FRAME_SIZE
from .messages import MORE_FRAGMENTS

if TYPE_CHECKING:
    from .exchanges import InboundFlow, OutboundFlow
    from .memory import MemoryBudget
    from .options import Options
    from .outbox import Outbox

__all__ = ["CHUNK_OVERHEAD", "MESSAGE_OVERHEAD", "FragmentReader", "FragmentWriter"]

_HEAD = Struct(">HBxI8xB")
_TYPED_SUM = Struct(">BI")
_LENGTH = Struct(">H")

_CONTINUATION = 0x10
"""What a first frame's type and its continuation's type differ by."""

CHUNK_OVERHEAD = 64
"""Bytes that Python spends on keeping one chunk: the object's header and its place in a list."""
MESSAGE_OVERHEAD = 2048
"""Bytes that Python spends on one unfinished message without its chunks, generously."""


_KEPT_FREE = 8 * 1024 * 1024


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of large messages for the next ones; does it once.

    glibc gives freed memory back to the system beyond twice the largest block that was freed
    before, and to get it anew costs a page fault per 4 KiB: half of the time of a message of 1 MiB.
    So a block of 8 MiB, of which no page is touched, is allocated and freed: from then on up to
    16 MiB are kept. Elsewhere, or where the user has set these limits, nothing changes.
    """
    bytes(_KEPT_FREE)


class FragmentWriter:
    """Writes one message that may take several frames, each built only when it is asked for.

    `arg1` and `arg2` are given whole; arg3 comes in pieces by `write` and ends with `finish`.

    Args:
        id: The message id.
        type: The type byte of the first frame.
        fields: What stands between the flags and the checksum type of the first frame.
        checksum_type: The checksum of the message.
        arg1: The endpoint; empty in a response.
        arg2: The application headers.

    """

    __slots__ = (
        *("id", "started", "finished", "done", "buffered", "queued"),
        *("_type", "_fields", "_checksum_type", "_checksum", "_arg1", "_arg2", "_arg2_at"),
        *("_in_arg3", "_pieces", "_piece_at", "_outbox", "owner"),
    )

    owner: InboundFlow | OutboundFlow

    def __init__(
        self,
        id: int,
        type: int,
        fields: bytes,
        checksum_type: ChecksumType,
        arg1: bytes,
        arg2: bytes,
    ) -> None:
        self.id = id
        self.started: bool = False
        """Whether a frame has been built, hence the peer may know of the message."""
        self.finished: bool = False
        """Whether `finish` was called."""
        self.done: bool = False
        """Whether the last frame has been built, or the message was given up."""
        self.buffered: int = len(arg1) + len(arg2)
        """Bytes of args that were given but are in no frame yet."""
        self.queued = False
        self._type = type
        self._fields = fields
        self._checksum_type = checksum_type
        self._checksum = 0
        self._arg1 = arg1
        self._arg2 = arg2
        self._arg2_at = 0
        self._in_arg3 = False
        self._pieces: deque[bytes] = deque()
        self._piece_at = 0
        self._outbox: Outbox | None = None

    def attach(self, outbox: Outbox, owner: InboundFlow | OutboundFlow) -> None:
        """Let the frames leave through `outbox`, on behalf of `owner`."""
        keep_freed_memory()
        self._outbox = outbox
        self.owner = owner
        outbox.add(self)

    def write(self, chunk: bytes) -> bool:
        """Add bytes to arg3; False, and nothing happens, if the message has been given up.

        Raises:
            TypeError: `chunk` is not bytes.
            ValueError: `finish` was called before.

        """
        if not isinstance(chunk, bytes):
            raise TypeError(f"chunk must be bytes, not {type(chunk).__name__}")
        if self.finished:
            raise ValueError("write() after finish()")
        if self.done:
            return False
        if chunk:
            self._pieces.append(chunk)
            self._grow(len(chunk))
        return True

    def finish(self) -> bool:
        """End arg3 and the message; False, and nothing happens, if it has been given up.

        Raises:
            ValueError: `finish` was called before.

        """
        if self.finished:
            raise ValueError("finish() was called before")
        if self.done:
            return False
        self.finished = True
        self._grow(0)
        return True

    def abandon(self) -> None:
        """Give the message up: no frame of it is built any more."""
        if not self.done:
            self.done = True
            self._pieces.clear()
            self._arg1 = self._arg2 = b""
            if self._outbox is not None:
                self._outbox.remove(self)
            self.buffered = 0

    @property
    def ready(self) -> bool:
        """Whether there is anything that a frame should be built for now."""
        if self.done:
            return False
        return not self.started or self.finished or not self._in_arg3 or bool(self._pieces)

    def next_frame(self) -> bytes | None:
        """The next frame, as full as the args given so far make it; None when there is none now."""
        parts = self.next_parts()
        return b"".join(parts) if parts else None

    def next_parts(self) -> list[bytes]:
        """The next frame in two parts that follow each other; none when there is none now.

        The second part is arg3's, of up to 64 KiB, which need not be copied once more.
        """
        if not self.ready:
            return []
        before = self.buffered
        room = MAX_FRAME_SIZE - HEADER_SIZE - 2 - len(self._fields)
        if self._checksum_type:
            room -= 4
        chunks: list[bytes] = []
        if not self.started:
            # arg1 is at most 16 KiB and the headers are at most 34 KiB: they always fit.
            chunks.append(self._arg1)
            room -= 2 + len(self._arg1)
            self.buffered -= len(self._arg1)
        if not self._in_arg3:
            end = self._arg2_at + room - 2
            chunk = self._arg2[self._arg2_at : end]
            self._arg2_at += len(chunk)
            chunks.append(chunk)
            room -= 2 + len(chunk)
            self.buffered -= len(chunk)
            # More than 2 bytes, so that an arg never starts with an empty chunk at a frame's edge.
            self._in_arg3 = self._arg2_at == len(self._arg2) and room > 2
            if self._in_arg3:
                self._arg2 = b""
                chunks.append(self._take(room - 2))
        else:
            chunks.append(self._take(room - 2))
        self.done = self.finished and self._in_arg3 and not self._pieces
        parts = self._build(chunks)
        self.started = True
        self._fields = self._arg1 = b""
        if self._outbox is not None:
            self._outbox.pending += self.buffered - before
        return parts

    def _grow(self, size: int) -> None:
        self.buffered += size
        if self._outbox is not None:
            self._outbox.pending += size
            if not self.queued:
                self._outbox.queue(self)

    def _take(self, most: int) -> bytes:
        """The next bytes of arg3, as many as there are up to `most`."""
        pieces = self._pieces
        taken: list[bytes] = []
        while most and pieces:
            piece = pieces[0]
            if self._piece_at or len(piece) > most:
                part = piece[self._piece_at : self._piece_at + most]
            else:
                part = piece
            taken.append(part)
            most -= len(part)
            self.buffered -= len(part)
            self._piece_at += len(part)
            if self._piece_at == len(piece):
                pieces.popleft()
                self._piece_at = 0
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _build(self, chunks: list[bytes]) -> list[bytes]:
        flags = 0 if self.done else MORE_FRAGMENTS
        type = self._type if not self.started else self._type | _CONTINUATION
        head = [self._fields]
        if self._checksum_type:
            self._checksum = chunks_checksum(self._checksum_type, chunks, self._checksum)
            head.append(_TYPED_SUM.pack(self._checksum_type, self._checksum))
        else:
            head.append(b"\0")
        for chunk in chunks:
            head += (_LENGTH.pack(len(chunk)), chunk)
        last = head.pop()
        size = _HEAD.size + sum(map(len, head)) + len(last)
        return [b"".join((_HEAD.pack(size, type, self.id, flags), *head)), last]


class FragmentReader:
    """Gathers the args of one message from the chunks of its frames, and keeps the limits.

    Args:
        checksum_type: The checksum type of the first frame; it may not change.
        options: The limits.
        to_stream: Whether arg3 is to be passed on as it comes; default False.
        budget: Where its bytes count besides; default nowhere.

    """

    __slots__ = (
        *("budget",),
        *("arg", "checksum", "checksum_type", "frames", "memory", "size", "streaming", "to_stream"),
        *("_options", "_parts"),
    )

    def __init__(
        self,
        checksum_type: ChecksumType,
        options: Options,
        *,
        to_stream: bool = False,
        budget: MemoryBudget | None = None,
    ) -> None:
        self.budget = budget
        self.checksum_type = checksum_type
        self.checksum: int = 0
        """The checksum of the previous frame, the seed of the next."""
        self.arg: int = 0
        """Which arg is being read: 0, 1 or 2. All before it are complete."""
        self.frames: int = 0
        self.size: int = 0
        self.memory = 0
        """Bytes that this message holds, to be counted by the connection."""
        self.to_stream = to_stream
        """Whether arg3 is to be passed on as it comes."""
        self.streaming: bool = False
        """Whether the message has been announced and arg3 is being passed on."""
        self._options = options
        self._parts: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])

    def feed(
        self, checksum_type: ChecksumType, checksum: int, chunks: list[bytes], *, last: bool
    ) -> None:
        """Take the chunks of the next frame; `last` when its flags say that no other follows.

        Raises:
            ProtocolError: Too large or too many frames, a bad checksum or another checksum type,
                arg1 not wholly in the first frame, or not exactly three args in the end; code
                BAD_REQUEST.

        """
        if checksum_type != self.checksum_type:
            raise bad_request(
                f"checksum type changes from {self.checksum_type.name} to {checksum_type.name}"
            )
        self.frames += 1
        if self.frames > self._options.max_frames_per_message:
            raise bad_request(
                f"more than {self._options.max_frames_per_message} frames in one message",
                "max_frames_per_message",
            )
        size = sum(map(len, chunks))
        if self.size + size > self._options.max_message_size:
            raise bad_request(
                f"message is larger than {self._options.max_message_size} bytes", "max_message_size"
            )
        if not verify_chunks(checksum_type, checksum, chunks, self.checksum):
            raise bad_request(f"bad {checksum_type.name} checksum {checksum:#010x}")
        self.checksum = checksum
        self.size += size
        arg = self.arg
        for index, chunk in enumerate(chunks):
            # The first chunk of a message begins arg1, that of another frame continues an arg.
            if index:
                arg += 1
            if arg > 2:
                raise bad_request("more than three args")
            if arg == 0 and chunk and self.frames > 1:
                raise bad_request("arg1 is fragmented")
            if chunk:
                self._parts[arg].append(chunk)
        self.arg = arg
        if last and arg < 2:
            raise bad_request(
                f"{arg + 1 if self.frames > 1 or chunks else 0} args instead of three"
            )

    @staticmethod
    def cost(chunks: list[bytes]) -> int:
        """What keeping `chunks` costs."""
        return sum(map(len, chunks)) + CHUNK_OVERHEAD * len(chunks)

    def take(self, arg: int) -> bytes:
        """The bytes of an arg gathered so far, which are forgotten here."""
        parts = self._parts[arg]
        if not parts:
            return b""
        if len(parts) == 1:
            data = parts[0]
        else:
            keep_freed_memory()
            data = b"".join(parts)
        parts.clear()
        return data

    def passed_on(self) -> None:
        """Count no frame and no byte any more: arg3 is passed on, not gathered."""
        self.streaming = True
        self.size = 0
        self.frames = 1
