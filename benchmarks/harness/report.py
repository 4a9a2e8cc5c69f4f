"""The tables for people and the JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from harness.bars import Verdict
from harness.measurement import Result, Timing
from harness.startup import Startup
from harness.summary import medians, spread

HEADINGS = (
    "contender", "runtime", "loop", "handler", "calls/s", "client µs", "server µs", "sum µs",
    "p50 µs", "p99 µs", "spread",
)  # fmt: skip


def number(value: float) -> str:
    """Three or four digits that matter, with thousands marked."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def lines_of_table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """The rows with aligned columns: text to the left, figures to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < 4 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def workload_table(results: Sequence[Result]) -> str:
    """The table of one workload: every contender, the missing ones with the reason."""
    rows = [HEADINGS]
    notes = []
    for result in results:
        if result.status != "ok":
            notes.append(f"  {result.entry}: {result.status}: {result.reason}")
        figures = medians(result)
        if not figures:
            continue
        rows.append(
            (
                result.entry, result.runtime, result.loop, result.handler,
                number(figures["calls_per_second"]), number(figures["client_us"]),
                number(figures["server_us"]), number(figures["cpu_us"]),
                number(figures["p50_us"]), number(figures["p99_us"]),
                f"{spread(result, 'cpu_us'):.0%}",
            )
        )  # fmt: skip
        for side in ("server", "client"):
            memory = figures.get(f"{side}_bytes_per_connection")
            if memory is not None:
                notes.append(
                    f"  {result.entry}: idle memory per connection, {side}: {memory:,.0f} bytes"
                )
        if "router_us" in figures:
            notes.append(f"  {result.entry}: router: {number(figures['router_us'])} µs per call")
    table = list(lines_of_table(rows)) if len(rows) > 1 else []
    return "\n".join([f"\n## {results[0].workload}", *table, *notes])


def startup_table(startups: Sequence[Startup]) -> str:
    """Start-up times, one line each."""
    lines = ["\n## startup"]
    for startup in startups:
        value = startup.milliseconds
        text = f"{value:.1f} ms" if value is not None else f"{startup.status}: {startup.reason}"
        lines.append(f"  {startup.what} over {startup.base}, Python {startup.python}: {text}")
    return "\n".join(lines)


def bars_table(verdicts: Sequence[Verdict]) -> str:
    """Each bar beside its measured value."""
    if not verdicts:
        return ""
    words = {True: "held", False: "MISSED", None: "not measured"}
    lines = ["\n## bars"]
    for verdict in verdicts:
        sign = ">=" if verdict.at_least else "<="
        value = "-" if verdict.value is None else f"{verdict.value:.4g}"
        unit = f" {verdict.unit}" if verdict.unit else ""
        bound = f"{sign} {verdict.bound:g}{unit}"
        lines.append(f"  {words[verdict.held]:12}  {value:>8}  {bound:13}  {verdict.title}")
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
        model = names[0] if names else model
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
    }


def document(
    results: Sequence[Result],
    startups: Sequence[Startup],
    verdicts: Sequence[Verdict],
    timing: Timing,
) -> dict[str, Any]:
    """Everything as one JSON document, samples included."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "timing": asdict(timing),
        "results": [{**asdict(result), "median": medians(result)} for result in results],
        "startup": [
            {**asdict(startup), "milliseconds": startup.milliseconds} for startup in startups
        ],
        "bars": [{**asdict(verdict), "held": verdict.held} for verdict in verdicts],
    }
