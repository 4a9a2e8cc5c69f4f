"""Histograms, rows and snapshots: sums, windows, and the way through JSON."""

import json
import random
import sys
from types import ModuleType

import pytest

from tchannel import TChannel
from tchannel.stats import (
    BOUNDS,
    BUCKETS,
    OTHERS,
    CallStats,
    Histogram,
    Snapshot,
    bucket_of,
)


def test_buckets_follow_each_other_without_a_gap():
    ends = [round(bound * 1e6) for bound in BOUNDS]

    assert len(ends) == BUCKETS
    assert ends == sorted(set(ends))
    for bucket, end in enumerate(ends[:-1]):
        assert bucket_of(end - 1) == bucket
        assert bucket_of(end) == bucket + 1


def test_what_is_too_long_or_below_nothing_is_counted_at_the_ends():
    assert bucket_of(10**15) == BUCKETS - 1
    assert bucket_of(-3) == 0


def test_a_percentile_is_true_to_within_its_bucket():
    rng = random.Random(7)
    times = sorted(rng.lognormvariate(-6, 1.5) for _ in range(10_000))
    histogram = Histogram.of(times)

    assert histogram.count == 10_000
    assert histogram.mean == pytest.approx(sum(times) / 10_000)
    for percent in (1, 50, 90, 99, 99.9):
        exact = times[int(percent / 100 * 10_000) - 1]
        assert histogram.percentile(percent) == pytest.approx(exact, rel=0.07, abs=1e-6)


def test_an_empty_histogram_has_no_percentile_and_no_mean():
    assert Histogram().percentile(99) is None
    assert Histogram().mean is None
    assert not Histogram()


@pytest.mark.parametrize("percent", [-1, 100.5])
def test_a_percentile_is_of_a_hundred(percent):
    with pytest.raises(ValueError, match="percent must be from 0 to 100"):
        Histogram.of([0.1]).percentile(percent)


def test_histograms_of_two_processes_add_up_to_that_of_both():
    ours, theirs = [0.001, 0.002, 0.5], [0.002, 3.0]

    assert (Histogram.of(ours) + Histogram.of(theirs)).counts == Histogram.of(ours + theirs).counts


def test_the_difference_of_two_histograms_is_what_came_between():
    before = Histogram.of([0.001, 0.2])
    after = before + Histogram.of([0.2, 4.0])

    between = after - before

    assert between.counts == Histogram.of([0.2, 4.0]).counts
    assert between.sum == pytest.approx(4.2)


def test_at_most_counts_whole_buckets():
    histogram = Histogram.of([0.000_001, 0.000_005, 0.1])

    assert histogram.at_most(0.000_006) == 2
    assert histogram.at_most(1) == 3


def test_rows_of_several_callers_add_up_under_one_name():
    one = CallStats("incoming", "svc", "echo", "a", {"success": 2}, retries=1)
    other = CallStats("incoming", "svc", "echo", "b", {"success": 1, "busy": 4}, in_flight=3)

    total = one + other

    assert (total.service, total.endpoint, total.caller) == ("svc", "echo", OTHERS)
    assert total.outcomes == {"success": 3, "busy": 4}
    assert (total.ended, total.errors, total.started, total.retries) == (7, 4, 10, 1)


def test_a_snapshot_comes_back_from_json_as_it_was():
    snapshot = TChannel("svc", known_peers=["127.0.0.1:1"]).stats()

    again = Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict())))

    assert again == snapshot
    assert [peer.hostport for peer in again.peers] == ["127.0.0.1:1"]


def test_a_snapshot_of_a_later_version_is_read_as_far_as_it_is_known():
    plain = TChannel("svc").stats().to_dict()

    assert Snapshot.from_dict({**plain, "moon": "full"}).service == "svc"


def test_a_snapshot_of_an_earlier_version_has_the_defaults_of_what_that_did_not_tell():
    plain = TChannel("svc").stats().to_dict()
    del plain["native"]

    assert Snapshot.from_dict(plain).native == {}


def test_a_snapshot_says_what_runs_natively(monkeypatch):
    speedups = ModuleType("tchannel_speedups")
    speedups.active = lambda: {"wire": "native", "core": "not imported"}
    monkeypatch.setitem(sys.modules, "tchannel_speedups", speedups)
    snapshot = TChannel("svc").stats()

    assert snapshot.native == {"wire": "native", "core": "not imported"}
    assert Snapshot.from_dict(snapshot.to_dict()).native == snapshot.native

    monkeypatch.setitem(sys.modules, "tchannel_speedups", None)
    assert TChannel("svc").stats().native == {}


def test_a_window_is_of_one_channel_and_forwards():
    earlier, later = TChannel("svc").stats(), TChannel("other").stats()
    with pytest.raises(ValueError, match="one channel"):
        later.since(earlier)

    channel = TChannel("svc")
    first, second = channel.stats(), channel.stats()
    assert second.since(first).seconds == pytest.approx(second.seconds - first.seconds)
    with pytest.raises(ValueError, match="later one"):
        first.since(second)


def test_a_direction_is_one_of_two():
    snapshot = TChannel("svc").stats()

    for ask in (snapshot.total, snapshot.by_endpoint):
        with pytest.raises(ValueError, match="direction must be 'incoming' or 'outgoing'"):
            ask("sideways")


@pytest.mark.parametrize(("most", "error"), [(-1, ValueError), (True, TypeError), (1.5, TypeError)])
def test_how_much_is_told_is_a_count(most, error):
    with pytest.raises(error, match="most must"):
        TChannel("svc").stats(most)
