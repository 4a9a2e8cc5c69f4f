"""With pytest-tornado, which runs gen_test itself, on its own io_loop."""

import pytest
from tornado.ioloop import IOLoop

from tchannel.testing import vcr


@pytest.mark.gen_test(timeout=10)
def test_pytest_tornado_runs_it(io_loop, request, tchannel_pair):
    assert IOLoop.current() is io_loop
    assert request.config.pluginmanager.get_plugin("tchannel-gen-test") is None
    tchannel_pair.server.raw.register("get", lambda request: b"value")
    response = yield tchannel_pair.client.raw("server", "get")
    assert response.body == b"value"


@pytest.mark.gen_test
@vcr.use_cassette("cassettes/tornado.yaml", "new_episodes")
async def test_a_native_coroutine(tchannel_client, tchannel_service):
    tchannel_service.on("get").answers(b"value")
    hostport = tchannel_service.hostport
    response = await tchannel_client.raw("test-service", "get", hostport=hostport)
    assert response.body == b"value"
