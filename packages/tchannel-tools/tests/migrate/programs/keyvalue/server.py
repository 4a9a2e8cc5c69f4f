from __future__ import absolute_import

import logging

from tornado import gen
from tornado import ioloop

from tchannel import TChannel
from tchannel import thrift

from service import KeyValue
from service import NotFoundError

log = logging.getLogger('keyvalue')

tchannel = TChannel('keyvalue-server')  # migrate: trace-default
values = {}


@tchannel.thrift.register(KeyValue)
def getValue(request):
    key = request.body.key
    value = values.get(key)
    if value is None:
        raise NotFoundError(key)
    return value


@tchannel.thrift.register(KeyValue)
def setValue(request):
    values[request.body.key] = request.body.value


@tchannel.json.register
def stats(request):
    return {'keys': len(values), 'caller': request.transport.caller_name}


@tchannel.raw.register('ping')
def ping(request):
    if request.body != 'ping':  # migrate: raw-text
        log.warning('odd ping: %r', request.body)
    return 'pong'


@gen.coroutine
def run():
    tchannel.listen()
    log.info('listening on %s', tchannel.hostport)
    yield tchannel.advertise(routers=['127.0.0.1:21300'], timeout=1000)  # migrate: milliseconds


if __name__ == '__main__':
    ioloop.IOLoop.instance().run_sync(run)  # migrate: tornado-4
    ioloop.IOLoop.instance().start()  # migrate: tornado-4
