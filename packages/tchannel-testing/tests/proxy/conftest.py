"""The proxy's tests run on both loops, where uvloop is installed."""

import asyncio

try:
    import uvloop
except ImportError:
    uvloop = None


def pytest_asyncio_loop_factories(config, item):
    """The loops to run a coroutine on."""
    if uvloop is None:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
