from __future__ import annotations

import asyncio
import logging

import pytest

from tchannel import TChannel, errors
from tchannel_hyperbahn.sources.polling import PollingSource


class Scripted(PollingSource):
    """Answers with ``answer``: a list, None, or an exception to raise."""

    def __init__(self, answer, period=10.0):
        super().__init__(period)
        self.answer = answer
        self.times = []

    def __str__(self):
        return "scripted peers"

    async def ask(self, group):
        self.times.append(group.channel.clock.time())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def start(make_channel, clock):
    """A function that gives a source to a channel and has it begin."""

    def begin(source, **options):
        channel = make_channel(known_peers=source, clock=clock, **options)
        channel.use_loop()
        return channel

    return begin


async def test_peers_come_and_go_with_the_answers(start, clock):
    source = Scripted(["127.0.0.1:1", "127.0.0.1:2"])
    channel = start(source)
    await clock.elapse(0)
    assert sorted(channel.peers.hosts) == ["127.0.0.1:1", "127.0.0.1:2"]

    source.answer = ["127.0.0.1:2", "127.0.0.1:3"]
    await clock.elapse(11)

    assert sorted(channel.peers.hosts) == ["127.0.0.1:2", "127.0.0.1:3"]


async def test_it_asks_once_in_a_period_give_or_take_a_tenth(start, clock):
    source = Scripted(["127.0.0.1:1"], period=10.0)
    start(source)

    await clock.elapse(1000)

    gaps = [later - sooner for sooner, later in zip(source.times, source.times[1:], strict=False)]
    assert 90 <= len(gaps) <= 112
    assert min(gaps) >= 9.0
    assert max(gaps) <= 11.0


async def test_a_failure_keeps_the_last_answer_and_is_logged_once(start, clock, caplog):
    source = Scripted(["127.0.0.1:1"])
    channel = start(source)
    await clock.elapse(0)

    source.answer = OSError("no such thing")
    await clock.elapse(300)
    assert channel.peers.hosts == ["127.0.0.1:1"]
    source.answer = ["127.0.0.1:2"]
    await clock.elapse(30)

    assert channel.peers.hosts == ["127.0.0.1:2"]
    messages = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert messages == [
        "scripted peers: keeping the 1 peers known: no such thing",
        "scripted peers answers again: 1 peers",
    ]


async def test_after_a_failure_it_asks_sooner(start, clock):
    source = Scripted(OSError("no"), period=60.0)
    start(source)

    await clock.elapse(60)

    assert len(source.times) > 3


async def test_an_answer_with_what_is_no_address_is_a_failure(start, clock, caplog):
    source = Scripted(["127.0.0.1:1"])
    channel = start(source)
    await clock.elapse(0)

    source.answer = ["nowhere"]
    await clock.elapse(11)

    assert channel.peers.hosts == ["127.0.0.1:1"]
    assert "'nowhere' has no port" in caplog.text


async def test_calls_wait_for_the_first_answer(start, clock, make_channel, time_passes):
    server = make_channel("server")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    source = Scripted(OSError("not yet"))
    channel = start(source)
    call = channel.raw("server", "echo", b"x", timeout=60)
    await clock.elapse(5)
    assert not call.done()

    source.answer = [server.hostport]
    await time_passes(call.done, channel)

    assert (await call).body == b"x"


async def test_a_call_does_not_wait_longer_than_its_timeout(start, clock):
    channel = start(Scripted(OSError("never")))
    call = channel.raw("server", "echo", timeout=2, retry_on="n")

    await clock.elapse(2.1)

    with pytest.raises(errors.TimeoutError):
        await call


async def test_closing_the_channel_ends_it(start, clock):
    before = asyncio.all_tasks()
    source = Scripted(["127.0.0.1:1"])
    channel = start(source)
    await clock.elapse(0)

    await channel.close()
    asked = len(source.times)
    await clock.elapse(100)

    assert len(source.times) == asked
    assert asyncio.all_tasks() == before


async def test_stopping_twice_or_before_the_start_is_harmless():
    source = Scripted([])

    source.stop()
    source.stop()


async def test_a_source_serves_one_channel_only(start):
    source = Scripted(["127.0.0.1:1"])
    start(source)

    with pytest.raises(ValueError, match="give each channel its own source"):
        start(source)


@pytest.mark.parametrize("period", [0, -1, float("nan"), float("inf")])
def test_a_period_must_be_above_zero(period):
    with pytest.raises(ValueError, match="period must be above 0"):
        Scripted([], period)


@pytest.mark.parametrize("period", ["1", None, True])
def test_a_period_must_be_a_number(period):
    with pytest.raises(TypeError, match="period must be a number"):
        Scripted([], period)


def test_a_source_goes_on_when_its_channel_goes_on_in_another_loop():
    source = Scripted(["127.0.0.1:1"])
    channel = TChannel("client", known_peers=source)

    async def use():
        channel.use_loop()
        while not source.times:
            await asyncio.sleep(0)
        hosts, source.times = channel.peers.hosts, []
        return hosts

    first = asyncio.run(use())
    source.answer = ["127.0.0.1:2"]

    async def use_and_close():
        hosts = await use()
        while hosts == first:
            await asyncio.sleep(0)
            hosts = channel.peers.hosts
        await channel.close()
        return hosts

    assert asyncio.run(use_and_close()) == ["127.0.0.1:2"]
