"""Which event loop a channel belongs to."""

from __future__ import annotations

import asyncio
import warnings

from tornado.ioloop import IOLoop

__all__ = ["current_loop", "running_loop", "wrong_thread"]


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
        loop: asyncio.AbstractEventLoop = IOLoop.current().asyncio_loop  # type: ignore[attr-defined]
    return loop


def wrong_thread(name: str) -> RuntimeError:
    """Return the error for a use of a channel whose loop runs in another thread."""
    return RuntimeError(
        f"channel {name} belongs to an event loop that runs in another thread: make calls from "
        "threads with tchannel.sync.TChannel"
    )
