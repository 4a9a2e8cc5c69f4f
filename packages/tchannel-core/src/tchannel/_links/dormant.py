"""Idle connections do not keep their channel alive: one that nobody holds any more is collected.

The loop holds a socket's transport, and that its protocol. Once a connection that we opened is idle,
another protocol takes its place, which holds it weakly and wakes it with the first byte. Where the
channel is collected meanwhile, the socket is closed, with a ResourceWarning. A call under way, a
listener, an advertisement and a peer source keep their channel; so does a handler, which others may yet
call.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Unclosed", "rest"]


class Unclosed:
    """Warns of a channel that was collected without being closed, once for all of its connections.

    Args:
        name: the channel's.

    """

    __slots__ = ("_name", "_said")

    def __init__(self, name: str) -> None:
        self._name = name
        self._said = False

    def say(self) -> None:
        """Warn."""
        if not self._said:
            self._said = True
            warnings.warn(
                f"unclosed channel {self._name}: await close()", ResourceWarning, stacklevel=3
            )


class _Dormant(asyncio.Protocol):
    """Stands for an idle connection, and holds it weakly."""

    __slots__ = ("_connection", "_loop", "_transport", "_unclosed")

    def __init__(self, connection: Connection, unclosed: Unclosed) -> None:
        self._connection = weakref.ref(connection, self._collected)
        self._loop = connection.loop
        self._transport = connection.transport
        self._unclosed = unclosed

    def _collected(self, _: object) -> None:
        # In whatever thread the collector runs, and perhaps after the loop has ended.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._transport.abort)
            self._unclosed.say()

    def data_received(self, data: bytes) -> None:
        """Wake the connection."""
        connection = self._connection()
        if connection is not None:
            connection.dormant = False
            self._transport.set_protocol(connection)
            connection.data_received(data)

    def eof_received(self) -> None:
        """Tell the connection."""
        connection = self._connection()
        if connection is not None:
            connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        connection = self._connection()
        if connection is not None:
            connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the connection."""
        connection = self._connection()
        if connection is not None:
            connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        connection = self._connection()
        if connection is not None:
            connection.resume_writing()


def rest(connection: Connection, unclosed: Unclosed) -> None:
    """Let the loop hold an idle connection weakly, until something comes of it."""
    connection.wire.rest()
    connection.dormant = True
    connection.transport.set_protocol(_Dormant(connection, unclosed))
