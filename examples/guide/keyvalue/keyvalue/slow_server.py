"""The guide's server with its coroutine handler: storing a value takes a second.

    python keyvalue/slow_server.py [HYPERBAHN_HOSTS.json]

With a file of Hyperbahn addresses it advertises itself there, as "slow-keyvalue-server".
"""

import sys
from pathlib import Path

from tornado import gen, ioloop

from tchannel import TChannel, thrift

service = thrift.load(Path(__file__).parents[1] / "thrift" / "service.thrift")
KeyValue = service.KeyValue

tchannel = TChannel("keyvalue-server")

values = {}


@tchannel.thrift.register(KeyValue)
def getValue(request):
    key = request.body.key

    if key not in values:
        raise service.NotFoundError(key)

    return values[key]


@tchannel.register(KeyValue)
@gen.coroutine
def setValue(request):
    key = request.body.key
    value = request.body.value

    # Simulate some non-blocking IO work.
    yield gen.sleep(1.0)

    values[key] = value


@gen.coroutine
def run():
    tchannel.listen()
    print(f"Listening on {tchannel.hostport}", flush=True)
    if len(sys.argv) > 1:
        yield tchannel.advertise(router_file=sys.argv[1], name="slow-keyvalue-server")
        print("Advertised", flush=True)


if __name__ == "__main__":
    loop = ioloop.IOLoop.current()
    loop.add_callback(run)
    loop.start()
