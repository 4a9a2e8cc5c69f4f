"""Event loops that run in a thread of their own: ours, or one that the user's ``threadloop=`` has."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Protocol

from .future import CallFuture

__all__ = ["BorrowedLoop", "LoopFactory", "LoopThread", "ThreadLoop"]

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class ThreadLoop(Protocol):
    """What ``threadloop=`` takes: an event loop in a thread, in the manner of threadloop's."""

    def start(self) -> object:
        """Start the thread, and return when the loop takes work."""

    def is_ready(self) -> bool:
        """Whether it was started."""
        ...

    def submit(self, fn: Callable[..., object], /, *args: object) -> object:
        """Call ``fn(*args)`` in the loop's thread, from any other thread."""


class LoopThread:
    """An event loop in a daemon thread.

    A daemon, because the interpreter joins other threads before it calls anybody who could stop
    them: with such a thread it would never exit.

    Args:
        loop_factory: Makes the loop; default `asyncio.new_event_loop`.
        name: Of the thread.

    Raises:
        RuntimeError: No thread can be started, for instance since the main thread has ended.

    """

    def __init__(self, loop_factory: LoopFactory | None, name: str) -> None:
        self.pid: int = os.getpid()
        self.pending: set[CallFuture[object]] = set()
        self._runner = asyncio.Runner(loop_factory=loop_factory or asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self.call_soon: Callable[..., object] = self._loop.call_soon_threadsafe
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._runner.close()
            raise
        self.ident: int | None = self._thread.ident

    def stop(self, timeout: float | None = None) -> None:
        """End what runs in the loop, close it and wait for the thread, at most `timeout` seconds."""
        try:
            self.call_soon(self._loop.stop)
        except RuntimeError:
            pass  # stopped before
        self._thread.join(timeout)

    def end(self) -> None:
        """End without waiting for the thread; in the loop."""
        self._loop.stop()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            try:
                self._runner.close()
            finally:
                # A call that came too late for the loop would be waited for in vain. From here on
                # the closed loop refuses them; list() copies the set in one step.
                for future in list(self.pending):
                    future.abandon()
                # Threads that start from now on may get the same one.
                self.ident = None


class BorrowedLoop:
    """The user's threadloop; it is started if need be, and never stopped."""

    def __init__(self, threadloop: ThreadLoop) -> None:
        self.pid: int = os.getpid()
        self.pending: set[CallFuture[object]] = set()
        self.ident: int | None = None
        self._threadloop = threadloop
        if not threadloop.is_ready():
            threadloop.start()

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        """Call ``callback(*args)`` in the loop's thread."""
        self._threadloop.submit(self._run, callback, args)

    def stop(self, timeout: float | None = None) -> None:
        """Leave it running: it is not ours."""

    def end(self) -> None:
        """Leave it running."""

    def _run(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        self.ident = threading.get_ident()
        callback(*args)
