"""How many calls may be served at once, learnt from how long they take.

The rule is that of the gradient controller in Envoy's adaptive concurrency filter
(https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/adaptive_concurrency_filter):
each window, the limit is multiplied by the ratio of the time that calls take when nothing queues to the
median that they took, and its square root is added, so that it may grow. What calls take when nothing
queues is measured anew every minute, with no more than the least number of calls in flight, for a few
dozen of them; and at once where the limit does not leave its least. Two things are added: no such
measurement where there were enough calls of quiet moments, and no growth while not even half of the
calls are in flight that may be.
"""

from __future__ import annotations

from collections import deque
from math import sqrt
from random import uniform
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..options import AdaptiveConcurrency

__all__ = ["GradientLimit"]

# Those of Envoy, but for the number of samples of a window.
_LEAST_GRADIENT: Final = 0.5
_MOST_GRADIENT: Final = 2.0
_MEASURE_EVERY: Final = 60.0
_JITTER: Final = 0.15
"""What that is longer at most, so that not all instances of a service measure at once."""
_QUIET_SAMPLES: Final = 50
_WINDOWS_AT_LEAST: Final = 5
"""Windows with the limit at its least after which what is taken for quiet must be wrong."""

_FEW: Final = 10
"""Calls that are enough to go by, where more would take too long."""
_MEASURE_FOR: Final = 1.0
"""Seconds after which such few do."""
_MOST_SAMPLES: Final = 1_000
"""Of a window; further ones are not kept."""


class GradientLimit:
    """A limit of calls in flight that follows their latency; does no I/O, time is an argument.

    Args:
        settings: its least, its tolerance and its window.
        most: what it never exceeds.

    Attributes:
        limit: how many calls may be in flight now.

    """

    __slots__ = (
        "_at_least",
        "_baseline",
        "_before",
        "_ends",
        "_least",
        "_measured_from",
        "_most",
        "_next_measurement",
        "_peak",
        "_quiet",
        "_samples",
        "_settings",
        "limit",
    )

    def __init__(self, settings: AdaptiveConcurrency, most: int) -> None:
        self._settings = settings
        self._most = most
        self._least: int = min(settings.least, most)
        self.limit: int = self._least
        self._before = self._least
        """The limit before it was lowered to measure."""
        self._baseline = 0.0
        """Seconds that a call takes when nothing queues; 0 before the first measurement."""
        self._measured_from: float | None = None
        """Since when the limit is lowered to measure; None when it is not."""
        self._next_measurement = 0.0
        self._quiet: deque[float] = deque(maxlen=_QUIET_SAMPLES)
        """What calls took that no more than the least were in flight with."""
        self._samples: list[float] = []
        self._ends: float | None = None
        self._peak = 0
        self._at_least = 0

    def sample(self, latency: float, in_flight: int, now: float) -> None:
        """Learn that a call took ``latency`` seconds; ``in_flight`` calls were at work, it included."""
        if in_flight <= self._least and now - latency >= (self._measured_from or 0.0):
            self._quiet.append(latency)
        if not self._baseline and self._measured_from is None:
            self._measure(now - latency)
        if self._measured_from is not None:
            self._measured(now)
            return
        if len(self._samples) < _MOST_SAMPLES:
            self._samples.append(latency)
        self._peak = max(self._peak, in_flight)
        if self._ends is None:
            self._ends = now + self._settings.window
        elif now >= self._ends and len(self._samples) >= _FEW:
            self._learn()
            self._begin_window()
            if now >= self._next_measurement or self._at_least >= _WINDOWS_AT_LEAST:
                self._measure(now)

    def _begin_window(self) -> None:
        self._ends = None
        self._samples.clear()
        self._peak = 0

    def _learn(self) -> None:
        taken = max(median(self._samples), 1e-6)
        gradient = self._settings.tolerance * self._baseline / taken
        gradient = max(_LEAST_GRADIENT, min(_MOST_GRADIENT, gradient))
        wanted = self.limit * gradient
        limit = max(self._least, min(self._most, int(wanted + sqrt(wanted))))
        if limit < self.limit or self._peak >= self.limit / 2:
            self.limit = limit
        shrunk_to_least = self.limit == self._least and gradient < 1
        self._at_least = self._at_least + 1 if shrunk_to_least else 0

    def _measure(self, now: float) -> None:
        """Lower the limit until it is known again what calls take when nothing queues."""
        self._at_least = 0
        if len(self._quiet) >= _FEW:
            self._know(now)  # quiet moments have told
            return
        self._before = self.limit
        self.limit = self._least
        self._measured_from = now

    def _measured(self, now: float) -> None:
        assert self._measured_from is not None
        samples = len(self._quiet)
        if samples == _QUIET_SAMPLES or (
            samples >= _FEW and now - self._measured_from >= _MEASURE_FOR
        ):
            self._measured_from = None
            self.limit = self._before
            self._know(now)

    def _know(self, now: float) -> None:
        self._baseline = max(median(self._quiet), 1e-6)
        self._quiet.clear()
        self._next_measurement = now + _MEASURE_EVERY * uniform(1, 1 + _JITTER)
        self._begin_window()
