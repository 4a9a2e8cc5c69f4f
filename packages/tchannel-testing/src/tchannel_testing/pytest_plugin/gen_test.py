"""Tests marked ``gen_test``, for where pytest-tornado is not installed: it does not start on 3.13.

Registered by the plugin under a condition, because two plugins would run each test twice. Tornado is
imported when there is such a test: pytest imports this module in every run.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from tornado.ioloop import IOLoop

__all__ = ["GenTestPlugin", "is_tornado_coroutine"]

_MARK = "gen_test"
#: Seconds for a test that names none, as in pytest-tornado and tornado's own gen_test.
_TIMEOUT = 5.0


class GenTestPlugin:
    """Collects generators marked ``gen_test`` and runs them on an IOLoop of their own."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(
        self, collector: pytest.Module | pytest.Class, name: str, obj: object
    ) -> list[pytest.Function] | None:
        """Collect generators that pytest itself refuses."""
        if collector.funcnamefilter(name) and inspect.isgeneratorfunction(obj):
            marks = [*getattr(obj, "pytestmark", ()), *collector.iter_markers()]
            if any(mark.name == _MARK for mark in marks):
                # The only way to have parametrized functions of a kind that pytest does not know;
                # pytest-tornado takes it too.
                return list(collector._genfunctions(name, obj))
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Give the test its loop before its other fixtures."""
        if isinstance(item, pytest.Function) and _is_ours(item):
            names = [name for name in item.fixturenames if name != "io_loop"]
            item.fixturenames = ["io_loop", *names]

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Run the test."""
        function = pyfuncitem.obj
        if not _is_ours(pyfuncitem):
            return None
        from tornado import gen

        if inspect.isgeneratorfunction(function):
            function = gen.coroutine(function)
        arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
        marker = pyfuncitem.get_closest_marker(_MARK)
        assert marker is not None, "_is_ours() has looked"
        timeout = marker.kwargs.get("timeout", _TIMEOUT)
        loop = cast("IOLoop", pyfuncitem.funcargs["io_loop"])
        loop.run_sync(functools.partial(function, **arguments), timeout=timeout)
        return True

    @pytest.fixture
    def io_loop(self) -> Iterator[IOLoop]:
        """A Tornado IOLoop of the test's own; it is the current one while the test runs."""
        from tornado.ioloop import IOLoop

        before = _current_loop()
        asyncio_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(asyncio_loop)
        # Not make_current=True, which asks for the loop before, and so makes one on 3.11.
        loop = IOLoop(asyncio_loop=asyncio_loop, make_current=False)
        yield loop
        _end_tasks(asyncio_loop)
        asyncio_loop.run_until_complete(asyncio_loop.shutdown_asyncgens())
        loop.close(all_fds=True)
        asyncio.set_event_loop(before)


def _is_ours(item: pytest.Item) -> bool:
    """Marked, and not a test that another plugin runs in its own way."""
    return (
        isinstance(item, pytest.Function)
        and item.get_closest_marker(_MARK) is not None
        and type(item).runtest is pytest.Function.runtest
        and (
            inspect.isgeneratorfunction(item.obj)
            or inspect.iscoroutinefunction(item.obj)
            or is_tornado_coroutine(item.obj)
        )
    )


def is_tornado_coroutine(function: object) -> bool:
    """Whether ``gen.coroutine`` made it: to all others it is a plain function."""
    return bool(getattr(function, "__tornado_coroutine__", False))


def _current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that is set for this thread, without making one as asyncio did before 3.14."""
    if sys.version_info >= (3, 14):  # policies are going away, and with them what is read below
        try:
            return asyncio.get_event_loop()
        except RuntimeError:
            return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = asyncio.get_event_loop_policy()
    loop: asyncio.AbstractEventLoop | None = getattr(getattr(policy, "_local", None), "_loop", None)
    return loop


def _end_tasks(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
