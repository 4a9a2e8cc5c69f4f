"""What is printed: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text

from .calls import Answer, Facts
from .failures import one_line

__all__ = ["print_bytes", "print_document", "print_facts", "print_note", "print_text"]

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
    # Bytes are arrays of numbers, which nobody reads one a line. A line of text has quotes.
    return _NUMBERS.sub(
        lambda match: " ".join(match[0].split()).replace("[ ", "[")[:-2] + "]", text
    )


def _print_coloured(text: str) -> None:
    coloured = Text(text)
    JSONHighlighter().highlight(coloured)
    Console(highlight=False, soft_wrap=True).print(coloured)


def print_text(text: str) -> None:
    """Print lines of a result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_bytes(data: bytes) -> None:
    """Print the bytes of a raw body as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_note(line: str) -> None:
    """Print one line for the user that is no result."""
    sys.stderr.write(f"tcurl: {one_line(line)}\n")
    sys.stderr.flush()


def print_facts(facts: Facts, answer: Answer | None) -> None:
    """Print what ``-v`` shows of a call."""
    tracing = facts.tracing
    connected = "" if facts.connected is None else f"sent after {_ms(facts.connected)}, "
    ids = " ".join(
        f"{name}={value:016x}"
        for name, value in (
            ("trace", tracing.trace_id),
            ("span", tracing.span_id),
            ("parent", tracing.parent_id),
        )
    )
    lines = [
        f"peer: {facts.peer or 'none'}",
        f"request: {_headers(facts.headers)}, checksum={facts.checksum}",
        f"tracing: {ids} flags={tracing.flags}",
        f"attempts: {facts.attempts} ({max(facts.attempts - 1, 0)} retries)",
        f"timing: {connected}over after {_ms(facts.seconds)}",
    ]
    if answer is not None:
        lines.append(
            f"response: {_headers(answer.headers)}, code={answer.code},"
            f" {len(answer.arg2)} bytes of headers, {len(answer.arg3)} bytes of body"
        )
    sys.stderr.write("".join(f"* {one_line(line)}\n" for line in lines))
    sys.stderr.flush()


def _headers(headers: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in headers.items())


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
