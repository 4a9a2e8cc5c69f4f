"""What a relayed call costs in the router: ours for development, and Hyperbahn, in one run.

Both stand between the same client and the same service, in turn; their CPU time is what the operating
system accounted to their process. Ends with exit code 1 when ours costs more. Hyperbahn is the one
that ``make interop`` installs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness.contenders import CONTENDERS
from harness.interpreters import BENCHMARKS, Interpreter
from harness.measurement import WORKERS, Entry
from harness.processes import WorkerProcess, cores_for, running_on
from harness.workloads import KIB, Workload

sys.path.insert(0, str(BENCHMARKS.parent / "tests" / "interop"))

from thirdparty.hyperbahn import Cluster
from thirdparty.install import missing

WORKLOADS = (
    Workload("16 B, 32 in flight", "router"),
    Workload("64 KiB, 4 in flight", "router", size=64 * KIB, in_flight=4),
)
OURS = ("router, asyncio", "router, uvloop")
HYPERBAHN = "Hyperbahn 2.20.1"
# Node's compiler needs a second or two; cold, Hyperbahn would look twice as dear as it is.
WARM_UP = 3.0


@dataclass(frozen=True, slots=True)
class RunningRouter:
    """A router, and the process that its CPU time is taken of."""

    hostport: str
    pid: int


@contextmanager
def running(kind: str) -> Iterator[RunningRouter]:
    """Start a router on the service's core, and end it."""
    if kind == HYPERBAHN:
        with tempfile.TemporaryDirectory() as folder, running_on(cores_for("server")):
            cluster = Cluster(1, Path(folder))
            try:
                (hostport,) = cluster.hostports
                yield RunningRouter(hostport, cluster.nodes[hostport].pid)
            finally:
                cluster.stop()
    else:
        loop = kind.rpartition(" ")[2]
        task = {"role": "server", "loop": loop}
        with WorkerProcess([sys.executable, "-u", WORKERS / "router.py"], task) as process:
            port = process.expect("ready")["port"]
            yield RunningRouter(f"127.0.0.1:{port}", process.pid)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, all its threads, in user and system mode."""
    # Behind the name, which may hold blanks: utime and stime are the 14th and 15th field.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(kind: str, workload: Workload, seconds: float) -> float:
    """Microseconds of CPU in the router for one call."""
    python = Interpreter("", Path(sys.executable))
    entry = Entry(CONTENDERS["ours-asyncio"], python)
    with running(kind) as router:
        task: dict[str, Any] = {
            "workload": asdict(workload),
            "loop": "asyncio",
            "bind": "127.0.0.1",
            "modules": "",
            "router": router.hostport,
        }
        with entry.start("server", task) as service:
            port = service.expect("ready")["port"]
            with entry.start("client", {**task, "port": port}) as client:
                client.expect("ready")
                client.command("connect")
                client.command("run", WARM_UP)
                before = cpu_seconds(router.pid)
                calls = client.command("run", seconds)["calls"]
                return (cpu_seconds(router.pid) - before) / calls * 1e6


def main() -> int:
    """Measure all routers in turn, print the medians, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default 3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each section (default 3)")
    options = parser.parse_args()
    if missing():
        print(f"cannot measure: {'; '.join(missing())}: run make interop", file=sys.stderr)
        return 1
    dearer = False
    for workload in WORKLOADS:
        samples: dict[str, list[float]] = {kind: [] for kind in (*OURS, HYPERBAHN)}
        for number in range(options.rounds):
            for kind, values in samples.items():
                text = f"{workload.name}: round {number + 1} of {options.rounds}, {kind}"
                print(text, file=sys.stderr)
                values.append(measure(kind, workload, options.seconds))
        print(f"\n{workload.name}: CPU in the router per relayed call")
        theirs = median(samples[HYPERBAHN])
        for kind, values in samples.items():
            cost = median(values)
            spread = (max(values) - min(values)) / cost
            print(f"  {kind:18} {cost:8.1f} µs  {cost / theirs:5.2f}  (spread {spread:.0%})")
            dearer |= kind in OURS and cost >= theirs
    return 1 if dearer else 0


if __name__ == "__main__":
    sys.exit(main())
