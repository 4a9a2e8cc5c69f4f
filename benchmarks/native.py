"""Instructions of a small call with tchannel-speedups, beside those in Python alone, in one run.

    make bench-native           builds it for this Python and counts
    python benchmarks/native.py [--json FILE]

Needs valgrind, and refuses to compare Python with itself: each process whose calls are counted says
at its end which parts were native in it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import check

# What is promised of native over Python; None where there is no bar in instructions.
BARS: dict[str, float | None] = {"wire": None, "channel": 0.40, "alone": None}


def parts_of(done: subprocess.CompletedProcess[str], *, pure: bool) -> dict[str, str]:
    """What was native in the very process that made the calls, by part, as it said at its end.

    Raises:
        check.CheckError: that is not what was to be counted; with the reason.

    """
    parts: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    if not parts:
        raise check.CheckError("nothing is native: tchannel-speedups is not installed")
    if pure == ("native" in parts.values()):
        what = "something is native that was to run in Python" if pure else "nothing is native"
        raise check.CheckError(f"{what}: {json.dumps(parts)}")
    return parts


def instructions(path: str, *, pure: bool) -> tuple[float, dict[str, str]]:
    """Instructions per call of a path, in Python alone or with what is native, and what was.

    Raises:
        check.CheckError: one of the processes did not run as it was to.

    """
    parts: dict[str, str] = {}
    counts: list[float] = []
    check.run([], path, check.FEW, pure=pure)  # uncounted: compiling falls into no count
    for calls in (check.FEW, check.MANY):
        count, done = check.count_run_with_valgrind(path, calls, pure=pure, say_native=True)
        parts = parts_of(done, pure=pure)
        counts.append(count)
    return (counts[1] - counts[0]) / (check.MANY - check.FEW), parts


def table(figures: dict[str, dict[str, float]]) -> list[str]:
    """One line for each path, with its bar."""
    lines = []
    for path, cost in figures.items():
        ratio, bar = cost["native"] / cost["pure"], BARS[path]
        verdict = "" if bar is None else f"; bar {bar}: {'held' if ratio <= bar else 'MISSED'}"
        lines.append(
            f"{path}: {cost['native']:,.0f} instructions of {cost['pure']:,.0f}, "
            f"{ratio:.2f}{verdict}"
        )
    return lines


def main(arguments: list[str]) -> int:
    """Count and print; 2 when nothing can be compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    options = parser.parse_args(arguments)
    try:
        figures: dict[str, dict[str, float]] = {}
        seen: dict[str, dict[str, str]] = {}
        for path in BARS:
            native, seen[path] = instructions(path, pure=False)
            pure, _ = instructions(path, pure=True)
            figures[path] = {"pure": pure, "native": native}
    except (check.CheckError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    parts = {part: how for said in seen.values() for part, how in said.items()}
    print(check.build() + ":", ", ".join(f"{part} {how}" for part, how in parts.items()))
    print("\n".join(table(figures)))
    if options.json:
        document = {"build": check.build(), "active": seen, "instructions": figures}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
