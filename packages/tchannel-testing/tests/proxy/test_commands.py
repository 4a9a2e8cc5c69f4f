"""The words that steer a fault proxy."""

import pytest

from tchannel_testing.proxy import FaultProxy, Faults
from tchannel_testing.proxy.commands import HELP, CommandError, execute, parse_settings


@pytest.fixture
def proxy():
    return FaultProxy("127.0.0.1:1")


def test_set_changes_both_directions_unless_one_is_named(proxy):
    assert execute(proxy, "set latency=0.5 black-hole=on") == "ok"
    assert execute(proxy, "set downstream bandwidth=100 split=3") == "ok"

    assert proxy.upstream.faults == Faults(latency=0.5, black_hole=True)
    assert proxy.downstream.faults == Faults(latency=0.5, black_hole=True, bandwidth=100, split=3)


@pytest.mark.parametrize(
    "word",
    ["latency=off", "bandwidth=none", "join=none", "stall=off", "withhold=none", "flip=off"],
)
def test_every_fault_can_be_taken_away_by_name(proxy, word):
    execute(proxy, f"set {word}")

    assert proxy.upstream.faults == Faults()


def test_clear_takes_all_faults_away(proxy):
    execute(proxy, "set latency=1")
    execute(proxy, "refuse on")

    execute(proxy, "clear")

    assert proxy.upstream.faults == Faults()
    assert not proxy.refuse


def test_faults_of_frames_have_words(make_frame):
    settings = parse_settings(["withhold=continuations", "flip=-1"])

    assert settings["withhold"](make_frame(0x13, b""))
    assert settings["rewrite"](make_frame(3, b"\x00"))[-1] == 0xFF


def test_status_counts(proxy):
    assert execute(proxy, "status").splitlines() == [
        "connections: 0 open, 0 accepted",
        "upstream: 0 bytes, 0 frames",
        "downstream: 0 bytes, 0 frames",
    ]


def test_quit_asks_to_stop_and_an_empty_line_to_do_nothing(proxy):
    assert execute(proxy, "quit") is None
    assert execute(proxy, "  ") == ""
    assert execute(proxy, "help") == HELP
    assert execute(proxy, "reset") == execute(proxy, "half-open client") == "ok"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("set", "FAULT=VALUE"),
        ("set latency", "'latency'"),
        ("set latency=fast", "'latency=fast'"),
        ("set latency=-1", "latency.*-1"),
        ("set black_hole=maybe", "on.*off"),
        ("set withhold=everything", "continuations"),
        ("set gremlins=2", "gremlins"),
        ("half-open sideways", "upstream or client"),
        ("refuse", "on or off"),
        ("reset now", "no arguments"),
        ("explode", "explode"),
    ],
)
def test_a_command_that_makes_no_sense_says_what_would(proxy, line, message):
    with pytest.raises(CommandError, match=message):
        execute(proxy, line)
