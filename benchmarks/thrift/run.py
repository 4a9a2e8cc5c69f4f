"""Thrift engines side by side: ``python benchmarks/thrift/run.py [--json FILE]``.

All contenders take turns within one run, round by round, so that what disturbs the machine
disturbs all of them; the table shows medians over the rounds, of CPU time.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, MissingError
from workloads import LOAD_BAR, LOAD_NAME, WORKLOADS, large_document, load_and_use

BASELINE = "thriftrw"


def main() -> int:
    """Measure and report; returns the exit status, 1 if a bar is missed and ``--check`` given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="rounds of each workload (21)")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--check", action="store_true", help="fail if a bar is missed")
    parser.add_argument(
        "--load-once", nargs=2, metavar=("CONTENDER", "FILE"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.load_once:
        print(load_once(*options.load_once))
        return 0

    contenders: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, cls in CONTENDERS.items():
        try:
            contenders[name] = cls()
        except MissingError as error:
            missing[name] = str(error)
    seconds = measure(contenders, options.rounds)
    seconds[LOAD_NAME] = measure_loading(contenders, max(3, options.rounds // 3))
    bars = {workload.name: workload.bar for workload in WORKLOADS} | {LOAD_NAME: LOAD_BAR}
    missed = report(seconds, bars, list(contenders), missing)
    if options.json:
        figures = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "missing": missing,
            "bars": bars,
            "seconds": seconds,
        }
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if options.check and missed else 0


def measure(contenders: dict[str, Any], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds per operation: by workload, by contender, one for each round."""
    result: dict[str, dict[str, list[float]]] = {}
    for workload in WORKLOADS:
        operations = {name: workload.prepare(one) for name, one in contenders.items()}
        samples: dict[str, list[float]] = {name: [] for name in operations}
        for operation in operations.values():
            operation()
        for turn in range(rounds):
            names = list(operations)
            # Nobody always comes first.
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                operation = operations[name]
                gc.collect()
                begin = time.process_time()
                for _ in range(workload.repeat):
                    operation()
                samples[name].append((time.process_time() - begin) / workload.repeat)
        result[workload.name] = samples
    return result


def measure_loading(contenders: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Seconds to load the large file, each time in a process of its own: nothing is cached."""
    samples: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "large.thrift"
        path.write_text(large_document())
        for _ in range(rounds):
            for name, contender in contenders.items():
                if hasattr(contender, "load"):
                    command = [sys.executable, __file__, "--load-once", name, str(path)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    samples.setdefault(name, []).append(float(done.stdout))
    return samples


def load_once(name: str, path: str) -> float:
    """Seconds to load the large file and use some of its types; importing does not count."""
    contender = CONTENDERS[name]()
    begin = time.process_time()
    load_and_use(contender, Path(path))
    return time.process_time() - begin


def report(
    seconds: dict[str, dict[str, list[float]]],
    bars: dict[str, float],
    names: list[str],
    missing: dict[str, str],
) -> list[str]:
    """Print the table; returns the workloads whose bar is missed."""
    print(f"Python {platform.python_version()}; CPU microseconds, medians")
    print(
        f"{'':24}" + "".join(f"{name:>12}" for name in names) + f"{'of ' + BASELINE:>14}{'bar':>6}"
    )
    missed = []
    for workload, samples in seconds.items():
        medians = {name: statistics.median(values) * 1e6 for name, values in samples.items()}
        cells = "".join(f"{medians[n]:12.2f}" if n in medians else f"{'-':>12}" for n in names)
        relative = ""
        if BASELINE in medians:
            # Round by round, since both were measured within the same moments.
            pairs = zip(samples["ours"], samples[BASELINE], strict=True)
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            relative = f"{ratio:14.2f}{bars[workload]:6.2f}"
            if ratio > bars[workload]:
                missed.append(workload)
                relative += "  missed"
        print(f"{workload:24}{cells}{relative}")
    for name, reason in missing.items():
        print(f"missing: {name}: {reason}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
