"""The handshake: init request and init response."""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import ClassVar, Self

from ..frames import HEADER_SIZE, FrameType
from .base import BaseMessage, length, read_text

__all__ = ["PROTOCOL_VERSION", "InitRequest", "InitResponse"]

PROTOCOL_VERSION = 2

_VERSION_COUNT = Struct(">HH")


class _Init(BaseMessage):
    __slots__ = ("headers", "version")
    _FIELDS = ("version", "headers")

    def __init__(
        self, *, id: int = 1, version: int = PROTOCOL_VERSION, headers: Mapping[str, str]
    ) -> None:
        self.id = id
        self.version: int = version
        self.headers: dict[str, str] = dict(headers)

    def _write(self) -> bytes:
        parts = [_VERSION_COUNT.pack(self.version, len(self.headers))]
        for key, value in self.headers.items():
            for text in (key.encode(), value.encode()):
                parts += (length(text, key), text)
        return b"".join(parts)

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Self:
        offset = HEADER_SIZE + _VERSION_COUNT.size
        if len(frame) < offset:
            raise IndexError
        version, count = _VERSION_COUNT.unpack_from(frame, HEADER_SIZE)
        headers: dict[str, str] = {}
        for _ in range(count):
            key, offset = read_text(frame, offset)
            value, offset = read_text(frame, offset)
            headers[str(key, "utf-8")] = str(value, "utf-8")
        return cls(id=id, version=version, headers=headers)


class InitRequest(_Init):
    """The opener's half of the handshake: ``version:2 nh:2 (key~2 value~2)*``.

    Args:
        id: The message id.
        version: The protocol's version, 2.
        headers: `host_port` and `process_name` are required by the protocol, any others allowed.

    """

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.INIT_REQUEST


class InitResponse(_Init):
    """The accepter's half of the handshake; fields as in `InitRequest`, id of the request."""

    __slots__ = ()
    TYPE: ClassVar[FrameType] = FrameType.INIT_RESPONSE
