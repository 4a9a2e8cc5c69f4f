"""The message envelope in which Apache Thrift sends requests and responses."""

from __future__ import annotations

from typing import ClassVar

from . import mtype


class Message:
    """A request or response together with its envelope.

    Args:
        name: Name of the method; text is encoded, as in thriftrw 1.9.0, so that the attribute is
            always bytes.
        seqid: Sequence number that pairs a response with its request; a signed 32-bit integer.
        message_type: One of ``mtype.CALL``, ``REPLY``, ``EXCEPTION``, ``ONEWAY``.
        body: The request or response object.

    """

    __slots__ = ("body", "message_type", "name", "seqid")

    def __init__(self, name: bytes | str, seqid: int, message_type: int, body: object) -> None:
        self.name: bytes = name.encode() if isinstance(name, str) else name
        self.seqid: int = seqid
        self.message_type: int = message_type
        self.body: object = body

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (self.name, self.seqid, self.message_type, self.body) == (
            other.name,
            other.seqid,
            other.message_type,
            other.body,
        )

    __hash__: ClassVar[None]  # type: ignore[assignment]  # the body can change

    def __repr__(self) -> str:
        kind = mtype.name_of(self.message_type) or str(self.message_type)
        return f"Message({self.name!r}, {self.seqid!r}, {kind!r}, {self.body!r})"
