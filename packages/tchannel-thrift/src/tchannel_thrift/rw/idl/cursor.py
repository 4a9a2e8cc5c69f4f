"""A place in the tokens of a document, and the errors about it."""

from __future__ import annotations

from typing import Final, NoReturn

from tchannel_thrift.rw.errors import ThriftParserError, error_at

from . import literals
from .ast import Position
from .tokens import doc_text, tokenize

_new_tuple: Final = tuple.__new__

_INTEGERS: Final = ("integer", "hexadecimal")

_SHOWN: Final = 100
"""Characters of a token that a message shows."""


class Cursor:
    """Walks over the tokens of a document; the base of the parser.

    Args:
        source: The text of the document.
        path: The file it is from, for errors, or None.
        strict: Follow thriftrw's tokens, or else Apache's.

    """

    __slots__ = (
        "_counted",
        "_line",
        "_line_start",
        "docs",
        "index",
        "kinds",
        "path",
        "source",
        "starts",
        "strict",
        "texts",
    )

    def __init__(self, source: str, *, path: str | None, strict: bool) -> None:
        self.source: str = source
        self.path: str | None = path
        self.strict: bool = strict
        tokens = tokenize(source, strict=strict)
        self.kinds: list[str] = tokens.kinds
        self.texts: list[str] = tokens.texts
        self.starts: list[int] = tokens.starts
        self.docs: dict[int, str] = tokens.docs
        self.index: int = 0
        # How far lines have been counted, the line there, and where that starts.
        self._counted = 0
        self._line = 1
        self._line_start = 0

    # -- places ---------------------------------------------------------------------------------

    def pos(self) -> Position:
        """Where the current token starts."""
        return self.pos_at(self.starts[self.index])

    def pos_at(self, offset: int) -> Position:
        """The line and column of a character of the document."""
        counted = self._counted
        if offset < counted:
            if offset >= self._line_start:
                return _new_tuple(Position, (self._line, offset - self._line_start + 1))
            counted = self._line_start = 0
            self._line = 1
        # Counted from the last one on: almost all are asked for in the order of the file, and a list
        # of the starts of all lines takes forty times what the shortest line takes.
        lines = self.source.count("\n", counted, offset)
        if lines:
            self._line += lines
            self._line_start = self.source.rindex("\n", counted, offset) + 1
        self._counted = offset
        # Half the time of Position(...): every node has one.
        return _new_tuple(Position, (self._line, offset - self._line_start + 1))

    def doc(self, index: int) -> str | None:
        """The text of the doc comment right before a token."""
        comment = self.docs.get(index)
        return None if comment is None else doc_text(comment)

    # -- errors ---------------------------------------------------------------------------------

    def unexpected(self, expected: str) -> NoReturn:
        """Refuse the current token.

        The beginnings of the messages are thriftrw's, typing errors included: programs compare
        them.
        """
        kind, text, pos = self.kinds[self.index], self.texts[self.index], self.pos()
        if kind == "end":
            # Point behind the last token, not behind the white space after it.
            last = self.index - 1
            pos = self.pos_at(self.starts[last] + len(self.texts[last]))
            raise self.error("Grammer error at EOF", pos, expected=expected)
        if kind != "invalid":
            message = f"Grammar error {self._shown(kind, text)} at line {pos.line}"
            raise self.error(message, pos, expected=expected)
        message = f"Illegal characher {text!r} at line {pos.line}"
        if text in {'"', "'"}:
            raise self.error(message, pos, expected=f"a closing {text} on the same line")
        if self.source.startswith("/*", self.starts[self.index]):
            raise self.error(message, pos, expected="*/ after the comment that begins here")
        raise self.error(message, pos, expected=expected)

    def _shown(self, kind: str, text: str) -> str:
        """A token for a message: the value of a literal, the text of anything else."""
        try:
            if kind in _INTEGERS:
                return repr(literals.integer(kind, text))
            if kind == "decimal":
                return repr(float(text))
            if kind == "quoted":
                text = literals.string(text)
        except literals.BadLiteralError as error:
            self.index += 1
            raise self._bad_literal(error) from None
        return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")

    def error(
        self, message: str, pos: Position, *, expected: str | None = None
    ) -> ThriftParserError:
        """An error at a place of this document."""
        return error_at(ThriftParserError, message, self, pos, expected=expected)

    # -- tokens ---------------------------------------------------------------------------------

    def skip(self, kind: str) -> bool:
        """Step over a token of that kind if it is there, and tell whether it was."""
        if self.kinds[self.index] == kind:
            self.index += 1
            return True
        return False

    def skip_word(self, word: str) -> bool:
        """Step over an identifier with a meaning at this place, such as ``xsd_all``."""
        if self.texts[self.index] == word and self.kinds[self.index] == "identifier":
            self.index += 1
            return True
        return False

    def skip_separator(self) -> None:
        """Step over one optional ``,`` or ``;``."""
        kind = self.kinds[self.index]
        if kind == "," or kind == ";":
            self.index += 1

    def take(self, kind: str, expected: str) -> str:
        """Step over a token of that kind, which must be there, and return its text."""
        index = self.index
        if self.kinds[index] != kind:
            self.unexpected(expected)
        self.index = index + 1
        return self.texts[index]

    def take_name(self, expected: str) -> str:
        """Step over the name of something that is declared here, and return it.

        Refuses dots, which only references have. thriftrw accepts dots in the names of types, but
        nothing could refer to such a type; Apache refuses them.
        """
        name = self.take("identifier", expected)
        if "." in name:
            self.index -= 1
            self.unexpected(f"{expected} without dots")
        return name

    def take_string(self, expected: str) -> str:
        """Step over a string literal, which must be there, and return its value."""
        text = self.take("quoted", expected)
        try:
            return literals.string(text)
        except literals.BadLiteralError as error:
            raise self._bad_literal(error) from None

    def take_integer(self, expected: str) -> int:
        """Step over an integer literal, which must be there, and return its value."""
        kind = self.kinds[self.index]
        if kind not in _INTEGERS:
            self.unexpected(expected)
        self.index += 1
        try:
            return literals.integer(kind, self.texts[self.index - 1])
        except literals.BadLiteralError as error:
            raise self._bad_literal(error) from None

    def _bad_literal(self, error: literals.BadLiteralError) -> ThriftParserError:
        """An error within the literal that was just stepped over."""
        pos = self.pos_at(self.starts[self.index - 1] + error.offset)
        return self.error(error.message, pos, expected=error.expected)
