"""The life of a channel as its owner sees it: `async with`, serving until a signal, closing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from signal import Signals
from typing import TYPE_CHECKING

from .._ground.timeouts import Timeout, seconds
from .signals import ENDING, serve_until_signal

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .._inner_channel import InnerChannel

__all__ = ["Closing"]


class Closing:
    """The part of a channel that ends it."""

    _inner: InnerChannel

    def on_close(self, callback: Callable[[], object | Awaitable[object]]) -> None:
        """Run ``callback()`` first thing in `close`; what it returns is awaited, within the grace.

        Raises:
            TypeError: ``callback`` is not callable.

        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {callback!r}")
        self._inner.close_callbacks.append(callback)

    def close(self, grace: Timeout = None) -> asyncio.Future[None]:
        """Close the channel gracefully; it begins at once, awaited or not.

        Calls in flight, both ways, may finish within the grace; new ones are declined. Afterwards
        nothing of the channel is left: no task, socket or timer.

        Args:
            grace: Seconds; default ``options.close_grace``, 10. With 0 nothing is waited for.

        Returns:
            A Future that ends when everything is over. Whoever gives up waiting for it, by
            cancelling it or by a timeout, does not stop the closing; call again to wait again.

        Raises:
            RuntimeError: the channel's loop runs in another thread.

        """
        # Unlike the timeout of a call, no grace at all is a wish that makes sense.
        longest = self._inner.options.close_grace
        return self._inner.close(0.0 if grace == 0 else seconds(grace, longest, "grace"))

    async def serve_until_signal(
        self, grace: Timeout = None, signals: Iterable[Signals] = ENDING
    ) -> Signals | None:
        """Serve until the process is told to end, then close gracefully: what a server's main ends with.

        What was asked before is answered within the grace, what comes later is declined, and callers
        go elsewhere. A second signal ends the process at once.

        Args:
            grace: As of `close`, in seconds; default ``options.close_grace``.
            signals: What to wait for; default SIGTERM and SIGINT (Ctrl-C).

        Returns:
            The signal; None when the channel was closed by something else.

        Raises:
            RuntimeError: The channel is closed already, or this loop handles no signals: only that
                of the main thread does, and none on Windows.

        """
        if self.is_closed():
            raise RuntimeError(f"channel {self._inner.name} is closed")
        return await serve_until_signal(self._inner, self.close, grace, signals)

    def is_closed(self) -> bool:
        """Say whether `close` was called."""
        return self._inner.is_closed()

    async def __aenter__(self) -> Self:
        self._inner.use_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
