"""One process with tchannel-python 2.1.0: serves the endpoints of ../README.md, makes calls when told.

Usage: ``peer.py --service NAME [--listen PORT] [--checksum 0..3]``. Commands come as JSON lines on
standard input, answers and events leave as JSON lines on standard output. The end of standard input
ends the process, so that nothing is left behind when the test run dies.

Runs on Python 3.11 with tornado 4.5, hence the generator coroutines.
"""

import argparse
import json
import logging
import os
import sys
import threading

import calls
import endpoints
import tracer
import transport
from tornado import gen, ioloop

from tchannel import TChannel

log = logging.getLogger("peer")


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class Commands:
    """Each method is one command; what its coroutine returns goes into the answer."""

    def __init__(self, channel, seen):
        self._channel = channel
        self._calls = calls.Calls(channel)
        self._seen = seen

    def call(self, command):
        return self._calls.call(command)

    def ping(self, command):
        return self._calls.ping(command["to"][0])

    @gen.coroutine
    def seen(self, command):
        raise gen.Return({"seen": self._seen})

    @gen.coroutine
    def connections(self, command):
        raise gen.Return({"connections": transport.open_connections(self._channel)})

    @gen.coroutine
    def drop(self, command):
        transport.drop_connections(self._channel)
        raise gen.Return({})

    @gen.coroutine
    def advertise(self, command):
        yield transport.advertise_at_once(self._channel, command["routers"])
        raise gen.Return({})

    @gen.coroutine
    def run(self, command):
        try:
            answer = yield getattr(self, command["op"])(command)
        except Exception as error:
            log.exception("the command %r failed", command["op"])
            answer = {"failure": repr(error)}
        say(dict(answer, id=command["id"]))


def read_commands(loop, commands):
    """Runs in a thread of its own, because standard input cannot be waited for in every loop."""
    for line in sys.stdin:
        loop.add_callback(commands.run, json.loads(line))
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--service", required=True)
    parser.add_argument("--listen", type=int)
    parser.add_argument("--checksum", type=int)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)

    # A host here keeps the address in the init header from being the machine's own one.
    channel = TChannel(
        options.service, hostport=f"127.0.0.1:{options.listen or 0}", tracer=tracer.install()
    )
    transport.remember_arrivals(channel)
    if options.checksum is not None:
        transport.use_checksum(options.checksum)
    seen = endpoints.register(channel)
    loop = ioloop.IOLoop.current()

    def start():
        if options.listen is not None:
            channel.listen()
        hostport = channel.hostport if options.listen is not None else ""
        say({"event": "ready", "hostport": hostport, "version": "2.1.0"})
        reader = threading.Thread(target=read_commands, args=(loop, Commands(channel, seen)))
        reader.daemon = True
        reader.start()

    loop.add_callback(start)
    loop.start()


if __name__ == "__main__":
    main()
