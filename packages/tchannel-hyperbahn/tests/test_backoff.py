from __future__ import annotations

import pytest

from tchannel_hyperbahn import backoff


@pytest.fixture
def longest(monkeypatch):
    """Random numbers at their upper end: each delay is its bound."""
    monkeypatch.setattr(backoff.random, "random", lambda: 1.0)


def test_the_bound_doubles_until_it_is_the_longest(longest):
    delays = backoff.Backoff(0.2, 1.0)

    assert [delays.next() for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_after_a_success_it_begins_anew(longest):
    delays = backoff.Backoff(0.2, 10.0)
    delays.next()
    delays.next()

    delays.reset()

    assert delays.next() == 0.2


def test_delays_lie_anywhere_below_the_bound():
    drawn = [backoff.Backoff(1.0, 1.0).next() for _ in range(200)]

    assert min(drawn) < 0.2
    assert 0.8 < max(drawn) <= 1.0


def test_a_failure_count_without_end_does_not_overflow(longest):
    delays = backoff.Backoff(0.2, 10.0)

    assert [delays.next() for _ in range(3000)][-1] == 10.0
