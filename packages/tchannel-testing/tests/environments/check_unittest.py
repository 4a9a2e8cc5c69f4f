"""With tornado's AsyncTestCase, run by pytest and by unittest alike."""

import unittest

import pytest
from tornado.testing import AsyncTestCase, gen_test

from tchannel import TChannel
from tchannel.testing import vcr


class Tests(AsyncTestCase):
    def setUp(self):
        super().setUp()
        self.server = TChannel("server", hostport="127.0.0.1:0")
        self.server.raw.register("echo", lambda request: request.body)
        self.server.listen()
        self.client = TChannel("client")

    def tearDown(self):
        self.io_loop.run_sync(self.client.close)
        self.io_loop.run_sync(self.server.close)
        super().tearDown()

    @gen_test
    @vcr.use_cassette("cassettes/unittest.yaml", "new_episodes")
    def test_a_generator(self):
        hostport = self.server.hostport
        response = yield self.client.raw("server", "echo", b"x", hostport=hostport)
        assert response.body == b"x"

    @vcr.use_cassette("cassettes/unittest.yaml", "new_episodes")
    @gen_test
    async def test_a_coroutine_with_the_cassette_outside(self):
        response = await self.client.raw("server", "echo", b"y", hostport=self.server.hostport)
        assert response.body == b"y"

    @pytest.mark.tchannel_cassette("cassettes/unittest_marked.yaml", "new_episodes")
    @gen_test
    async def test_the_marker(self):
        response = await self.client.raw("server", "echo", b"z", hostport=self.server.hostport)
        assert response.body == b"z"


if __name__ == "__main__":
    unittest.main()
