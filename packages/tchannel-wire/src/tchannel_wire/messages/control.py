"""Messages about calls and connections that carry no args: cancel, claim and ping."""

from __future__ import annotations

from typing import ClassVar, Self

from ..frames import HEADER_SIZE, MAX_FRAME_SIZE, FrameType
from ..tracing import NO_TRACING, Tracing
from .base import SHORT, TTL_TRACING, BaseMessage, pack_tracing, read_text
from .error import cut_description

__all__ = ["Cancel", "Claim", "PingRequest", "PingResponse"]


class Cancel(BaseMessage):
    """Asks for the call with this id to end: ``ttl:4 tracing:25 why~2``.

    The protocol's text contradicts itself: one table says that there is no body. The long form is
    written, a frame without a body is read as all defaults.

    Args:
        id: The id of the call.
        ttl_ms: Milliseconds; 0 where it says nothing.
        tracing: The tracing of the call.
        why: A text for people.

    """

    __slots__ = ("tracing", "ttl_ms", "why")
    TYPE: ClassVar[FrameType] = FrameType.CANCEL
    _FIELDS = ("ttl_ms", "tracing", "why")

    def __init__(
        self, *, id: int, ttl_ms: int = 0, tracing: bytes | Tracing = NO_TRACING, why: str = ""
    ) -> None:
        self.id = id
        self.ttl_ms: int = ttl_ms
        self.tracing: bytes = pack_tracing(tracing)
        self.why: str = why

    def _write(self) -> bytes:
        why = cut_description(self.why, MAX_FRAME_SIZE - HEADER_SIZE - TTL_TRACING.size - 2)
        return TTL_TRACING.pack(self.ttl_ms, self.tracing) + SHORT.pack(len(why)) + why

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Cancel:
        if len(frame) == HEADER_SIZE:
            return cls(id=id)
        if len(frame) < HEADER_SIZE + TTL_TRACING.size:
            raise IndexError
        ttl_ms, tracing = TTL_TRACING.unpack_from(frame, HEADER_SIZE)
        why, _ = read_text(frame, 45)
        return cls(id=id, ttl_ms=ttl_ms, tracing=tracing, why=str(why, "utf-8", "replace"))


class Claim(BaseMessage):
    """Tells another worker that this one has a request, named by its tracing: ``ttl:4 tracing:25``.

    Args:
        id: The message id.
        ttl_ms: Milliseconds for which the claim holds.
        tracing: The tracing of the request.

    """

    __slots__ = ("tracing", "ttl_ms")
    TYPE: ClassVar[FrameType] = FrameType.CLAIM
    _FIELDS = ("ttl_ms", "tracing")

    def __init__(self, *, id: int, ttl_ms: int, tracing: bytes | Tracing = NO_TRACING) -> None:
        self.id = id
        self.ttl_ms: int = ttl_ms
        self.tracing: bytes = pack_tracing(tracing)

    def _write(self) -> bytes:
        return TTL_TRACING.pack(self.ttl_ms, self.tracing)

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Claim:
        if len(frame) < HEADER_SIZE + TTL_TRACING.size:
            raise IndexError
        ttl_ms, tracing = TTL_TRACING.unpack_from(frame, HEADER_SIZE)
        return cls(id=id, ttl_ms=ttl_ms, tracing=tracing)


class _Ping(BaseMessage):
    __slots__ = ()

    def __init__(self, *, id: int) -> None:
        self.id = id

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Self:  # noqa: ARG003 - no payload
        return cls(id=id)


class PingRequest(_Ping):
    """Asks for a `PingResponse` with the same id; without a payload."""

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.PING_REQUEST


class PingResponse(_Ping):
    """Answers a `PingRequest`; without a payload."""

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.PING_RESPONSE
