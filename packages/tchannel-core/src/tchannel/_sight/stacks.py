"""Where the tasks and threads of the process are."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from types import FrameType
from typing import Final, TypedDict

__all__ = ["stacks", "stacks_as_text"]

_DEEPEST: Final = 100


class _Stack(TypedDict):
    name: str
    stack: list[str]


def stacks() -> dict[str, list[_Stack]]:
    """Return ``tasks`` and ``threads``, each a list of ``name`` and ``stack``, outermost call first.

    The task of a handler has the endpoint that it serves in its name. Of tasks those of the running
    loop; ``stack`` is a list of ``file:line function``.
    """
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        "tasks": [
            {"name": task.get_name(), "stack": _of_task(task)}
            for task in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name)
        ],
        "threads": [
            {"name": names.get(ident, str(ident)), "stack": _of_frame(frame)}
            for ident, frame in sys._current_frames().items()  # there is no other way
        ],
    }


def stacks_as_text() -> str:
    """Return the same for people."""
    lines = []
    for kind, each in stacks().items():
        for one in each:
            lines.append(f"{kind.removesuffix('s')} {one['name']}:")
            lines += [f"    {line}" for line in one["stack"]]
            lines.append("")
    return "\n".join(lines)


def _of_task(task: asyncio.Task[object]) -> list[str]:
    """Follow what awaits what: `asyncio.Task.get_stack` stops at the first."""
    found: list[str] = []
    # Coroutines, and generators made into such.
    waiting: object = task.get_coro()
    while waiting is not None and len(found) < _DEEPEST:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is None:
            break
        found.append(_line(frame, frame.f_lineno))
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return found


def _of_frame(frame: FrameType) -> list[str]:
    return [_line(each, line) for each, line in traceback.walk_stack(frame)][:_DEEPEST][::-1]


def _line(frame: FrameType, line: int) -> str:
    code = frame.f_code
    return f"{code.co_filename}:{line} {code.co_qualname}"
