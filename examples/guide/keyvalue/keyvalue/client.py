"""The guide's client, with the code that Apache's compiler made.

    python keyvalue/client.py [HOST:PORT]

Without an address it finds the service by way of the Hyperbahn on this machine.
"""

import sys

from service import KeyValue
from tornado import gen, ioloop

from tchannel import TChannel, thrift_request_builder

HOSTPORT = sys.argv[1] if len(sys.argv) > 1 else None

KeyValueClient = thrift_request_builder(
    service="keyvalue-server",
    thrift_module=KeyValue,
    hostport=HOSTPORT,
)


@gen.coroutine
def run():
    app_name = "keyvalue-client"

    tchannel = TChannel(app_name)
    if HOSTPORT is None:
        tchannel.advertise(routers=["127.0.0.1:21300"])

    yield tchannel.thrift(
        KeyValueClient.setValue("foo", "Hello, world!"),
    )

    response = yield tchannel.thrift(
        KeyValueClient.getValue("foo"),
    )

    print(response)

    yield tchannel.close()


if __name__ == "__main__":
    ioloop.IOLoop.current().run_sync(run)
