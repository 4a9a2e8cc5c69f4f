"""The future of a call that one thread makes and another thread's event loop carries out."""

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from .. import errors
from .._calls.pending import state_of
from .._ground.tasks import as_future

__all__ = ["CallFuture"]

_T = TypeVar("_T")


def _of_the_response(name: str) -> property:
    def forgotten(future: object) -> NoReturn:
        raise AttributeError(
            f"this is a call, not its response: write .result().{name}", name=name, obj=future
        )

    return property(forgotten, doc="Not of a call, but of its response.")


class Carrier(Protocol):
    """What runs an event loop in a thread."""

    ident: int | None
    """The thread's; None while it is not known."""


class CallFuture(concurrent.futures.Future[_T]):
    """A call's future in the calling thread; its `cancel` cancels the call.

    Unlike the futures of an executor it stays pending, and so cancellable, while the call runs.

    Args:
        pending: The futures that have not ended; this one is taken out when it ends.
        carrier: What runs the loop: in its thread, nothing may wait for this future.
        owner: The channel, which is not collected before the call has ended.

    """

    def __init__(
        self,
        pending: "set[CallFuture[object]]",
        carrier: "Carrier | None" = None,
        owner: object = None,
    ) -> None:
        super().__init__()
        self._pending = pending
        self._carrier = carrier
        self._owner = owner
        self._loop: asyncio.AbstractEventLoop | None = None
        self._call: asyncio.Future[_T] | None = None

    # For type checkers it cannot be awaited; for who does it all the same there is a hint.
    if not TYPE_CHECKING:

        def __await__(self) -> NoReturn:
            raise TypeError(
                "a call of tchannel.sync is waited for with .result(), in a thread; in async code"
                " make it on a tchannel.TChannel and await that"
            )

        body = _of_the_response("body")
        headers = _of_the_response("headers")
        status = _of_the_response("status")
        transport = _of_the_response("transport")

    def result(self, timeout: float | None = None) -> _T:
        """Wait for the call, and return what it gives; see `concurrent.futures.Future.result`.

        Raises:
            RuntimeError: Called by the loop's own thread, a callback say, before the call has ended:
                it would wait for itself.

        """
        self._check_thread()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the call, and return its error; raises what `result` raises of its own."""
        self._check_thread()
        return super().exception(timeout)

    def __repr__(self) -> str:
        call = self._call
        which = f" of {call!r}" if call is not None else ""
        return f"<{type(self).__name__}{which}: {state_of(self)}>"

    def _check_thread(self) -> None:
        carrier = self._carrier
        if carrier is not None and carrier.ident == threading.get_ident() and not self.done():
            raise RuntimeError(
                "a call of a sync channel is waited for in the thread of its own event loop, which"
                " would wait for itself: give it a done-callback there"
            )

    def cancel(self) -> bool:
        """Cancel the call, and tell the peer; False if it has ended already."""
        if not super().cancel():
            return False
        loop = self._loop
        # Without a loop the call did not begin, and `begin` will see that it must not.
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._cancel_call)
            except RuntimeError:
                pass  # the loop is closed, and with it the call has ended
        return True

    def begin(
        self,
        function: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> None:
        """Make the call, in the loop's thread: `function` gives an awaitable, or the result."""
        # Before looking whether it was cancelled, so that `cancel` misses the call only if this
        # does not make it.
        self._loop = asyncio.get_running_loop()
        if self.cancelled():
            self._pending.discard(self)
            self._owner = None
            self.set_running_or_notify_cancel()
            return
        try:
            call = function(*args, **kwargs)
            if inspect.isawaitable(call):
                self._call = call = as_future(call)
                call.add_done_callback(self._call_ended)
                return
        except Exception as error:
            self.end(error=error)
        else:
            self.end(result=call)

    def abandon(self) -> None:
        """End it, because its event loop has ended; in the thread that ran the loop."""
        self._call = None
        self.end(error=errors.CanceledError("the channel was closed"))

    # Any: a result of type _T, or of no type where there is an error.
    def end(self, result: Any = None, error: BaseException | None = None) -> None:
        """Set the result or the error, unless the future was cancelled meanwhile."""
        self._pending.discard(self)
        self._owner = None
        if self.set_running_or_notify_cancel():
            if error is None:
                self.set_result(result)
            else:
                self.set_exception(error)

    def _cancel_call(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def _call_ended(self, call: "asyncio.Future[_T]") -> None:
        self._call = None
        if call.cancelled():
            super().cancel()
            self.end()
        elif (error := call.exception()) is not None:
            self.end(error=error)
        else:
            self.end(call.result())
