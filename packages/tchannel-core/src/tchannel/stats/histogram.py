"""Times by buckets."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, ClassVar, Final

__all__ = ["BOUNDS", "BUCKETS", "Histogram", "bucket_of"]

_LINEAR: Final = 16
_PER_OCTAVE: Final = 8
_LONGEST: Final = 36  # bits of the last octave: 19 hours in microseconds
BUCKETS: Final = _LINEAR + (_LONGEST - 4) * _PER_OCTAVE
"""How many buckets a histogram has."""


def bucket_of(microseconds: int) -> int:
    """Return the bucket of a duration: exact below 16 µs, then eight to each power of two."""
    if microseconds < _LINEAR:
        return max(microseconds, 0)
    bits = microseconds.bit_length()
    if bits > _LONGEST:
        return BUCKETS - 1
    return _LINEAR + (bits - 5) * _PER_OCTAVE + (microseconds >> (bits - 4) & 7)


def _end_of(bucket: int) -> int:
    """The first microsecond that is beyond a bucket."""
    if bucket < _LINEAR:
        return bucket + 1
    octave, eighth = divmod(bucket - _LINEAR, _PER_OCTAVE)
    return (_PER_OCTAVE + eighth + 1) << (octave + 1)


BOUNDS: Final[tuple[float, ...]] = tuple([_end_of(bucket) / 1e6 for bucket in range(BUCKETS)])
"""Where each bucket ends, in seconds; what is longer than the last is counted in it."""


class Histogram:
    """How often how long a time was: log-linear buckets, the same in every process.

    A time is told to within 6.25 % (from 16 µs to 19 hours; below, to the microsecond). Histograms are
    added and subtracted bucket by bucket, so those of many processes, or of a window between two
    snapshots, are exact.

    Args:
        counts: How many times lay in each bucket, by the bucket's number.
        sum: The sum of these times, in seconds.

    """

    __slots__ = ("count", "counts", "sum")

    def __init__(self, counts: Mapping[int, int] | None = None, sum: float = 0.0) -> None:
        self.counts: dict[int, int] = {} if counts is None else dict(sorted(counts.items()))
        """By the bucket's number; those that are empty are left out."""
        self.sum: float = sum
        """In seconds."""
        self.count: int = 0
        """How many times there are."""
        for count in self.counts.values():
            self.count += count

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """Return the histogram of these times."""
        counts: dict[int, int] = {}
        total = 0.0
        for each in seconds:
            bucket = bucket_of(int(each * 1e6))
            counts[bucket] = counts.get(bucket, 0) + 1
            total += each
        return cls(counts, total)

    @property
    def mean(self) -> float | None:
        """The mean in seconds; None when there are none."""
        return self.sum / self.count if self.count else None

    def percentile(self, percent: float) -> float | None:
        """Return the time in seconds that ``percent`` of all do not exceed; None when there are none.

        It is the middle of its bucket.

        Raises:
            ValueError: ``percent`` is not from 0 to 100.

        """
        if not 0 <= percent <= 100:
            raise ValueError(f"percent must be from 0 to 100, not {percent!r}")
        if not self.count:
            return None
        buckets = list(self.counts)
        upto = list(accumulate(self.counts.values()))
        # 99.9 % of 10,000 are 9,990, and not a fraction more.
        bucket = buckets[bisect_left(upto, max(percent * self.count / 100 - 1e-6, 1))]
        begins = BOUNDS[bucket - 1] if bucket else 0.0
        return (begins + BOUNDS[bucket]) / 2

    def buckets(self) -> Iterator[tuple[float, int]]:
        """Give where each bucket ends, in seconds, and how many times lay in it; no empty ones."""
        for bucket, count in self.counts.items():
            yield BOUNDS[bucket], count

    def at_most(self, seconds: float) -> int:
        """Return how many were at most that long, to the precision of the buckets."""
        return sum(count for end, count in self.buckets() if end <= seconds * (1 + 1e-9))

    def __add__(self, other: Histogram) -> Histogram:
        counts = dict(self.counts)
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
        return Histogram(counts, self.sum + other.sum)

    def __sub__(self, earlier: Histogram) -> Histogram:
        """Return what came since ``earlier``, a histogram of the same things."""
        counts = {}
        for bucket, count in self.counts.items():
            left = count - earlier.counts.get(bucket, 0)
            if left > 0:
                counts[bucket] = left
        return Histogram(counts, max(self.sum - earlier.sum, 0.0) if counts else 0.0)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self.counts == other.counts and self.sum == other.sum

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # its counts may be changed

    def __bool__(self) -> bool:
        return self.count > 0

    def __repr__(self) -> str:
        if not self.count:
            return "<Histogram: empty>"
        return f"<Histogram: {self.count}, median {self.percentile(50):.3g} s>"

    # Any, here and below: as the json module gives and takes it.
    def to_dict(self) -> dict[str, Any]:
        """Return what JSON takes: ``count``, ``sum``, and the buckets by number.

        Where there are any times, their ``p50``, ``p90``, ``p95``, ``p99`` and ``p99.9`` as well.
        """
        plain: dict[str, object] = {
            "count": self.count,
            "sum": self.sum,
            "buckets": {str(bucket): count for bucket, count in self.counts.items()},
        }
        if self.count:
            for percent in (50, 90, 95, 99, 99.9):
                plain[f"p{percent:g}"] = self.percentile(percent)
        return plain

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Histogram:  # Any: as of the json module
        """Return the histogram that `to_dict` was made of."""
        buckets = {int(bucket): int(count) for bucket, count in given["buckets"].items()}
        return cls(buckets, float(given["sum"]))
