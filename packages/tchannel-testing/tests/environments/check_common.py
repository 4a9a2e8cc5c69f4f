"""What holds in every environment: the fixtures and marks that no plugin has to help with."""

import asyncio
import importlib.util

import pytest

from tchannel import TChannel
from tchannel.testing import vcr


def has(module):
    """Whether a module is installed."""
    return importlib.util.find_spec(module) is not None


def test_the_environment_is_what_it_says(pytestconfig):
    expected = pytestconfig.getini("environment_has").split()
    known = ["pytest_asyncio", "anyio", "pytest_tornado"]

    assert [module for module in known if has(module)] == expected


async def talk(tmp_path):
    async with TChannel("client") as client:
        server = TChannel("server", hostport="127.0.0.1:0")
        server.raw.register("echo", lambda request: request.body)
        server.listen()
        async with server:
            with vcr.use_cassette(tmp_path / "cassette.yaml"):
                response = await client.raw("server", "echo", b"x", hostport=server.hostport)
                assert response.body == b"x"


def test_a_plain_function(tmp_path, tchannel_cassette):
    asyncio.run(talk(tmp_path))
    with vcr.use_cassette(tmp_path / "cassette.yaml", "none") as cassette:
        assert len(cassette.requests) == 1


def test_the_pair_in_a_plain_function(tchannel_pair):
    async def main():
        tchannel_pair.server.raw.register("get", lambda request: b"value")
        assert (await tchannel_pair.client.raw("server", "get")).body == b"value"

    asyncio.run(main())


@pytest.mark.gen_test
@vcr.use_cassette("cassettes/gen_test.yaml")
def test_a_tornado_coroutine(tchannel_client, tchannel_service):
    tchannel_service.on("get").answers(b"value")
    hostport = tchannel_service.hostport
    response = yield tchannel_client.raw("test-service", "get", hostport=hostport)
    assert response.body == b"value"


@vcr.use_cassette("cassettes/gen_test.yaml", record_mode="none")
@pytest.mark.gen_test
def test_a_tornado_coroutine_with_its_decorators_the_other_way_round(tchannel_client):
    response = yield tchannel_client.raw("test-service", "get")
    assert response.body == b"value"
