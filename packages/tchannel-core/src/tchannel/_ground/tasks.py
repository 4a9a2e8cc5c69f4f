"""Tasks of our own, made alike whatever task factory the loop has.

A factory may be eager (`asyncio.eager_task_factory`), so that a task is over before its maker knows of
it, or may take ``(loop, coroutine)`` alone and refuse a context. Neither concerns what works behind the
scenes: its tasks begin in the next turn of the loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Coroutine
from contextvars import Context
from typing import TypeVar

__all__ = ["as_future", "start_task"]

_T = TypeVar("_T")


def start_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[object, object, _T],
    context: Context | None = None,
) -> asyncio.Task[_T]:
    """Run a coroutine in a task that begins in the loop's next turn.

    Args:
        loop: The loop to run it in.
        coroutine: What to run.
        context: Its context; default a copy of the caller's.

    """
    return asyncio.Task(coroutine, loop=loop, context=context)


def as_future(
    awaitable: Awaitable[_T], loop: asyncio.AbstractEventLoop | None = None
) -> asyncio.Future[_T]:
    """Return a Future itself, and of anything else a task.

    Args:
        awaitable: What to wait for.
        loop: The task's loop; default the one that runs.

    """
    if inspect.iscoroutine(awaitable):
        return start_task(loop or asyncio.get_running_loop(), awaitable)
    return asyncio.ensure_future(awaitable, loop=loop)
