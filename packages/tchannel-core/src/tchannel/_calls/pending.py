"""What callers hold of a call: a Future of the response, and a coroutine where one is asked for."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Generator
from types import GenericAlias, TracebackType
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar, cast

from .._ground.text import shown

__all__ = ["CallHabits", "PendingCall", "state_of"]

_T = TypeVar("_T")

# Characters that a repr has room for of an error.
_MOST: Final = 400

_FORGOTTEN = (
    "this is a call, not its response: await it first, as in (await channel.json(...)).{name}"
    " (in a gen.coroutine, yield it)"
)


def _of_the_response(name: str) -> property:
    def forgotten(call: object) -> NoReturn:
        raise AttributeError(_FORGOTTEN.format(name=name), name=name, obj=call)

    return property(forgotten, doc="Not of a call, but of its response.")


class _Going(Coroutine[object, object, object]):
    """A call as a coroutine: it has begun, and whoever ends the coroutine ends the call."""

    __slots__ = ("_call",)

    def __init__(self, call: asyncio.Future[object]) -> None:
        self._call = call

    def __await__(self) -> Generator[object, None, object]:
        return self._call.__await__()

    def send(self, value: object, /) -> object:
        """Go on to the next wait, which is the only one, or to the result."""
        call = self._call
        if call.done():
            raise StopIteration(call.result())
        # What `await` says to the task: this Future is waited for, not returned.
        call._asyncio_future_blocking = True
        return call

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> NoReturn:
        """End as a coroutine does that catches nothing: the call is cancelled if it still runs."""
        self._call.cancel()
        if isinstance(kind, BaseException):
            raise kind
        if isinstance(value, BaseException):
            raise value.with_traceback(traceback)
        raise kind() if value is None else kind(value)

    def close(self) -> None:
        """Cancel the call if it still runs."""
        self._call.cancel()

    def __repr__(self) -> str:
        return f"<coroutine of {self._call!r}>"


def state_of(future: asyncio.Future[object] | concurrent.futures.Future[_T]) -> str:
    """Say how far a call has got, for its repr: nothing of the contents of its answer."""
    if not future.done():
        return "pending"
    if future.cancelled():
        return "cancelled"
    error = future.exception()
    if error is not None:
        return f"failed with {shown(repr(error), _MOST)}"
    status = getattr(future.result(), "status", None)
    return "answered" if status is None else f"answered with status {status}"


class CallHabits:
    """What a call has besides a Future.

    It is no coroutine itself, though it could be: `asyncio.wait` refuses coroutines.

    What stands here comes after the Future among a call's bases, and costs nothing that is not used.
    """

    __slots__ = ()

    # Checkers shall find nothing here: they tell of a forgotten await themselves.
    if not TYPE_CHECKING:
        __class_getitem__ = classmethod(GenericAlias)

        def __getitem__(self, key: object) -> NoReturn:
            raise TypeError(_FORGOTTEN.format(name=f"body[{shown(repr(key))}]"))

        body = _of_the_response("body")
        headers = _of_the_response("headers")
        status = _of_the_response("status")
        transport = _of_the_response("transport")

    def coroutine(self) -> Coroutine[object, object, object]:
        """Return the call as a coroutine, for `asyncio.create_task`, task groups and their like.

        The call has begun all the same. When the task is cancelled, or the coroutine closed, so is it.
        """
        return _Going(cast("asyncio.Future[object]", self))

    def __dir__(self) -> list[str]:
        return sorted({*dir(asyncio.Future), "coroutine"})


if TYPE_CHECKING:

    class PendingCall(asyncio.Future[_T]):
        """A call on its way, which has begun: `await` it for its response."""

        def coroutine(self) -> Coroutine[object, object, _T]:
            """Return the call as a coroutine, for tasks and task groups."""
            ...

else:
    PendingCall = CallHabits
