"""Charts for docs/performance.md from the JSON of a run.

    python benchmarks/charts.py RUN.json [DIRECTORY]

Writes one SVG per question into DIRECTORY (default: docs/images): CPU per call against calls in
flight, payload size, connections and known peers. A chart whose workloads were not in the run is
left out, and named.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.workloads import KIB, WORKLOADS, Workload

BENCHMARKS = Path(__file__).resolve().parent
Series = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Chart:
    """One question: which workloads answer it, what is the x axis, which figure the y axis."""

    name: str
    title: str
    x_label: str
    includes: Callable[[Workload], bool]
    x: Callable[[Workload], float]


def _plain_raw(workload: Workload) -> bool:
    return workload.kind == "raw" and workload.handler == "async def"


CHARTS = (
    Chart("in-flight", "16-byte raw echo", "calls in flight",
          lambda one: _plain_raw(one) and one.size == 16, lambda one: one.in_flight),
    Chart("size", "Raw echo, 32 in flight", "payload, bytes",
          lambda one: _plain_raw(one) and one.in_flight == 32, lambda one: one.size),
    Chart("connections", "16-byte raw echo, 32 in flight", "connections",
          lambda one: one.kind == "connections", lambda one: one.connections),
    Chart("peers", "16-byte raw echo, 32 in flight", "known peers",
          lambda one: one.kind == "peers", lambda one: one.peers),
)  # fmt: skip


def series_of(chart: Chart, results: list[dict[str, Any]]) -> Series:
    """The points of each contender, in the order of x; contenders with one point are left out."""
    series: Series = {}
    for result in results:
        workload = WORKLOADS.get(result["workload"])
        if workload is None or not chart.includes(workload) or not result["median"]:
            continue
        point = (chart.x(workload), result["median"]["cpu_us"])
        series.setdefault(result["entry"], []).append(point)
    return {entry: sorted(points) for entry, points in sorted(series.items()) if len(points) > 1}


def draw(chart: Chart, series: Series, subtitle: str, target: Path) -> None:
    """Draw one chart, both axes logarithmic: the contenders lie far apart."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = chart.name  # the same figures give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
    for entry, points in series.items():
        xs, ys = zip(*points, strict=True)
        emphasis = 2.4 if entry.startswith("ours") else 1.2
        axes.plot(xs, ys, marker="o", markersize=4, linewidth=emphasis, label=entry)
    ticks = sorted({x for points in series.values() for x, _ in points})
    axes.set(xscale="log", yscale="log", xlabel=chart.x_label,
             ylabel="CPU µs per call, client + server")  # fmt: skip
    axes.set_xticks(ticks, [label_of(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_title(f"{chart.title}\n{subtitle}", fontsize=10)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(target, metadata={"Date": None})
    plt.close(figure)


def label_of(value: float) -> str:
    """A tick's text: binary sizes by their unit, counts as they are."""
    number = int(value)
    if number >= KIB and number % KIB == 0:
        return f"{number // KIB} KiB" if number < KIB * KIB else f"{number // (KIB * KIB)} MiB"
    return f"{number:,}"


def main(arguments: list[str]) -> int:
    """Draw what the run has figures for; 2 without a run to read."""
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    run = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    default = BENCHMARKS.parent / "docs" / "images"
    directory = Path(arguments[1]) if len(arguments) == 2 else default
    directory.mkdir(parents=True, exist_ok=True)
    subtitle = f"{run['date'][:10]}, {run['machine']['cpu']}, {run['machine']['cores']} cores"
    for chart in CHARTS:
        series = series_of(chart, run["results"])
        if not series:
            print(f"{chart.name}: not in this run")
            continue
        target = directory / f"performance-{chart.name}.svg"
        draw(chart, series, subtitle, target)
        print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
