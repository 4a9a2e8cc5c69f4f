"""Networks of routers: ours for development, and a real Hyperbahn of one node and of two."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from thirdparty.hyperbahn import Cluster, free_ports

from tchannel import Response, TChannel


class DevelopmentRouter:
    """``python -m tchannel_hyperbahn router`` in a process of its own; used as a `Cluster` of one."""

    def __init__(self, folder: Path) -> None:
        self.hostports = [f"127.0.0.1:{port}" for port in free_ports(1)]
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[str]] = {}
        for hostport in self.hostports:
            self.restart(hostport)

    def restart(self, hostport: str) -> None:
        """Start a router, and wait until it listens."""
        command = [sys.executable, "-m", "tchannel_hyperbahn", "router"]
        command += ["--port", hostport.rsplit(":", 1)[1]]
        with (self._folder / "router.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self._processes[hostport] = process
        assert process.stdout is not None
        assert process.stdout.readline() == f"listening on {hostport}\n"

    def kill(self, hostport: str) -> None:
        """Let a router die without a farewell."""
        process = self._processes[hostport]
        process.kill()
        process.communicate()

    def wait_ring(self, seconds: float = 30.0) -> None:
        """There is no ring."""

    def stop(self) -> None:
        """End all routers."""
        for hostport in self._processes:
            self.kill(hostport)


NETWORKS = ["development", "one node", "two nodes"]


def _start(kind: str, folder: Path) -> Any:
    if kind == "development":
        return DevelopmentRouter(folder)
    return Cluster(1 if kind == "one node" else 2, folder)


@pytest.fixture(scope="session", params=NETWORKS)
def network(request: pytest.FixtureRequest, log_folder: Path) -> Iterator[Any]:
    """Each network in turn; `hostports` has its routers. Leave it as it is."""
    started = _start(request.param, log_folder)
    yield started
    started.stop()


@pytest.fixture
def start_network(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """A function that starts one of `NETWORKS` for this test alone: it may be harmed."""
    started: list[Any] = []

    def start(kind: str) -> Any:
        started.append(_start(kind, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def first_router(network: Any) -> str:
    """Where services are advertised."""
    hostport: str = network.hostports[0]
    return hostport


@pytest.fixture
def last_router(network: Any) -> str:
    """Where calls enter: with two nodes another one, so that calls cross from node to node."""
    hostport: str = network.hostports[-1]
    return hostport


@pytest.fixture
async def make_channel() -> AsyncIterator[Callable[..., TChannel]]:
    """A function that makes channels, which are closed with the test."""
    made: list[TChannel] = []

    def make(name: str, **options: Any) -> TChannel:
        options.setdefault("hostport", "127.0.0.1:0")
        made.append(TChannel(name, **options))
        return made[-1]

    yield make
    for channel in made:
        await channel.close(grace=1)


@pytest.fixture
def make_service(make_channel: Callable[..., TChannel]) -> Callable[..., TChannel]:
    """A function that makes a service with the endpoints of these tests."""

    def make(name: str) -> TChannel:
        channel = make_channel(name)

        @channel.raw.register("echo")
        def echo(request: Any) -> Response:
            return Response(request.body, request.headers)

        @channel.raw.register("work")
        async def work(request: Any) -> Any:
            await asyncio.sleep(0.05)
            return request.body

        @channel.raw.register("who")
        def who(request: Any) -> str:
            return channel.hostport

        @channel.json.register("json-echo")
        def json_echo(request: Any) -> Any:
            return request.body

        @channel.raw.register("headers")
        def headers(request: Any) -> str:
            return repr(sorted(request.transport.headers.items()))

        return channel

    return make
