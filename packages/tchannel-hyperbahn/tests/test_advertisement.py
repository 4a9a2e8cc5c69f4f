from __future__ import annotations

import asyncio
import contextvars
import logging
import math

import pytest

from tchannel import Response, errors
from tchannel_hyperbahn.advertisement import Advertisement


class Sent:
    """What an advertisement sends; ``fails`` says whether, or how, the router fails."""

    def __init__(self, clock):
        self.clock = clock
        self.times = []
        self.timeouts = []
        self.fails = False
        self.context = None

    async def __call__(self, name, timeout):
        self.times.append(self.clock.time())
        self.timeouts.append(timeout)
        self.context = contextvars.copy_context()
        if self.fails:
            raise self.fails
        return Response({"connectionCount": 1})


@pytest.fixture
def sent(clock):
    return Sent(clock)


@pytest.fixture
async def advertise(sent, clock):
    """A function that starts an advertisement, which is stopped with the test."""
    made = []

    def start(timeout=30.0, period=60.0, jitter=0.0):
        loop = asyncio.get_running_loop()
        made.append(
            Advertisement(
                "name", sent, loop=loop, clock=clock, timeout=timeout, period=period, jitter=jitter
            )
        )
        return made[-1]

    yield start
    for advertisement in made:
        await advertisement.stop()
    assert clock.pending == 0


async def test_the_first_answer_is_the_result(advertise, sent):
    advertisement = advertise()

    response = await advertisement.first

    assert response.body == {"connectionCount": 1}
    assert len(sent.times) == 1
    assert advertisement.sent


async def test_it_is_repeated_every_period(advertise, sent, clock):
    await advertise(period=60.0).first

    await clock.elapse(181)

    assert sent.times == [1000.0, 1060.0, 1120.0, 1180.0]


async def test_periods_vary_by_the_jitter_both_ways(advertise, sent, clock):
    await advertise(period=60.0, jitter=20.0).first

    await clock.elapse(60 * 100)

    gaps = [later - sooner for sooner, later in zip(sent.times, sent.times[1:], strict=False)]
    assert min(gaps) >= 40
    assert max(gaps) <= 80
    assert min(gaps) < 50 < 70 < max(gaps)


async def test_the_first_is_tried_again_with_growing_delays_until_it_succeeds(
    advertise, sent, clock, caplog
):
    sent.fails = errors.NetworkError("refused")
    first = advertise(timeout=30.0).first
    await clock.elapse(20)
    assert len(sent.times) > 4
    assert not first.done()

    sent.fails = False
    await clock.elapse(9.9)

    assert first.result().body == {"connectionCount": 1}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_the_first_fails_when_its_time_is_over_and_not_sooner(advertise, sent, clock, caplog):
    sent.fails = errors.NetworkError("connection refused")
    first = advertise(timeout=30.0).first
    await clock.elapse(29.9)
    assert not first.done()

    await clock.elapse(0.1)

    with pytest.raises(errors.TimeoutError, match="within 30 s: connection refused"):
        await first
    assert isinstance(first.exception(), TimeoutError)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_nothing_runs_after_the_first_has_failed(advertise, sent, clock):
    sent.fails = errors.NetworkError("refused")
    advertisement = advertise(timeout=1.0)
    await clock.elapse(1)
    tries = len(sent.times)

    await clock.elapse(500)

    assert len(sent.times) == tries
    assert not advertisement.holds(asyncio.get_running_loop())


async def test_no_attempt_outlives_the_time_of_the_first(advertise, sent, clock):
    sent.fails = errors.NetworkError("refused")
    advertise(timeout=1.0)

    await clock.elapse(1)

    for when, timeout in zip(sent.times, sent.timeouts, strict=True):
        assert 0 < timeout <= 1001 - when + 1e-9


async def test_the_timeout_of_the_first_does_not_bound_the_later_ones(advertise, sent, clock):
    await advertise(timeout=0.1).first

    await clock.elapse(61)

    assert sent.timeouts[0] == pytest.approx(0.1)
    assert sent.timeouts[1] == 2.0


async def test_an_outage_is_logged_once_and_its_end_once(advertise, sent, clock, caplog):
    await advertise().first
    sent.fails = errors.NetworkError("refused")
    await clock.elapse(600)
    assert len(sent.times) > 60

    sent.fails = False
    await clock.elapse(600)

    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warnings) == 2
    assert "could not be advertised again" in warnings[0]
    assert "is advertised again" in warnings[1]


async def test_after_an_outage_it_is_back_within_half_a_period(advertise, sent, clock):
    await advertise(period=2.0).first
    sent.fails = errors.NetworkError("refused")
    await clock.elapse(100)
    sent.fails = False
    returned = clock.time()
    before = len(sent.times)

    await clock.elapse(3)

    assert sent.times[before] - returned <= 1.0


async def test_an_error_of_any_kind_does_not_stop_it(advertise, sent, clock):
    await advertise().first
    sent.fails = RuntimeError("a mistake of an interceptor")
    await clock.elapse(70)
    sent.fails = False
    before = len(sent.times)

    await clock.elapse(120)

    assert len(sent.times) > before


async def test_stopping_before_the_first_answer_ends_it_with_an_error(advertise, sent, clock):
    sent.fails = errors.NetworkError("refused")
    advertisement = advertise()
    await clock.elapse(1)

    await advertisement.stop()

    with pytest.raises(errors.CanceledError, match="taken back"):
        await advertisement.first


async def test_cancelling_the_result_ends_the_attempts(advertise, sent, clock):
    sent.fails = errors.NetworkError("refused")
    advertisement = advertise()
    await clock.elapse(1)

    advertisement.first.cancel()
    await clock.elapse(0)
    tries = len(sent.times)
    await clock.elapse(100)

    assert len(sent.times) == tries
    assert not advertisement.holds(asyncio.get_running_loop())


async def test_it_does_not_keep_the_context_it_was_started_in(advertise, sent):
    variable = contextvars.ContextVar("variable", default="empty")
    variable.set("that of a handler")

    await advertise().first

    assert variable not in sent.context


async def test_a_failure_that_nobody_waits_for_is_no_noise(advertise, sent, clock):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    sent.fails = errors.NetworkError("refused")
    advertise(timeout=1.0)

    await clock.elapse(math.ceil(1.0))

    assert complaints == []
