import pytest
from tornado import gen
from tornado.testing import AsyncTestCase, gen_test

from tchannel import TChannel
from tchannel.testing import vcr
from tchannel.testing.vcr.config import use_cassette as use  # migrate: vcr-insides
from tchannel.tornado.connection import StreamConnection  # migrate: tornado-api


class ClientTests(AsyncTestCase):
    @gen_test
    def test_get(self):
        with vcr.use_cassette('data/get.yaml', record_mode='once'):
            channel = TChannel('test', trace=False)
            response = yield channel.json('keyvalue', 'get', {'key': 'x'}, timeout=1)
        assert response.body == {'value': 'y'}


@pytest.mark.gen_test
def test_raw():
    with use('data/raw.yaml'):
        channel = TChannel('test', trace=False)
        response = yield channel.raw('keyvalue', 'ping', b'')
    assert response.body == 'pong'  # migrate: raw-text
    assert response.headers == ''  # migrate: raw-text


@gen.coroutine
def waits():
    yield gen.Task(lambda callback: callback(1))  # migrate: tornado-4
