"""Progress on standard error, for people alone: of whatever takes over a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from .failures import one_line

__all__ = ["Progress"]

_Item = TypeVar("_Item")

_FIRST: Final = 1.0
_EVERY: Final = 0.5


class Progress:
    """One line that is written over and over, where standard error is a terminal.

    Args:
        command: What the line begins with.
        beside_output: Whether results are printed meanwhile: then none is shown where they go to the
            same terminal.

    """

    def __init__(self, command: str, *, beside_output: bool = False) -> None:
        self._command = command
        self._shown = False
        self.wanted: bool = sys.stderr.isatty() and not (beside_output and sys.stdout.isatty())
        """Whether anybody sees it."""

    def show(self, line: str) -> None:
        """Show a line in place of the last one."""
        if self.wanted:
            sys.stderr.write(f"\r\x1b[K{self._command}: {one_line(line)}")
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away, before something else is written."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def watch(self, items: Iterable[_Item], unit: str) -> Iterator[_Item]:
        """Give the items, and show how many there were once that takes over a second.

        Args:
            items: What takes the time.
            unit: What is counted, such as ``packets read``.

        """
        if not self.wanted:
            yield from items
            return
        due = time.monotonic() + _FIRST
        try:
            for number, item in enumerate(items, 1):
                yield item
                if time.monotonic() >= due:
                    self.show(f"{number:,} {unit}")
                    due = time.monotonic() + _EVERY
        finally:
            self.clear()
