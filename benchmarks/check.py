"""Fail when a small call has become a quarter dearer than the committed reference.

    python benchmarks/check.py             compare with benchmarks/reference.json
    python benchmarks/check.py --update    measure anew and write the reference

Counts instructions with valgrind, or with perf where it can count, so that a busy machine changes
nothing; start-up is taken out by counting two runs of different length. Without either, CPU
seconds are compared. Every figure is taken relative to the floor of the same run, which takes out
how the interpreter was built. The reference holds one entry per Python version and method.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
REFERENCE = HERE / "reference.json"
FLOOR = "floor"
PATHS = ("wire", "channel", "counters")
# Counting alone, without histograms of latency, is held against the same figure as all of it.
REFERENCE_OF = {"counters": "channel"}
TOLERANCE = 1.25
FEW, MANY = 320, 1600
TIMED_CALLS, TIMED_ROUNDS = 16_000, 9

Count = Callable[[str, int], float]


class CheckError(Exception):
    """The check cannot be made; the text says why."""


def run(command: list[str], path: str, calls: int) -> subprocess.CompletedProcess[str]:
    """Run the small-call program under `command`.

    Raises:
        CheckError: it failed; with its last line.

    """
    # Random string hashes would give each run another number of dict probes.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    program = [sys.executable, str(HERE / "small_call.py"), path, str(calls)]
    done = subprocess.run(
        command + program, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise CheckError(f"{path} failed: {last[0] if last else done.returncode}")
    return done


def count_with_valgrind(path: str, calls: int) -> float:
    """Instructions of a whole run, by callgrind."""
    with tempfile.NamedTemporaryFile() as log:
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        run([*tool, f"--log-file={log.name}"], path, calls)
        text = Path(log.name).read_text(encoding="utf-8")
    found = re.search(r"Collected : (\d+)", text)
    if found is None:
        raise CheckError("valgrind printed no count")
    return float(found[1])


def count_with_perf(path: str, calls: int) -> float:
    """Instructions of a whole run in user mode, by perf."""
    with tempfile.NamedTemporaryFile() as log:
        run(["perf", "stat", "-x,", "-e", "instructions:u", "-o", log.name, "--"], path, calls)
        text = Path(log.name).read_text(encoding="utf-8")
    found = re.search(r"^(\d+),", text, re.MULTILINE)
    if found is None:
        raise CheckError("perf counts no instructions here")
    return float(found[1])


def perf_counts() -> bool:
    """Whether perf is there and may count instructions (virtual machines often refuse)."""
    if shutil.which("perf") is None:
        return False
    command = ["perf", "stat", "-x,", "-e", "instructions:u", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return re.match(r"\d+,", done.stderr) is not None


def instructions_per_call(count: Count, paths: tuple[str, ...]) -> dict[str, float]:
    """The difference of two runs, per call: what start-up costs is in both and cancels out.

    Each is counted twice and the smaller taken: what a start pays once in a while (a module
    compiled anew, say) makes one count larger, and never one smaller.
    """

    def least(path: str, calls: int) -> float:
        return min(count(path, calls), count(path, calls))

    return {path: (least(path, MANY) - least(path, FEW)) / (MANY - FEW) for path in paths}


def seconds_per_call(paths: tuple[str, ...]) -> dict[str, float]:
    """The median of CPU seconds over rounds in which the paths take turns."""
    taken: dict[str, list[float]] = {path: [] for path in paths}
    for _ in range(TIMED_ROUNDS):
        for path in paths:
            taken[path].append(float(run([], path, TIMED_CALLS).stdout) / TIMED_CALLS)
    return {path: median(values) for path, values in taken.items()}


def measure(method: str) -> dict[str, float]:
    """The cost per call of the floor and of each path by one method."""
    paths = (FLOOR, *PATHS)
    if method == "seconds":
        return seconds_per_call(paths)
    for path in paths:
        # Uncounted: in a fresh clone compiling would fall into the first count of a path alone, and
        # so into its difference. The floor's would be four times as large, and hide as much.
        run([], path, FEW)
    count = count_with_valgrind if shutil.which("valgrind") else count_with_perf
    return instructions_per_call(count, paths)


def compare(measured: dict[str, float], reference: dict[str, float]) -> dict[str, float]:
    """How dear each path is beside the reference, both taken relative to their floor.

    1.0 is as dear as the reference, 1.25 a quarter dearer.

    Raises:
        CheckError: the reference lacks a path.

    """
    named = {path: REFERENCE_OF.get(path, path) for path in (FLOOR, *PATHS)}
    for name in named.values():
        if name not in reference:
            raise CheckError(f"the reference has no {name!r}: check.py --update")
    return {
        path: (measured[path] / measured[FLOOR]) / (reference[named[path]] / reference[FLOOR])
        for path in PATHS
    }


def read_reference() -> dict[str, dict[str, dict[str, float]]]:
    """The committed figures: Python version, method, path."""
    if not REFERENCE.is_file():
        return {}
    content: dict[str, dict[str, dict[str, float]]] = json.loads(
        REFERENCE.read_text(encoding="utf-8")
    )
    return content


def update(version: str, methods: list[str]) -> None:
    """Measure and write the figures of this Python, leaving those of others alone."""
    reference = read_reference()
    for method in methods:
        figures = measure(method)
        # Four digits: more would change with every measurement.
        rounded = {
            path: float(f"{value:.4g}")
            for path, value in figures.items()
            if path not in REFERENCE_OF
        }
        reference.setdefault(version, {})[method] = rounded
        print(f"Python {version}, {method} per call:", json.dumps(rounded))
    REFERENCE.write_text(json.dumps(reference, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check(version: str, method: str) -> int:
    """Compare and print; 1 when a path is dearer than the tolerance allows."""
    reference = read_reference().get(version, {}).get(method)
    if reference is None:
        raise CheckError(f"no reference for Python {version} by {method}: check.py --update")
    measured = measure(method)
    dearer = False
    for path, ratio in compare(measured, reference).items():
        verdict = "ok" if ratio <= TOLERANCE else f"DEARER than {TOLERANCE} times the reference"
        dearer = dearer or ratio > TOLERANCE
        cheap = ", cheaper: --update keeps it so" if ratio < 1 / TOLERANCE else ""
        print(f"{path}: {measured[path]:.4g} {method} per call, {ratio:.3f} of the reference: "
              f"{verdict}{cheap}")  # fmt: skip
    return int(dearer)


def main(arguments: list[str]) -> int:
    """Check or update; 2 when the check cannot be made."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="write the reference")
    parser.add_argument("--time", action="store_true", help="CPU seconds, not instructions")
    options = parser.parse_args(arguments)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    counting = shutil.which("valgrind") is not None or perf_counts()
    method = "instructions" if counting and not options.time else "seconds"
    try:
        if options.update:
            update(version, [method, "seconds"] if method != "seconds" else [method])
            return 0
        return check(version, method)
    except CheckError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
