"""Our servers are restarted in turn under callers of tchannel-node, with the retries that it has by default."""

import asyncio

import pytest
from thirdparty.peer import CallError

from tchannel import TChannel

# What tchannel-node does for a request that says nothing of retries: five attempts, after errors of the
# connection, busy and declined.
DEFAULT = {"limit": 5, "flags": {"never": False, "onConnectionError": True, "onTimeout": False}}
RESTARTS = 20
CALLERS = 16


@pytest.fixture
async def servers():
    """Two servers by their addresses, a function that starts one at an address, and what ran there."""
    started, ran = {}, []

    def start(hostport="127.0.0.1:0"):
        channel = TChannel("our-service", hostport=hostport)

        @channel.raw.register
        async def work(request):
            ran.append(request.endpoint)
            await asyncio.sleep(0.002)
            return request.body

        channel.listen()
        started[channel.hostport] = channel
        return channel

    start()
    start()
    yield started, start, ran
    for channel in started.values():
        await channel.close(grace=1)


@pytest.fixture(params=["node4", "node3"])
def node(request):
    return request.getfixturevalue(request.param)


async def restart_in_turn(servers, node, retry):
    """Restart both servers in turn under many callers; return what failed. No call may run unanswered."""
    by_address, start, ran = servers
    addresses = list(by_address)
    answered, failed, over = [0], [], asyncio.Event()

    async def keep_calling():
        while not over.is_set():
            try:
                await node.call_async(addresses, "our-service", "work", body=b"x", retry=retry)
                answered[0] += 1
            except CallError as error:
                failed.append(error)

    callers = [asyncio.ensure_future(keep_calling()) for _ in range(CALLERS)]
    for turn in range(RESTARTS):
        address = addresses[turn % 2]
        before = answered[0]
        await by_address[address].close()
        start(address)
        async with asyncio.timeout(20):
            while answered[0] < before + 50:
                await asyncio.sleep(0.005)
    over.set()
    await asyncio.gather(*callers)
    assert answered[0] > 1000
    assert len(ran) == answered[0]
    return failed


async def test_rolling_restarts_lose_no_call_of_node_with_its_default_retries(servers, node):
    assert await restart_in_turn(servers, node, DEFAULT) == []


async def test_of_node_without_retries_calls_are_declined_or_not_sent_and_none_is_lost(
    servers, node
):
    failed = await restart_in_turn(servers, node, None)

    # Safe to be tried again by the application: they ran nowhere. The last were to leave over a connection
    # that was refused while nobody listened, or that the kernel had taken and not handed over yet.
    assert {(error.code, error.name) for error in failed} <= {
        (4, "Declined"),
        (None, "tchannel.request.drained"),
        (None, "tchannel.socket"),
    }
