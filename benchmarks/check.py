"""Fail when a small call has become a quarter dearer than the committed reference.

    python benchmarks/check.py             compare with benchmarks/reference.json
    python benchmarks/check.py --update    measure anew and write the reference

Counts instructions with valgrind, or with perf where it can count, so that a busy machine changes
nothing; start-up is taken out by counting two runs of different length. Without either, CPU
seconds are compared. The reference holds one entry per build of an interpreter, that is version,
compiler and whether it was optimized by profile (PGO) and while linking (LTO), and method:
instructions on a build that is known are compared as they are; a build that is not known is compared
with another of its version, both relative to the floor of their own run. What was done is printed.
Speed-ups in C are switched off: it is the Python that is held.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
REFERENCE = HERE / "reference.json"
FLOOR = "floor"
PATHS = ("wire", "channel", "alone", "counters")
# Counting alone, without histograms of latency, is held against the same figure as all of it.
REFERENCE_OF = {"counters": "channel"}
TOLERANCE = 1.25
FEW, MANY = 320, 1600
TIMED_CALLS, TIMED_ROUNDS = 16_000, 9

Count = Callable[[str, int], float]


class CheckError(Exception):
    """The check cannot be made; the text says why."""


def run(
    command: list[str], path: str, calls: int, *, pure: bool = True, say_native: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the small-call program under `command`; unless `pure`, with the speed-ups it finds.

    With `say_native` its last line is what was native in it.

    Raises:
        CheckError: it failed; with its last line.

    """
    # Random string hashes would give each run another number of dict probes.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "TCHANNEL_PURE": "1" if pure else ""}
    program = [sys.executable, str(HERE / "small_call.py"), path, str(calls)]
    program += ["--say-native"] if say_native else []
    done = subprocess.run(
        command + program, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise CheckError(f"{path} failed: {last[0] if last else done.returncode}")
    return done


def count_with_valgrind(path: str, calls: int) -> float:
    """Instructions of a whole run, by callgrind."""
    return count_run_with_valgrind(path, calls)[0]


def count_run_with_valgrind(
    path: str, calls: int, *, pure: bool = True, say_native: bool = False
) -> tuple[float, subprocess.CompletedProcess[str]]:
    """The same, and the run itself."""
    with tempfile.NamedTemporaryFile() as log:
        tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        command = [*tool, f"--log-file={log.name}"]
        done = run(command, path, calls, pure=pure, say_native=say_native)
        text = Path(log.name).read_text(encoding="utf-8")
    found = re.search(r"Collected : (\d+)", text)
    if found is None:
        raise CheckError("valgrind printed no count")
    return float(found[1]), done


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


def build() -> str:
    """The running interpreter's build, on which the number of instructions depends."""
    flags = sysconfig.get_config_var("CONFIG_ARGS") or ""
    switched = {"PGO": "--enable-optimizations", "LTO": "--with-lto"}
    made = "+".join(name for name, flag in switched.items() if flag in flags) or "plain"
    words = [platform.python_version(), platform.python_compiler(), made]
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        words.append("free-threaded")
    return ", ".join(words)


def choose(
    reference: dict[str, dict[str, dict[str, float]]], of: str, method: str
) -> tuple[str, dict[str, float]]:
    """The build to compare with and its figures: the same one, or else one of the same version.

    Raises:
        CheckError: none of the version has figures by this method.

    """

    def version(name: str) -> str:
        return ".".join(name.partition(",")[0].split(".")[:2])

    known = {name: figures[method] for name, figures in reference.items() if method in figures}
    for name in [of, *sorted(known)]:
        if name in known and version(name) == version(of):
            return name, known[name]
    raise CheckError(
        f"no reference for any build of Python {version(of)} by {method}: check.py --update"
    )


def compare(
    measured: dict[str, float], reference: dict[str, float], *, same_build: bool = False
) -> dict[str, float]:
    """How dear each path is beside the reference: 1.0 is as dear, 1.25 a quarter dearer.

    Both are taken relative to their floor unless they are of the same build.

    A path that the reference lacks is left out.
    """
    named = {path: REFERENCE_OF.get(path, path) for path in PATHS}
    by = 1.0 if same_build else reference[FLOOR] / measured[FLOOR]
    return {
        path: measured[path] / reference[name] * by
        for path, name in named.items()
        if name in reference
    }


def read_reference() -> dict[str, dict[str, dict[str, float]]]:
    """The committed figures: build, method, path."""
    if not REFERENCE.is_file():
        return {}
    content: dict[str, dict[str, dict[str, float]]] = json.loads(
        REFERENCE.read_text(encoding="utf-8")
    )
    return content


def update(of: str, methods: list[str]) -> None:
    """Measure and write the figures of this build, leaving those of others alone."""
    reference = read_reference()
    for method in methods:
        figures = measure(method)
        # Four digits: more would change with every measurement.
        rounded = {
            path: float(f"{value:.4g}")
            for path, value in figures.items()
            if path not in REFERENCE_OF
        }
        reference.setdefault(of, {})[method] = rounded
        print(f"Python {of}, {method} per call:", json.dumps(rounded))
    REFERENCE.write_text(json.dumps(reference, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def check(of: str, method: str) -> int:
    """Compare and print; 1 when a path is dearer than the tolerance allows."""
    name, reference = choose(read_reference(), of, method)
    same_build = name == of and method != "seconds"
    if name == of:
        how = "" if same_build else ", relative to the floor"
        print(f"compared with the reference of this build ({name}){how}", flush=True)
    else:
        print(f"no reference of this build ({of}): compared with {name}, relative to the "
              "floor, which builds change by a tenth; check.py --update records this one",
              flush=True)  # fmt: skip
    measured = measure(method)
    for path in PATHS:
        if REFERENCE_OF.get(path, path) not in reference:
            print(f"{path}: {measured[path]:.4g} {method} per call, which the reference lacks: "
                  "check.py --update")  # fmt: skip
    dearer = False
    for path, ratio in compare(measured, reference, same_build=same_build).items():
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
    counting = shutil.which("valgrind") is not None or perf_counts()
    method = "instructions" if counting and not options.time else "seconds"
    try:
        if options.update:
            update(build(), [method, "seconds"] if method != "seconds" else [method])
            return 0
        return check(build(), method)
    except CheckError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
