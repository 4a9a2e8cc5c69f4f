"""The calls that wait for a connection to an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .backlog import Backlog, Limits

if TYPE_CHECKING:
    from .exchange import Exchange

__all__ = ["CallQueue"]


class CallQueue(Backlog):
    """Calls to one instance, with all frames that have come of them.

    Args:
        limits: How many bytes they may have.
        slow: The receivers for which bytes wait.

    """

    __slots__ = ("_limits", "_slow", "bytes", "exchanges")

    def __init__(self, limits: Limits, slow: set[Backlog]) -> None:
        super().__init__()
        self._limits = limits
        self._slow = slow
        self.exchanges: dict[Exchange, None] = {}
        self.bytes: int = 0

    def keep(self, exchange: Exchange, frame: bytes) -> None:
        """Keep one more frame of ``exchange``."""
        self.exchanges[exchange] = None
        exchange.waiting.append(frame)
        self.bytes += len(frame)
        self.full = self.bytes > self._limits.queue_at
        if self.bytes > self._limits.queue_at // 2:
            self._slow.add(self)

    def remove(self, exchange: Exchange) -> None:
        """Drop the frames of a call that is over; harmless if there are none."""
        if exchange in self.exchanges:
            del self.exchanges[exchange]
            self.bytes -= sum(map(len, exchange.waiting))
            exchange.waiting.clear()
            if self.bytes <= self._limits.queue_at // 2:
                self._slow.discard(self)
                self.full = False
                self.let_go_on()

    def take(self) -> list[Exchange]:
        """All calls, each with its ``waiting`` frames; the queue is empty afterwards."""
        exchanges = list(self.exchanges)
        self.exchanges.clear()
        self.bytes = 0
        self.full: bool = False
        self._slow.discard(self)
        return exchanges
