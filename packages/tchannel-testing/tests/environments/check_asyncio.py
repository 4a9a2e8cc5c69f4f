"""With pytest-asyncio: tests and fixtures that are coroutines."""

import pytest
import pytest_asyncio

from tchannel.testing import vcr

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def answer(tchannel_service):
    """Programmes the service from a coroutine."""
    tchannel_service.on("get").answers(b"value")
    return b"value"


async def test_the_fixtures(tchannel_client, tchannel_service, answer):
    hostport = tchannel_service.hostport
    response = await tchannel_client.raw("test-service", "get", hostport=hostport)

    assert response.body == answer


async def test_the_pair(tchannel_pair):
    tchannel_pair.server.raw.register("get", lambda request: b"value")

    assert (await tchannel_pair.client.raw("server", "get")).body == b"value"


async def test_the_router(tchannel_router, tchannel_service, tchannel_client):
    tchannel_service.on("get").answers(b"routed")
    await tchannel_service.channel.advertise([tchannel_router.hostport])
    tchannel_client.peers.add(tchannel_router.hostport)

    assert (await tchannel_client.raw("test-service", "get")).body == b"routed"


@pytest_asyncio.fixture
async def cassette(tmp_path):
    """A cassette opened in a fixture, which runs in a task of its own."""
    async with vcr.use_cassette(tmp_path / "cassette.yaml") as cassette:
        yield cassette


async def test_a_cassette_of_an_async_fixture(cassette, tchannel_client, tchannel_service):
    tchannel_service.on("get")
    await tchannel_client.raw("test-service", "get", hostport=tchannel_service.hostport)

    assert len(cassette.requests) == 1


@pytest.mark.tchannel_cassette("cassettes/marked.yaml", "new_episodes")
async def test_the_marker(tchannel_client, tchannel_service, tchannel_cassette):
    tchannel_service.on("get")
    await tchannel_client.raw("test-service", "get", hostport=tchannel_service.hostport)

    assert len(tchannel_cassette.requests) == 1


@vcr.use_cassette("cassettes/decorated.yaml", "new_episodes")
async def test_the_decorator(tchannel_pair):
    tchannel_pair.server.raw.register("get", lambda request: b"value")

    assert (await tchannel_pair.client.raw("server", "get")).body == b"value"
