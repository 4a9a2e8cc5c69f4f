"""Event loops in threads."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tchannel import errors
from tchannel.sync.future import CallFuture
from tchannel.sync.loops import LoopThread


def test_it_runs_a_loop_of_the_factory_in_a_daemon_thread(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def factory() -> asyncio.AbstractEventLoop:
        loops.append(loop_factory())
        return loops[0]

    thread = LoopThread(factory, "tchannel-test")
    seen: list[Any] = []
    done = threading.Event()

    def look() -> None:
        seen.extend((asyncio.get_running_loop(), threading.current_thread()))
        done.set()

    thread.call_soon(look)
    assert done.wait(10)
    ident = thread.ident
    thread.stop()
    thread.stop()
    assert seen[0] is loops[0]
    assert seen[0].is_closed()
    assert seen[1].daemon
    assert (seen[1].ident, seen[1].name) == (ident, "tchannel-test")


def test_stopping_ends_the_tasks_of_the_loop(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    thread = LoopThread(loop_factory, "tchannel-test")
    ended: list[str] = []
    begun = threading.Event()

    async def task() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    tasks: list[asyncio.Task[None]] = []
    thread.call_soon(lambda: tasks.append(asyncio.ensure_future(task())))
    assert begun.wait(10)
    thread.stop()
    assert ended == ["ended"]


def test_calls_that_the_loop_leaves_undone_are_cancelled(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    thread = LoopThread(loop_factory, "tchannel-test")
    begun = threading.Event()

    def call() -> asyncio.Future[None]:
        begun.set()
        return asyncio.get_running_loop().create_future()

    future = CallFuture[None](thread.pending)
    thread.pending.add(future)
    thread.call_soon(future.begin, call, (), {})
    assert begun.wait(10)
    thread.stop()
    assert thread.pending == set()
    with pytest.raises(errors.CanceledError, match="the channel was closed"):
        future.result(0)


def test_a_thread_that_cannot_be_started_leaves_no_loop_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def factory() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.new_event_loop())
        return loops[0]

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't create new thread"):
        LoopThread(factory, "tchannel-test")
    assert loops[0].is_closed()
