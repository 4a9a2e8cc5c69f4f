"""What all connections of a channel may hold together."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tchannel_wire import MemoryBudget

if TYPE_CHECKING:
    from tchannel_wire import MemoryHolder

    from .back_pressure import BackPressure
    from .connection import Connection

__all__ = ["ChannelMemory"]

_ON_THE_WAY = 16 * 1024 * 1024
"""Bytes beyond the limit that streamed bodies may have read before reading stops."""


class ChannelMemory(MemoryBudget):
    """The bytes of requests, whether unfinished, streamed or being served, of a whole channel.

    Whoever holds most gives way: unfinished requests are refused on the connection that has most of
    them, so that one peer with many does not shut out the others.

    Args:
        limit: how many; `Options.incoming_memory`.
        connections: the channel's, as they come and go.

    """

    __slots__ = ("_connections", "_held_back")

    def __init__(self, limit: int, connections: Collection[Connection]) -> None:
        super().__init__(limit)
        self._connections = connections
        # Connections with streamed bodies that are not read until there is room again.
        self._held_back: set[BackPressure] = set()

    def make_room(self, size: int, connection: MemoryHolder) -> bool:
        """Let the connection with most unfinished requests shed them, unless that is this one."""
        if self.held <= connection.reassembling:
            return True  # one message of any size may come when there is no other
        while self.held + size > self.limit:
            largest = max(self._connections, key=lambda each: each.wire.reassembling, default=None)
            if largest is None or largest.wire is connection:
                return False
            if largest.wire.reassembling <= connection.reassembling + size:
                return False
            largest.shed()
        return True

    @property
    def overfull(self) -> bool:
        """Whether even what was on its way when reading stopped is too much."""
        return self.held > self.limit + _ON_THE_WAY

    def hold_back(self, connection: BackPressure) -> None:
        """Remember a connection that is not read any more because there is no room."""
        self._held_back.add(connection)

    def read_on(self) -> None:
        """There may be room again for those that were held back."""
        if self._held_back and self.held <= self.limit // 2:
            held_back, self._held_back = self._held_back, set()
            for connection in held_back:
                connection.release_streams()

    def forget(self, connection: BackPressure) -> None:
        """A connection is gone."""
        self._held_back.discard(connection)
