"""The load mode."""

import asyncio
from collections.abc import Callable
from itertools import islice

import pytest

pytest.importorskip("hdrh", reason="the extra `load`")

from tchannel.clock import sleep
from tchannel_tools._calling.load import (
    OK,
    Load,
    LoadPlan,
    LoadReport,
    Outcome,
    constant_arrival,
)

pytestmark = pytest.mark.extra


BUSY = Outcome(3, "busy")


def plan(requests=None, *, rate=None, concurrency=1, seconds=None, delay=0.0, ramp=0.0):
    return LoadPlan(requests, rate, concurrency, seconds, delay, as_json=False, ramp=ramp)


@pytest.fixture
def run(clock) -> Callable[..., object]:
    """Run a plan on the clock of the test; each call takes so many seconds."""

    async def run(plan, takes=0.01, outcome=lambda number: OK, progress=None, dues=None):
        begun = []

        async def call():
            begun.append(clock.time() - start)
            number = len(begun)
            await sleep(clock, takes(number) if callable(takes) else takes)
            return outcome(number)

        start = clock.time()
        task = asyncio.create_task(Load(plan, call, clock, progress, dues=dues).run())
        while not task.done():
            await clock.elapse(0.001)
        return task.result(), begun

    return run


async def test_so_many_calls_are_made_one_after_the_other(run):
    report, begun = await run(plan(3))

    assert report.calls == 3
    assert begun == pytest.approx([0, 0.01, 0.02], abs=0.002)
    assert report.exit_code == 0


async def test_so_many_calls_are_made_at_once(run):
    _, begun = await run(plan(5, concurrency=2))

    assert begun == pytest.approx([0, 0, 0.01, 0.01, 0.02], abs=0.004)


async def test_calls_end_when_the_time_is_over(run):
    report, begun = await run(plan(seconds=0.1))

    assert report.calls == len(begun) == pytest.approx(10, abs=1)


async def test_calls_begin_at_the_rate(run):
    _, begun = await run(plan(5, rate=20, concurrency=3))

    assert begun == pytest.approx([0, 0.05, 0.1, 0.15, 0.2], abs=0.002)


async def test_latency_counts_from_when_a_call_was_due(run):
    # The first stalls for a second, so that the others begin late.
    report, _ = await run(plan(10, rate=100), takes=lambda number: 1.0 if number == 1 else 0.001)

    assert report.latency["50"] == pytest.approx(960, rel=0.05)


async def test_a_delay_parts_the_calls(run):
    _, begun = await run(plan(3, delay=0.1))

    assert begun == pytest.approx([0, 0.11, 0.22], abs=0.004)


async def test_percentiles_are_those_of_the_calls(run):
    report, _ = await run(plan(100), takes=lambda number: number / 1000)

    assert report.latency["50"] == pytest.approx(50, abs=2)
    assert report.latency["99"] == pytest.approx(99, abs=2)
    assert report.latency["max"] == pytest.approx(100, abs=2)
    assert report.latency["min"] == pytest.approx(1, abs=1)


async def test_failures_are_counted_by_their_code(run):
    report, _ = await run(plan(4), outcome=lambda number: BUSY if number == 2 else OK)

    assert report.outcomes == {OK: 3, BUSY: 1}
    assert report.exit_code == 3
    document = report.document()
    assert (document["ok"], document["errors"]) == (3, {"busy": {"code": 3, "count": 1}})
    assert "busy (3)" in report.text()


async def test_what_a_call_raises_ends_it_all(clock):
    async def call():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Load(plan(5, concurrency=3), call, clock).run()


async def test_progress_is_told_now_and_then(run):
    lines = []

    await run(plan(seconds=1.2), progress=lines.append)

    assert len(lines) == 2
    assert "calls, " in lines[0]
    assert "0 failed" in lines[0]


def test_the_exit_code_is_that_of_the_most_frequent_failure():
    outcomes = {OK: 10, BUSY: 1, Outcome(1, "timeout"): 2}

    assert LoadReport(13, 1.0, outcomes, {}).exit_code == 1


def test_a_load_without_any_call_has_a_report():
    report = LoadReport(0, 0.0, {}, {})

    assert report.rate == 0.0
    assert report.exit_code == 0
    assert "0 calls" in report.text()


# -- calls that are due -----------------------------------------------------------------------------


def test_calls_arrive_at_a_constant_rate():
    assert list(islice(constant_arrival(4), 4)) == [0, 0.25, 0.5, 0.75]


def test_the_rate_grows_from_nothing_within_the_ramp():
    dues = list(islice(constant_arrival(100, ramp=2), 300))

    assert dues == sorted(dues)
    # A quarter of what is due in two seconds of growing is due in the first.
    assert sum(due < 1 for due in dues) == pytest.approx(25, abs=1)
    assert sum(due < 2 for due in dues) == 100
    assert sum(2 <= due < 3 for due in dues) == pytest.approx(100, abs=1)


async def test_calls_begin_when_due_though_none_is_answered(run):
    report, begun = await run(plan(5, rate=20, concurrency=100), takes=10.0)

    assert begun == pytest.approx([0, 0.05, 0.1, 0.15, 0.2], abs=0.004)
    assert report.late < 0.004
    assert not report.crowded


async def test_a_load_that_was_held_back_says_so(run):
    report, _ = await run(plan(3, rate=100), takes=0.5)

    assert report.late == pytest.approx(0.98, abs=0.01)
    assert report.crowded


async def test_calls_can_be_due_at_any_times(run):
    _, begun = await run(plan(3, concurrency=9), dues=[0.0, 0.3, 0.31])

    assert begun == pytest.approx([0, 0.3, 0.31], abs=0.004)


async def test_no_call_is_due_when_the_time_is_over(run):
    report, begun = await run(plan(seconds=0.1, rate=100, concurrency=9))

    assert len(begun) == 10
    assert report.seconds == pytest.approx(0.11, abs=0.02)


async def test_places_are_filled_within_the_ramp(run):
    _, begun = await run(plan(4, concurrency=4, ramp=0.4), takes=10.0)

    assert begun == pytest.approx([0, 0.1, 0.2, 0.3], abs=0.004)


@pytest.mark.parametrize("given", [{"rate": 0.01}, {}, {"rate": 50}])
async def test_a_load_that_is_stopped_reports_what_was_measured(clock, given):
    async def call():
        await sleep(clock, 0.01)
        return OK

    load = Load(plan(seconds=1000, **given), call, clock)
    task = asyncio.create_task(load.run())
    await clock.elapse(0.2)
    load.stop()
    await clock.elapse(0.02)

    report = await task
    assert 0 < report.calls <= 21
    assert report.seconds < 1


async def test_a_load_that_is_cancelled_cancels_its_calls(clock):
    ended = []

    async def call():
        try:
            await sleep(clock, 100)
        finally:
            ended.append(True)

    task = asyncio.create_task(Load(plan(5, concurrency=3), call, clock).run())
    await clock.elapse(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)

    assert len(ended) == 3


async def test_the_histogram_can_be_read_by_others(run):
    from hdrh.histogram import HdrHistogram

    report, _ = await run(plan(100), takes=lambda number: number / 1000)

    found = HdrHistogram.decode(report.histogram.encode())
    assert found.get_total_count() == 100
    assert found.get_value_at_percentile(50) == pytest.approx(50_000, rel=0.05)
