"""Accepting connections on sockets that listen, on any loop.

Not by `asyncio.Server`: closed while a connection is being accepted it breaks, from 3.12 on, and loses
that connection's socket on each version.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context

from .._ground.tasks import start_task
from .sockets import handed_over, send_at_once

__all__ = ["BACKLOG", "Acceptor"]

BACKLOG = 1024
"""How many connections may wait in the kernel; what a socket that listens is made with."""

# In seconds: how long nothing is accepted after the process ran out of descriptors.
_RETRY_AFTER = 1.0


class Acceptor:
    """Accepts what arrives on ``sockets`` until it is stopped; it leaves them open.

    Args:
        loop: the loop to accept on.
        sockets: they are bound, listen, and do not block.
        make: ``await make(accepted, address)`` makes the connection, in a task of its own with an
            empty context; the address is as the socket gave it. The accepted socket is its to close.
        failed: is told why nothing can be accepted for a second: no descriptor is left, say.

    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: Sequence[socket.socket],
        make: Callable[[socket.socket, object], Coroutine[None, None, None]],
        failed: Callable[[OSError], object],
    ) -> None:
        self.arriving: dict[asyncio.Task[None], socket.socket | None] = {}
        """Connections that were accepted and are not made yet; with the socket until that begins."""
        self._loop = loop
        self._sockets = sockets
        self._make = make
        self._failed = failed
        self._resuming: asyncio.TimerHandle | None = None
        self._resume()

    def stop(self) -> None:
        """Accept nothing more; what arrives waits in the kernel. What has been accepted is made."""
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
        self._look_away()
        self._sockets = ()

    def _look_away(self) -> None:
        if not self._loop.is_closed():
            for listening in self._sockets:
                self._loop.remove_reader(listening.fileno())

    def _resume(self) -> None:
        self._resuming = None
        for listening in self._sockets:
            # In an empty context: what arrives must not inherit that of whoever began to listen.
            Context().run(self._loop.add_reader, listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # Out of descriptors or memory: the socket stays readable all the while.
                self._failed(error)
                self._look_away()
                self._resuming = self._loop.call_later(_RETRY_AFTER, self._resume)
                return
            accepted.setblocking(False)
            send_at_once(accepted)
            # Only the loop calls this, so it is the one that runs.
            task = start_task(asyncio.get_running_loop(), self._begin(accepted, address))
            self.arriving[task] = accepted
            task.add_done_callback(self._arrived)

    async def _begin(self, accepted: socket.socket, address: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.arriving[task] = None
        try:
            await self._make(accepted, address)
        finally:
            handed_over(accepted)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        accepted = self.arriving.pop(task, None)
        if accepted is not None:  # cancelled before it began
            accepted.close()
