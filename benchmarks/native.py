"""Instructions of a small call with tchannel-speedups, beside those in Python alone, in one run.

    make bench-native           builds it for this Python and counts
    python benchmarks/native.py [--json FILE]

Needs valgrind, and refuses to compare Python with itself. Says first which parts are native.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import check

# What is promised of native over Python; None where there is no bar in instructions.
BARS: dict[str, float | None] = {"wire": None, "channel": 0.40, "alone": None}
ASK = """
import json
import tchannel_speedups, tchannel
from tchannel import TChannel, thrift
print(json.dumps(tchannel_speedups.active()))
"""


def active() -> dict[str, str]:
    """What is native where the programs run, by part.

    Raises:
        check.CheckError: nothing is; with the reason.

    """
    environment = {**os.environ, "TCHANNEL_PURE": ""}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise check.CheckError(f"nothing is native: {last[0] if last else done.returncode}")
    parts: dict[str, str] = json.loads(done.stdout)
    if "native" not in parts.values():
        raise check.CheckError(f"nothing is native: {json.dumps(parts)}")
    return parts


def instructions(path: str, *, pure: bool) -> float:
    """Instructions per call of a path, in Python alone or with what is native."""
    check.run([], path, check.FEW, pure=pure)  # uncounted: compiling falls into no count
    few, many = (
        check.count_with_valgrind(path, calls, pure=pure) for calls in (check.FEW, check.MANY)
    )
    return (many - few) / (check.MANY - check.FEW)


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
        parts = active()
        print(check.build() + ":", ", ".join(f"{part} {how}" for part, how in parts.items()))
        figures = {
            path: {
                "pure": instructions(path, pure=True),
                "native": instructions(path, pure=False),
            }
            for path in BARS
        }
    except (check.CheckError, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(table(figures)))
    if options.json:
        document = {"build": check.build(), "active": parts, "instructions": figures}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
