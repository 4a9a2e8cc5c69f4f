"""Bodies and headers as they are given: JSON or YAML, in place, in a file, or on standard input."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from .._terminal.failures import ToolError, one_line
from .shon import read_word

__all__ = ["Given", "refuse_constant"]

_YAML_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Given:
    """A body, or headers.

    Attributes:
        what: How the user calls it, for errors.
        text: The text in place: ``"-"`` is standard input and ``"@path"`` a file.
        path: A file that was given as such, instead of text; ``"-"`` is standard input.
        yaml: Whether it is YAML whatever the file is called.
        word: Whether the text stands in third place, where a lone word is text.

    """

    what: str
    text: str | None
    path: str | None
    yaml: bool = False
    word: bool = False

    def as_bytes(self) -> bytes:
        """The bytes as they are, for the raw scheme: ``"-"`` and ``"@path"`` are text then.

        Raises:
            ToolError: The file cannot be read.

        """
        if self.path is not None:
            return self._read(self.path)
        # As the shell passed it: arguments need not be UTF-8.
        return os.fsencode(self.text or "")

    def as_value(self) -> Any:
        """The value that the JSON or YAML stands for.

        Raises:
            ToolError: It cannot be read, or is no JSON (YAML); says where.

        """
        path = self.path
        text = self.text
        if path is None and text is not None and (text == "-" or text.startswith("@")):
            path = text.removeprefix("@")
        what = self.what
        if path is not None:
            what = f"{what} in {_shown(path)}"
            try:
                text = self._read(path).decode()
            except UnicodeDecodeError as error:
                raise ToolError(f"{what} is not UTF-8 at byte {error.start}") from None
        if self.yaml or (path or "").endswith(_YAML_ENDINGS):
            return _parse_yaml(text or "", what)
        if self.word and path is None and not (text or "").lstrip().startswith(("{", "[", '"')):
            return read_word(text) if text else {}
        return _parse_json(text or "", what)

    def _read(self, path: str) -> bytes:
        try:
            if path == "-":
                return sys.stdin.buffer.read()
            with open(path, "rb") as file:
                return file.read()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise ToolError(
                f"cannot read {self.what} from {_shown(path)}: {reason or error}"
            ) from None


def _parse_json(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        hint = ""
        word = text.strip()
        if word and word[0] not in '{["':
            hint = f"; a JSON string has quotes: '{json.dumps(word[:40], ensure_ascii=False)}'"
        raise ToolError(
            f"{what} is no JSON at line {error.lineno}, column {error.colno}: {error.msg}{hint}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{what} is no JSON: {error}") from None


def refuse_constant(name: str) -> NoReturn:
    """Refuse the NaN and Infinity that Python's decoder would take."""
    raise ValueError(f"{name} is none of its numbers")


def _parse_yaml(text: str, what: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
        problem = getattr(error, "problem", None) or str(error)
        raise ToolError(f"{what} is no YAML{place}: {one_line(problem)}") from None
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{what} is no YAML: {one_line(str(error))}") from None


def _shown(path: str) -> str:
    return "standard input" if path == "-" else path
