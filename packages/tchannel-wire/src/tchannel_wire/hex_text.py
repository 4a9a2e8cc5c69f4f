"""Bytes out of text: lines of hex digits as people write them, and the dumps of common tools."""

from __future__ import annotations

import re

__all__ = ["HexText"]

_COMMENT = re.compile(r"#.*")
_SEPARATOR = re.compile(r"0[xX]|\\x|[,:;]")
_OFFSET = re.compile(
    r"""(?:0x)?([0-9a-f]{4,16})
        (?: :(?:\s+|$)                  # xxd, tcpdump
          | \s{2,}(?=[0-9a-f]{2}\b)     # hexdump -C, tshark -x
        )""",
    re.IGNORECASE | re.VERBOSE,
)
_LAST_OFFSET = re.compile(r"[0-9a-f]{7,16}", re.IGNORECASE)
_BYTE_COLUMN = re.compile(r"[0-9a-f]{2}(?: [0-9a-f]{2}){0,7}", re.IGNORECASE)
_COLUMN_GAP = re.compile(r"\s{2,}")
_FULL_COLUMN = len("00 11 22 33 44 55 66 77")


class HexText:
    """Reads lines of hex digits, one after the other.

    A line holds whole bytes, with or without spaces, commas, colons or ``0x`` between them; what
    follows a ``#`` is a comment. The lines of ``xxd``, ``hexdump -C``, ``tshark -x`` and
    ``tcpdump -x``, which begin with an offset and may end with the bytes as characters, are told by
    their offset; it is compared with the bytes before, so that a line left out does not go unnoticed.
    """

    def __init__(self) -> None:
        # Bytes since a dump began, while one is being read.
        self._dumped: int | None = None

    def read_line(self, line: str) -> bytes:
        """The bytes that `line` stands for.

        Raises:
            ValueError: It is neither; the text says what was expected.

        """
        line = line.strip().lstrip("\ufeff")
        offset = _OFFSET.match(line)
        if offset is not None:
            return self._read_dump(line, int(offset[1], 16), line[offset.end() :])
        if self._dumped is not None:
            if line == "*":
                raise ValueError("'*' stands for lines left out: dump without it, as hexdump -v")
            if _LAST_OFFSET.fullmatch(line):
                return self._read_dump(line, int(line, 16), "")
        return _unhex(_COMMENT.sub("", line), line)

    def _read_dump(self, line: str, offset: int, columns: str) -> bytes:
        dumped = 0 if self._dumped is None or offset == 0 else self._dumped
        if offset != dumped:
            raise ValueError(f"the line begins at {offset:#x}, and {dumped:#x} bytes precede it")
        first, *others = _COLUMN_GAP.split(columns)
        # What may follow the digits in a column of its own is the second half of the bytes, or the
        # bytes as characters.
        if len(first) == _FULL_COLUMN and others and _BYTE_COLUMN.fullmatch(others[0]):
            first += others[0]
        data = _unhex(first, line)
        self._dumped = dumped + len(data)
        return data


def _unhex(digits: str, line: str) -> bytes:
    digits = _SEPARATOR.sub(" ", digits)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        shown = repr(line) if len(line) <= 60 else f"{line[:60]!r}..."
        if re.fullmatch(r"[0-9a-fA-F\s]*", digits):
            raise ValueError(f"hex digits must come in pairs, got {shown}") from None
        raise ValueError(f"expected hex digits, got {shown}") from None
