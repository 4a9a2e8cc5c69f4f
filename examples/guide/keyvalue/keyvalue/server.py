"""The guide's server, with the code that Apache's compiler made.

    python keyvalue/server.py [HYPERBAHN_HOSTS.json]

With a file of Hyperbahn addresses it advertises itself there.
"""

import json
import sys

from service import KeyValue
from tornado import gen, ioloop

from tchannel import TChannel

tchannel = TChannel("keyvalue-server")

values = {}


@tchannel.thrift.register(KeyValue)
def getValue(request):
    key = request.body.key
    value = values.get(key)

    if value is None:
        raise KeyValue.NotFoundError(key)

    return value


@tchannel.thrift.register(KeyValue)
def setValue(request):
    key = request.body.key
    value = request.body.value

    values[key] = value


@gen.coroutine
def run():
    tchannel.listen()
    print(f"Listening on {tchannel.hostport}", flush=True)
    if len(sys.argv) > 1:
        with open(sys.argv[1]) as f:
            hyperbahn_hostlist = json.load(f)
        yield tchannel.advertise(routers=hyperbahn_hostlist)


if __name__ == "__main__":
    loop = ioloop.IOLoop.current()
    loop.add_callback(run)
    loop.start()
