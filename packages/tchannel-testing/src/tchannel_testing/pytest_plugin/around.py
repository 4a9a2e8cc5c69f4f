"""What the pytest plugin does in a test's own event loop, around the test function.

Only the test function knows its loop: each plugin makes, keeps and ends it in its own way. So the
function is replaced, for this one run, by one of the same kind that does ours before and after.
"""

import asyncio
import contextlib
import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, Protocol

from tchannel import TChannel

from .gen_test import is_tornado_coroutine

__all__ = ["AroundTest", "OwnChannel", "OwnRouter", "around"]

# Long enough for answers that are on their way, short enough for a test.
_GRACE = 0.05


class AroundTest(Protocol):
    """Something with a part in the loop of the test; a plain function has no such loop."""

    async def begin(self) -> None:
        """Called before the test function."""

    async def end(self) -> None:
        """Called after the test function, also when it fails."""


class OwnChannel:
    """A channel of a fixture: listens from the start of the test, is closed at its end.

    :param listens: whether it does.
    """

    def __init__(self, channel: TChannel, *, listens: bool = False) -> None:
        self.channel = channel
        self._listens = listens

    async def begin(self) -> None:
        """Belong to the loop of the test."""
        if self._listens:
            self.channel.listen()
        self.channel.use_loop()

    async def end(self) -> None:
        """Close the channel."""
        await self.channel.close(_GRACE)

    def finish(self) -> None:
        """Close the channel of a plain function, which ran loops of its own or none."""
        channel, loop = self.channel, self.channel.loop
        if channel.is_closed() or (loop is None and not channel.is_listening()):
            return
        if loop is None or loop.is_closed():
            # A loop just for this: the channel would make one that nobody closes.
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(self.end())
        elif not loop.is_running():
            loop.run_until_complete(self.end())


class OwnRouter:
    """A development router of a fixture: runs while the test does."""

    def __init__(self) -> None:
        from tchannel_hyperbahn.router import Router

        self.router = Router()

    async def begin(self) -> None:
        """Listen."""
        self.router.listen()

    async def end(self) -> None:
        """Close."""
        await self.router.close()


def around(function: Callable[..., Any], things: list[AroundTest]) -> Callable[..., Any]:
    """A function of the same kind that begins and ends ``things`` in the loop that runs it.

    A plain function has none, and comes back as it is.
    """
    wrapper: Callable[..., Any]
    if inspect.iscoroutinefunction(function) or is_tornado_coroutine(function):
        wrapper = _around_coroutine(function, things)
    elif inspect.isgeneratorfunction(function):
        wrapper = _around_generator(function, things)
    else:
        return function
    return functools.update_wrapper(wrapper, function)


def _around_coroutine(function: Callable[..., Any], things: list[AroundTest]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> None:
        async with contextlib.AsyncExitStack() as stack:
            await _begin(things, stack)
            await function(*args, **kwargs)

    return wrapper


def _around_generator(function: Callable[..., Any], things: list[AroundTest]) -> Callable[..., Any]:
    """What is marked ``gen_test`` and not made a coroutine yet."""

    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, None]:
        stack = contextlib.AsyncExitStack()
        try:
            yield asyncio.ensure_future(_begin(things, stack))
            yield from function(*args, **kwargs)
        except GeneratorExit:  # the loop has given up on it: nothing can be awaited any more
            raise
        except BaseException:
            yield asyncio.ensure_future(stack.aclose())
            raise
        yield asyncio.ensure_future(stack.aclose())

    return wrapper


async def _begin(things: list[AroundTest], stack: contextlib.AsyncExitStack) -> None:
    for thing in things:
        stack.push_async_callback(thing.end)
        await thing.begin()
