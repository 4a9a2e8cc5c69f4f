"""What the project promises: ratios within one run, each with the bar beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.measurement import Result
from harness.startup import Startup
from harness.summary import medians

KIB = 1024


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise: our figure over another's in the same run, and the bound of the ratio.

    `ours` and `other` are (workload, entry) pairs; a contender without a Python version, such as
    "node", is an entry of its own. `other` None compares our figure itself, in `unit`.
    """

    title: str
    figure: str
    ours: tuple[str, str]
    other: tuple[str, str] | None
    bound: float
    at_least: bool = False
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar beside what was measured; `value` is None when a side was not measured."""

    title: str
    value: float | None
    bound: float
    at_least: bool
    unit: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the promise holds; None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


SMALL = "raw-16B-32"
APART = ("apart-calls", "apart-pieces", "apart-router")


def _small_call_bars() -> Iterable[Bar]:
    against_node = {
        ("uvloop", "3.13"): 0.42,
        ("uvloop", "3.11"): 0.45,
        ("asyncio", "3.13"): 0.50,
        ("asyncio", "3.11"): 0.55,
    }
    for (loop, python), bound in against_node.items():
        ours = (SMALL, f"ours-{loop}@{python}")
        yield Bar(f"{SMALL}, {loop}, {python}: CPU against tchannel-node", "cpu_us", ours,
                  (SMALL, "node"), bound)  # fmt: skip
    for python in ("3.13", "3.11"):
        ours = (SMALL, f"ours-uvloop@{python}")
        for other, bound in ((f"grpc-aio@{python}", 0.06), ("py21", 0.025)):
            yield Bar(f"{SMALL}, uvloop, {python}: CPU against {other}", "cpu_us", ours,
                      (SMALL, other), bound)  # fmt: skip
    for loop, python in against_node:
        yield Bar(f"{SMALL}, {loop}, {python}: CPU against the floor", "cpu_us",
                  (SMALL, f"ours-{loop}@{python}"), (SMALL, f"floor-{loop}@{python}"),
                  6.0)  # fmt: skip


def _python_bars(python: str) -> Iterable[Bar]:
    uvloop = f"ours-uvloop@{python}"
    for workload, bound in (("thrift-kv-32", 0.55), ("json-kv-32", 0.60)):
        yield Bar(f"{workload}, {python}: CPU against tchannel-node", "cpu_us",
                  (workload, uvloop), (workload, "node"), bound)  # fmt: skip
    yield Bar(f"raw-16B-1, {python}: p50 against tchannel-node", "p50_us",
              ("raw-16B-1", uvloop), ("raw-16B-1", "node"), 0.9)  # fmt: skip
    yield Bar(f"raw-1MiB-4, {python}: bytes/s against the floor", "bytes_per_second",
              ("raw-1MiB-4", uvloop), ("raw-1MiB-4", f"floor-uvloop@{python}"), 0.65,
              at_least=True)  # fmt: skip
    yield Bar(f"{python}: CPU with 10,000 known peers against 10", "cpu_us",
              ("peers-10000", uvloop), ("peers-10", uvloop), 1.3)  # fmt: skip
    yield Bar(f"{python}: CPU over 5,000 connections against 100", "cpu_us",
              ("connections-5000", uvloop), ("connections-100", uvloop), 2.0)  # fmt: skip
    for workload in APART:
        yield Bar(f"{workload}, {python}: p50 on asyncio against uvloop", "p50_us",
                  (workload, f"ours-asyncio@{python}"), (workload, uvloop), 1.3)  # fmt: skip
    for side in ("server", "client"):
        yield Bar(f"{python}: idle memory per connection, {side}",
                  f"{side}_bytes_per_connection", ("connections-5000", uvloop), None,
                  6 * KIB, unit="bytes")  # fmt: skip
    for sides, where in (("client", "on the client"), ("both", "on both sides")):
        yield Bar(f"{python}: hook and interceptor that do nothing, {where}, against none", "cpu_us",
                  (f"raw-16B-32-hooks-{sides}", uvloop), ("raw-16B-32-hooks-none", uvloop),
                  1.10)  # fmt: skip
    yield Bar(f"{python}: sync client, 16 threads, calls/s against grpc's", "calls_per_second",
              ("sync-16", uvloop), ("sync-16", f"grpc-sync@{python}"), 3.0,
              at_least=True)  # fmt: skip


BARS = (*_small_call_bars(), *_python_bars("3.13"), *_python_bars("3.11"))
# The bar of `import tchannel` is held to what its users import: the package itself exports lazily.
STARTUP_BARS = {"tchannel_wire": 15.0, "tchannel.TChannel": 25.0}


def judge(results: Iterable[Result], startups: Iterable[Startup]) -> list[Verdict]:
    """Every bar of which at least our side was asked for in this run."""
    found = {(result.workload, result.entry): medians(result) for result in results}
    verdicts = []
    for bar in BARS:
        if bar.ours not in found:
            continue
        ours = found[bar.ours].get(bar.figure)
        value = ours
        if bar.other is not None:
            other = found.get(bar.other, {}).get(bar.figure)
            value = ours / other if ours is not None and other else None
        verdicts.append(Verdict(bar.title, value, bar.bound, bar.at_least, bar.unit))
    for startup in startups:
        bound = STARTUP_BARS.get(startup.what)
        if bound is not None:
            title = f"{startup.python}: import {startup.what} over import {startup.base}"
            value = startup.milliseconds
            verdicts.append(Verdict(title, value, bound, at_least=False, unit="ms"))
    return verdicts
