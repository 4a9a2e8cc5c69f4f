"""Bytes that the connections of one owner may hold together."""

from __future__ import annotations

from typing import Protocol

__all__ = ["MemoryBudget", "MemoryHolder"]


class MemoryHolder(Protocol):
    """What a budget knows of those that take from it; a `Connection` is one."""

    @property
    def reassembling(self) -> int:
        """Bytes that the unfinished messages of its peer hold."""
        ...


class MemoryBudget:
    """A bound for the unfinished requests of many connections, and for what else its owner counts.

    Args:
        limit: Bytes that may be held together.

    Attributes:
        held: Bytes that are held now. Whoever counts something else here adds and subtracts.
        limit: As given.

    """

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit: int = limit
        self.held: int = 0

    def take(self, size: int, connection: MemoryHolder) -> bool:
        """Count ``size`` bytes more for a request of ``connection``; False if they are too many."""
        if self.held + size > self.limit and not self.make_room(size, connection):
            return False
        self.held += size
        return True

    def make_room(self, size: int, connection: MemoryHolder) -> bool:
        """Say whether ``size`` bytes fit after all; by default they do not.

        An owner may let another connection `Connection.shed` what it holds.
        """
        return False
