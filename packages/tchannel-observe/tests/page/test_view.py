"""What the page shows: escaped, bounded, and all of it JSON."""

import json

import pytest

from tchannel import Options, TChannel
from tchannel.stats import Limit, LoopLag
from tchannel_observe.page.history import History
from tchannel_observe.page.page import MOST_BYTES, Page
from tchannel_observe.page.view import view_of

HOSTILE = '"><script>alert(1)</script>\x1b[31m\u202e\ud800\u4f60' * 40


@pytest.fixture
def show(made):
    """A function that gives the view of a snapshot."""

    def show(options=None, rows=50, **parts):
        history = History(2.0, 5.0)
        history.look(made.snapshot(100))
        now = made.snapshot(102, **parts)
        history.look(now)
        return view_of(now, history, options or Options(), rows)

    return show


@pytest.fixture
def large(made):
    """The parts of a snapshot of 5,000 connections, all of whose names are as hostile as they are long."""
    one = made.connection(HOSTILE, announced=HOSTILE, process_name=HOSTILE)
    return {
        "connections": [one] * 50,
        "connections_open": {"incoming": 5000, "outgoing": 0},
        "peers": [made.peer(HOSTILE, misfit=HOSTILE)] * 50,
        "peers_total": 5000,
        "in_flight": [
            made.in_flight(service=HOSTILE, endpoint=HOSTILE, caller=HOSTILE, peer=HOSTILE)
        ]
        * 50,
        "incoming_in_flight": 100_000,
        "failed": [made.ended(service=HOSTILE, endpoint=HOSTILE, error=HOSTILE)] * 50,
        "slow": [made.ended(service=HOSTILE, endpoint=HOSTILE, error="")] * 50,
        "incoming": [
            made.calls(endpoint=f"{number}{HOSTILE}", success=10) for number in range(1000)
        ],
    }


def texts_of(value):
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_of(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def test_what_peers_said_is_printable_and_short_wherever_it_stands(show, large):
    texts = texts_of(show(**large))

    assert all(text.isprintable() for text in texts)
    assert max(len(text) for text in texts) <= 500
    assert any("\\x1b[31m\\u202e\\ud800" in text for text in texts)


def test_every_part_is_bounded_and_says_how_many_there_are(show, large):
    view = show(**large, rows=20)

    for part in ("connections", "peers", "in_flight", "failed", "slow", "endpoints"):
        assert len(view[part]["rows"]) == 20
    assert view["connections"]["total"] == 5000
    assert view["peers"]["total"] == 5000
    assert view["in_flight"]["total"] == 100_000
    assert view["endpoints"]["total"] == 1000
    assert view["connections"]["note"] == "5,000 accepted, 0 opened."


async def test_a_refresh_stays_below_100_kb_whatever_the_names(made, large, monkeypatch):
    async with TChannel("orders") as channel, Page(channel) as page:
        times = iter(range(1, 1000))

        def stats(most):
            return made.snapshot(100 + 2 * next(times), **large)

        monkeypatch.setattr(channel, "stats", stats)
        for _ in range(200):
            page._look_at("orders")
        assert len(page._seen["orders"].history.rates["incoming"]) == 150

        data = page._event("orders", fresh=True)

    assert 20_000 < len(data) <= MOST_BYTES
    (line,) = [line for line in data.split(b"\n") if line.startswith(b"data: ")]
    view = json.loads(line[6:])
    assert view["channel"]["connections"]["total"] == 5000
    assert len(view["channel"]["connections"]["rows"]) >= 12


def test_the_parts_that_run_natively_are_named(show):
    parts = {"wire": "native", "thrift": "native", "core": "has no native ways in this version"}

    assert show(native=parts)["native"] == ["wire", "thrift"]
    assert show()["native"] == []


def test_endpoints_that_fail_come_first(show, made):
    view = show(
        incoming=[
            made.calls(endpoint="list", success=1000, took=[0.01] * 1000),
            made.calls(endpoint="refund", success=5, timeout=5),
        ]
    )

    first, second = view["endpoints"]["rows"]
    assert (first["call"], first["failed_share"], first["rate"]) == ("orders::refund", 0.5, 5.0)
    assert (second["call"], second["failed_share"]) == ("orders::list", 0.0)
    assert second["p99"] == pytest.approx(0.01, rel=0.07)


def test_options_that_were_changed_come_first_with_their_default(show):
    first, second, *_ = show(Options(max_calls=7))["options"]["rows"]

    assert first == {"name": "max_calls", "value": "7 (default 100,000)"}
    assert "default" not in second["value"]
    names = [row["name"] for row in show()["options"]["rows"]]
    assert names == sorted(names)
    assert {"max_message_size", "handshake_timeout", "retry_budget"} <= set(names)
    values = {row["name"]: row["value"] for row in show()["options"]["rows"]}
    assert values["incoming_memory"] == "256 MiB"
    assert values["idle_timeout"] == "none"
    assert values["checksum"] == "CRC32C"


def test_a_call_in_flight_says_what_it_does(show, made):
    rows = show(
        in_flight=[
            made.in_flight(),
            made.in_flight(waits="turn"),
            made.in_flight(direction="outgoing", waits="connection", attempts=2),
            made.in_flight(direction="outgoing", waits="hooks"),
            made.in_flight(direction="outgoing"),
        ]
    )["in_flight"]["rows"]

    assert [row["doing"] for row in rows] == [
        "being served",
        "waits for its turn",
        "waits for a connection, attempt 2",
        "waits for hooks",
        "waits for its answer",
    ]


def test_a_peer_and_a_connection_say_what_is_wrong_with_them(show, made):
    view = show(
        peers=[
            made.peer(state="penalised", penalised_for=2.5),
            made.peer(misfit="it speaks HTTP"),
            made.peer(known=False, state="caller"),
        ],
        connections=[
            made.connection(congested_for=3.21),
            made.connection(state="peer-draining", tls=True),
            made.connection(),
        ],
    )

    assert [(row["state"], row["level"]) for row in view["peers"]["rows"]] == [
        ("penalised", "warn"),
        ("cannot be spoken to: it speaks HTTP", "warn"),
        ("caller", ""),
    ]
    assert [(row["state"], row["level"]) for row in view["connections"]["rows"]] == [
        ("not read for 3.2 s", "warn"),
        ("peer-draining, TLS", "warn"),
        ("open", ""),
    ]


def test_a_channel_of_which_nothing_is_known_yet_is_shown(made):
    view = view_of(made.snapshot(0.0, hostport=None), History(2.0, 5.0), Options(), 50)

    assert json.loads(json.dumps(view)) == view
    assert view["incoming"]["rate"] is None
    assert view["hostport"] == "no address: it does not listen"


def test_limits_of_memory_say_that_they_are_bytes(show):
    memory, calls = show(
        limits=[Limit("incoming_memory", 1024, 4096), Limit("max_calls", 1, 10)],
        loop_lag=LoopLag(0.1, 0.2),
    )["limits"]["rows"]

    assert (memory["unit"], memory["share"]) == ("bytes", 0.25)
    assert (calls["unit"], calls["share"]) == ("", 0.1)
