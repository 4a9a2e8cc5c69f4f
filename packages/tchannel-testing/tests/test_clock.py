"""ManualClock: time that moves only when a test says so."""

import asyncio
import contextvars

import pytest

from tchannel_testing.clock import ManualClock


def test_time_stands_still_until_it_is_moved():
    clock = ManualClock(start=5)

    assert clock.time() == 5
    clock.advance(2.5)

    assert clock.time() == 7.5


def test_timers_run_in_the_order_they_are_due_and_then_in_the_order_they_were_made():
    clock, ran = ManualClock(), []
    for when, name in [(2, "late"), (1, "first"), (1, "second"), (3, "never")]:
        clock.call_at(when, lambda name=name: ran.append((clock.time(), name)))

    clock.advance(2)

    assert ran == [(1, "first"), (1, "second"), (2, "late")]
    assert clock.pending == 1
    assert clock.next_timer == 3


def test_arguments_reach_the_callback():
    clock, ran = ManualClock(), []
    clock.call_at(0, ran.append, "value")

    clock.advance(0)

    assert ran == ["value"]


def test_a_timer_made_by_a_timer_runs_in_the_same_move():
    clock, ran = ManualClock(), []

    def again():
        ran.append(clock.time())
        clock.call_at(clock.time() + 1, again)

    clock.call_at(1, again)
    clock.advance(3)

    assert ran == [1, 2, 3]


def test_a_time_that_has_passed_runs_at_the_next_move_and_never_turns_the_clock_back():
    clock, ran = ManualClock(start=10), []
    clock.call_at(1, lambda: ran.append(clock.time()))
    assert ran == []

    clock.advance(0)

    assert ran == [10]
    assert clock.time() == 10


def test_a_cancelled_timer_never_runs_and_leaves_no_entry():
    clock, ran = ManualClock(), []
    timer = clock.call_at(1, ran.append, "no")

    timer.cancel()
    timer.cancel()
    clock.advance(2)

    assert ran == []
    assert clock.pending == 0
    assert timer.cancelled


def test_cancelling_a_timer_that_has_run_does_nothing():
    clock = ManualClock()
    timer = clock.call_at(1, lambda: None)
    clock.advance(1)

    timer.cancel()

    assert not timer.cancelled
    assert "done" in repr(timer)


def test_a_timer_can_cancel_another_that_is_due_at_the_same_time():
    clock, ran = ManualClock(), []

    def cancel_second():
        second.cancel()

    clock.call_at(1, cancel_second)
    second = clock.call_at(1, ran.append, "second")

    clock.advance(1)

    assert ran == []


def test_a_timer_runs_in_the_context_that_made_it():
    clock, seen = ManualClock(), []
    variable = contextvars.ContextVar("variable", default="outer")

    def make():
        variable.set("inner")
        clock.call_at(1, lambda: seen.append(variable.get()))

    contextvars.copy_context().run(make)
    clock.advance(1)

    assert seen == ["inner"]


def test_an_exception_of_a_callback_reaches_the_caller_and_the_clock_still_works():
    clock, ran = ManualClock(), []
    clock.call_at(1, lambda: 1 / 0)
    clock.call_at(2, ran.append, "second")

    with pytest.raises(ZeroDivisionError):
        clock.advance(5)

    assert clock.time() == 1
    clock.advance(1)
    assert ran == ["second"]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_a_move_that_makes_no_sense_is_refused_with_its_value(seconds):
    clock = ManualClock()

    with pytest.raises(ValueError, match=str(seconds)):
        clock.advance(seconds)


def test_a_start_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="start"):
        ManualClock(start=float("nan"))


def test_a_timer_cannot_move_its_own_clock():
    clock = ManualClock()
    clock.call_at(1, lambda: clock.advance(1))

    with pytest.raises(RuntimeError, match="already"):
        clock.advance(2)


async def test_elapse_lets_tasks_react_between_timers():
    clock, ran = ManualClock(), []

    async def sleeper():
        for _ in range(3):
            woken = asyncio.get_running_loop().create_future()
            clock.call_at(clock.time() + 1, woken.set_result, None)
            await woken
            ran.append(clock.time())

    task = asyncio.create_task(sleeper())
    await clock.elapse(3)
    await task

    assert ran == [1, 2, 3]
    assert clock.time() == 3


async def test_elapse_needs_at_least_one_turn():
    with pytest.raises(ValueError, match="turns"):
        await ManualClock().elapse(1, turns=0)


def test_a_timer_for_no_time_at_all_is_refused():
    with pytest.raises(ValueError, match="a timer needs a time, got nan"):
        ManualClock().call_at(float("nan"), print)
