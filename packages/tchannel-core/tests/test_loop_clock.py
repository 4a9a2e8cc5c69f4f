"""A channel's time on each loop: finer than what uvloop tells, and still that of its timers."""

import asyncio
import time

import pytest

from tchannel import TChannel
from tchannel.clock import LoopClock


async def test_the_time_is_that_of_the_loop_to_its_resolution():
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop)

    before, now, after = time.monotonic(), clock.time(), time.monotonic()

    assert before <= now <= after
    assert abs(now - loop.time()) < 1


async def test_a_timer_is_never_early():
    clock = LoopClock(asyncio.get_running_loop())
    early = []
    for n in range(8):
        done = asyncio.Event()
        due = clock.time() + 0.0011 + n * 0.0003

        def fire(due=due, done=done):
            early.append(max(due - clock.time(), 0.0))
            done.set()

        clock.call_at(due, fire)
        await done.wait()

    # What asyncio calls the clock's resolution, by which its own timers may be early.
    assert max(early) <= time.get_clock_info("monotonic").resolution


async def test_latencies_are_told_to_the_microsecond():
    async with TChannel("server") as server, TChannel("client") as client:

        @server.raw.register
        def echo(request):
            return request.body

        server.listen()
        for _ in range(20):
            await client.raw("server", "echo", b"", hostport=server.hostport)
        took = client.stats().outgoing[0].latency

    # Twenty calls of whole milliseconds would sum up to whole ones.
    assert took.count == 20
    assert took.sum > 0
    assert took.sum * 1000 % 1 > 1e-6


def of_one_that_overrides_it(loop):
    class Own(type(loop)):
        def time(self):
            return super().time() + 1000

    return Own()


def of_one_that_was_given_it(loop):
    made = type(loop)()
    made.time = lambda: loop.time() + 1000
    return made


@pytest.mark.parametrize("make", [of_one_that_overrides_it, of_one_that_was_given_it])
async def test_a_loop_with_a_time_of_its_own_keeps_it(make):
    loop = asyncio.get_running_loop()
    other = make(loop)
    try:
        assert LoopClock(other).time() - loop.time() > 900
    finally:
        other.close()
