from __future__ import annotations

import pytest

from tchannel_hyperbahn.router.backlog import Limits
from tchannel_hyperbahn.router.call_queue import CallQueue
from tchannel_hyperbahn.router.directory import Directory


@pytest.fixture
def forgotten():
    return []


@pytest.fixture
def directory(clock, forgotten):
    return Directory(clock, 300.0, forgotten.append, lambda: CallQueue(Limits(1 << 20), set()))


class Connection:
    usable = True
    full = False


@pytest.fixture
def instance(directory):
    """A function that makes connected instances of "service"."""

    def make(hostport, *, connected=True):
        made = directory.instance(hostport, ephemeral=False)
        if connected:
            made.accepted.append(Connection())
        directory.advertise("service", made)
        return made

    return make


def test_an_instance_is_forgotten_when_it_has_not_advertised_for_so_long(
    directory, instance, clock, forgotten
):
    one = instance("a:1")
    clock.advance(299)
    assert directory.services == {"service": ["a:1"]}

    clock.advance(1)

    assert directory.services == {}
    assert directory.choose("service") is None
    assert forgotten == [one]


def test_advertising_again_begins_the_time_anew(directory, instance, clock):
    one = instance("a:1")
    clock.advance(299)
    directory.advertise("service", one)

    clock.advance(299)

    assert directory.services == {"service": ["a:1"]}
    assert clock.pending == 1


def test_of_several_names_only_the_one_not_repeated_is_forgotten(
    directory, instance, clock, forgotten
):
    one = instance("a:1")
    directory.advertise("other", one)
    clock.advance(200)
    directory.advertise("other", one)

    clock.advance(100)

    assert directory.services == {"other": ["a:1"]}
    assert forgotten == []


def test_unadvertising_leaves_no_timer(directory, instance, clock):
    one = instance("a:1")
    two = instance("b:1")

    directory.unadvertise("service", one)
    directory.unadvertise("service", one)
    assert directory.services == {"service": ["b:1"]}
    directory.remove(two)

    assert directory.services == {}
    assert clock.pending == 0


def test_clearing_leaves_nothing(directory, instance, clock):
    instance("a:1")
    instance("b:1")

    directory.clear()

    assert directory.services == {}
    assert directory.find("a:1") is None
    assert clock.pending == 0


def test_connected_instances_come_before_others_however_busy(directory, instance):
    instance("a:1", connected=False)
    connected = instance("b:1")
    connected.pending = 100

    assert directory.choose("service") is connected


def test_an_instance_that_is_draining_does_not_count_as_connected(directory, instance):
    draining = instance("a:1")
    draining.accepted[0].usable = False
    living = instance("b:1")

    assert {directory.choose("service") for _ in range(4)} == {living}


def test_the_least_busy_is_chosen_and_equals_take_turns(directory, instance):
    one, two, three = (instance(f"{name}:1") for name in "abc")
    two.pending = 1

    assert [directory.choose("service") for _ in range(4)] == [one, three, one, three]


def test_one_that_does_not_read_comes_after_those_that_do(directory, instance):
    stuck, busy = instance("a:1"), instance("b:1")
    stuck.accepted[0].full = True
    busy.pending = 100

    assert {directory.choose("service") for _ in range(4)} == {busy}

    busy.accepted[0].full = True
    assert directory.choose("service") in (stuck, busy)


def test_without_any_connection_the_one_with_the_shortest_queue_is_chosen(directory, instance):
    one = instance("a:1", connected=False)
    two = instance("b:1", connected=False)
    one.queue.exchanges[object()] = None

    assert directory.choose("service") is two


def test_the_advertisers_own_connection_is_preferred_and_the_last_of_them(directory, instance):
    one = instance("a:1")
    first, ours, last = one.accepted[0], Connection(), Connection()
    one.opened.append(ours)
    assert one.connection is first

    one.accepted.append(last)
    assert one.connection is last

    first.usable = last.usable = False
    assert one.connection is ours
