"""Each hostile peer costs only itself: bounds on memory, on the log, and on what honest callers wait."""

import pytest

# MiB that each may make the service grow: what is documented, and 32. Streams that are never ended are
# calls under way: 10,000 of one connection are let in, and each has a task, a context and a body, some 4 KB.
FLOODS = {
    "pings": 32,
    "call-and-cancel": 32,
    "ttl-0": 32,
    "checksum-type-255": 32,
    "bad-second-fragment": 32,
    "empty-chunks": 32,
    "streams-never-ended": 48 + 32,
    "farmhash": 32,
    "small-calls": 32,
}
HOARDERS = {
    "unread-answers": 10 * 6 + 32,
    "late-unread-answers": 256 + 32,
    "burst-and-close": 8 + 32,
    "unfinished": 256 + 32,
    "idle": 96,
    "json-bomb": 256 + 32,
}
LOOPS = ["asyncio", "uvloop"]

_LOG = 1_000_000
"""Bytes that an attack of a few seconds may write into the log."""

_FLOOR = 0.001
"""Seconds below which the p99 of the honest caller alone is noise."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_on_one_connection_does_not_keep_others_waiting(attack, name, loop):
    outcome = attack(name, loop, seconds=5)

    assert outcome.grown <= FLOODS[name]
    assert outcome.logged <= _LOG
    assert outcome.failed("attack") == outcome.failed("after") == []
    assert outcome.p99("attack") <= 10 * max(_FLOOR, outcome.p99("alone"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("name", HOARDERS)
def test_who_fills_memory_meets_a_bound_and_others_are_served(attack, name, loop):
    outcome = attack(name, loop, seconds=5)

    assert outcome.grown <= HOARDERS[name]
    assert outcome.logged <= _LOG
    # Ten connections may have `max_calls` under way: others are told, and served as soon as there is room.
    refused = {"too many calls in flight"} if name == "late-unread-answers" else set()
    assert {
        text for text in outcome.failed("attack") if not any(r in text for r in refused)
    } == set()
    assert outcome.failed("after") == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", LOOPS)
def test_handshakes_that_are_never_ended_hold_no_memory(attack, certificate, loop):
    outcome = attack("tls-half", loop, seconds=5, tls=certificate)

    assert outcome.grown <= 20 + 32  # a hundred of them at once, of 200 KB each
    assert outcome.logged <= _LOG
    assert outcome.failed("attack") == outcome.failed("after") == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_flood_of_handshakes_does_not_keep_others_waiting(attack, certificate, loop):
    outcome = attack("tls-handshakes", loop, seconds=5, tls=certificate)

    assert outcome.grown <= 32
    assert outcome.logged <= _LOG
    assert outcome.failed("attack") == outcome.failed("after") == []
    assert outcome.p99("attack") <= 10 * max(_FLOOR, outcome.p99("alone"))


@pytest.mark.counted
@pytest.mark.parametrize(
    "name", ["pings", "ttl-0", "unread-answers", "burst-and-close", "unfinished"]
)
def test_the_worst_of_them_keep_to_their_bytes(attack, name):
    outcome = attack(name, "asyncio", seconds=2, alone=0.2)

    assert outcome.grown <= {**FLOODS, **HOARDERS}[name]
    assert outcome.logged <= _LOG
    assert outcome.failed("after") == []
