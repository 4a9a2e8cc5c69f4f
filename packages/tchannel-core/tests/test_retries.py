"""The table of retries, cell by cell, and what a call does between attempts."""

import asyncio
import itertools

import pytest

from tchannel import errors
from tchannel._calls.retries import (
    NEVER,
    REFUSED,
    UNKNOWN,
    UNSENT,
    RetryBudget,
    delay_before,
    kind_of_code,
    may_retry,
)
from tchannel._links.peer_table import PeerTable
from tchannel.options import Options

RETRY_ON = ["n", "c", "t", "ct", "tc"]

TABLE = {
    REFUSED: {"c", "t", "ct", "tc"},
    UNSENT: {"c", "ct", "tc"},
    UNKNOWN: {"t", "ct", "tc"},
    NEVER: set(),
}


@pytest.mark.parametrize(("kind", "retry_on"), list(itertools.product(TABLE, RETRY_ON)))
def test_each_cell_of_the_table(kind, retry_on):
    assert may_retry(retry_on, kind) is (retry_on in TABLE[kind])


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, UNKNOWN),
        (2, NEVER),
        (3, REFUSED),
        (4, REFUSED),
        (5, NEVER),
        (6, NEVER),
        (7, UNSENT),
        (8, NEVER),
        (255, NEVER),
        (99, NEVER),
    ],
)
def test_each_error_code_has_its_row(code, kind):
    assert kind_of_code(code) == kind


def test_the_delay_before_a_retry_doubles_up_to_a_limit_with_full_jitter():
    options = Options(retry_delay=0.1, retry_delay_max=0.5)

    for retry, longest in [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (9, 0.5)]:
        delays = [delay_before(retry, options) for _ in range(200)]
        assert 0 <= min(delays) < longest / 4
        assert longest * 3 / 4 < max(delays) <= longest


CODES = {
    "busy": (errors.BusyError, {"c", "t", "ct", "tc"}),
    "declined": (errors.DeclinedError, {"c", "t", "ct", "tc"}),
    "network": (errors.NetworkError, {"c", "ct", "tc"}),
    "timeout": (errors.TimeoutError, {"t", "ct", "tc"}),
    "cancelled": (errors.CanceledError, set()),
    "unexpected": (errors.UnexpectedError, set()),
    "bad request": (errors.BadRequestError, set()),
    "unhealthy": (errors.UnhealthyError, set()),
}


@pytest.mark.parametrize(("name", "retry_on"), list(itertools.product(CODES, RETRY_ON)))
async def test_an_error_frame_is_followed_by_another_attempt_as_the_table_says(
    joined, name, retry_on
):
    kind, retried_under = CODES[name]
    tries = []

    def refuse(request):
        tries.append(request.tracing)
        raise kind("no")

    joined.server.raw.register("refuse", refuse)
    call = joined.client.raw(
        "server", "refuse", hostport=joined.hostport, retry_on=retry_on, retry_limit=2
    )
    await joined.advance(10)

    assert len(tries) == (3 if retry_on in retried_under else 1)
    assert call.exception().attempts == len(tries)
    # The trace is the same in every attempt.
    assert len({(t.span_id, t.trace_id) for t in tries}) == 1


@pytest.mark.parametrize("retry_on", RETRY_ON)
async def test_a_timeout_is_retried_under_t_alone_and_each_attempt_has_the_whole_timeout(
    joined, retry_on
):
    begun = []

    @joined.server.raw.register
    async def hang(request):
        begun.append(joined.clock.time())
        await asyncio.Future()

    call = joined.client.raw(
        "server", "hang", hostport=joined.hostport, timeout=2, retry_on=retry_on, retry_limit=1
    )
    await joined.advance(30)

    assert isinstance(call.exception(), errors.TimeoutError)
    assert len(begun) == (2 if "t" in retry_on else 1)
    if len(begun) == 2:
        assert 2.0 <= begun[1] - begun[0] < 2.2


@pytest.mark.parametrize("retry_on", RETRY_ON)
async def test_a_connection_lost_after_writing_is_retried_under_t_alone(
    clock, make_channel, join, settle, retry_on
):
    client = make_channel("client")
    server = make_channel("server")
    begun = []

    @server.raw.register
    async def hang(request):
        begun.append(1)
        if len(begun) > 1:
            return b"ok"
        await asyncio.Future()

    to_server, _ = join(client, server, "127.0.0.1:1")
    await settle()
    call = client.raw("server", "hang", hostport="127.0.0.1:1", retry_on=retry_on, retry_limit=1)
    await settle()
    to_server.abort()
    await settle()
    join(client, server, "127.0.0.1:1")
    await clock.advance(5)

    if "t" in retry_on:
        assert (await call).body == b"ok"
    else:
        assert isinstance(call.exception(), errors.NetworkError)
    for channel in (client, server):
        closing = channel.close(grace=1)
        await clock.advance(5)
        await closing


async def test_hostport_means_one_attempt_unless_a_limit_is_given(joined):
    tries = []

    def refuse(request):
        tries.append(1)
        raise errors.BusyError("no")

    joined.server.raw.register("refuse", refuse)
    for limit, expected in [(None, 1), (0, 1), (3, 4)]:
        tries.clear()
        call = joined.client.raw("server", "refuse", hostport=joined.hostport, retry_limit=limit)
        await joined.advance(20)
        assert isinstance(call.exception(), errors.BusyError)
        assert len(tries) == expected


async def test_the_deadline_bounds_the_call_with_all_its_attempts(joined):
    begun = []

    @joined.server.raw.register
    async def hang(request):
        begun.append(request.timeout)
        await asyncio.Future()

    call = joined.client.raw(
        "server",
        "hang",
        hostport=joined.hostport,
        timeout=2,
        deadline=5,
        retry_on="ct",
        retry_limit=10,
    )
    await joined.advance(5.1)

    assert isinstance(call.exception(), errors.TimeoutError)
    assert len(begun) == 3
    assert begun[:2] == [2.0, 2.0]
    assert begun[2] < 1.0  # what was left


async def close(clock, channel):
    closing = channel.close()
    await clock.advance(1)
    await closing


@pytest.mark.parametrize("retry_on", ["c", "t", "ct", "n"])
async def test_a_call_without_anything_to_bring_a_peer_fails_at_once_and_says_what_to_do(
    clock, make_channel, retry_on
):
    client = make_channel("client")
    call = client.raw("server", "x", retry_on=retry_on)

    with pytest.raises(errors.NoAvailablePeerError) as caught:
        await call
    for remedy in ("known_peers=", "hostport=", "advertise()"):
        assert remedy in str(caught.value)
    await close(clock, client)


class EmptySource:
    """A source that knows no peer yet, and does not say when it will."""

    group = None

    def start(self, group, clock):
        self.group = group

    def stop(self):
        pass


async def test_a_call_tries_again_while_its_peer_source_has_no_peer(clock, make_channel):
    client = make_channel("client", known_peers=EmptySource())
    looked = []
    choose = client.peers.choose
    client.peers.choose = lambda *args: looked.append(args) or choose(*args)
    call = client.raw("server", "x")
    assert not call.done()
    await clock.advance(10)

    with pytest.raises(errors.NoAvailablePeerError, match="peer source") as caught:
        await call
    assert caught.value.attempts == len(looked) == 5
    assert caught.value.peer is None
    never = client.raw("server", "x", retry_on="n")
    assert isinstance(never.exception(), errors.NoAvailablePeerError)
    await close(clock, client)


async def test_a_call_goes_to_the_peer_that_its_source_finds_between_two_attempts(
    clock, make_channel, join, settle
):
    source = EmptySource()
    client, server = make_channel("client", known_peers=source), make_channel("server")
    server.raw.register("x", lambda request: b"ok")
    call = client.raw("server", "x")
    await settle()
    assert not call.done()
    join(client, server, "127.0.0.1:1")
    await settle()
    source.group.add("127.0.0.1:1")
    await clock.advance(5)

    assert (await call).body == b"ok"
    await close(clock, client)
    await close(clock, server)


# -- how long nothing is sent -----------------------------------------------------------------


@pytest.mark.parametrize("peers", [1, 3])
async def test_retries_do_not_multiply_a_wait_for_a_connection(
    make_channel, clock, monkeypatch, peers
):
    # What a network that drops packets looks like.
    monkeypatch.setattr(PeerTable, "connect", lambda table, peer: None)
    client = make_channel("client", known_peers=[f"127.0.0.1:{n + 1}" for n in range(peers)])
    call = client.raw("server", "echo", timeout=1)
    await clock.advance(0.9)
    assert not call.done()
    await clock.advance(0.2)

    assert isinstance(call.exception(), errors.TimeoutError)


async def test_nor_a_wait_for_the_first_peers(make_channel, clock):
    client = make_channel("client")
    client.use_loop()
    client.peers.expecting(asyncio.get_running_loop().create_future())
    call = client.raw("server", "echo", timeout=1)
    await clock.advance(1.1)

    assert isinstance(call.exception(), errors.TimeoutError)


async def test_a_wait_after_an_attempt_that_was_sent_begins_anew(joined):
    @joined.server.raw.register
    async def hang(request):
        await asyncio.Future()

    call = joined.client.raw(
        "server", "hang", hostport=joined.hostport, timeout=1, retry_on="t", retry_limit=2
    )
    await joined.advance(2.5)
    assert not call.done()
    await joined.advance(2)

    assert call.exception().attempts == 3


# -- the budget -------------------------------------------------------------------------------


def taken(budget, now, tries=1000):
    return sum(budget.take(now) for _ in range(tries))


def test_a_channel_with_few_calls_may_retry_ten_times_in_ten_seconds():
    budget = RetryBudget(0.2, 10)
    budget.calls = 3
    assert taken(budget, 100.0) == 10
    assert taken(budget, 109.9) == 0
    assert taken(budget, 110.0) == 10


def test_retries_are_a_fifth_of_the_calls_of_the_last_ten_seconds():
    budget = RetryBudget(0.2, 10)
    budget.look(999.0)
    made = []
    for second in range(60):
        budget.calls += 100
        made.append(taken(budget, 1000.0 + second))
    assert all(180 <= sum(made[at : at + 10]) <= 220 for at in range(10, 50))


def test_calls_of_long_ago_allow_no_retries_now():
    budget = RetryBudget(0.2, 10)
    budget.look(0.0)
    budget.calls = 10_000
    assert taken(budget, 5000.0) == 10
    budget.calls += 1_000
    assert taken(budget, 5000.0 + 9) in {190, 191}


async def test_a_service_that_is_busy_is_not_asked_five_times_by_all(joined):
    def refuse(request):
        raise errors.BusyError("busy")

    joined.server.raw.register("work", refuse)
    joined.client.peers.add(joined.hostport)
    calls = [joined.client.raw("server", "work", timeout=5) for _ in range(200)]
    for _ in range(40):
        await joined.advance(0.1)
    assert all(isinstance(call.exception(), errors.BusyError) for call in calls)
    assert sum(call.attempts for call in calls) == 240


async def test_an_outage_is_not_multiplied_by_the_retries_of_all_calls(make_channel, clock):
    channel = make_channel(
        "client", known_peers=["127.0.0.1:1"], options=Options(retry_delay=0.001)
    )
    calls = [channel.raw("server", "endpoint", timeout=5) for _ in range(200)]
    for _ in range(40):
        await asyncio.sleep(0.01)
        await clock.advance(0.1)
    assert all(isinstance(call.exception(), errors.TChannelError) for call in calls)
    # One each is free, because nothing was sent; without a budget there would be a thousand.
    assert 200 < sum(call.attempts for call in calls) <= 440
    await channel.close()
