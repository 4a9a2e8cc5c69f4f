"""Counts of calls by endpoint, and what came of them between two looks.

A snapshot has a row for each service, endpoint and caller. Here they are summed by endpoint, in plain
dicts: to add up whole rows of `tchannel.stats` makes several objects for each, and this is done every
two seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nlargest
from typing import Final, TypeVar

from tchannel.stats import APP_ERROR, SUCCESS, CallStats, Histogram

__all__ = ["Key", "Sum", "by_endpoint", "most_used", "total"]

Key = tuple[str, str]
"""Service and endpoint."""

_NO_FAILURES: Final = (SUCCESS, APP_ERROR, "cancelled")

_Name = TypeVar("_Name", str, int)


class Sum:
    """How many calls ended how, and how long they took to be answered.

    Attributes:
        outcomes: By the outcomes of `tchannel.stats.CallStats`.
        buckets: Of the latency of answered calls, by the number of the bucket.
        retries: How many attempts were made after another had failed.

    """

    __slots__ = ("buckets", "outcomes", "retries")

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.buckets: dict[int, int] = {}
        self.retries: int = 0

    @property
    def calls(self) -> int:
        """How many calls have ended."""
        return sum(self.outcomes.values())

    @property
    def app_errors(self) -> int:
        """How many were answered with status FAILED."""
        return self.outcomes.get(APP_ERROR, 0)

    @property
    def failed(self) -> int:
        """How many ended without an answer that was wanted.

        Whoever cancels a call wants none any more: that is no failure.
        """
        outcomes = self.outcomes
        return self.calls - sum(outcomes.get(name, 0) for name in _NO_FAILURES)

    def failures(self) -> list[tuple[str, int]]:
        """Return the outcomes that are failures, the most frequent first."""
        left = [each for each in self.outcomes.items() if each[0] not in _NO_FAILURES and each[1]]
        return sorted(left, key=lambda each: -each[1])

    def percentiles(self, *percents: float) -> list[float | None]:
        """Return how long calls took, in seconds; None when none was answered."""
        histogram = Histogram(self.buckets)
        return [histogram.percentile(percent) for percent in percents]

    def add_row(self, row: CallStats) -> None:
        """Add the counts of one row."""
        _add(self.outcomes, row.outcomes)
        _add(self.buckets, row.latency.counts)
        self.retries += row.retries

    def add(self, other: Sum) -> None:
        """Add the counts of another one."""
        _add(self.outcomes, other.outcomes)
        _add(self.buckets, other.buckets)
        self.retries += other.retries

    def since(self, earlier: Sum | None) -> Sum:
        """Return what was added since; with None all of it."""
        change = Sum()
        before = earlier if earlier is not None else Sum()
        change.outcomes = _minus(self.outcomes, before.outcomes)
        change.buckets = _minus(self.buckets, before.buckets)
        change.retries = max(self.retries - before.retries, 0)
        return change


def _add(to: dict[_Name, int], counts: Mapping[_Name, int]) -> None:
    for name, count in counts.items():
        to[name] = to.get(name, 0) + count


def _minus(counts: dict[_Name, int], before: dict[_Name, int]) -> dict[_Name, int]:
    return {
        name: more for name, count in counts.items() if (more := count - before.get(name, 0)) > 0
    }


def by_endpoint(rows: Iterable[CallStats]) -> dict[Key, Sum]:
    """Return the sums of rows by service and endpoint."""
    sums: dict[Key, Sum] = {}
    for row in rows:
        key = row.service, row.endpoint
        found = sums.get(key)
        if found is None:
            found = sums[key] = Sum()
        found.add_row(row)
    return sums


def total(sums: Iterable[Sum]) -> Sum:
    """Return the sum of all."""
    all_of_them = Sum()
    for each in sums:
        all_of_them.add(each)
    return all_of_them


def most_used(sums: dict[Key, Sum], most: int) -> dict[Key, Sum]:
    """Return the sums with the most calls, ``most`` of them at most."""
    if len(sums) <= most:
        return sums
    return dict(nlargest(most, sums.items(), key=lambda each: each[1].calls))
