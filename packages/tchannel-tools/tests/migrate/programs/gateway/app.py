"""HTTP in front: POST /service/endpoint becomes a JSON call."""
import json
import os

import tornado.gen
import tornado.httpserver
import tornado.ioloop
import tornado.web
import toro  # migrate: tornado-4

from tchannel import TChannel
from tchannel import errors
from tchannel.errors import UnexpectedError
from tchannel.event import EventHook
from tchannel.context import get_current_context  # migrate: stack-context
from tornado.stack_context import NullContext  # migrate: tornado-4

from .hosts import ROUTERS

channel = TChannel('gateway', known_peers=ROUTERS)  # migrate: trace-default
slots = toro.Semaphore(100)


class Counting(EventHook):
    def __init__(self):
        self.counts = {}

    def before_send_request(self, request):
        self.counts[request.service] = self.counts.get(request.service, 0) + 1
        if request.headers.get('as') == 'thrift':  # migrate: json-headers
            self.counts['thrift'] = self.counts.get('thrift', 0) + 1

    def before_receive_request(self, request):
        if request.endpoint == b'health':  # migrate: bytes-endpoint
            self.counts['health'] = self.counts.get('health', 0) + 1


channel.hooks.register(Counting())


class CallHandler(tornado.web.RequestHandler):
    @tornado.web.asynchronous  # migrate: tornado-4
    @tornado.gen.engine  # migrate: tornado-4
    def post(self, service, endpoint):
        with NullContext():
            try:
                response = yield channel.json(
                    service,
                    endpoint,
                    json.loads(self.request.body),
                    timeout=int(os.environ.get('TIMEOUT', 2)),
                )
            except UnexpectedError as e:  # migrate: unexpected-retried
                self.set_status(502)
                self.finish(str(e))
                return
            except errors.TimeoutError:
                self.set_status(504)
                self.finish()
                return
        if response.transport is None:  # migrate: transport-none
            self.set_status(500)
        self.finish(json.dumps(response.body))


class StatusHandler(tornado.web.RequestHandler):
    @tornado.gen.coroutine
    def get(self, service):
        response = yield channel.json(
            service,
            'status',
            hostport=self.get_argument('host'),  # migrate: hostport-retries
            retry_on='n',
            timeout=5000,  # migrate: milliseconds
        )
        self.write(response.body)


def main():
    application = tornado.web.Application([
        (r'/status/([^/]+)', StatusHandler),
        (r'/([^/]+)/([^/]+)', CallHandler),
    ])
    server = tornado.httpserver.HTTPServer(application)
    server.listen(8080)
    tornado.ioloop.IOLoop.instance().start()  # migrate: tornado-4
