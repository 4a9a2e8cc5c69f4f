"""What is printed: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text

from .failures import one_line

__all__ = [
    "console",
    "print_bytes",
    "print_details",
    "print_document",
    "print_json_line",
    "print_note",
    "print_text",
]

_UNSEEN: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_NUMBERS: Final = re.compile(r"\[\n(?: +-?[0-9][-+.0-9eE]*,?\n)+ *\]")


# A document is JSON of any shape.
def print_document(document: Any) -> None:
    """Print JSON: pretty, and coloured on a terminal."""
    text = _pretty(document, ascii_only=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = _pretty(document, ascii_only=True)
    if sys.stdout.isatty():
        _print_coloured(text)
    else:
        print_text(text)


def _pretty(document: Any, *, ascii_only: bool) -> str:
    text = json.dumps(document, indent=2, ensure_ascii=ascii_only)
    # JSON leaves these as they are, and a terminal obeys some: C1 controls, marks of direction.
    text = _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    # Bytes are arrays of numbers, which nobody reads one a line. A line of text has quotes.
    return _NUMBERS.sub(
        lambda match: " ".join(match[0].split()).replace("[ ", "[")[:-2] + "]", text
    )


def _print_coloured(text: str) -> None:
    coloured = Text(text)
    JSONHighlighter().highlight(coloured)
    console().print(coloured, soft_wrap=True)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let it end as any command whose output nobody reads; rich would exit with 1."""
        raise BrokenPipeError


def console(piped: int | None = None) -> Console:
    """Return what prints tables and colours; no text of others is markup to it.

    Args:
        piped: Columns where the output is no terminal; default 80.

    """
    width = None if sys.stdout.isatty() else piped
    return _Console(highlight=False, markup=False, emoji=False, width=width)


def print_json_line(document: Any) -> None:
    """Print JSON on one line, for machines."""
    print_text(json.dumps(document, ensure_ascii=True, default=str))


def print_text(text: str) -> None:
    """Print lines of a result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_bytes(data: bytes) -> None:
    """Print the bytes of a raw body as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_note(command: str, line: str) -> None:
    """Print one line for the user that is no result.

    Args:
        command: The name of the command, which the line begins with.
        line: The text; what is no printable character in it is replaced.

    """
    sys.stderr.write(f"{command}: {one_line(line)}\n")
    sys.stderr.flush()


def print_details(lines: Iterable[str]) -> None:
    """Print what ``-v`` shows beside the result, a line each."""
    sys.stderr.write("".join(f"* {one_line(line)}\n" for line in lines))
    sys.stderr.flush()
