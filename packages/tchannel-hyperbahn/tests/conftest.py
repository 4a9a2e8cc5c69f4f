"""Routers, services and a clock for these tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tchannel import Response, TChannel
from tchannel.lowlevel import inside
from tchannel_hyperbahn import Router
from tchannel_testing.clock import ManualClock

try:
    import uvloop
except ImportError:
    uvloop = None

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """The router's tests run on both loops, where uvloop is installed."""
    if uvloop is None or item.path.parent.name != "router":
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class FakeHyperbahn:
    """A router that answers ``ad`` and ``unad`` as a test tells it to, and relays nothing."""

    def __init__(self, channel: TChannel) -> None:
        self.channel = channel
        self.hostport = ""
        self.ads: list[tuple[list[str], str]] = []
        """Names and announced address of each advertisement."""
        self.unads: list[list[str]] = []
        self.answer: Callable[[], Any] = lambda: {"connectionCount": 1}
        self.advertised = asyncio.Event()
        channel.json.register("ad", self._ad)
        channel.json.register("unad", self._unad)

    def start(self) -> None:
        self.channel.listen()
        self.hostport = self.channel.hostport

    def _ad(self, request: Any) -> Any:
        names = [service["serviceName"] for service in request.body["services"]]
        self.ads.append((names, request.transport.announced))
        self.advertised.set()
        return self.answer()

    def _unad(self, request: Any) -> Any:
        self.unads.append([service["serviceName"] for service in request.body["services"]])
        return {"connectionCount": 1}

    def refuse(self, error: Exception) -> None:
        """Answer with an error from now on."""

        def answer() -> Any:
            raise error

        self.answer = answer

    def hang(self) -> None:
        """Never answer from now on."""
        self.answer = lambda: asyncio.get_running_loop().create_future()


@pytest.fixture
def eventually() -> Eventually:
    """A function that lets the loop run until a condition holds."""

    async def wait(condition: Callable[[], object]) -> None:
        # Only a test that would fail in any case waits so long: a machine may be busy.
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0)

    return wait


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


def is_working(channel: TChannel) -> bool:
    """Whether a call or a connection of ``channel`` is on its way."""
    peers = inside(channel).peers_table.peers.values()
    return any(peer.connecting or peer.waiters or peer.pending for peer in peers)


@pytest.fixture
def time_passes(clock: ManualClock, eventually: Eventually) -> Callable[..., Awaitable[None]]:
    """A function that lets the clock go on, step by step, until a condition holds.

    Where a channel is given the clock stands still while that is working, because everybody that it
    asks is going to answer: on a busy machine, too, nobody is too late then.
    """

    async def wait(
        condition: Callable[[], object], channel: TChannel | None = None, *, step: float = 0.1
    ) -> None:
        async with asyncio.timeout(60):
            while not condition():
                if channel is not None:
                    await eventually(lambda: not is_working(channel))
                    if condition():
                        return
                clock.advance(step)
                for _ in range(20):
                    await asyncio.sleep(0)

    return wait


@pytest.fixture
def ask_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that lets one router come first in every list of routers, which chance decides."""

    def ask(hostport: str) -> None:
        def order(hosts: list[str]) -> None:
            hosts.sort(key=lambda host: host != hostport)

        monkeypatch.setattr("random.shuffle", order)

    return ask


@pytest.fixture
async def make_channel() -> AsyncIterator[Callable[..., TChannel]]:
    """A function that makes channels, which are closed with the test."""
    made: list[TChannel] = []

    def make(name: str = "service", **options: Any) -> TChannel:
        options.setdefault("hostport", "127.0.0.1:0")
        made.append(TChannel(name, **options))
        return made[-1]

    yield make
    for channel in made:
        await channel.close(grace=0.5)


@pytest.fixture
def make_hyperbahn(make_channel: Callable[..., TChannel]) -> Callable[[], FakeHyperbahn]:
    def make() -> FakeHyperbahn:
        fake = FakeHyperbahn(make_channel("hyperbahn"))
        fake.start()
        return fake

    return make


@pytest.fixture
async def hyperbahn(make_hyperbahn: Callable[[], FakeHyperbahn]) -> FakeHyperbahn:
    """A running `FakeHyperbahn`."""
    return make_hyperbahn()


@pytest.fixture
async def router() -> AsyncIterator[Router]:
    """A running router, whose time stands still: on a busy machine nothing is too late for it."""
    async with Router(clock=ManualClock(1000.0)) as running:
        yield running


@pytest.fixture
def serve(
    make_channel: Callable[..., TChannel], router: Router
) -> Callable[..., Awaitable[TChannel]]:
    """A function that advertises a service with `router`; its endpoint ``echo`` answers as asked."""

    async def start(name: str = "service", **options: Any) -> TChannel:
        channel = make_channel(name, **options)

        @channel.raw.register("echo")
        def echo(request: Any) -> Response:
            return Response(request.body, request.headers)

        await channel.advertise(routers=[router.hostport])
        return channel

    return start
