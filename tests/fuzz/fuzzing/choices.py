"""Bytes as a source of decisions, so that a fuzzer steers what a target does.

Not that of atheris: the corpus has to mean the same where atheris is not installed.
"""

from typing import TypeVar

__all__ = ["Choices"]

_T = TypeVar("_T")


class Choices:
    """Reads decisions from `data`; when it is used up, each decision is 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether there is anything left to decide by."""
        return self._at < len(self._data)

    def number(self, below: int) -> int:
        """A number from 0 up to, but not including, `below`."""
        size = 1 if below <= 1 << 8 else 2 if below <= 1 << 16 else 4
        return int.from_bytes(self._take(size)) % below

    def one_of(self, values: "list[_T] | tuple[_T, ...]") -> _T:
        """One of `values`."""
        return values[self.number(len(values))]

    def flag(self) -> bool:
        """Yes or no."""
        return bool(self.number(2))

    def some(self, at_most: int = 64) -> bytes:
        """A few bytes, fewer than `at_most`."""
        return self._take(self.number(at_most))

    def rest(self) -> bytes:
        """All that is left."""
        return self._take(len(self._data))

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken
