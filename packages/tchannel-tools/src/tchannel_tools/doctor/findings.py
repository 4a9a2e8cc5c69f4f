"""What was found, and how it is printed."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.text import Text

from .._terminal.failures import one_line
from .._terminal.output import console

__all__ = ["Finding", "Verdict", "note", "ok", "print_finding", "skipped", "summary", "wrong"]

_INDENT: Final = 25
_COLOURS: Final = {"ok": "green", "note": "yellow", "wrong": "bold red", "skipped": "dim"}
_WIDEST: Final = 100


class Verdict(StrEnum):
    """How it looks."""

    OK = "ok"
    NOTE = "note"
    """It works, but it is well to know."""
    WRONG = "wrong"
    SKIPPED = "skipped"
    """Not looked at; the text says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: Its name.
        verdict: How it looks.
        text: What was found, in plain words.
        mend: What to do about it; "" where there is nothing to do.

    """

    check: str
    verdict: Verdict
    text: str
    mend: str = ""

    def document(self) -> dict[str, str]:
        """Return it as an object of JSON."""
        return {
            "check": self.check,
            "verdict": str(self.verdict),
            "text": one_line(self.text),
            "mend": self.mend,
        }


def ok(check: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Verdict.OK, text)


def note(check: str, text: str, mend: str = "") -> Finding:
    """It works, and is well to know."""
    return Finding(check, Verdict.NOTE, text, mend)


def wrong(check: str, text: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.WRONG, text, mend)


def skipped(check: str, text: str) -> Finding:
    """It was not looked at."""
    return Finding(check, Verdict.SKIPPED, text)


def print_finding(finding: Finding) -> None:
    """Print a finding: what, and below it how to mend it."""
    on = console()
    width = min(on.width, _WIDEST)
    lines = [
        *textwrap.wrap(one_line(finding.text), width - _INDENT, break_on_hyphens=False),
        *textwrap.wrap(
            finding.mend,
            width - _INDENT,
            initial_indent="-> ",
            subsequent_indent="   ",
            break_on_hyphens=False,
        ),
    ] or [""]
    verdict = Text(f"  {finding.verdict:<9}", style=_COLOURS[finding.verdict])
    on.print(verdict + Text(f"{finding.check:<14}{lines[0]}"), soft_wrap=True)
    for line in lines[1:]:
        on.print(Text(" " * _INDENT + line), soft_wrap=True)


def summary(findings: Iterable[Finding]) -> str:
    """Return how many there are of each verdict that matters."""
    counts = Counter(one.verdict for one in findings)
    notes = counts[Verdict.NOTE]
    return (
        f"{counts[Verdict.WRONG]} wrong, {notes} note{'' if notes == 1 else 's'},"
        f" {counts[Verdict.OK]} ok, {counts[Verdict.SKIPPED]} skipped"
    )
