"""Serving until the process is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .._ground.timeouts import Timeout

if TYPE_CHECKING:
    from .lifecycle import Lifecycle

__all__ = ["ENDING", "serve_until_signal"]

ENDING = (signal.SIGTERM, signal.SIGINT)
"""What supervisors send to a process that shall end, and the terminal at Ctrl-C."""


async def serve_until_signal(
    channel: Lifecycle,
    close: Callable[[Timeout], asyncio.Future[None]],
    grace: Timeout,
    signals: Iterable[signal.Signals],
) -> signal.Signals | None:
    """Wait for one of ``signals``, then close ``channel``; see `TChannel.serve_until_signal`."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals | None] = loop.create_future()

    def tell(received: signal.Signals | None = None) -> None:
        if not told.done():
            told.set_result(received)

    channel.close_callbacks.append(tell)
    handled = []
    try:
        for number in signals:
            try:
                loop.add_signal_handler(number, tell, number)
            except NotImplementedError:
                raise RuntimeError(
                    "this event loop handles no signals (on Windows none does): wait for something"
                    " else, and await close()"
                ) from None
            except (RuntimeError, ValueError) as error:
                raise RuntimeError(
                    f"signal {number} cannot be handled here ({error}): call serve_until_signal()"
                    " in the loop of the main thread"
                ) from None
            handled.append(number)
        received = await told
    finally:
        # From here on a second signal ends the process at once.
        for number in handled:
            loop.remove_signal_handler(number)
        channel.close_callbacks.remove(tell)
    await close(grace)
    return received
