"""How long to wait before trying again: exponential back-off with full jitter."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Delays between attempts, each anywhere between 0 and a bound that doubles.

    Full jitter, so that the many clients of a router that comes back do not all come at once.

    Args:
        shortest: The first bound, in seconds.
        longest: Where doubling ends, in seconds.

    """

    __slots__ = ("_failures", "_longest", "_shortest")

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._failures = 0

    def next(self) -> float:
        """Return the delay after one more failure."""
        # Beyond 2 ** 30 the bound is reached whatever the numbers are, and floats would overflow.
        bound = min(self._longest, self._shortest * float(1 << min(self._failures, 30)))
        self._failures += 1
        return random.random() * bound

    def reset(self) -> None:
        """Begin anew: an attempt succeeded."""
        self._failures = 0
