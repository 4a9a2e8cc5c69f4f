"""Which event loop a channel belongs to."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator, Callable
from contextvars import Context
from typing import TYPE_CHECKING

from tornado.ioloop import IOLoop

from .._ground.tasks import start_task

if TYPE_CHECKING:
    from ..channel import TChannel

__all__ = ["LoopGuard", "current_loop", "loop_of", "running_loop", "wrong_thread"]


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def current_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that `IOLoop.current()` will run, while none runs yet."""
    with warnings.catch_warnings():
        # 3.12 and 3.13 warn that there is no current loop; making one is what is wanted here.
        warnings.simplefilter("ignore", DeprecationWarning)
        loop: asyncio.AbstractEventLoop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]  # stubs lack it
    return loop


class LoopGuard:
    """Calls back before a loop closes: what lives on it must be let go while it still can be.

    ``asyncio.run`` and its like finish the asynchronous generators of a loop before they close it, so
    a generator that waits is told. A loop that is closed in another way tells nobody.

    Args:
        loop: the loop.
        callback: called once, in the loop.

    """

    __slots__ = ("_callback", "_generator", "_handle", "_task")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
        self._callback = callback
        self._generator: AsyncGenerator[None] | None = None
        self._task: asyncio.Task[None] | None = None
        # The generator has to begin inside the loop, which may not run yet.
        self._handle: asyncio.Handle | None = loop.call_soon(self._start, loop, context=Context())

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = None
        self._task = start_task(loop, self._begin())

    async def _begin(self) -> None:
        self._generator = self._wait()
        await anext(self._generator)

    async def _wait(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            if self._generator is not None:
                self._generator = None
                self._callback()

    async def release(self) -> None:
        """Do not call back any more."""
        if self._handle is not None:
            self._handle.cancel()
        if self._task is not None:
            await self._task
        generator, self._generator = self._generator, None
        if generator is not None:
            await generator.aclose()


def loop_of(channel: TChannel) -> asyncio.AbstractEventLoop | None:
    """Return the loop that a channel belongs to; None before it has one."""
    return channel.loop


def wrong_thread(name: str) -> RuntimeError:
    """Return the error for a use of a channel whose loop runs in another thread."""
    return RuntimeError(
        f"channel {name} belongs to an event loop that runs in another thread: make calls from "
        "threads with tchannel.sync.TChannel"
    )
