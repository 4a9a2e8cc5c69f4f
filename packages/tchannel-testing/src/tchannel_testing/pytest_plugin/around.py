"""What the pytest plugin does in a test's own event loop, around the test function.

Only the test function knows its loop: each plugin makes, keeps and ends it in its own way. So the
function is replaced, for this one run, by one of the same kind that does ours before and after.
"""

import asyncio
import contextlib
import functools
import inspect
import threading
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
    """A development router of a fixture: has its address at once, and serves while the test runs."""

    def __init__(self) -> None:
        from tchannel_hyperbahn.router import Router

        self.router: Router = Router()
        self.router.bind()

    async def begin(self) -> None:
        """Listen."""
        self.router.listen()

    async def end(self) -> None:
        """Close."""
        await self.router.close()

    @contextlib.contextmanager
    def beside_test(self) -> Generator[None, None, None]:
        """Serve in a thread: whoever calls from a plain function has no loop to serve in."""
        ready = threading.Event()
        done: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def serve() -> None:
            try:
                end = asyncio.Event()
                async with self.router:
                    done.append((asyncio.get_running_loop(), end))
                    ready.set()
                    await end.wait()
            finally:
                ready.set()

        def run() -> None:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(serve())

        thread = threading.Thread(target=run, name="tchannel_router", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            for loop, end in done:
                loop.call_soon_threadsafe(end.set)
            thread.join()

    def finish(self) -> None:
        """Give the address back, if no test function ran."""
        if not self.router.closed:
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(self.router.close())


# Any: the test function's arguments and result are its own.
def around(function: Callable[..., Any], things: list[AroundTest]) -> Callable[..., Any]:
    """A function of the same kind that begins and ends ``things`` in the loop that runs it.

    A plain function has none: what can serve beside it does.
    """
    wrapper: Callable[..., Any]
    if inspect.iscoroutinefunction(function) or is_tornado_coroutine(function):
        wrapper = _around_coroutine(function, things)
    elif inspect.isgeneratorfunction(function):
        wrapper = _around_generator(function, things)
    else:
        wrapper = _around_plain(function, things)
    return functools.update_wrapper(wrapper, function)


def _around_plain(function: Callable[..., Any], things: list[AroundTest]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with contextlib.ExitStack() as stack:
            for thing in things:
                if isinstance(thing, OwnRouter):
                    stack.enter_context(thing.beside_test())
            return function(*args, **kwargs)

    return wrapper


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
