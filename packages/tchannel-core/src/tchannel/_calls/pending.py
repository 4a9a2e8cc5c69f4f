"""What callers hold of a call: a Future of the response, with the habits of a coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import GenericAlias
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

__all__ = ["CallHabits", "PendingCall"]

_T = TypeVar("_T")

_FORGOTTEN = (
    "this is a call, not its response: await it first, as in (await channel.json(...)).{name}"
    " (in a gen.coroutine, yield it)"
)


def _of_the_response(name: str) -> Any:
    def forgotten(call: object) -> NoReturn:
        raise AttributeError(_FORGOTTEN.format(name=name), name=name, obj=call)

    return property(forgotten, doc="Not of a call, but of its response.")


class CallHabits:
    """What a call has besides a Future.

    It behaves as a coroutine where one is asked for: `asyncio.create_task`, `TaskGroup.create_task` and
    anyio's task groups take it as it is. It has begun all the same, and `close` cancels it.

    What stands here comes after the Future among a call's bases, and costs nothing that is not used.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        _asyncio_future_blocking: bool

        def done(self) -> bool: ...
        def result(self) -> Any: ...
        def cancel(self, msg: Any | None = None) -> bool: ...

    else:
        __class_getitem__ = classmethod(GenericAlias)

    def send(self, value: None, /) -> Any:
        """Go on as a coroutine does: to the next wait, which is the only one, or the result."""
        if self.done():
            raise StopIteration(self.result())
        # What `await` says to the task: this Future is waited for, not returned.
        self._asyncio_future_blocking = True  # type: ignore[misc]  # a slot of the Future
        return self

    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> NoReturn:
        """End as a coroutine does that catches nothing: the call is cancelled if it still runs."""
        self.cancel()
        if isinstance(kind, BaseException):
            raise kind
        if isinstance(value, BaseException):
            raise value.with_traceback(traceback)
        raise kind() if value is None else kind(value)

    def close(self) -> None:
        """Cancel the call if it still runs."""
        self.cancel()

    body = _of_the_response("body")
    headers = _of_the_response("headers")
    status = _of_the_response("status")
    transport = _of_the_response("transport")

    def __dir__(self) -> list[str]:
        return sorted({*dir(asyncio.Future), "close", "send", "throw"})


if TYPE_CHECKING:

    class PendingCall(asyncio.Future[_T], Coroutine[Any, Any, _T]):
        """A call on its way, which has begun: `await` it for its response, or hand it to a task."""

else:
    PendingCall = CallHabits
