"""One conversation inside a cassette, for tchannel-python 2.1.0 and for this library alike.

usage: conversation.py CASSETTE RECORD_MODE [OPTION]

With a mode that records, it serves itself; with "none" nothing listens. OPTION is an argument of
use_cassette to be True, one that only this library has. Prints what the caller saw
as one JSON document, so that a recording and its replay can be compared, whichever library did it.
"""

import base64
import functools
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")

import yaml  # after the filter
from tornado import gen, ioloop  # after the filter

if int(yaml.__version__.split(".")[0]) > 5:  # tchannel-python relies on the default of PyYAML 5
    yaml.load = functools.partial(yaml.load, Loader=yaml.FullLoader)

from tchannel import Response, TChannel, thrift  # after the filter, as above
from tchannel.testing import vcr  # after the filter, as above

IDL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keyvalue.thrift")


def serve():
    server = TChannel("oldserver", hostport="127.0.0.1:0")

    @server.raw.register("echo")
    def echo(request):
        return Response(request.body, request.headers)

    @server.raw.register("refuse")
    def refuse(request):
        return Response(b"refused", status=1)

    @server.json.register("greet")
    def greet(request):
        return Response({"greeting": "hello, " + request.body["name"]}, {"language": "en"})

    service = thrift.load(IDL, service="oldserver")

    @server.thrift.register(service.KeyValue)
    def getValue(request):
        if request.body.key == "missing":
            raise service.NoSuchKey(key="missing")
        return "value of " + request.body.key

    @server.thrift.register(service.KeyValue)
    def setValue(request):
        pass

    server.listen()
    return f"127.0.0.1:{server.port}"


@gen.coroutine
def talk(path, mode, *options):
    hostport = "127.0.0.1:1" if mode == "none" else serve()
    client = TChannel("oldclient")
    service = thrift.load(IDL, service="oldserver", hostport=hostport)
    seen = []
    with vcr.use_cassette(path, record_mode=mode, **dict.fromkeys(options, True)):
        for body in [b"plain text", b"\x00\xff not text", "caf\u00e9\n".encode("utf-8")]:
            answer = yield client.raw("oldserver", "echo", body, b"head", hostport=hostport)
            seen.append([base64.b64encode(part).decode() for part in (answer.body, answer.headers)])
        answer = yield client.raw("oldserver", "refuse", b"", hostport=hostport)
        seen.append([base64.b64encode(answer.body).decode(), answer.status])
        answer = yield client.json(
            "oldserver",
            "greet",
            {"name": "Zo\u00eb", "n": [1, 2.5, None]},
            {"a": "b"},
            hostport=hostport,
        )
        seen.append([answer.body, answer.headers])
        answer = yield client.thrift(service.KeyValue.getValue("caf\u00e9"), headers={"c": "d"})
        seen.append([answer.body, answer.headers])
        answer = yield client.thrift(service.KeyValue.setValue("key", "value"))
        seen.append([answer.body])
        try:
            yield client.thrift(service.KeyValue.getValue("missing"))
        except service.NoSuchKey as error:
            seen.append(["NoSuchKey", error.key])
    print(json.dumps(seen, sort_keys=True))


if __name__ == "__main__":
    ioloop.IOLoop.current().run_sync(lambda: talk(*sys.argv[1:]))
