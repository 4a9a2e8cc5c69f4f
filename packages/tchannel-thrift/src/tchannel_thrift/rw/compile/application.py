"""TApplicationException: how Apache Thrift reports what the IDL does not declare."""

from __future__ import annotations

from ..protocol.binary import BinaryReader
from ..wire import ttype


class ApplicationException(Exception):
    """What the remote side says went wrong.

    Args:
        message: Its words, or None.
        type: Its kind, for example 1 for an unknown method and 6 for an internal error; see
            Apache's ``TApplicationException``.

    """

    def __init__(self, message: str | None = None, type: int = 0) -> None:
        super().__init__(message, type)
        self.message = message
        self.type = type

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ApplicationException):
            return NotImplemented
        return (self.message, self.type) == (other.message, other.type)

    def __hash__(self) -> int:
        return hash((self.message, self.type))

    def __repr__(self) -> str:
        return f"TApplicationException(message={self.message!r}, type={self.type!r})"


def read_application_exception(reader: BinaryReader) -> ApplicationException:
    """Read the body of a message of the type EXCEPTION."""
    message = None
    kind = 0
    while True:
        code, field_id = reader.read_field_begin()
        if code == ttype.STOP:
            return ApplicationException(message, kind)
        if field_id == 1 and code == ttype.BINARY:
            message = reader.read_binary().decode("utf-8", "replace")
        elif field_id == 2 and code == ttype.I32:
            kind = reader.read_i32()
        else:
            reader.skip(code)
