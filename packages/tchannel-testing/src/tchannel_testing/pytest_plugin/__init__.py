"""The pytest plugin of tchannel-testing: fixtures, a marker, an option and a check for leaks.

It works with plain pytest, pytest-asyncio, anyio's plugin, pytest-tornado and tornado's
``AsyncTestCase``, and needs none of them: its fixtures are plain ones, and what has to happen in the
event loop happens around the test function, in whatever loop runs that.

pytest imports this module in every run, so that everything else is imported when it is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tchannel import TChannel

    from ..memory import Pair
    from ..service import FakeService
    from ..vcr import Cassette

_MODES = ("once", "new_episodes", "none", "all")
_ROUTER_HINT = (
    "the fixture tchannel_router needs tchannel-hyperbahn: pip install tchannel-hyperbahn"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the settings."""
    group = parser.getgroup("tchannel", "TChannel")
    group.addoption(
        "--tchannel-record-mode",
        type=str.lower,
        choices=_MODES,
        default=None,
        help="record mode of the fixture tchannel_cassette and its marker, whatever they say",
    )
    parser.addini(
        "tchannel_cassette_dir",
        "where cassettes go, from the directory of the test file (default: cassettes)",
        default="cassettes",
    )
    parser.addini(
        "tchannel_leak_check",
        "fail every test that leaves a channel, a connection or a task behind (default: false)",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; run gen_test ourselves where pytest-tornado does not."""
    config.addinivalue_line(
        "markers",
        "tchannel_cassette(path=None, record_mode=None, ...): record the calls of this test into a "
        "cassette, or replay them; takes the arguments of tchannel.testing.vcr.use_cassette",
    )
    if not config.pluginmanager.hasplugin("tornado"):
        from .gen_test import GenTestPlugin

        config.addinivalue_line(
            "markers",
            "gen_test(timeout=None): run this Tornado coroutine on an IOLoop of its own",
        )
        config.pluginmanager.register(GenTestPlugin(), "tchannel-gen-test")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give a test with the marker its cassette."""
    if isinstance(item, pytest.Function):
        wanted = item.get_closest_marker("tchannel_cassette") is not None
        if wanted and "tchannel_cassette" not in item.fixturenames:
            # Parametrized siblings share the list: theirs stays as it is.
            item.fixturenames = [*item.fixturenames, "tchannel_cassette"]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Do in the test's own loop what can only be done there.

    Each plugin makes, keeps and ends a loop in its own way, and only the test function knows it: for
    this one run it is replaced by one of the same kind that does ours before and after.
    """
    __tracebackhide__ = True
    things = item.stash.get(_in_loop, None)
    if not things or not isinstance(item, pytest.Function):
        return (yield)
    from .around import around

    function = item.obj
    item.obj = around(function, things)
    try:
        return (yield)
    finally:
        item.obj = function
        del item.stash[_in_loop]


#: The things of a test that need its loop: see :mod:`tchannel_testing.pytest_plugin.around`.
_in_loop: pytest.StashKey[list[Any]] = pytest.StashKey()


def _needs_loop(request: pytest.FixtureRequest, thing: Any) -> None:
    request.node.stash.setdefault(_in_loop, []).append(thing)


@pytest.fixture
def tchannel_client(request: pytest.FixtureRequest) -> Iterator[TChannel]:
    """A channel named ``test-client``, closed when the test function has ended."""
    from tchannel import TChannel

    from .around import OwnChannel

    own = OwnChannel(TChannel("test-client"))
    _needs_loop(request, own)
    yield own.channel
    own.finish()


@pytest.fixture
def tchannel_service(request: pytest.FixtureRequest) -> Iterator[FakeService]:
    """A :class:`~tchannel_testing.FakeService` named ``test-service`` that listens."""
    from ..service import FakeService
    from .around import OwnChannel

    service = FakeService("test-service")
    own = OwnChannel(service.channel, listens=True)
    _needs_loop(request, own)
    yield service
    own.finish()


@pytest.fixture
def tchannel_pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A :class:`~tchannel_testing.Pair`: a client and a server, joined in memory."""
    from ..memory import Pair
    from .around import OwnChannel

    pair = Pair()
    owned = [OwnChannel(channel) for channel in pair.channels]
    for own in owned:
        _needs_loop(request, own)
    yield pair
    for own in owned:
        own.finish()


# Any: a `Router` of tchannel-hyperbahn, which may not be installed.
@pytest.fixture
def tchannel_router(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A development router of tchannel-hyperbahn.

    Its ``hostport`` is known at once. It serves while the test function runs: in the loop of the test,
    or, beside a plain function, in a thread of its own.
    """
    from .around import OwnRouter

    try:
        own = OwnRouter()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "tchannel_hyperbahn":
            raise
        raise pytest.UsageError(_ROUTER_HINT) from None
    _needs_loop(request, own)
    yield own.router
    own.finish()


@pytest.fixture
def tchannel_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """A cassette named after the test, in the directory ``cassettes`` beside its file.

    The marker ``tchannel_cassette`` can say otherwise; it takes the arguments of ``use_cassette``.
    A relative path counts from the directory of the test file. The option
    ``--tchannel-record-mode`` overrides the record mode.
    """
    from ..vcr import use_cassette

    marker = request.node.get_closest_marker("tchannel_cassette")
    names = ("path", "record_mode")
    arguments: dict[str, Any] = {}
    if marker is not None:
        if len(marker.args) > len(names) or "inject" in marker.kwargs:
            raise pytest.UsageError(
                "the marker tchannel_cassette takes (path, record_mode) and the named arguments of "
                f"use_cassette but inject, got {marker.args!r} and {marker.kwargs!r}"
            )
        arguments = {**dict(zip(names, marker.args, strict=False)), **marker.kwargs}
    path = arguments.pop("path", None)
    mode = request.config.getoption("--tchannel-record-mode")
    if mode is not None:
        arguments["record_mode"] = mode
    if path is None:
        path = _cassette_path(request)
    elif isinstance(path, str | os.PathLike):  # else use_cassette says what is wrong
        path = request.path.parent / path
    with use_cassette(path, **arguments) as cassette:
        yield cassette


def _cassette_path(request: pytest.FixtureRequest) -> Path:
    node = request.node
    name = node.name if request.cls is None else f"{request.cls.__name__}.{node.name}"
    # Parameters may hold anything; a file name may not.
    name = re.sub(r"[^\w.=\[\],-]+", "-", name)
    directory: str = request.config.getini("tchannel_cassette_dir")
    return request.path.parent / directory / request.path.stem / f"{name}.yaml"


@pytest.fixture(autouse=True)
def _tchannel_leak_check(request: pytest.FixtureRequest) -> Iterator[None]:
    """The first fixture of the test's own scope, and so the last to be torn down."""
    if request.config.getini("tchannel_leak_check"):
        yield from _check_leaks(request)
    else:
        yield


@pytest.fixture
def tchannel_leak_check(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail this test if it leaves a channel, a connection or a task behind.

    The setting ``tchannel_leak_check`` does it for all tests.
    """
    if request.config.getini("tchannel_leak_check"):
        yield
    else:
        yield from _check_leaks(request)


def _check_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    from .leaks import LeakCheck

    check = LeakCheck()
    _needs_loop(request, check)
    yield
    leaks = check.leaks()
    if leaks:
        pytest.fail("\n".join(["the test left behind:", *leaks]), pytrace=False)
