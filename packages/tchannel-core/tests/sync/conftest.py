"""A stand-in for the async channel, and event loops of both kinds."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tchannel import errors
from tchannel.errors import ServiceNameIsRequiredError
from tchannel.event import EventEmitter, EventRegistrar
from tchannel.sync import client

LOOP_FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop
}
try:
    import uvloop
except ImportError:  # it is an extra
    pass
else:
    LOOP_FACTORIES["uvloop"] = uvloop.new_event_loop


class FakeScheme:
    """An arg scheme whose endpoints answer, fail or wait without any network."""

    def __init__(self, channel: "FakeChannel", name: str) -> None:
        self.channel = channel
        self.NAME = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        channel = self.channel
        channel.calls.append((self.NAME, args, kwargs))
        channel.threads.add(threading.get_ident())
        if channel.closed:
            raise RuntimeError("the fake is closed")
        loop = asyncio.get_running_loop()
        call: asyncio.Future[Any] = loop.create_future()
        match args[1] if len(args) > 1 else args[0]:
            case "echo":
                call.set_result(args[2] if len(args) > 2 else None)
            case "later":
                loop.call_soon(call.set_result, args[2])
            case "busy":
                call.set_exception(errors.BusyError("full"))
            case "cancelled":
                call.cancel()
            case "mistake":
                raise ValueError("timeout must not be negative")
            case "wait":
                channel.waiting.add(call)
                call.add_done_callback(channel.waiting.discard)
                call.add_done_callback(lambda _: channel.ended.set())
                channel.begun.release()
        return call


class FakeChannel:
    """The parts of the async channel that the sync one uses."""

    made: list["FakeChannel"] = []

    def __init__(
        self,
        name: str,
        hostport: str | None = None,
        process_name: str | None = None,
        known_peers: Any = None,
        trace: Any = False,
        **options: Any,
    ) -> None:
        if not name:
            raise ServiceNameIsRequiredError("name must not be empty")
        self.name = name
        self.hostport = hostport or "127.0.0.1:0"
        self.host, _, port = self.hostport.rpartition(":")
        self.port = int(port)
        self.process_name = process_name or "process"
        self.known_peers = known_peers
        self.trace = trace
        self.options = options
        self.hooks = EventRegistrar(EventEmitter())
        self.interceptors = object()
        self.raw = FakeScheme(self, "raw")
        self.json = FakeScheme(self, "json")
        self.thrift = FakeScheme(self, "thrift")
        self.call = FakeScheme(self, "call")
        self.advertise = FakeScheme(self, "advertise")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.threads: set[int] = set()
        self.waiting: set[asyncio.Future[Any]] = set()
        self.begun = threading.Semaphore(0)
        self.ended = threading.Event()
        self.closed: list[float | None] = []
        self.closing = threading.Event()
        self.may_close: threading.Event | None = None
        self.listening: list[int | None] = []
        FakeChannel.made.append(self)

    def listen(self, port: int | None = None, *, sock: object = None) -> None:
        if port == 1:
            raise PermissionError("port 1 is not yours")
        self.listening.append(port)

    def is_listening(self) -> bool:
        return bool(self.listening)

    async def unadvertise(self, name: str) -> str:
        return f"unadvertised {name}"

    async def close(self, grace: float | None = None) -> None:
        self.closed.append(grace)
        self.closing.set()
        if self.may_close is not None:
            await asyncio.to_thread(self.may_close.wait)
        for call in list(self.waiting):
            call.set_exception(errors.NetworkError("the channel was closed"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeChannel]:
    """Put the stand-in in the place of the async channel."""
    monkeypatch.setattr(client, "AsyncTChannel", FakeChannel)
    monkeypatch.setattr(FakeChannel, "made", [])
    return FakeChannel


@pytest.fixture(params=LOOP_FACTORIES)
def loop_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def loop_factory(loop_name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    return LOOP_FACTORIES[loop_name]


@pytest.fixture
def make(fake: type[FakeChannel]) -> Iterator[Callable[..., client.TChannel]]:
    """Make sync channels on stand-ins; they are closed at the end of the test."""
    made = []

    def make_channel(*args: Any, **kwargs: Any) -> client.TChannel:
        channel = client.TChannel(*(args or ("name",)), **kwargs)
        made.append(channel)
        return channel

    yield make_channel
    for channel in made:
        channel.close()


@pytest.fixture
def channel(
    make: Callable[..., client.TChannel], loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> client.TChannel:
    return make("name", loop_factory=loop_factory)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [
        thread.name
        for thread in threading.enumerate()
        if thread not in before and thread.name.startswith("tchannel-")
    ]
    assert left == []
    assert set(client._running) == set()
