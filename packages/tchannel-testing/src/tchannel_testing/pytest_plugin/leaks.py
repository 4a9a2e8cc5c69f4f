"""What a test leaves behind: channels, connections, tasks."""

import asyncio
import gc
import weakref
from collections.abc import Iterable

from tchannel import TChannel
from tchannel.lowlevel import inside, live_channels

__all__ = ["LeakCheck"]

#: Turns of the loop in which what has ended may go.
_TURNS = 5


class LeakCheck:
    """Compares what there is after a test with what there was before.

    Channels are looked at from the making of this object to :meth:`leaks`; tasks from :meth:`begin`
    to :meth:`end`, which have to be called in the loop of the test.
    """

    def __init__(self) -> None:
        self._channels = weakref.WeakSet(live_channels())  # ids are used again
        self._tasks: set[asyncio.Task[object]] = set()
        self._left: list[str] = []

    async def begin(self) -> None:
        """Remember the tasks that there are."""
        self._tasks = set(asyncio.all_tasks())

    async def end(self) -> None:
        """Note the tasks that were not there before and still run."""
        for _ in range(_TURNS):
            if not self._new_tasks():
                return
            await asyncio.sleep(0)
        self._left = sorted(f"  {_describe(task)}" for task in self._new_tasks())

    def _new_tasks(self) -> list["asyncio.Task[object]"]:
        current = asyncio.current_task()
        return [
            task
            for task in asyncio.all_tasks()
            if task not in self._tasks and task is not current and not _is_channels_own(task)
        ]

    def leaks(self) -> list[str]:
        """A line for each thing left behind."""
        channels = list(self._open_channels())
        if channels:  # a channel that nobody has any more is none that is left
            del channels
            gc.collect()
        return [*self._left, *sorted(map(_describe_channel, self._open_channels()))]

    def _open_channels(self) -> Iterable[TChannel]:
        for channel in live_channels():
            if channel not in self._channels:
                # One that was never used has no loop, and nothing to be closed.
                used = channel.loop is not None and not channel.is_closed()
                if used or inside(channel).connections:
                    yield channel


def _is_channels_own(task: "asyncio.Task[object]") -> bool:
    """A task of a channel goes with the channel, which is looked at by itself."""
    code = getattr(task.get_coro(), "cr_code", None)
    module = getattr(getattr(task.get_coro(), "cr_frame", None), "f_globals", {}).get("__name__")
    return code is not None and (module or "").partition(".")[0] == "tchannel"


def _describe(task: "asyncio.Task[object]") -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    place = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return f"task {task.get_name()}: {getattr(task.get_coro(), '__qualname__', task)}{place}"


def _describe_channel(channel: TChannel) -> str:
    states = []
    if channel.is_listening() and not channel.is_closed():
        states.append(f"listens on {channel.hostport}")
    connections = len(inside(channel).connections)
    if connections:
        states.append(f"has {connections} connections")
    if not states:
        states.append("was used and never closed")
    return f"  channel {channel.name}: {', '.join(states)}; close it, or use it with 'async with'"
