"""Errors of Thrift calls that neither the core nor the engine has."""

from __future__ import annotations

from tchannel.errors import ReadError

from .rw.errors import UnknownExceptionError

__all__ = ["UndeclaredExceptionError"]


class UndeclaredExceptionError(ReadError, UnknownExceptionError):
    """The peer answered with an exception that the caller's IDL does not declare.

    Usually the server's IDL is newer. It is a `tchannel.errors.ReadError`, as every answer that
    cannot be read, and thriftrw's UnknownExceptionError, which tchannel-python let through.

    Args:
        description: What came.

    """

    def __init__(self, description: str) -> None:
        super().__init__(description)
