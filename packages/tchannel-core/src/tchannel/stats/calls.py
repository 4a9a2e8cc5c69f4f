"""Calls: counted by endpoint, in flight, and ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .histogram import Histogram
from .outcomes import APP_ERROR, OTHERS, SUCCESS

__all__ = ["CallEnded", "CallInFlight", "CallStats", "EndedCall", "minus", "plus"]


@dataclass(slots=True)
class CallStats:
    """The calls of one endpoint by one caller, in one direction.

    Attributes:
        direction: ``"incoming"`` (served here) or ``"outgoing"`` (made here).
        service: The service that is called.
        endpoint: The endpoint that is called.
        caller: How the caller calls itself (a claim of incoming calls).
        outcomes: How many calls ended how: `SUCCESS`, `APP_ERROR`, those of `OUTCOME_OF_CODE`, or
            `NO_PEER`, `CONNECTION_LOST`, `OTHER_ERROR`. Those that never happened are left out.
        in_flight: How many have not ended.
        latency: From the call to its response, status OK or FAILED, with all attempts and waits; of
            incoming calls, from the reading of the request to the answer. Empty with
            ``Options(latency_histograms=False)``.
        error_latency: The same of calls that ended any other way.
        attempt_latency: Of outgoing calls: of each attempt that got a response.
        attempt_errors: Of outgoing calls: how many attempts failed, by what.
        retries: Of outgoing calls: how many attempts were made after another had failed.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    outcomes: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    latency: Histogram = field(default_factory=Histogram)
    error_latency: Histogram = field(default_factory=Histogram)
    attempt_latency: Histogram = field(default_factory=Histogram)
    attempt_errors: dict[str, int] = field(default_factory=dict)
    retries: int = 0

    @property
    def ended(self) -> int:
        """How many calls have ended, however."""
        return sum(self.outcomes.values())

    @property
    def started(self) -> int:
        """How many calls have begun: those that ended and those in flight."""
        return self.ended + self.in_flight

    @property
    def errors(self) -> int:
        """How many calls ended otherwise than with a response of status OK or FAILED."""
        return self.ended - self.outcomes.get(SUCCESS, 0) - self.outcomes.get(APP_ERROR, 0)

    def __add__(self, other: CallStats) -> CallStats:
        """Return the sum; names that differ become `OTHERS`."""
        return CallStats(
            direction=self.direction,
            service=self.service if self.service == other.service else OTHERS,
            endpoint=self.endpoint if self.endpoint == other.endpoint else OTHERS,
            caller=self.caller if self.caller == other.caller else OTHERS,
            outcomes=plus(self.outcomes, other.outcomes),
            in_flight=self.in_flight + other.in_flight,
            latency=self.latency + other.latency,
            error_latency=self.error_latency + other.error_latency,
            attempt_latency=self.attempt_latency + other.attempt_latency,
            attempt_errors=plus(self.attempt_errors, other.attempt_errors),
            retries=self.retries + other.retries,
        )

    def __sub__(self, earlier: CallStats) -> CallStats:
        """Return what happened since ``earlier``, the same row; ``in_flight`` is that of now."""
        return CallStats(
            direction=self.direction,
            service=self.service,
            endpoint=self.endpoint,
            caller=self.caller,
            outcomes=minus(self.outcomes, earlier.outcomes),
            in_flight=self.in_flight,
            latency=self.latency - earlier.latency,
            error_latency=self.error_latency - earlier.error_latency,
            attempt_latency=self.attempt_latency - earlier.attempt_latency,
            attempt_errors=minus(self.attempt_errors, earlier.attempt_errors),
            retries=max(self.retries - earlier.retries, 0),
        )


@dataclass(slots=True)
class CallEnded:
    """How a call ended; what hooks are told (`tchannel.event`).

    Attributes:
        outcome: One of those of `CallStats.outcomes`.
        seconds: From its beginning to its end, with all attempts and waits.
        attempts: How many were made; 1 of an incoming call.

    """

    outcome: str
    seconds: float
    attempts: int = 1


@dataclass(slots=True)
class CallInFlight:
    """A call that has not ended.

    Attributes:
        direction: ``"incoming"`` or ``"outgoing"``.
        service: The service that is called.
        endpoint: The endpoint that is called.
        caller: How the caller calls itself.
        peer: The address of the other side's socket, or the one that is called; "" while there is none.
        id: The message id on its connection; None while it is not sent.
        age: Seconds since it was read, or since this attempt was sent.
        deadline_left: Seconds until its time is up; below 0 if that has passed.
        waits: What it waits for where that is not its answer: ``"turn"`` of an incoming call whose
            handler has not begun; ``"connection"``, ``"reader"``, ``"peer"``, ``"hooks"`` or ``"retry"``
            of an outgoing one; "" otherwise.
        attempts: Of an outgoing call: how many were made, this one included.
        trace_id: Of its trace, as 16 hexadecimal digits.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    peer: str
    id: int | None
    age: float
    deadline_left: float
    waits: str
    attempts: int
    trace_id: str


@dataclass(slots=True)
class EndedCall:
    """A call that failed, or took long, and has ended lately.

    Attributes:
        direction: ``"incoming"`` or ``"outgoing"``.
        service: The service that was called.
        endpoint: The endpoint that was called.
        caller: How the caller calls itself.
        peer: The address of the other side's socket, or the one that was called last; "" where there was
            none.
        ended_at: When it ended, in seconds since 1970.
        seconds: How long it took, with all attempts and waits.
        outcome: As in `CallStats.outcomes`.
        error: What the caller was told, or of outgoing calls what we were told; "" of a response.
        attempts: Of an outgoing call: how many were made.
        trace_id: Of its trace, as 16 hexadecimal digits.

    """

    direction: str
    service: str
    endpoint: str
    caller: str
    peer: str
    ended_at: float
    seconds: float
    outcome: str
    error: str
    attempts: int
    trace_id: str


def plus(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the sum of counts, by their names."""
    total = dict(one)
    for name, count in other.items():
        total[name] = total.get(name, 0) + count
    return total


def minus(one: Mapping[str, int], earlier: Mapping[str, int]) -> dict[str, int]:
    """Return what was counted since ``earlier``, by names; what was not is left out."""
    left = {name: count - earlier.get(name, 0) for name, count in one.items()}
    return {name: count for name, count in left.items() if count > 0}
