"""The tokenizer: one pass of one regular expression over the whole document.

Tokens are kept as parallel lists instead of objects: a file of 60 kB has some 15,000 of them, and
most are looked at once.
"""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Final, NamedTuple

BASE_TYPES: Final = frozenset(
    {"bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary"}
)

TYPE_KEYWORDS: Final = BASE_TYPES | {"map", "list", "set"}

KEYWORDS: Final = TYPE_KEYWORDS | {
    "namespace", "include", "typedef", "struct", "union", "exception", "service", "enum", "const",
    "void", "oneway", "extends", "throws", "required", "optional", "true", "false",
}  # fmt: skip
"""Words that are never names, in either mode. The words that Apache reserves beyond these (async,
senum, cpp_type, ...) have their meaning only where Apache's grammar has a place for them."""

# Possessive repeats (`*+`) of single characters: no input makes the expression look at one twice.
# Never of a group that can fail half-way: CPython 3.11.2, Debian 12's, then does not step back, and a
# plain repeat of a group keeps 100 bytes for each time around, hence the bound.
_IDENTIFIER = r"[A-Za-z_][A-Za-z_0-9]*+(?:\.[A-Za-z_0-9]++){0,255}"
# This one fails half-way only before a line's end, where no string can go on anyway.
_STRING = r""""[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+\'"""
_COMMENT = r"(?://|\#)[^\n]*+|/\*(?!\*(?!/))(?s:.*?)\*/"
_DOC = r"/\*\*(?!/)(?s:.*?)\*/"

_LONGEST_DOC: Final = 1 << 16
"""Characters of a doc comment that are kept. Its lines become objects of their own, so that a file
of nothing else would take many times its size."""


def _pattern(*, symbols: str, double: str, hexadecimal: str) -> re.Pattern[str]:
    return re.compile(
        rf"[ \t\r\n]*+(?:(?P<identifier>{_IDENTIFIER})|(?P<symbol>{symbols})"
        f"|(?P<comment>{_COMMENT})|(?P<decimal>{double})|(?P<hexadecimal>{hexadecimal})|(?P<integer>[+-]?[0-9]++)"
        rf"|(?P<quoted>{_STRING})|(?P<doc>{_DOC})|(?P<end>\Z)|(?P<invalid>(?s:.)))"
    )


_STRICT: Final = _pattern(
    symbols=r"[:;,=*{}()<>\[\]]",
    double=r"-?[0-9]++\.[0-9]*+(?:e-?[0-9]++)?",
    hexadecimal=r"0x[0-9A-Fa-f]++",
)
# Everything that is a number for Apache, and `1.`, which is one for thriftrw only.
_LENIENT: Final = _pattern(
    symbols=r"[:;,=*{}()<>\[\]&]",
    double=r"[+-]?(?:[0-9]++\.[0-9]*+(?:[eE][+-]?[0-9]++)?"
    r"|\.[0-9]++(?:[eE][+-]?[0-9]++)?|[0-9]++[eE][+-]?[0-9]++)",
    hexadecimal=r"[+-]?0x[0-9A-Fa-f]++",
)


class Tokens(NamedTuple):
    """The tokens of a document.

    The kind of a keyword or symbol is its text; the others are ``identifier``, ``integer``,
    ``hexadecimal``, ``decimal``, ``quoted``, and as the last one either ``end`` or ``invalid``.
    Texts are as in the file. ``docs`` has, under the index of the token that follows it, the
    text of a ``/** */`` comment.
    """

    kinds: list[str]
    texts: list[str]
    starts: list[int]
    docs: dict[int, str]


def tokenize(source: str, *, strict: bool) -> Tokens:
    """Split a document into tokens. Never fails.

    Where no token can be read, the list ends with one of the kind ``invalid``: the parser then
    reports the first mistake of the file, whether it lies in the characters or in the grammar.
    A byte order mark is skipped where Apache's lexing is followed (lenient).
    """
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    docs: dict[int, str] = {}
    pattern = _STRICT if strict else _LENIENT
    first = 1 if not strict and source.startswith("\ufeff") else 0
    for match in pattern.finditer(source, first):
        group = match.lastindex
        assert group is not None  # one alternative always matches
        kind = match.lastgroup
        if kind == "comment":
            continue
        text = match[group]
        if kind == "identifier":
            kinds.append(text if text in KEYWORDS else kind)
        elif kind == "symbol":
            kinds.append(text)
        elif kind == "doc":
            docs[len(kinds)] = _shortened(text)
            continue
        else:
            assert kind is not None
            kinds.append(kind)
        texts.append(text)
        starts.append(match.start(group))
        if kind in _LAST:
            break
    return Tokens(kinds, texts, starts, docs)


_LAST: Final = frozenset({"end", "invalid"})


def _shortened(comment: str) -> str:
    """The comment, or as much of it as is kept."""
    return comment if len(comment) <= _LONGEST_DOC else f"{comment[:_LONGEST_DOC]}...*/"


def doc_text(comment: str) -> str | None:
    """The text of a ``/** */`` comment without stars and indentation; None where it is empty."""
    lines = comment[3:-2].strip("*").splitlines()
    rest = [line for line in lines[1:] if line.strip()]
    if rest and all(line.lstrip().startswith("*") for line in rest):
        lines[1:] = [line.lstrip()[1:] for line in lines[1:]]
    if not lines:
        return None
    body = dedent("\n".join(line.rstrip() for line in lines[1:]))
    return f"{lines[0].strip()}\n{body}".strip() or None
