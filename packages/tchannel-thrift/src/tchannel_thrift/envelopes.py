"""Thrift's message envelope around a request, which TChannel does without and some callers add.

YARPC's services recognise a request in an envelope by its first bytes, strict or not, and answer in
kind, and so do handlers here. Arguments begin with the type of a field, which is neither 0, unless
there are none at all, nor above 127.
"""

from __future__ import annotations

from typing import NamedTuple

from .rw.errors import ThriftProtocolError
from .rw.protocol.binary import BinaryReader, BinaryWriter
from .rw.wire import mtype

__all__ = ["Envelope", "enclose", "open_envelope"]

_STRICT = b"\x80"


class Envelope(NamedTuple):
    """The envelope of a request."""

    name: bytes
    """The function, as the caller calls it."""
    seqid: int
    """What pairs the answer with the request."""
    strict: bool
    """Whether it begins with a version."""


def open_envelope(arg3: bytes) -> tuple[Envelope, bytes] | None:
    """Return the envelope of a request and what is in it; None where there is none.

    Raises:
        ThriftProtocolError: It is an envelope of another version, or of an answer.

    """
    strict = arg3 >= _STRICT
    reader = BinaryReader(arg3)
    try:
        name, message_type, seqid = reader.read_message_begin()
    except ThriftProtocolError:
        if strict:
            raise
        return None  # no arguments, and bytes after them that nobody looks at
    if not strict and not name:
        return None
    if message_type not in (mtype.CALL, mtype.ONEWAY):
        if not strict:
            return None
        kind = mtype.name_of(message_type) or message_type
        raise ThriftProtocolError(f"the envelope is of a message of the type {kind}, not of a CALL")
    return Envelope(name, seqid, strict), arg3[reader.position :]


def enclose(envelope: Envelope, arg3: bytes) -> bytes:
    """Return the answer to a request that came in an envelope: ``arg3`` in one of the same kind."""
    writer = BinaryWriter()
    writer.write_message_begin(envelope.name, mtype.REPLY, envelope.seqid, strict=envelope.strict)
    return writer.getvalue() + arg3
