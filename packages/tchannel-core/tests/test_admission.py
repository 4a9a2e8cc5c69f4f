"""Which calls are let in: a share of them for one host, a limit that follows how long they take."""

import asyncio
import gc
import sys
from collections import Counter

import pytest

from tchannel import errors
from tchannel._serving.admission import host_of
from tchannel._serving.gradient import GradientLimit
from tchannel._serving.queue import RequestQueue
from tchannel.lowlevel import inside
from tchannel.options import AdaptiveConcurrency, Options


@pytest.fixture
def serving(make_channel, join, clock, settle):
    """A function that makes a service with options, and a function that joins clients of hosts to it."""

    async def make(**options):
        server = make_channel("server", options=Options(**options))
        gates = []

        @server.raw.register
        async def hang(request):
            gate = asyncio.get_running_loop().create_future()
            gates.append(gate)
            return await gate

        def client(name, address):
            channel = make_channel(name)
            channel.use_loop()
            join_from(join, channel, server, address)
            return channel

        await settle()
        return server, client, gates

    return make


def join_from(join, client, server, address):
    """Join as the fixture does, to a server that sees the client's socket at an address."""
    _, theirs = join(client, server, "127.0.0.1:1")
    connection = theirs.protocol
    connection.address = address
    connection.incoming = inside(server).admission.calls_of(connection)


@pytest.fixture(autouse=True)
async def ended(make_channel, clock):
    yield
    closing = [channel.close(grace=0) for channel in make_channel.made]
    for _ in range(10):
        await clock.advance(1)
    await asyncio.gather(*closing)


def hang(client, timeout=10.0):
    return client.raw("server", "hang", hostport="127.0.0.1:1", timeout=timeout, retry_limit=0)


def outcomes(calls):
    return Counter(
        "waits" if not c.done() else type(c.exception()).__name__ if c.exception() else "ok"
        for c in calls
    )


# -- a share for each host --------------------------------------------------------------------


async def test_the_callers_of_one_host_have_their_share_and_others_the_rest(serving, settle):
    _, client, gates = await serving(max_calls=10, caller_share=0.4)
    hostile = [client(f"name-{n}", f"10.0.0.1:{1000 + n}") for n in range(5)]
    honest = client("honest", "10.0.0.2:1000")
    calls = [hang(each) for each in hostile for _ in range(4)]
    await settle()

    # However many names and connections it has.
    assert outcomes(calls) == {"waits": 4, "BusyError": 16}
    assert "of this caller's host" in str(calls[-1].exception())
    others = [hang(honest) for _ in range(6)]
    await settle()
    assert outcomes(others) == {"waits": 4, "BusyError": 2}
    for gate in gates:
        gate.set_result(b"")
    await settle()
    assert outcomes(calls + others) == {"ok": 8, "BusyError": 18}
    again = [hang(hostile[0]) for _ in range(5)]
    await settle()
    assert outcomes(again) == {"waits": 4, "BusyError": 1}


async def test_without_a_share_the_callers_of_one_host_may_take_all_until_those_have_ended(
    serving, settle
):
    _, client, gates = await serving(max_calls=10)
    hostile = [client(f"name-{n}", f"10.0.0.1:{1000 + n}") for n in range(10)]
    honest = client("honest", "10.0.0.2:1000")
    calls = [hang(each) for each in hostile]
    await settle()
    refused = [hang(honest) for _ in range(2)]
    await settle()

    assert outcomes(calls) == {"waits": 10}
    assert outcomes(refused) == {"BusyError": 2}
    for gate in gates:
        gate.set_result(b"")
    await settle()
    served = [hang(honest) for _ in range(10)]
    await settle()
    assert outcomes(served) == {"waits": 10}


async def test_calls_that_end_in_any_way_are_given_back_to_the_share(serving, settle, clock):
    server, client, _ = await serving(max_calls=10, caller_share=0.3)
    caller = client("caller", "10.0.0.1:1000")
    for _ in range(3):
        cancelled, *expired = [hang(caller, timeout=1.0) for _ in range(3)]
        await settle()
        cancelled.cancel()
        await clock.advance(2)
        assert outcomes(expired) == {"TimeoutError": 2}
    (connection,) = inside(server).connections
    hang(caller)
    await settle()
    connection.abort()
    await settle()
    assert inside(server).incoming_calls == 0
    more = client("more", "10.0.0.1:1001")
    assert inside(server).admission._hosts["10.0.0.1"].calls == 0
    calls = [hang(more) for _ in range(4)]
    await settle()
    assert outcomes(calls) == {"waits": 3, "BusyError": 1}


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy does not count references")
async def test_nothing_is_kept_of_hosts_that_are_gone(serving, settle):
    server, client, _ = await serving(caller_share=0.5)
    for n in range(5):
        client("caller", f"10.0.0.{n}:1000")
    assert len(inside(server).admission._hosts) == 5
    for connection in list(inside(server).connections):
        connection.abort()
    del connection
    await settle()
    gc.collect()
    assert len(inside(server).admission._hosts) == 0


async def test_without_a_share_calls_are_held_by_a_plain_dict(serving):
    server, client, _ = await serving()
    client("caller", "10.0.0.1:1000")
    (connection,) = inside(server).connections
    assert type(connection.incoming) is dict


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.0.0.1:4040", "10.0.0.1"),
        ("[::ffff:10.0.0.1]:4040", "10.0.0.1"),
        ("[2001:db8:1:2:3:4:5:6]:4040", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::7]:1", "2001:db8:1:2::/64"),
        ("backend:4040", "backend"),
        ("unix-peer-7f:0", "unix"),
        ("unix:/run/service", "unix"),
    ],
)
def test_who_counts_as_one_host(address, host):
    assert host_of(address) == host


@pytest.mark.parametrize("share", [0, -1, 1.01, "1", True])
def test_a_share_is_a_part(share):
    with pytest.raises((ValueError, TypeError), match="caller_share"):
        Options(caller_share=share)


# -- a limit that follows latency -------------------------------------------------------------


def latency(in_flight, capacity, base=0.01):
    """Seconds that a call takes in a service that does ``capacity`` at once, and queues the others."""
    return base * max(1.0, in_flight / capacity)


def run(limit, seconds, capacity, offered=1000, now=0.0, base=0.01):
    """Let a service be offered many calls at once for some time; return the time after it."""
    ends = now + seconds
    while now < ends:
        in_flight = min(offered, limit.limit)
        took = latency(in_flight, capacity, base)
        now += took / in_flight
        limit.sample(took, in_flight, now)
    return now


def test_the_limit_finds_the_capacity_and_stays_there_however_long_it_is_overloaded():
    limit = GradientLimit(AdaptiveConcurrency(), most=100_000)
    now = 0.0
    seen = []
    for _ in range(60):
        now = run(limit, 10, capacity=100, now=now)
        seen.append(limit.limit)
    # Each minute, at a time that is left to chance, it measures anew with its least, 10, for a moment.
    lasting = [one for one in seen if one != 10]
    assert len(lasting) >= 50
    # 1.25 times as many as need not queue, and the square root of that: latencies at most 1.4 times.
    assert 120 <= min(lasting) <= max(lasting) <= 140


def test_the_limit_follows_the_capacity_down_and_up_within_seconds():
    limit = GradientLimit(AdaptiveConcurrency(), most=100_000)
    now = run(limit, 10, capacity=100)
    now = run(limit, 2, capacity=25, now=now)
    assert 25 <= limit.limit <= 40
    run(limit, 5, capacity=400, now=now)
    assert 400 <= limit.limit <= 540


def test_what_is_slower_even_with_few_calls_is_taken_for_usual_in_a_second_or_two():
    limit = GradientLimit(AdaptiveConcurrency(), most=100_000)
    now = run(limit, 10, capacity=100)
    now = run(limit, 10, capacity=100, base=0.05, now=now)
    assert 120 <= limit.limit <= 140


def test_few_calls_let_the_limit_grow_to_twice_their_number_alone():
    limit = GradientLimit(AdaptiveConcurrency(), most=100_000)
    run(limit, 60, capacity=10_000, offered=30)
    assert 30 < limit.limit <= 200


def test_the_limit_stays_between_its_least_and_the_most():
    limit = GradientLimit(AdaptiveConcurrency(least=5), most=8)
    assert limit.limit == 5
    now = run(limit, 5, capacity=1000)
    assert limit.limit == 8
    run(limit, 0.4, capacity=1, now=now)
    assert limit.limit == 5
    assert GradientLimit(AdaptiveConcurrency(), most=3).limit == 3


def test_no_calls_are_kept_back_to_measure_where_quiet_moments_tell():
    limit = GradientLimit(AdaptiveConcurrency(), most=100_000)
    now, least = run(limit, 5, capacity=100), []
    for _ in range(300):
        now = run(limit, 0.9, capacity=100, now=now)
        least.append(limit.limit)
        now = run(limit, 0.1, capacity=100, offered=8, now=now)
    assert min(least) > 100


async def test_beyond_the_limit_calls_are_answered_busy_and_it_learns_from_those_served(
    serving, settle, clock
):
    server, client, gates = await serving(
        adaptive_concurrency=AdaptiveConcurrency(least=5, window=0.01)
    )
    caller = client("caller", "10.0.0.1:1000")

    async def serve_many(taking):
        limit = inside(server).admission.limit
        calls = [hang(caller) for _ in range(300)]
        await settle()
        assert outcomes(calls) == {"waits": limit, "BusyError": 300 - limit}
        await clock.advance(taking)
        for gate in gates:
            gate.set_result(b"")
        gates.clear()
        await settle()
        return inside(server).admission.limit

    assert [await serve_many(0.02) for _ in range(9)] == [5] * 9
    grown = [await serve_many(0.02) for _ in range(12)][-1]
    assert grown > 20
    assert [await serve_many(0.2) for _ in range(8)][-1] < grown
    assert inside(server).admission.free == inside(server).admission.limit


async def test_a_share_is_one_of_the_limit_as_it_is_now(serving, settle):
    _, client, _ = await serving(
        adaptive_concurrency=AdaptiveConcurrency(least=10), caller_share=0.5
    )
    callers = [client(f"name-{n}", f"10.0.0.{n}:1000") for n in (1, 2, 3)]
    calls = [hang(each) for each in callers for _ in range(6)]
    await settle()
    assert [outcomes(calls[n : n + 6])["waits"] for n in (0, 6, 12)] == [5, 5, 0]


async def test_calls_that_are_given_up_or_refused_unserved_teach_nothing(
    serving, settle, clock, monkeypatch
):
    server, client, gates = await serving(adaptive_concurrency=True)
    caller = client("caller", "10.0.0.1:1000")
    seen = []
    monkeypatch.setattr(GradientLimit, "sample", lambda _, *sample: seen.append(sample))
    given_up, expired, served = hang(caller), hang(caller, timeout=1.0), hang(caller)
    await settle()
    given_up.cancel()
    await clock.advance(2)
    gates[2].set_result(b"")
    await settle()
    assert [taken for taken, *_ in seen] == [pytest.approx(1, abs=0.1), pytest.approx(2)]
    assert outcomes([expired, served]) == {"TimeoutError": 1, "ok": 1}
    # The queue refuses what cannot begin in time.
    monkeypatch.setattr(RequestQueue, "expected_wait", lambda *_: 100.0)
    (connection,) = inside(server).connections
    inside(server).queue.active = True
    connection.turn_ends = 0.0
    server.raw.register("plain", lambda request: b"")
    refused = caller.raw("server", "plain", hostport="127.0.0.1:1", retry_limit=0)
    await settle()
    assert isinstance(refused.exception(), errors.BusyError)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"least": 0}, ValueError),
        ({"least": 1.5}, TypeError),
        ({"tolerance": 0.9}, ValueError),
        ({"window": float("inf")}, ValueError),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(wrong, error):
    with pytest.raises(error, match=next(iter(wrong))):
        AdaptiveConcurrency(**wrong)


def test_it_is_off_by_default_and_true_means_the_defaults():
    assert Options().adaptive_concurrency is None
    assert Options(adaptive_concurrency=True).adaptive_concurrency.least == 10
    with pytest.raises(TypeError, match="adaptive_concurrency must be a bool or an"):
        Options(adaptive_concurrency=3)


async def test_a_snapshot_tells_the_limit_as_it_is_now(serving, settle):
    server, client, _ = await serving(adaptive_concurrency=AdaptiveConcurrency(least=7))
    hang(client("caller", "10.0.0.1:1000"))
    await settle()
    limits = {limit.name: (limit.used, limit.limit) for limit in server.stats().limits}
    assert limits["adaptive_concurrency"] == (1, 7)
