import sys

from tornado import gen, ioloop

from tchannel import TChannel
from tchannel import thrift

service = thrift.load(
    path='keyvalue.thrift',
    service='keyvalue-server',
    hostport='127.0.0.1:4040',
)
tchannel = TChannel('keyvalue-client', trace=False)


@gen.coroutine
def get(key):
    try:
        response = yield tchannel.thrift(service.KeyValue.getValue(key), timeout=5)
    except service.NotFoundError as e:
        print('no such key: %s' % e.key)
        raise gen.Return(None)
    raise gen.Return(response.body)


@gen.coroutine
def check():
    response = yield tchannel.raw('keyvalue-server', 'ping', 'ping',
                                  hostport='127.0.0.1:4040')
    raise gen.Return(response.body == 'pong')  # migrate: raw-text


if __name__ == '__main__':
    loop = ioloop.IOLoop.current()
    print(loop.run_sync(lambda: get(sys.argv[1])))
