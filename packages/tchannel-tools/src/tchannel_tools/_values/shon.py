"""Shell Object Notation: ``[ --key value ]`` for an object, ``[ a b ]`` for an array.

People typed it with the Node tool to spare themselves the quotes of JSON. It is made into JSON
before anything else looks at the command line.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from .._terminal.failures import ToolError

__all__ = ["hide_numbers", "read_word", "replace_shon", "shown"]

# Numbers as JavaScript reads them.
_WHOLE: Final = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_OTHER_BASE: Final = re.compile(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+")

_NEGATIVE: Final = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# Words inside brackets that stand for something else.
_CONSTANTS: Final = {"[]": [], "[--]": {}, "-t": True, "-f": False, "-n": None}


def replace_shon(argv: Sequence[str]) -> list[str]:
    """Return the arguments with each ``[ … ]`` as one argument of JSON.

    Raises:
        ToolError: A bracket is not closed, or a key has no value.

    """
    replaced = []
    position = 0
    while position < len(argv):
        if argv[position] == "[":
            value, position = _brackets(argv, position + 1)
            replaced.append(json.dumps(value, ensure_ascii=False))
        else:
            replaced.append("{}" if argv[position] == "[--]" else argv[position])
            position += 1
    return replaced


def _brackets(argv: Sequence[str], position: int) -> tuple[Any, int]:
    if position < len(argv) and argv[position].startswith("--") and argv[position] != "--":
        return _object(argv, position)
    array: list[Any] = []
    while True:
        word = _word_at(argv, position)
        if word == "]":
            return array, position + 1
        value, position = _value(argv, position)
        array.append(value)


def _object(argv: Sequence[str], position: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while True:
        word = _word_at(argv, position)
        if word == "]":
            return found, position + 1
        if not word.startswith("--") or word == "--":
            raise ToolError(f"in [ … ] a key like --name is expected, not {word!r}")
        key, equals, text = word[2:].partition("=")
        if equals:
            found[key] = _scalar(text)
            position += 1
            continue
        following = _word_at(argv, position + 1)
        if following == "]" or (following.startswith("--") and following != "--"):
            raise ToolError(f"in [ … ] the key {word!r} has no value")
        found[key], position = _value(argv, position + 1)


def _value(argv: Sequence[str], position: int) -> tuple[Any, int]:
    word = _word_at(argv, position)
    if word == "[":
        return _brackets(argv, position + 1)
    if word == "--":
        # What follows is text, whatever it looks like.
        return _word_at(argv, position + 1), position + 2
    return _scalar(word), position + 1


def read_word(word: str) -> Any:
    """Return what a lone word stands for: a number, or text, "true" and "null" as well."""
    if _WHOLE.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        number = float(word)
        return int(number) if number.is_integer() else number
    return int(word, 0) if _OTHER_BASE.fullmatch(word) else word


def _scalar(word: str) -> Any:
    if word in _CONSTANTS:
        return copy.copy(_CONSTANTS[word])
    if word.startswith("{"):
        try:
            return json.loads(word)
        except ValueError as error:
            raise ToolError(f"in [ … ] {word!r:.60} is no JSON: {error}") from None
    return read_word(word)


def _word_at(argv: Sequence[str], position: int) -> str:
    if position >= len(argv):
        raise ToolError("a '[' is not closed by a ']'")
    return argv[position]


def hide_numbers(argv: Sequence[str]) -> list[str]:
    """Mark negative numbers, which argparse would take for options: no argument has a NUL."""
    return [
        f"\0{word}" if _NEGATIVE.fullmatch(word) and word not in {"-1", "-2", "-3"} else word
        for word in argv
    ]


def shown(word: str | None) -> Any:
    """Return a word without the mark of `hide_numbers`."""
    return None if word is None else word.removeprefix("\0")
