"""With anyio's plugin, on its asyncio backend."""

import pytest

from tchannel.testing import vcr

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """TChannel runs on asyncio."""
    return "asyncio"


@pytest.fixture
async def cassette(tmp_path):
    """A cassette opened in a fixture of anyio's."""
    async with vcr.use_cassette(tmp_path / "cassette.yaml") as cassette:
        yield cassette


async def test_the_fixtures(tchannel_client, tchannel_service):
    tchannel_service.on("get").answers(b"value")
    hostport = tchannel_service.hostport
    response = await tchannel_client.raw("test-service", "get", hostport=hostport)

    assert response.body == b"value"


async def test_the_pair_under_a_cassette_of_an_async_fixture(cassette, tchannel_pair):
    tchannel_pair.server.raw.register("get", lambda request: b"value")

    assert (await tchannel_pair.client.raw("server", "get")).body == b"value"
    assert len(cassette.requests) == 1


@pytest.mark.tchannel_cassette("cassettes/marked.yaml", "new_episodes")
async def test_the_marker(tchannel_pair, tchannel_cassette):
    tchannel_pair.server.raw.register("get", lambda request: b"value")
    await tchannel_pair.client.raw("server", "get")

    assert len(tchannel_cassette.requests) == 1
