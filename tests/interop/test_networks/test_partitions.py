"""Real sockets of a real kernel, whose packets vanish: three services, and a Hyperbahn of two nodes."""

import time

import pytest

pytestmark = [pytest.mark.load, pytest.mark.timeout(120)]


def test_each_service_calls_each_other(three):
    for caller, called in (("red", "green"), ("green", "blue"), ("blue", "red")):
        assert three.call(caller, called, 5, hostport=three.hostport(called)) == [called] * 5


def test_a_partition_costs_only_the_calls_to_who_is_cut_off(three, network):
    green, blue = three.hostport("green"), three.hostport("blue")
    assert three.call("red", "green", hostport=green) == ["green"]
    network.cut("green")

    cut_off = three.begin("red", "call", service="green", count=3, hostport=green, timeout=1)
    others = three.call("red", "blue", 20, hostport=blue, timeout=1)
    failed = {outcome for outcome, _ in cut_off.result(30)["result"]}

    assert others == ["blue"] * 20
    assert failed <= {"TimeoutError", "NetworkError"}
    assert three.tell("red", "state")["calls"] == 0


def test_after_a_partition_has_healed_the_first_call_is_answered(three, network):
    green = three.hostport("green")
    assert three.call("red", "green", hostport=green) == ["green"]
    network.cut("green")
    assert "green" not in three.call("red", "green", 2, hostport=green, timeout=1)
    network.heal("green")

    assert three.call("red", "green", 10, hostport=green, timeout=5) == ["green"] * 10


def test_a_call_under_way_ends_at_its_deadline_when_its_peer_vanishes(three, network):
    arguments = {"endpoint": "slow", "body": "1", "timeout": 2}
    call = three.begin(
        "red", "call", service="green", hostport=three.hostport("green"), **arguments
    )
    time.sleep(0.5)  # it is under way
    network.cut("green")

    ((outcome, seconds),) = call.result(30)["result"]

    assert outcome in {"TimeoutError", "NetworkError"}
    assert seconds < 4


def know_two(three):
    """Let red know green and blue, which both serve whatever they are asked for, and be connected."""
    three.tell("red", "know", peers=[three.hostport("green"), three.hostport("blue")])
    assert set(three.call("red", "anything", 20, timeout=2)) == {"green", "blue"}


def test_of_two_known_peers_the_one_that_is_left_is_called(three, network):
    know_two(three)
    network.cut("green")

    # One after the other: one is in flight, and it finds out.
    outcomes = three.call("red", "anything", 20, timeout=1)

    assert outcomes.count("blue") >= 19
    network.heal("green")
    assert three.call("red", "green", hostport=three.hostport("green"), timeout=5) == ["green"]


def test_silence_is_found_within_ten_seconds_while_a_call_waits(three, network):
    know_two(three)
    time.sleep(2.5)  # whether green answers pings is learnt in the first quiet second
    waits = {"endpoint": "slow", "body": "60", "timeout": 15, "retry_on": "n"}
    call = three.begin("red", "call", service="green", hostport=three.hostport("green"), **waits)
    time.sleep(0.5)  # it is under way
    network.cut("green")
    time.sleep(10)

    assert three.call("red", "anything", 20, timeout=1) == ["blue"] * 20
    ((outcome, _),) = call.result(30)["result"]
    assert outcome in {"TimeoutError", "NetworkError"}


def test_lost_packets_cost_time_and_no_answer(three, lossy):
    lossy("green", 5)

    outcomes = three.call("red", "green", 50, hostport=three.hostport("green"), timeout=10)

    assert outcomes == ["green"] * 50


def test_services_call_each_other_through_hyperbahn(routed):
    for caller, called in (("red", "green"), ("green", "blue"), ("blue", "red")):
        routed.until_called(caller, called, 10.0, timeout=2)


def test_a_service_that_was_cut_off_is_found_by_name_again(routed, network):
    network.cut("green")
    assert "green" not in routed.call("red", "green", 2, timeout=1)
    assert routed.call("red", "blue", 5, timeout=2) == ["blue"] * 5
    network.heal("green")

    routed.until_called("red", "green", 30.0, timeout=2)


def test_a_node_of_hyperbahn_that_was_cut_off_is_done_without_and_comes_back(routed, network):
    network.cut("south")

    # The other node takes its place in the ring when it is sure, and the services advertise anew.
    for name in ("green", "blue"):
        routed.until_called("red", name, 60.0, timeout=1, retry_on="ct")
    network.heal("south")

    for name in ("green", "blue"):
        routed.until_called("red", name, 60.0, timeout=2, retry_on="ct")
