"""Channels on real sockets, a clock, and nothing left behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tchannel import TChannel
from tchannel_testing.clock import ManualClock

try:
    import uvloop
except ImportError:
    uvloop = None


def pytest_configure(config: pytest.Config) -> None:
    """Let processes be interrupted where a script runs the tests in its background.

    A shell without job control has its background processes ignore SIGINT, and theirs as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Every asynchronous test runs on both loops, where uvloop is installed."""
    if uvloop is None:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
async def tcp() -> AsyncIterator[Callable[..., TChannel]]:
    """Make channels on real sockets; closed with the test."""
    made: list[TChannel] = []

    def make(name: str = "server", **kwargs: Any) -> TChannel:
        made.append(TChannel(name, **kwargs))
        return made[-1]

    yield make
    for channel in made:
        await channel.close(grace=1)


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """A test leaves no task behind."""
    before = asyncio.all_tasks()
    yield
    for _ in range(30):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {left}"
