import opentracing
from basictracer import BasicTracer
from opentracing_instrumentation.request_context import get_current_span  # migrate: opentracing
from tornado import gen
from tornado.ioloop import IOLoop

from tchannel import Response, TChannel, errors
from tchannel.tracing import TracingContextProvider  # migrate: opentracing
from tchannel.zipkin.annotation import client_send  # migrate: zipkin
from tchannel.status import OK

provider = TracingContextProvider()
tchannel = TChannel(  # migrate: trace-default
    'orders',
    hostport='127.0.0.1:4041',
    tracer=BasicTracer(),  # migrate: tracing-arguments
    context_provider=provider,  # migrate: tracing-arguments
)


@tchannel.json.register('create')
@gen.coroutine
def create(request):
    if not request.body:
        raise errors.FatalProtocolError('no order')  # migrate: fatal-from-handler
    span = get_current_span()
    with provider.span_in_context(span):
        stock = yield tchannel.json('stock', 'take', {'id': request.body['id']})
    raise gen.Return(Response(stock.body, headers=dict(request.headers), status=OK))


@tchannel.register('raw', 'echo')
def echo(request):
    if request.headers == '':  # migrate: raw-text
        return Response(request.body)
    return Response(request.body, request.headers)


@tchannel.json.register
def health(request):
    return {'ok': True}


tchannel.listen()
tchannel.advertise(router_file='/etc/hyperbahn/hosts.json')  # migrate: before-the-loop

if __name__ == '__main__':
    IOLoop.current().start()
