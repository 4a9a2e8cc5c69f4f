"""Deadlines: never early, at most one granule late, and nothing is left of a finished item."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tchannel_wire import DeadlineQueue


class Item:
    __slots__ = ("bucket", "when")

    def __init__(self, when=0.0):
        self.bucket = None
        self.when = when


# A monotonic clock may begin anywhere.
TIMES = st.floats(-1e6, 1e6, allow_nan=False)


@given(TIMES, st.sampled_from([0.001, 0.01, 0.25, 1.0]))
def test_item_expires_exactly_at_the_time_that_the_queue_names(when, granularity):
    queue = DeadlineQueue(granularity)
    item = Item()
    queue.add(item, when)
    due = queue.next_deadline()

    assert when <= due <= when + granularity * 1.000001
    assert queue.pop_expired(due) == [item]
    assert item.bucket is None


@given(TIMES, TIMES)
def test_item_never_expires_early(when, now):
    queue = DeadlineQueue()
    queue.add(Item(), when)

    expired = queue.pop_expired(now)

    if now < when:
        assert expired == []
    elif now >= when + 0.01001:
        assert len(expired) == 1


@given(st.lists(TIMES, min_size=1, max_size=30))
def test_items_come_out_in_order_to_the_granule(times):
    queue = DeadlineQueue()
    for when in times:
        queue.add(Item(when), when)

    expired = queue.pop_expired(2e6)

    assert len(queue) == 0
    granules = [int(item.when * 100) for item in expired]
    assert granules == sorted(granules)
    assert len(granules) == len(times)


def test_discarded_item_leaves_nothing():
    queue = DeadlineQueue()
    item, other = Item(), Item()
    queue.add(item, 1.0)
    queue.add(other, 2.0)
    queue.discard(item)
    queue.discard(item)

    assert len(queue) == 1
    assert item.bucket is None
    assert 2.0 <= queue.next_deadline() <= 2.02
    assert queue.pop_expired(3.0) == [other]


def test_empty_queue_waits_for_nothing():
    queue = DeadlineQueue()
    item = Item()
    queue.add(item, 1.0)
    queue.discard(item)

    assert queue.next_deadline() is None
    assert queue.pop_expired(1e9) == []


def test_item_can_be_added_again_after_it_has_expired():
    queue = DeadlineQueue()
    item = Item()
    for when in (1.0, 2.0):
        queue.add(item, when)
        assert queue.pop_expired(when + 0.02) == [item]


def test_deadlines_that_are_never_reached_do_not_pile_up():
    queue = DeadlineQueue()
    living = Item()
    queue.add(living, 5.0)
    for number in range(50_000):
        item = Item()
        queue.add(item, 1000.0 + number)
        queue.discard(item)

    assert len(queue._keys) == len(queue._buckets) <= 2048
    assert queue.pop_expired(6.0) == [living]


@pytest.mark.parametrize("granularity", [0, -1, float("inf"), float("nan")])
def test_granularity_must_be_positive(granularity):
    with pytest.raises(ValueError, match="granularity"):
        DeadlineQueue(granularity)


def test_owner_of_the_timer_is_told_when_the_next_deadline_gets_earlier():
    told = []
    queue = DeadlineQueue(on_earlier=lambda: told.append(queue.next_deadline()))
    queue.add(Item(), 5.0)
    queue.add(Item(), 5.0)
    queue.add(Item(), 7.0)
    queue.add(Item(), 2.0)

    assert [int(when) for when in told] == [5, 2]
