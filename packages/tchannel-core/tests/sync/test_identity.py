"""Whom a sync channel calls: over a connection that it opened, and over another once that is idle."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tchannel import TChannel, errors, sync
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.sync.loops import LoopThread

Make = Callable[..., TChannel]


class Claimant(TChannel):
    """A channel that announces the address of another."""

    claim = ""

    def advertised_hostport(self, *, opener: bool) -> str:
        return self.claim if opener else super().advertised_hostport(opener=opener)


class Others:
    """Async channels in a thread of their own."""

    def __init__(self) -> None:
        self.thread = LoopThread(None, "others")
        self.channels: list[TChannel] = []

    def run(self, function: Callable[[], Any]) -> Any:
        """Return what ``function()`` gives in that thread, awaited if need be."""
        done: asyncio.Future[Any] | None = None
        ended = threading.Event()
        outcome: list[Any] = []

        async def begin() -> None:
            result = function()
            outcome.append(await result if isinstance(result, Awaitable) else result)

        def start() -> None:
            nonlocal done
            done = asyncio.ensure_future(begin())
            done.add_done_callback(lambda _: ended.set())

        self.thread.call_soon(start)
        assert ended.wait(10)
        assert done is not None
        done.result()
        return outcome[0]

    def serve(self, name: str, hostport: str = "127.0.0.1:0", **options: Any) -> TChannel:
        def make() -> TChannel:
            channel = TChannel(name, hostport, **options)
            channel.raw.register("name", lambda request: name)
            channel.listen()
            self.channels.append(channel)
            return channel

        return self.run(make)  # type: ignore[no-any-return]

    def claim(self, address: str, to: str) -> None:
        """Let one who claims an address connect to another."""

        def make() -> Any:
            channel = Claimant("claimant")
            channel.claim = address
            channel.raw.register("name", lambda request: "claimant")
            self.channels.append(channel)
            return channel.raw("client", "nothing", hostport=to)

        with pytest.raises(errors.BadRequestError, match="nothing"):  # a sync channel serves none
            self.run(make)

    def close(self, channel: TChannel) -> None:
        self.run(lambda: channel.close(0.01))

    def end(self) -> None:
        for channel in self.channels:
            self.close(channel)
        self.thread.stop()


@pytest.fixture
def others() -> Iterator[Others]:
    others = Others()
    yield others
    others.end()


def test_calls_by_address_leave_only_over_a_connection_that_we_opened(others: Others) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        backend = f"127.0.0.1:{taken.getsockname()[1]}"
    with sync.TChannel("client", "127.0.0.1:0", known_peers=[backend]) as client:
        client.listen()
        others.claim(backend, client.hostport)

        with pytest.raises(errors.NetworkError, match=f"cannot connect to {backend}"):
            client.raw("any", "name", hostport=backend, retry_limit=0).result(10)
        with pytest.raises(errors.NoAvailablePeerError):
            client.raw("any", "name", retry_limit=0).result(10)
        real = others.serve("backend", backend)
        for hostport in (backend, None):
            for _ in range(5):
                assert client.raw("any", "name", hostport=hostport).result(10).body == b"backend"
        others.close(real)
        with pytest.raises(errors.NetworkError):
            client.raw("any", "name", hostport=backend, retry_limit=0).result(10)


def test_a_client_whose_idle_connection_was_closed_opens_another_for_its_next_call(
    others: Others,
) -> None:
    server = others.serve("server", options=Options(idle_timeout=0.1))
    ended = others.run
    with sync.TChannel("client") as client:
        for _ in range(3):
            # One attempt: none of them meets a connection that is gone.
            call = client.raw("any", "name", hostport=server.hostport, retry_limit=0)
            assert call.result(10).body == b"server"
            (connection,) = ended(lambda: list(inside(server).connections))
            ended(lambda: connection.lost)  # noqa: B023 - it is waited for at once
            assert ended(lambda: list(inside(server).connections)) == []
