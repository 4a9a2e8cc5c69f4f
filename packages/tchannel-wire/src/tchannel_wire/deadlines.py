"""Many deadlines, of which few ever pass.

Nearly every call is answered in time, so adding and discarding must be cheap and a discarded entry
must be gone. Deadlines are rounded up to a granule, items of one granule share a bucket (a dict),
and a heap orders the buckets. An item knows its bucket, so that it is removed without a search;
a plain heap with lazy deletion would hold 1.5 million dead entries at 50,000 calls per second and
timeouts of 30 seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from math import floor, nextafter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .events import Event

__all__ = ["DeadlineItem", "DeadlineQueue", "Expirer"]


class Expirer(Protocol):
    """What knows what to do with an item whose time has come; a `Connection` is one."""

    def expire_item(self, item: DeadlineItem, now: float) -> list[Event]:
        """The events that the end of `item` means."""
        ...


class DeadlineItem(Protocol):
    """What a `DeadlineQueue` holds: any object, hashed by identity, with a slot `bucket`.

    `bucket` is None, or not set, before the item is added; it belongs to the queue.
    """

    bucket: dict[DeadlineItem, None] | None

    @property
    def connection(self) -> Expirer:
        """To whom the item is given when its time has come."""
        ...


_COMPACT_AT = 1024


class DeadlineQueue:
    """Deadlines of the items of one or many connections.

    An item never expires early, and at most one granule late.

    Args:
        granularity: Seconds that one bucket spans; default 0.01.
        on_earlier: Called without arguments whenever an added item makes `next_deadline` earlier,
            so that the owner of a timer need not look after each call; default none.

    Raises:
        ValueError: `granularity` is not positive.

    """

    __slots__ = ("_buckets", "_compact_at", "_keys", "_on_earlier", "_per_second", "granularity")

    def __init__(
        self, granularity: float = 0.01, on_earlier: Callable[[], object] | None = None
    ) -> None:
        if not 0 < granularity < float("inf"):
            raise ValueError(f"granularity must be a positive number of seconds, not {granularity}")
        self.granularity: float = granularity
        self._per_second = 1 / granularity
        self._buckets: dict[int, dict[DeadlineItem, None]] = {}
        self._keys: list[int] = []
        self._compact_at = _COMPACT_AT
        self._on_earlier = on_earlier

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def add(self, item: DeadlineItem, when: float) -> None:
        """Let `item`, which is in no queue, expire at the time `when`."""
        # `now * per_second` below rounds as this product does, hence the order of two times is
        # kept and `+ 1` makes "never early" exact.
        key = floor(when * self._per_second) + 1
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._new_bucket(key)
            bucket[item] = None
            if self._keys[0] == key and self._on_earlier is not None:
                self._on_earlier()
        else:
            bucket[item] = None
        item.bucket = bucket

    def discard(self, item: DeadlineItem) -> None:
        """Forget `item`; nothing happens if it is in no queue."""
        bucket = item.bucket
        if bucket is not None:
            del bucket[item]
            item.bucket = None

    def next_deadline(self) -> float | None:
        """When to call `pop_expired` next; None when nothing is waiting."""
        keys = self._keys
        while keys:
            key = keys[0]
            if self._buckets[key]:
                when = key * self.granularity
                while floor(when * self._per_second) < key:  # rounded down: one step later
                    when = nextafter(when, float("inf"))
                return when
            del self._buckets[heappop(keys)]
        return None

    def pop_expired(self, now: float) -> list[DeadlineItem]:
        """Remove and return the items whose time has come, the earliest granule first."""
        keys = self._keys
        expired: list[DeadlineItem] = []
        last = floor(now * self._per_second)
        while keys and keys[0] <= last:
            bucket = self._buckets.pop(heappop(keys))
            for item in bucket:
                item.bucket = None
                expired.append(item)
        return expired

    def _new_bucket(self, key: int) -> dict[DeadlineItem, None]:
        if len(self._keys) >= self._compact_at:
            # Buckets emptied by `discard` go when the heap has doubled: far and never repeated
            # deadlines (a peer chooses its ttl) would otherwise pile up.
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if bucket}
            self._keys = list(self._buckets)
            heapify(self._keys)
            self._compact_at = max(_COMPACT_AT, 2 * len(self._keys))
        bucket = self._buckets[key] = {}
        heappush(self._keys, key)
        return bucket
