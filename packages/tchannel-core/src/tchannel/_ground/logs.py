"""Loggers whose lines stay lines, whatever a peer has sent.

Names, texts and addresses that come from the network go into log lines. Every logger of the library is
made by `logger`, which sees to each argument and attribute of a record on its way: what is not
printable is escaped, and what is long is cut (`shown`). So no line can be forged, no terminal steered,
and none grows.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Final

from .log_fields import LogFields
from .text import shown

__all__ = ["logger", "safe_arguments"]

MAX_ERROR: Final = 1_000
"""Characters of the message of one exception in a traceback, which is mostly the application's own."""

_AS_THEY_ARE: Final = frozenset({int, float, bool, type(None)})


class _Shown(str):
    """A text that is fit to be shown; ``%r`` puts it in quotes and escapes nothing again."""

    __slots__ = ("_repr",)

    _repr: str

    def __repr__(self) -> str:
        return self._repr


def _safe(value: object) -> object:
    if type(value) in _AS_THEY_ARE or type(value) is _Shown:
        return value
    if isinstance(value, str):
        safe = _Shown(shown(str(value)))
        safe._repr = f"'{safe}'"
    else:
        safe = _Shown(shown(_text(str, value)))
        safe._repr = shown(_text(repr, value))
    return safe


def _text(make: Callable[[object], str], value: object) -> str:
    try:
        return str(make(value))
    except Exception:  # its own __str__ is broken; a line about it is written all the same
        return f"<{type(value).__name__}>"


def safe_arguments(args: tuple[object, ...]) -> tuple[object, ...]:
    """Return the arguments of a log line, fit to be shown."""
    return tuple([_safe(value) for value in args])


class _Escaping(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = safe_arguments(record.args)
        elif isinstance(record.args, dict):
            record.args = {name: _safe(value) for name, value in record.args.items()}
        for name in LogFields.__annotations__:
            value = record.__dict__.get(name)
            if isinstance(value, str):
                record.__dict__[name] = shown(value)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not record.exc_text:
            # What formatters take, where they find it, instead of formatting the traceback anew.
            record.exc_text = "".join(_lines_of(error)).rstrip("\n")
        return True


_escaping: Final = _Escaping()


def _lines_of(error: BaseException) -> Iterator[str]:
    """Give the traceback of ``error`` piece by piece, the messages in it escaped and cut."""
    for piece in traceback.TracebackException.from_exception(error, compact=True).format():
        inner = piece.strip("\n")
        if inner.startswith("  "):
            # A place in a source file, or a part of a group: its lines stand behind a margin.
            for line in inner.split("\n"):
                yield shown(line, MAX_ERROR) + "\n"
        else:
            yield piece.replace(inner, shown(inner, MAX_ERROR))


def logger(name: str) -> logging.Logger:
    """Return the logger of that name; nothing that a peer sent reaches its lines as it was sent."""
    made = logging.getLogger(name)
    made.addFilter(_escaping)
    return made
