"""One measurement: a server and a client on one workload, and the rounds of all contenders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.contenders import Contender
from harness.interpreters import BENCHMARKS, Interpreter
from harness.processes import WorkerFailedError, WorkerMissingError, WorkerProcess
from harness.workloads import Workload

WORKERS = BENCHMARKS / "contenders"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each section, and how many rounds the contenders take turns in.

    The warm-up is for Node, whose compiler needs a second or two: measured from the start, its
    calls would look twice as dear as they are.
    """

    rounds: int = 5
    warm_up: float = 1.5
    measured: float = 1.5
    latency: float = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender on one interpreter: one line of each workload's table."""

    contender: Contender
    interpreter: Interpreter
    node_modules: Path | None = None

    @property
    def name(self) -> str:
        """Contender and Python version, such as "ours-uvloop@3.13"."""
        if self.contender.runtime == "python":
            return f"{self.contender.name}@{self.interpreter.label}"
        return self.contender.name

    def start(self, role: str, task: dict[str, Any]) -> WorkerProcess:
        """Start this contender's program in a role."""
        assert self.interpreter.path is not None
        program: list[str | Path] = [self.interpreter.path]
        if self.contender.runtime != "node":
            program.append("-u")
        program.append(WORKERS / self.contender.worker)
        return WorkerProcess(program, {**task, "role": role})


@dataclass(slots=True)
class Result:
    """What became of one entry on one workload: its samples, or why there are none.

    `status` is "ok", "missing" or "failed". `samples` has one dict of figures per round.
    """

    workload: str
    entry: str
    contender: str
    python: str
    runtime: str = ""
    loop: str = ""
    handler: str = ""
    version: str = ""
    status: str = "ok"
    reason: str = ""
    samples: list[dict[str, float]] = field(default_factory=list)


def measure_once(
    entry: Entry, workload: Workload, timing: Timing, *, delayed: bool = False
) -> tuple[dict[str, float], dict[str, str]]:
    """Start server and client, measure, end both; returns the figures and the server's facts.

    `delayed` takes TCP_NODELAY from the connections that our servers accept.

    Raises:
        WorkerMissingError: the contender, or what the workload needs of it, is not installed.
        WorkerFailedError: a worker failed.

    """
    task: dict[str, Any] = {
        "workload": asdict(workload),
        "loop": entry.contender.loop,
        "bind": "0.0.0.0" if workload.any_address else "127.0.0.1",
        "modules": str(entry.node_modules),
        "delayed": delayed,
    }
    with ExitStack() as stack:
        router = None
        if workload.routed:
            router = stack.enter_context(_start_router(entry, task))
            task["router"] = f"127.0.0.1:{router.expect('ready')['port']}"
        server = stack.enter_context(entry.start("server", task))
        facts = server.expect("ready")
        client = stack.enter_context(entry.start("client", {**task, "port": facts["port"]}))
        client.expect("ready")

        idle = (server.command("usage")["rss"], client.command("usage")["rss"])
        client.command("connect")
        connected = (server.command("usage")["rss"], client.command("usage")["rss"])
        client.command("run", timing.warm_up)

        router_before = router.command("usage")["cpu"] if router else 0.0
        before = server.command("usage")["cpu"]
        run = client.command("run", timing.measured)
        server_cpu = server.command("usage")["cpu"] - before
        router_cpu = (router.command("usage")["cpu"] - router_before) if router else 0.0
        latency = client.command("latency", timing.latency)

    calls = run["calls"]
    if not calls:
        raise WorkerFailedError("no call finished within the measured section")
    figures = {
        "calls": calls,
        "calls_per_second": calls / run["wall"],
        "client_us": run["cpu"] / calls * 1e6,
        "server_us": server_cpu / calls * 1e6,
        "cpu_us": (run["cpu"] + server_cpu + router_cpu) / calls * 1e6,
        "p50_us": latency["p50"],
        "p99_us": latency["p99"],
        "bytes_per_second": calls * workload.size / run["wall"],
    }
    if router:
        figures["router_us"] = router_cpu / calls * 1e6
    if workload.memory:
        figures["server_bytes_per_connection"] = (connected[0] - idle[0]) / workload.connections
        figures["client_bytes_per_connection"] = (connected[1] - idle[1]) / workload.connections
    return figures, facts["info"]


def _start_router(entry: Entry, task: dict[str, Any]) -> WorkerProcess:
    assert entry.interpreter.path is not None
    return WorkerProcess(
        [entry.interpreter.path, "-u", WORKERS / "router.py"], {**task, "role": "server"}
    )


def take_turns(
    entries: list[Entry],
    workloads: list[Workload],
    timing: Timing,
    tell: Callable[[str], None],
    *,
    delayed: bool = False,
) -> Iterator[Result]:
    """Measure every entry once per round, so that what the machine does meanwhile hits them all.

    Yields one result per workload and entry that can do it, in this order, also for those that are
    missing or failed. The order turns from round to round: nobody always follows the same neighbour.
    """
    turns = [
        (
            workload,
            entry,
            Result(workload.name, entry.name, entry.contender.name, entry.interpreter.label),
        )
        for workload in workloads
        for entry in entries
        if workload.kind in entry.contender.kinds
    ]
    for number in range(timing.rounds):
        turn = number % max(len(turns), 1)
        for workload, entry, result in [*turns[turn:], *turns[:turn]]:
            if result.status != "ok":
                continue
            if entry.interpreter.path is None:
                result.status, result.reason = "missing", entry.interpreter.reason
                continue
            tell(f"{workload.name}: round {number + 1} of {timing.rounds}, {entry.name}")
            try:
                figures, facts = measure_once(entry, workload, timing, delayed=delayed)
            except WorkerMissingError as error:
                result.status, result.reason = "missing", str(error)
            except WorkerFailedError as error:
                result.status, result.reason = "failed", str(error)
            else:
                result.samples.append(figures)
                for name, value in facts.items():
                    setattr(result, name, value)
    yield from (result for _, _, result in turns)
