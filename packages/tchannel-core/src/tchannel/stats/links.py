"""What calls go over: connections, peers, limits, the event loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from .histogram import Histogram

__all__ = ["ConnectionStats", "Limit", "LoopLag", "PeerStats"]


@dataclass(slots=True)
class ConnectionStats:
    """An open connection.

    Attributes:
        direction: ``"outgoing"`` if we opened it, ``"incoming"`` if it was accepted.
        address: What it was opened to, or the address of the other side's socket.
        announced: The address that the other side says it listens at: a claim; None before it said.
        process_name: How the other side calls its process: a claim; "" before it said.
        state: ``"handshake"``, ``"open"``, ``"draining"`` (we leave), ``"peer-draining"`` or
            ``"closing"``.
        tls: Whether it is encrypted.
        age: Seconds since it was opened.
        idle: Seconds since anything last came over it.
        bytes_received: Since it was opened.
        bytes_sent: Since it was opened.
        calls_received: Incoming calls that reached a handler.
        calls_sent: Attempts of outgoing calls.
        pending_received: Incoming calls being served.
        pending_sent: Outgoing calls that wait for their answers.
        unsent: Bytes that wait for the peer to read.
        congested_for: Seconds since the peer last took all that it was sent; 0 where it does.

    """

    direction: str
    address: str
    announced: str | None
    process_name: str
    state: str
    tls: bool
    age: float
    idle: float
    bytes_received: int
    bytes_sent: int
    calls_received: int
    calls_sent: int
    pending_received: int
    pending_sent: int
    unsent: int
    congested_for: float


@dataclass(slots=True)
class PeerStats:
    """An address that is called, or that has connected to us.

    Attributes:
        hostport: The address.
        known: Whether the channel was told of it and chooses it by itself.
        state: ``"connected"``, ``"connecting"``, ``"unconnected"``, ``"penalised"`` (chosen last for a
            while), or ``"caller"`` of one that connected to us.
        connections: Usable ones.
        pending: Outgoing calls that wait for its answers.
        waiting: Outgoing calls that wait for a connection to it.
        chosen: Attempts that were sent to it.
        score: The order in which known peers are chosen, the lowest first: its pending calls, with
            1,000,000 more without a connection and 2,000,000 more while penalised.
        penalty: How long its penalty is, in seconds; 0 without one.
        penalised_for: How much of that is left.
        misfit: Why it cannot be spoken to; "" if it can, as far as is known.

    """

    hostport: str
    known: bool
    state: str
    connections: int
    pending: int
    waiting: int
    chosen: int
    score: int
    penalty: float
    penalised_for: float
    misfit: str


@dataclass(slots=True)
class Limit:
    """A limit of `tchannel.options.Options`, and how near it is.

    Attributes:
        name: As in `tchannel.options.Options`.
        used: How much is used now.
        limit: How much may be.

    """

    name: str
    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of it is used, from 0 to 1."""
        return self.used / self.limit


@dataclass(slots=True)
class LoopLag:
    """How much later than they should callbacks of the event loop run.

    It is measured ten times a second while somebody looks: from the first `TChannel.stats` until a
    minute after the last.

    Attributes:
        last: Seconds; None before it was measured.
        longest: The longest in the minute before, in seconds; None before it was measured.
        histogram: Of all that were measured.

    """

    last: float | None = None
    longest: float | None = None
    histogram: Histogram = field(default_factory=Histogram)
