"""Measure this project's channel and its contenders side by side, in one run.

python benchmarks/run.py                      everything, all contenders: some two hours
python benchmarks/run.py --quick              the small call alone, under a minute
python benchmarks/run.py --only 'raw-16B-*' --against 'ours-*' --against node
python benchmarks/run.py --install            make the environments it runs the workers in
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from harness.bars import judge
from harness.contenders import NOT_QUICK, Contender, chosen_contenders
from harness.interpreters import Interpreter, find_node, find_py21, find_python, install
from harness.measurement import Entry, Result, Timing, take_turns
from harness.report import bars_table, document, startup_table, workload_table
from harness.startup import measure_startup
from harness.workloads import QUICK, STARTUP, WORKLOADS, chosen_workloads

DEFAULT_PYTHONS = ["3.13", "3.11"]
QUICK_TIMING = Timing(rounds=2, warm_up=1.0, measured=0.8, latency=0.2)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--only",
        action="append",
        default=[],
        metavar="WORKLOAD",
        help="workloads, shell patterns (repeatable; default: all)",
    )
    add(
        "--against",
        action="append",
        default=[],
        metavar="CONTENDER",
        help="contenders, shell patterns (repeatable; default: all)",
    )
    add(
        "--python",
        action="append",
        default=[],
        metavar="VERSION|PATH",
        help="interpreters of the Python contenders (repeatable; default: 3.13 and 3.11)",
    )
    add("--py21", type=Path, metavar="PATH", help="interpreter that has tchannel-python 2.1.0")
    add("--node-modules", type=Path, metavar="DIR", help="node_modules that has tchannel 4.0.1")
    add(
        "--quick",
        action="store_true",
        help="the small call on one Python, two short rounds: under a minute",
    )
    add("--rounds", type=int, help="rounds of the contenders (default 5)")
    add("--seconds", type=float, help="measured seconds per round (default 1.5)")
    add(
        "--delayed",
        action="store_true",
        help="take TCP_NODELAY from the connections that our servers accept, as it once was: "
        "what the apart-* workloads show without it",
    )
    add("--json", type=Path, metavar="FILE", help="write the figures here as well")
    add("--list", action="store_true", help="show workloads and contenders")
    add(
        "--install",
        action="store_true",
        help="make the Python environments of the contenders, then end",
    )
    options = parser.parse_args(arguments)
    for name in ("rounds", "seconds"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name} must be above 0, not {value}")
    return options


def make_entries(
    contenders: list[Contender], interpreters: list[Interpreter], options: argparse.Namespace
) -> list[Entry]:
    """Every contender on every interpreter that it runs on."""
    node, modules = find_node(options.node_modules)
    py21 = Interpreter("2.1.0", options.py21) if options.py21 else find_py21()
    entries = []
    for contender in contenders:
        if contender.runtime == "node":
            entries.append(Entry(contender, node, modules))
        elif contender.runtime == "py21":
            entries.append(Entry(contender, py21))
        else:
            entries.extend(Entry(contender, interpreter) for interpreter in interpreters)
    return entries


def make_timing(options: argparse.Namespace) -> Timing:
    """The timing asked for: the quick or the full one, changed by --rounds and --seconds."""
    base = QUICK_TIMING if options.quick else Timing()
    measured = options.seconds or base.measured
    rounds = options.rounds or base.rounds
    return Timing(rounds, base.warm_up, measured, min(base.latency, measured))


def progress(text: str) -> None:
    """Show what is under way, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run what was asked for; 1 when our own channel, or an import of ours, failed.

    What is missing, and a contender at its own limit (Node cannot write 32 MiB at once), is told in
    the tables and does not fail the run.
    """
    options = parse_arguments(arguments)
    if options.install:
        try:
            install(options.python or DEFAULT_PYTHONS)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    try:
        patterns = options.only or (list(QUICK) if options.quick else [])
        workloads = chosen_workloads(patterns)
        contenders = chosen_contenders(options.against)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        print("workloads: ", " ".join([*WORKLOADS, STARTUP]))
        print("contenders:", " ".join(contender.name for contender in contenders))
        return 0
    if options.quick and not options.against:
        contenders = [one for one in contenders if one.name not in NOT_QUICK]
    pythons = options.python or (DEFAULT_PYTHONS[:1] if options.quick else DEFAULT_PYTHONS)
    interpreters = [find_python(wanted) for wanted in pythons]
    labels = [interpreter.label for interpreter in interpreters]
    if len(set(labels)) < len(labels):
        print(f"--python names a version twice: {', '.join(labels)}", file=sys.stderr)
        return 2
    entries = make_entries(contenders, interpreters, options)
    timing = make_timing(options)

    results: list[Result] = []
    for _, series in groupby(workloads, lambda workload: workload.series):
        of_series = list(
            take_turns(entries, list(series), timing, progress, delayed=options.delayed)
        )
        progress("")
        results += of_series
        for _, of_workload in groupby(of_series, lambda result: result.workload):
            print(workload_table(list(of_workload)), flush=True)
    with_startup = STARTUP in patterns or not patterns
    startups = measure_startup(interpreters, runs=timing.rounds * 4) if with_startup else []
    if startups:
        print(startup_table(startups))
    verdicts = judge(results, startups)
    print(bars_table(verdicts))
    if options.json:
        text = json.dumps(document(results, startups, verdicts, timing), indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    statuses = {result.status for result in results if result.contender.startswith("ours")}
    statuses |= {startup.status for startup in startups}
    return 1 if "failed" in statuses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
