"""What fails, and what must not, when routers and instances die under a steady load."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from thirdparty.process import PeerProcess

from tchannel import TChannel, errors
from tchannel.lowlevel import inside

RATE = 200
SECONDS = 30
PERIOD = 2.0

pytestmark = [pytest.mark.load, pytest.mark.timeout(150)]


class Load:
    """A steady load of calls by name, each of 50 ms: ten are under way at any time."""

    def __init__(self, client: TChannel, service: str, **call: Any) -> None:
        self.client = client
        self.service = service
        self.call = call
        self.failures: list[Exception] = []
        self.made = 0
        self._calls: set[asyncio.Future[Any]] = set()

    async def run(self, *events: tuple[float, Callable[[], Any]]) -> None:
        """Make the calls; ``events`` are times and what happens then (blocking, in a thread)."""
        happening = [asyncio.create_task(self._happen(*event)) for event in events]
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.made < RATE * SECONDS:
            due = min(int((loop.time() - began) * RATE), RATE * SECONDS)
            for _ in range(due - self.made):
                self.made += 1
                call = self.client.raw(self.service, "work", b"x" * 100, **self.call)
                self._calls.add(call)
                call.add_done_callback(self._done)
            await asyncio.sleep(1 / RATE)
        await asyncio.gather(*happening)
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _happen(self, when: float, what: Callable[[], Any]) -> None:
        await asyncio.sleep(when)
        result = what()
        if asyncio.iscoroutine(result):
            await result

    def _done(self, call: asyncio.Future[Any]) -> None:
        self._calls.discard(call)
        error = call.exception()
        if isinstance(error, Exception):
            self.failures.append(error)


def in_thread(function: Callable[..., object], *args: object) -> Callable[[], Any]:
    return lambda: asyncio.to_thread(function, *args)


async def advertised(channel: TChannel, routers: list[str]) -> None:
    await channel.advertise(routers=routers, period=PERIOD, jitter=0)


def exits(service: TChannel, routers: list[str]) -> set[str]:
    """The routers that connected back to the service: calls leave the cluster there."""
    return {c.announced for c in inside(service).connections if not c.opener} & set(routers)


@pytest.fixture
async def two_nodes(start_network, make_service, service_name):
    """A cluster of two nodes, a service, and which of the nodes calls leave it by."""
    cluster = await asyncio.to_thread(start_network, "two nodes")
    service = make_service(service_name)
    await advertised(service, cluster.hostports)
    async with asyncio.timeout(10):
        while not exits(service, cluster.hostports):
            await asyncio.sleep(0.05)
    (exit,) = exits(service, cluster.hostports)
    (other,) = set(cluster.hostports) - {exit}
    return cluster, service, exit, other


@pytest.mark.parametrize("call", [{"retry_on": "ct", "retry_limit": 4}, {}], ids=["ct", "default"])
async def test_a_router_that_dies_and_comes_back(two_nodes, make_channel, call):
    cluster, service, _, other = two_nodes
    client = make_channel("client")
    await advertised(client, cluster.hostports)
    load = Load(client, service.name, timeout=5, **call)
    pending_at_death = 0

    def kill():
        nonlocal pending_at_death
        pending_at_death = inside(client).peers_table.get(other).pending
        return asyncio.to_thread(cluster.kill, other)

    await load.run((5, kill), (12, in_thread(cluster.restart, other)))

    assert pending_at_death > 0
    if call:
        assert load.failures == []
    else:
        assert load.failures
        # In flight at that moment, or written before the end of the connection was seen.
        assert len(load.failures) <= pending_at_death + RATE // 10
        for failure in load.failures:
            assert isinstance(failure, errors.NetworkError)
            assert "after the call was sent" in str(failure)
    assert load.made == RATE * SECONDS


@pytest.mark.parametrize("kind", ["development", "one node"])
async def test_the_advertisement_is_back_within_three_seconds_of_the_routers_return(
    start_network, make_service, make_channel, service_name, kind
):
    network = await asyncio.to_thread(start_network, kind)
    (router,) = network.hostports
    service = make_service(service_name)
    await advertised(service, [router])
    client = make_channel("client")
    assert (await client.raw(service_name, "echo", b"1", hostport=router)).body == b"1"

    await asyncio.to_thread(network.kill, router)
    await asyncio.sleep(3 * PERIOD)
    await asyncio.to_thread(network.restart, router)
    returned = time.monotonic()

    while True:
        try:
            response = await client.raw(service_name, "echo", b"2", hostport=router, timeout=0.5)
            break
        except errors.TChannelError:
            assert time.monotonic() < returned + 3
            await asyncio.sleep(0.02)
    assert response.body == b"2"
    assert time.monotonic() < returned + 3


@pytest.fixture
def start_instance(tmp_path, service_name):
    """A function that starts an instance of the service in a process of its own."""
    started = []

    def start(routers: list[str]) -> PeerProcess:
        argv: list[str | Path] = [sys.executable, Path(__file__).with_name("instance.py")]
        argv += [service_name, str(PERIOD), *routers]
        log = tmp_path / f"instance-{len(started)}.log"
        started.append(PeerProcess(f"instance {len(started)}", argv, log))
        started[-1].wait_event("ready")
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture(params=["development", "one node", "two nodes"])
async def three_instances(request, start_network, start_instance, make_channel, service_name):
    """Routers, three instances, and a load that begins when it is run."""
    network = await asyncio.to_thread(start_network, request.param)
    instances = [await asyncio.to_thread(start_instance, network.hostports) for _ in range(3)]
    client = make_channel("client")
    await advertised(client, network.hostports)
    return network, instances, client


async def test_calls_go_to_the_others_when_an_instance_dies(three_instances, service_name):
    _, instances, client = three_instances
    load = Load(client, service_name, timeout=5, retry_on="ct", retry_limit=4)

    await load.run((5, in_thread(instances[0].kill)))

    assert load.failures == []
    assert load.made == RATE * SECONDS


async def test_a_rolling_restart_of_three_instances_fails_no_call(
    three_instances, start_instance, service_name
):
    network, instances, client = three_instances
    load = Load(client, service_name, timeout=5)

    def restart(number: int) -> None:
        instances[number].stop()
        instances[number] = start_instance(network.hostports)

    await load.run(*[(5 + 7 * number, in_thread(restart, number)) for number in range(3)])

    assert load.failures == []
    assert load.made == RATE * SECONDS
