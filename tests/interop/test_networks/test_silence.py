"""A connection whose packets vanish: found out by its side, with everything as it is by default."""

import time

import pytest

pytestmark = [pytest.mark.load, pytest.mark.timeout(120)]


@pytest.fixture
def connected(three):
    """Red has called green, and a quiet second has told it that green answers pings."""
    hostport = three.hostport("green")
    assert three.call("red", "green", hostport=hostport) == ["green"]
    time.sleep(2.5)
    return hostport


def test_while_a_call_waits_it_is_found_out_and_the_first_call_after_healing_succeeds(
    three, network, connected
):
    arguments = {"endpoint": "slow", "body": "60", "timeout": 25}
    waiting = three.begin("red", "call", service="green", hostport=connected, **arguments)
    time.sleep(0.5)
    network.cut("green")
    time.sleep(10)
    network.heal("green")

    # Over the old connection it would wait for the kernel to send again what was lost, for longer.
    assert three.call("red", "green", hostport=connected, timeout=2) == ["green"]
    ((outcome, _),) = waiting.result(60)["result"]
    assert outcome in {"TimeoutError", "NetworkError"}


def test_on_an_idle_connection_the_first_call_that_times_out_finds_it_out(
    three, network, connected
):
    network.cut("green")
    assert three.call("red", "green", hostport=connected, timeout=1) == ["TimeoutError"]
    network.heal("green")

    assert three.call("red", "green", hostport=connected, timeout=2) == ["green"]


def test_of_two_peers_only_calls_in_flight_fail(three, network):
    three.tell("red", "know", peers=[three.hostport("green"), three.hostport("blue")])
    assert set(three.call("red", "anything", 40, timeout=2)) == {"green", "blue"}
    time.sleep(2.5)
    network.cut("green")

    outcomes = three.call("red", "anything", 40, timeout=1)

    assert outcomes.count("blue") >= 39
