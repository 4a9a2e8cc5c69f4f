"""Services of ours on hosts of their own, and a Hyperbahn of two nodes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_networks.namespaces import Network, why_not
from thirdparty.hyperbahn import Cluster
from thirdparty.process import PeerProcess

AGENT = Path(__file__).with_name("agent.py")
PORT = 4040


@pytest.fixture(scope="session", autouse=True)
def namespaces(peers_installed: None) -> None:
    """Every test here makes a network: in the continuous integration it has to be possible."""
    reason = why_not()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


class Agents:
    """The services, by name; and what they are told to do."""

    def __init__(self, network: Network, folder: Path) -> None:
        self._network = network
        self._folder = folder
        self._processes: dict[str, PeerProcess] = {}

    def hostport(self, name: str) -> str:
        """Where a service listens."""
        return f"{self._network.address[name]}:{PORT}"

    def start(self, name: str, routers: list[str]) -> None:
        """Start a service on the host of its name."""
        argv = [*self._network.inside(name), sys.executable, str(AGENT), name]
        argv += [self.hostport(name), *routers]
        process = PeerProcess(name, argv, self._folder / f"{name}.log")
        self._processes[name] = process
        process.wait_event("ready")

    def tell(self, name: str, op: str, **arguments: Any) -> Any:
        """Let a service do something, and wait for what comes of it."""
        return self._processes[name].ask(op, seconds=60.0, **arguments)["result"]

    def begin(self, name: str, op: str, **arguments: Any) -> Any:
        """Let a service do something; a future of what comes of it."""
        return self._processes[name].send(op, **arguments)

    def call(self, name: str, service: str, count: int = 1, **arguments: Any) -> list[str]:
        """Let a service call another: who answered each time, or which error it was."""
        outcomes = self.tell(name, "call", service=service, count=count, **arguments)
        return [outcome for outcome, _ in outcomes]

    def until_called(self, name: str, service: str, seconds: float, **arguments: Any) -> None:
        """Wait until a call of one service to another is answered by it."""
        end = time.monotonic() + seconds
        while (outcome := self.call(name, service, **arguments)) != [service]:
            assert time.monotonic() < end, f"{service} still gives {name}: {outcome}"
            time.sleep(0.2)

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.stop()


@pytest.fixture
def network() -> Iterator[Network]:
    """Five hosts: three for services, two for routers."""
    with Network(["red", "green", "blue", "north", "south"]) as network:
        yield network


@pytest.fixture
def agents(network: Network, tmp_path: Path) -> Iterator[Agents]:
    """The services, not started yet."""
    agents = Agents(network, tmp_path)
    yield agents
    agents.stop()


@pytest.fixture
def three(agents: Agents) -> Agents:
    """Three services that know each other's addresses."""
    for name in ("red", "green", "blue"):
        agents.start(name, [])
    return agents


@pytest.fixture
def hyperbahn(network: Network, tmp_path: Path) -> Iterator[Cluster]:
    """A Hyperbahn of two nodes, each on a host of its own."""
    places = {f"{network.address[name]}:21300": name for name in ("north", "south")}
    inside = {hostport: network.inside(name) for hostport, name in places.items()}
    cluster = Cluster(2, tmp_path, hostports=list(places), inside=inside)
    yield cluster
    cluster.stop()


@pytest.fixture
def routed(agents: Agents, hyperbahn: Cluster) -> Agents:
    """Three services that are advertised, and find each other by name."""
    for name in ("red", "green", "blue"):
        agents.start(name, hyperbahn.hostports)
    for name in ("green", "blue"):
        agents.until_called("red", name, 30.0, timeout=2)
    return agents


@pytest.fixture
def lossy(network: Network) -> Callable[[str, float], None]:
    """A function that loses packets, where the kernel can."""

    def lose(name: str, percent: float) -> None:
        try:
            network.lose(name, percent)
        except OSError as error:
            # Not a failure anywhere: few kernels of machines for tests have netem.
            pytest.skip(f"this kernel loses no packets: {error}")

    return lose
