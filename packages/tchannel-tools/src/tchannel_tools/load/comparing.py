"""Results of two runs, side by side."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from .._terminal.failures import ToolError, one_line

__all__ = ["Comparison", "Report", "check_writable", "read_report", "write_report"]

# JSON objects, as `LoadReport.document` makes them and files hold them.
Report: TypeAlias = Mapping[str, Any]


def check_writable(path: str) -> None:
    """Say before a run that its result could not be written.

    Raises:
        ToolError: It could not.

    """
    new = not os.path.exists(path)
    try:
        with open(path, "a", encoding="utf-8"):
            pass
        if new:
            os.unlink(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolError(f"cannot write {path}: {reason}") from None


def write_report(path: str, report: Report) -> None:
    """Write a result into a file.

    Raises:
        ToolError: It cannot be written.

    """
    try:
        Path(path).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}") from None


def read_report(path: str) -> Report:
    """Read a result from a file.

    Raises:
        ToolError: It cannot be read, or is no result of ``tchannel load``.

    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ToolError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{path} is no JSON: {error}") from None
    try:
        numbers = [found[key] for key in ("calls", "seconds", "rate", "ok")]
        numbers += [one["count"] for one in found["errors"].values()]
        numbers += found["latency_ms"].values()
        usable = all(isinstance(one, int | float) and math.isfinite(one) for one in numbers)
    except (KeyError, TypeError, AttributeError):
        usable = False
    if not usable:
        raise ToolError(f"{path} is no result of tchannel load (of -o, or --json)")
    report: Report = found
    return report


class Comparison:
    """Two results.

    Args:
        before: The earlier one.
        now: The later one.

    """

    def __init__(self, before: Report, now: Report) -> None:
        self._before = before
        self._now = now

    def _rows(self) -> list[tuple[str, float, float, str]]:
        """Name, before, now, and how to format; what only one of them has counts 0 in the other."""
        sides = (self._before, self._now)
        rows: list[tuple[str, float, float, str]] = []

        def row(name: str, values: list[float], form: str) -> None:
            rows.append((name, values[0], values[1], form))

        row("calls", [one["calls"] for one in sides], ",")
        row("calls/s", [one["rate"] for one in sides], ",.1f")
        row("ok", [one["ok"] for one in sides], ",")
        for kind in sorted({kind for one in sides for kind in one["errors"]}):
            counts = [one["errors"].get(kind, {"count": 0})["count"] for one in sides]
            row(one_line(kind), counts, ",")
        both = [one["latency_ms"] for one in sides]
        for name in both[1]:
            if name in both[0]:
                label = name if name in {"min", "mean", "max"} else f"{name} %"
                row(one_line(label), [one[name] for one in both], ",.2f")
        return rows

    def text(self) -> str:
        """A table: before, now, and the change."""
        lines = [f"{'':<22}{'before':>14}{'now':>14}{'change':>11}"]
        for name, before, now, form in self._rows():
            if name == "min":
                lines.append("latency (ms)")
            change = _change(before, now)
            shown = "" if change is None else f"{change:+.1%}"
            lines.append(f"  {name:<20}{before:>14{form}}{now:>14{form}}{shown:>11}")
        return "\n".join(lines)

    def document(self) -> dict[str, object]:
        """Both, and the changes: 0.1 is a tenth more; null from 0."""
        return {
            "before": self._before,
            "now": self._now,
            "change": {name: _change(before, now) for name, before, now, _ in self._rows()},
        }


def _change(before: float, now: float) -> float | None:
    return (now - before) / before if before else (0.0 if now == before else None)
