"""Errors of the Thrift engine, under the names and with the hierarchy of thriftrw 1.9.0.

An error found in an IDL file says where: it carries the file, line, column and source line, and
its text shows the line with a caret. ``error_at`` is the one place that builds such errors.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = [
    "EndOfInputError",
    "ThriftCompilerError",
    "ThriftError",
    "ThriftParserError",
    "ThriftProtocolError",
    "UnknownExceptionError",
    "error_at",
]

_STEP = 1 << 16
_LONGEST_MESSAGE = 1000
"""Characters of a message: names in it are as long as the file likes."""

_EXCERPT_WIDTH = 120
"""Characters of a source line that an error shows: generated files may have one huge line."""


class ThriftError(Exception):
    """Base of every error of the Thrift engine."""


class _SourceError(ThriftError):
    """An error in an IDL document.

    Args:
        message: The whole text of the error.
        path: The file, or None where the document was given as text or the place is unknown.
        line: Line of the mistake, counted from 1, or None where unknown.
        column: Column of the mistake in characters, counted from 1, or None where unknown.
        source_line: The text of that line without its line ending, or None where unknown.

    """

    def __init__(
        self,
        message: str = "",
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        source_line: str | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.source_line = source_line


class ThriftParserError(_SourceError):
    """An IDL document is not grammatical. See ``_SourceError`` for the attributes."""


class ThriftCompilerError(_SourceError):
    """An IDL document is grammatical but means nothing: a name that does not exist, say.

    See ``_SourceError`` for the attributes.
    """


class ThriftProtocolError(ThriftError):
    """A payload is not what the Thrift Binary Protocol allows."""


class EndOfInputError(ThriftProtocolError):
    """A payload ended before the value that it announces."""


class UnknownExceptionError(ThriftError):
    """A response holds an exception that the function does not declare.

    Args:
        message: What was received.
        thrift_response: The decoded response, or None.

    """

    def __init__(self, message: str, thrift_response: object = None) -> None:
        super().__init__(message)
        self.thrift_response = thrift_response

    def __str__(self) -> str:
        message = super().__str__()
        return f"UnknownExceptionError({message}, thrift_response={self.thrift_response!r})"

    __repr__ = __str__


class SourceDocument(Protocol):
    """Where an error's text comes from: an ``ast.Document``, or anything with these two."""

    @property
    def path(self) -> str | None:
        """The file, or None for a document given as text."""
        ...

    @property
    def source(self) -> str:
        """The whole text of the document."""
        ...


_E = TypeVar("_E", bound=_SourceError)


def error_at(
    cls: type[_E],
    message: str,
    document: SourceDocument,
    pos: tuple[int, int],
    *,
    expected: str | None = None,
) -> _E:
    """An error that points at a place of a document, for the caller to raise.

    Its text is ``path:line:column: message: expected what`` (``line L, column C:`` for a document
    without a path), then the source line, then a caret under the column.

    Args:
        cls: ThriftParserError or ThriftCompilerError.
        message: What is wrong, without place and without full stop.
        document: The document, for its path and text.
        pos: Line and column, both counted from 1; an ``ast.Position`` is one.
        expected: What would have been right, or None to leave that out.

    """
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}..."
    line, column = pos
    source_line = _line(document.source, line)
    place = f"line {line}, column {column}"
    if document.path is not None:
        place = f"{document.path}:{line}:{column}"
    if expected is not None:
        message = f"{message}: expected {expected}"
    text = f"{place}: {message}\n{_excerpt(source_line, column)}"
    return cls(text, path=document.path, line=line, column=column, source_line=source_line)


def _line(source: str, number: int) -> str:
    """Line ``number`` of the source; only LF ends a line, as in the tokenizer."""
    left = number - 1
    start = 0
    # In large steps first: a file may begin with millions of empty lines.
    while left > _STEP and start < len(source):
        left -= source.count("\n", start, start + _STEP)
        start += _STEP
    for _ in range(left):
        start = source.find("\n", start) + 1
        if not start:
            return ""
    end = source.find("\n", start)
    return source[start : end if end >= 0 else None].rstrip("\r")


def _excerpt(line: str, column: int) -> str:
    """The source line, clipped around the column, and the line with the caret."""
    first = max(0, column - 1 - _EXCERPT_WIDTH // 2) if len(line) > _EXCERPT_WIDTH else 0
    shown = line[first : first + _EXCERPT_WIDTH]
    before = "..." if first else ""
    after = "..." if first + _EXCERPT_WIDTH < len(line) else ""
    # A terminal must not obey what the file contains; tabs stay, and pad the caret alike.
    shown = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in shown)
    pad = "".join("\t" if char == "\t" else " " for char in shown[: column - 1 - first])
    return f"    {before}{shown}{after}\n    {' ' * len(before)}{pad}^"
