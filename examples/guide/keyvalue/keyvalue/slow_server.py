"""The guide's server with its coroutine handler: storing a value takes a second.

python keyvalue/slow_server.py
"""

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


def run():
    tchannel.listen()
    print(f"Listening on {tchannel.hostport}", flush=True)


if __name__ == "__main__":
    run()
    ioloop.IOLoop.current().start()
