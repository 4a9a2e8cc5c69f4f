"""Many calls, at a rate or as fast as they are answered: counted and measured."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tchannel.clock import Clock, sleep

from .._terminal.failures import ToolError

__all__ = ["OK", "Load", "LoadPlan", "LoadReport", "Outcome", "constant_arrival", "make_histogram"]

PERCENTILES: Final = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9)

_MICROSECONDS: Final = 1_000_000
_LONGEST: Final = 3600 * _MICROSECONDS
_DIGITS: Final = 3
_PROGRESS_EVERY: Final = 0.5
# A timer may come so much too late (an event loop's are whole milliseconds); nearer than this the due
# time is waited for by turns of the loop, else the lateness of the tool would be told as latency.
_TIMER: Final = 0.002
# Calls that begin in one turn of the loop, when it is behind: answers are to be read meanwhile.
_MOST_AT_ONCE: Final = 64
# Latencies that are counted before they go into the histogram, which costs ten times as much.
_MOST_COUNTED: Final = 8192


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How many calls to make.

    Attributes:
        requests: How many in all, or None for as many as there is time for.
        rate: Calls a second to begin, or None for as many as are answered.
        concurrency: At most so many at once.
        seconds: For how long, or None until all requests are made.
        delay: Seconds between a call's end and the next of the same place; without a rate only.
        as_json: Whether the result is printed as JSON.
        ramp: Seconds in which the rate, or the calls at once, grow from nothing to all.

    """

    requests: int | None
    rate: float | None
    concurrency: int
    seconds: float | None
    delay: float
    as_json: bool
    ramp: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Outcome:
    """How a call ended.

    Attributes:
        exit_code: What tcurl would end with; 0 for ok.
        name: ``"ok"``, the name of the error frame's code, or ``"application error"``.

    """

    exit_code: int
    name: str


OK: Final = Outcome(0, "ok")


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of the calls.

    Attributes:
        calls: How many there were.
        seconds: For how long.
        outcomes: How many ended in which way.
        latency: Milliseconds: ``min``, ``mean``, ``max``, and by percentile (``"99.9"``).
        late: Seconds that the call began after it was due which was latest; 0 without a rate.
        crowded: Whether calls had to wait for a place among those at once.
        histogram: The latencies in microseconds, as HdrHistogram's own compressed text; "" of no call.

    """

    calls: int
    seconds: float
    outcomes: dict[Outcome, int]
    latency: dict[str, float]
    late: float = 0.0
    crowded: bool = False
    histogram: str = field(default="", repr=False)

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


def constant_arrival(rate: float, ramp: float = 0.0) -> Iterator[float]:
    """When calls are due at a rate, in seconds from the start, without end.

    Args:
        rate: Calls a second.
        ramp: Seconds in which the rate grows from nothing to that.

    """
    # While it grows, rate * t² / (2 * ramp) calls are due until t.
    within = math.ceil(rate * ramp / 2)
    for number in range(within):
        yield math.sqrt(2 * ramp * number / rate)
    for number in itertools.count(within):
        yield ramp / 2 + number / rate


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
            "measuring many calls needs hdrhistogram, which is not installed:"
            " pip install 'tchannel-tools[load]'"
        ) from None
    return module.HdrHistogram(1, _LONGEST, _DIGITS)


class Load:
    """Makes calls until the plan is fulfilled.

    With a rate, calls begin when the plan says, not when the last one ended, and latency counts from
    there: a service that stalls is not measured as if nobody had called meanwhile.

    Args:
        plan: How many.
        call: Begins one call; what it gives (a Future is best) ends with the call's outcome, or with
            what `outcome` reads. An exception ends it all.
        clock: Time and timers.
        progress: Is given a line of text now and then; None for no progress.
        outcome: Says how a call ended that has ended; default: as its result says.
        dues: When calls are due, in seconds from the start, ascending; default: by the plan's rate.

    Raises:
        ToolError: As `make_histogram` does.

    """

    def __init__(
        self,
        plan: LoadPlan,
        call: Callable[[], Awaitable[Any]],
        clock: Clock,
        progress: Callable[[str], object] | None = None,
        *,
        outcome: Callable[[asyncio.Future[Any]], Outcome] = asyncio.Future.result,
        dues: Iterable[float] | None = None,
    ) -> None:
        self._plan = plan
        self._call = call
        self._outcome = outcome
        self._clock = clock
        self._progress = progress
        self._histogram = make_histogram()
        if dues is None and plan.rate is not None:
            dues = constant_arrival(plan.rate, plan.ramp)
        self._dues = dues
        self._counted: dict[int, int] = {}
        self._ok = 0
        self._outcomes: Counter[Outcome] = Counter()
        self._sum = 0.0
        self._late = 0.0
        self._begun = 0
        self._start = 0.0
        self._ended_at = 0.0
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._stopped = False
        self._problem: BaseException | None = None
        self._waiting: asyncio.Future[None] | None = None
        """What `run` waits for: the time of the next call, a place for it, or the end of the last."""
        self._for_place = self._crowded = False

    async def run(self) -> LoadReport:
        """Make the calls, and report."""
        self._start = self._ended_at = self._clock.time()
        reporter = asyncio.create_task(self._report_progress()) if self._progress else None
        try:
            await (self._begin_in_places() if self._dues is None else self._begin_when_due())
            while self._in_flight and self._problem is None:
                await self._wait()
        finally:
            self._stopped = True  # the end of a call begins no other
            if reporter is not None:
                reporter.cancel()
            for one in list(self._in_flight):
                one.cancel()
        if self._problem is not None:
            raise self._problem
        return self._report()

    def stop(self) -> None:
        """Begin no more calls: `run` reports once those have ended that are in flight."""
        self._stopped = True
        self._go_on()

    # -- when calls begin -----------------------------------------------------------------------

    async def _begin_in_places(self) -> None:
        """Each place begins its next call when its last one has ended."""
        plan = self._plan
        places = min(plan.concurrency, plan.requests or plan.concurrency)
        for place in range(places):
            due = self._start + plan.ramp * place / places
            while not self._over() and (left := due - self._clock.time()) > 0:
                await self._wait(left)
            if self._over():
                break
            self._begin_next()
        while not self._over():
            await self._wait(self._left())

    def _begin_next(self) -> None:
        if not self._over():
            began = self._clock.time()
            self._begin(partial(self._place_free, began))

    def _place_free(self, began: float, call: asyncio.Future[Any]) -> None:
        self._ended(began, call)
        if self._plan.delay:
            self._clock.call_at(self._clock.time() + self._plan.delay, self._begin_next)
        else:
            self._begin_next()

    async def _begin_when_due(self) -> None:
        plan, clock, start = self._plan, self._clock, self._start
        assert self._dues is not None, "only called with them"
        at_once = 0
        for due in self._dues:
            when = start + due
            if plan.seconds is not None and due >= plan.seconds:
                await self._wait_until(start + plan.seconds)
                return
            if when > clock.time():
                at_once = 0
                await self._wait_until(when)
            while len(self._in_flight) >= plan.concurrency and not self._over():
                at_once = 0
                self._for_place = self._crowded = True
                await self._wait(self._left())
                self._for_place = False
            at_once += 1
            if at_once > _MOST_AT_ONCE:
                at_once = 0
                await asyncio.sleep(0)
            if self._over():
                return
            self._late = max(self._late, clock.time() - when)
            self._begin(partial(self._ended, when))

    async def _wait_until(self, when: float) -> None:
        while (left := when - self._clock.time()) > 0 and not self._stopped:
            if left > _TIMER:
                await self._wait(left - _TIMER)
            else:
                await asyncio.sleep(0)

    async def _wait(self, seconds: float | None = None) -> None:
        """Wait until something has happened that is waited for, at most so long."""
        self._waiting = asyncio.get_running_loop().create_future()
        timer = None
        if seconds is not None:
            timer = self._clock.call_at(self._clock.time() + seconds, self._go_on)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    def _go_on(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _over(self) -> bool:
        """Whether no further call is to begin."""
        plan = self._plan
        return (
            self._stopped
            or self._problem is not None
            or (plan.requests is not None and self._begun >= plan.requests)
            or (plan.seconds is not None and self._clock.time() >= self._start + plan.seconds)
        )

    def _left(self) -> float | None:
        seconds = self._plan.seconds
        return None if seconds is None else max(0.0, self._start + seconds - self._clock.time())

    # -- a call ---------------------------------------------------------------------------------

    def _begin(self, ended: Callable[[asyncio.Future[Any]], object]) -> None:
        self._begun += 1
        try:
            call = asyncio.ensure_future(self._call())
        except Exception as problem:
            self._fail(problem)
            return
        self._in_flight.add(call)
        call.add_done_callback(ended)

    def _fail(self, problem: BaseException) -> None:
        self._problem = self._problem or problem
        self._go_on()

    def _ended(self, began: float, call: asyncio.Future[Any]) -> None:
        self._in_flight.discard(call)
        if self._for_place or not self._in_flight:
            self._go_on()
        try:
            outcome = self._outcome(call)
        except asyncio.CancelledError:
            return  # by run(), which is over
        except BaseException as problem:
            self._fail(problem)
            return
        if outcome is OK:  # nearly all: the hash of a dataclass costs more than the rest here
            self._ok += 1
        else:
            self._outcomes[outcome] += 1
        now = self._ended_at = self._clock.time()
        self._sum += now - began
        micros = round((now - began) * _MICROSECONDS)
        self._counted[micros] = self._counted.get(micros, 0) + 1
        if len(self._counted) > _MOST_COUNTED:
            self._put_counted()

    def _put_counted(self) -> None:
        counted, self._counted = self._counted, {}
        for micros, count in counted.items():
            self._histogram.record_value(min(max(micros, 1), _LONGEST), count)

    # -- what came of them ----------------------------------------------------------------------

    def _report(self) -> LoadReport:
        self._put_counted()
        histogram = self._histogram
        outcomes = self._outcomes.copy()
        if self._ok:
            outcomes[OK] += self._ok
        calls = outcomes.total()
        latency: dict[str, float] = {}
        if calls:
            latency["min"] = histogram.get_min_value() / 1000
            latency["mean"] = round(self._sum / calls * 1000, 3)
            values = histogram.get_percentile_to_value_dict(list(PERCENTILES))
            for percentile in PERCENTILES:
                latency[f"{percentile:g}"] = values[percentile] / 1000
            latency["max"] = histogram.get_max_value() / 1000
        return LoadReport(
            calls,
            max(self._ended_at, self._clock.time()) - self._start,
            dict(outcomes),
            latency,
            self._late,
            self._crowded,
            histogram.encode().decode() if calls else "",
        )

    async def _report_progress(self) -> None:
        assert self._progress is not None, "only run with a progress"
        while True:
            await sleep(self._clock, _PROGRESS_EVERY)
            self._put_counted()
            calls = self._ok + self._outcomes.total()
            failed = sum(count for one, count in self._outcomes.items() if one.exit_code)
            seconds = self._clock.time() - self._start
            median = self._histogram.get_value_at_percentile(50) / 1000 if calls else 0.0
            self._progress(
                f"{calls} calls, {calls / seconds:.0f}/s, {failed} failed, median {median:.2f} ms"
            )
