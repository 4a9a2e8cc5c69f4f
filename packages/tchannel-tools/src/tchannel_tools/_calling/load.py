"""The load mode: many calls, counted and measured."""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from tchannel.clock import Clock, sleep

from .._terminal.failures import ToolError

__all__ = ["Load", "LoadPlan", "LoadReport", "Outcome", "make_histogram"]

PERCENTILES: Final = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)

_MICROSECONDS: Final = 1_000_000
_LONGEST: Final = 3600 * _MICROSECONDS
_DIGITS: Final = 3
_PROGRESS_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How many calls to make.

    Attributes:
        requests: How many in all, or None for as many as there is time for.
        rate: Calls a second to begin, or None for as many as are answered.
        concurrency: At most so many at once.
        seconds: For how long, or None until all requests are made.
        delay: Seconds between a call's end and the next of the same place.
        as_json: Whether the result is printed as JSON.

    """

    requests: int | None
    rate: float | None
    concurrency: int
    seconds: float | None
    delay: float
    as_json: bool


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """How a call ended.

    Attributes:
        exit_code: What tcurl would end with; 0 for ok.
        name: ``"ok"``, the name of the error frame's code, or ``"application error"``.

    """

    exit_code: int
    name: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of the calls.

    Attributes:
        calls: How many there were.
        seconds: For how long.
        outcomes: How many ended in which way.
        latency: Milliseconds: ``min``, ``mean``, ``max``, and by percentile (``"99.9"``).

    """

    calls: int
    seconds: float
    outcomes: dict[Outcome, int]
    latency: dict[str, float]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds if self.seconds > 0 else 0.0

    @property
    def exit_code(self) -> int:
        """0 if every call was ok, else that of the most frequent failure."""
        failures = {one: count for one, count in self.outcomes.items() if one.exit_code}
        return max(failures, key=lambda one: failures[one]).exit_code if failures else 0

    def document(self) -> dict[str, object]:
        """The report as JSON."""
        return {
            "calls": self.calls,
            "seconds": round(self.seconds, 6),
            "rate": round(self.rate, 3),
            "ok": sum(count for one, count in self.outcomes.items() if not one.exit_code),
            "errors": {
                one.name: {"code": one.exit_code, "count": count}
                for one, count in sorted(self.outcomes.items())
                if one.exit_code
            },
            "latency_ms": self.latency,
        }

    def text(self) -> str:
        """The report as lines of text."""
        lines = [f"{self.calls} calls in {self.seconds:.2f} s: {self.rate:.1f} calls/s"]
        for one, count in sorted(self.outcomes.items()):
            label = f"{one.name} ({one.exit_code})" if one.exit_code else one.name
            lines.append(f"  {label:<24}{count:>10}")
        lines.append("latency")
        lines += [
            f"  {key if key in {'min', 'mean', 'max'} else f'{key} %':<24}{value:>10.2f} ms"
            for key, value in self.latency.items()
        ]
        return "\n".join(lines)


# Its module has no types.
def make_histogram() -> Any:
    """Return an empty histogram of microseconds.

    Raises:
        ToolError: The extra ``load`` is not installed; says what to install.

    """
    try:
        module = importlib.import_module("hdrh.histogram")
    except ModuleNotFoundError:
        raise ToolError(
            "the load mode needs hdrhistogram, which is not installed:"
            " pip install 'tchannel-tools[load]'"
        ) from None
    return module.HdrHistogram(1, _LONGEST, _DIGITS)


class Load:
    """Makes calls until the plan is fulfilled.

    With a rate, calls begin when the plan says, not when the last one ended, and latency counts from
    there: a service that stalls is not measured as if nobody had called meanwhile.

    Args:
        plan: How many.
        call: Makes one call and says how it ended; what it raises ends it all.
        clock: Time and timers.
        progress: Is given a line of text now and then; None for no progress.

    Raises:
        ToolError: As `make_histogram` does.

    """

    def __init__(
        self,
        plan: LoadPlan,
        call: Callable[[], Awaitable[Outcome]],
        clock: Clock,
        progress: Callable[[str], object] | None = None,
    ) -> None:
        self._plan = plan
        self._call = call
        self._clock = clock
        self._progress = progress
        self._histogram = make_histogram()
        self._outcomes: Counter[Outcome] = Counter()
        self._begun = 0
        self._start = 0.0

    async def run(self) -> LoadReport:
        """Make the calls, and report."""
        self._start = self._clock.time()
        reporter = asyncio.create_task(self._report_progress()) if self._progress else None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers()):
                    group.create_task(self._work())
        except BaseExceptionGroup as failures:
            # One is enough, and says what the others say.
            raise failures.exceptions[0] from None
        finally:
            if reporter is not None:
                reporter.cancel()
        return self._report()

    def _workers(self) -> int:
        plan = self._plan
        return min(plan.concurrency, plan.requests or plan.concurrency)

    async def _work(self) -> None:
        plan, clock = self._plan, self._clock
        while (due := self._next()) is not None:
            if due > clock.time():
                await sleep(clock, due - clock.time())
            begun = due if plan.rate is not None else clock.time()
            outcome = await self._call()
            self._outcomes[outcome] += 1
            micros = round((clock.time() - begun) * _MICROSECONDS)
            self._histogram.record_value(min(max(micros, 1), _LONGEST))
            if plan.delay:
                await sleep(clock, plan.delay)

    def _next(self) -> float | None:
        """When the next call begins; None when there is none any more."""
        plan = self._plan
        if plan.requests is not None and self._begun >= plan.requests:
            return None
        due = self._clock.time()
        if plan.rate is not None:
            due = self._start + self._begun / plan.rate
        if plan.seconds is not None and max(due, self._clock.time()) >= self._start + plan.seconds:
            return None
        self._begun += 1
        return due

    def _report(self) -> LoadReport:
        histogram = self._histogram
        calls = self._outcomes.total()
        latency: dict[str, float] = {}
        if calls:
            latency["min"] = histogram.get_min_value() / 1000
            latency["mean"] = round(histogram.get_mean_value() / 1000, 3)
            for percentile in PERCENTILES:
                value = histogram.get_value_at_percentile(percentile)
                latency[f"{percentile:g}"] = value / 1000
            latency["max"] = histogram.get_max_value() / 1000
        return LoadReport(calls, self._clock.time() - self._start, dict(self._outcomes), latency)

    async def _report_progress(self) -> None:
        assert self._progress is not None, "only run with a progress"
        while True:
            await sleep(self._clock, _PROGRESS_EVERY)
            report = self._report()
            failed = sum(count for one, count in report.outcomes.items() if one.exit_code)
            self._progress(
                f"{report.calls} calls, {report.rate:.0f}/s, {failed} failed,"
                f" median {report.latency.get('50', 0.0):.2f} ms"
            )
