"""Reads `outcomes.md`: one table for each side, a row for each fault, a column for each way to call."""

import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["CELLS", "SIDES", "Cell", "reasons"]

OUTCOMES = Path(__file__).resolve().parents[1] / "outcomes.md"

SIDES = ("client", "server")

_FOOTNOTE = re.compile(r"\[([\w-]+)\]")
_REASON = re.compile(r"^\[([\w-]+)\] (.+)$")


class Cell(NamedTuple):
    """One cell, by its headings; `outcome` is its text."""

    fault: str
    side: str
    kind: str
    scheme: str
    outcome: str

    @property
    def reason(self) -> str | None:
        """The footnote that says why the cell cannot occur; None where it can."""
        found = _FOOTNOTE.fullmatch(self.outcome)
        return found[1] if found else None


def _read() -> tuple[list[Cell], dict[str, str]]:
    cells: list[Cell] = []
    notes: dict[str, str] = {}
    side = ""
    columns: list[tuple[str, str]] = []
    for line in OUTCOMES.read_text().splitlines():
        if line.startswith("## "):
            side = line.removeprefix("## ").lower()
            columns = []
        elif note := _REASON.match(line):
            notes[note[1]] = note[2]
        elif line.startswith("|") and side in SIDES:
            first, *rest = (part.strip() for part in line.strip("|").split("|"))
            if not columns:
                columns = [tuple(name.split(" ", 1)) for name in rest]  # type: ignore[misc]
            elif first.strip("-"):
                for (kind, scheme), outcome in zip(columns, rest, strict=True):
                    cells.append(Cell(first, side, kind, scheme, outcome))
    return cells, notes


CELLS, _NOTES = _read()


def reasons() -> dict[str, str]:
    """The footnotes: why cells cannot occur."""
    return _NOTES
