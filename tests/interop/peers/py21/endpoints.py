"""The endpoints that every peer serves; ../README.md says what each must do."""

import collections
import json
import os
import signal

import transport
from tornado import gen

from tchannel import Response, errors, thrift
from tchannel.status import FAILED

IDL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "idl", "keyvalue.thrift")
PERIOD = 251  # a prime, so that a lost or doubled piece shows
ERRORS = {
    "timeout": errors.TimeoutError,
    "cancelled": errors.CanceledError,
    "busy": errors.BusyError,
    "declined": errors.DeclinedError,
    "unexpected": errors.UnexpectedError,
    "bad-request": errors.BadRequestError,
    "network": errors.NetworkError,
    "unhealthy": errors.UnhealthyError,
    "fatal": errors.FatalProtocolError,
}


def register(channel):
    """Register all endpoints; the result counts, by endpoint, the calls that arrive."""
    seen = collections.Counter()

    def counting(endpoint, handler):
        def counted(request):
            seen[endpoint] += 1
            return handler(request)

        return counted

    for endpoint, handler in _raw_handlers(channel).items():
        channel.raw.register(endpoint)(counting(endpoint, handler))

    @gen.coroutine
    def json_relay(request):
        to = request.body
        answer = yield channel.json(to["service"], "json-echo", {}, {}, hostport=to["hostport"])
        raise gen.Return(Response(answer.body))

    channel.json.register("json-relay")(counting("json-relay", json_relay))
    for endpoint, handler in _JSON_HANDLERS.items():
        channel.json.register(endpoint)(counting(endpoint, handler))
    module = thrift.load(IDL, service=channel.name)
    for endpoint, handler in _thrift_handlers(module).items():
        channel.thrift.register(
            module.KeyValue, handler=counting(endpoint, handler), method=endpoint
        )
    return seen


def _raw_handlers(channel):
    @gen.coroutine
    def slow(request):
        yield gen.sleep(int(request.body) / 1000.0)
        raise gen.Return(Response(b"done", request.headers))

    def reqinfo(request):
        return Response(json.dumps(_what_arrived(request)).encode())

    @gen.coroutine
    def callme(request):
        _, connection, _ = transport.arrival(request)
        head, body = yield transport.call_over(
            connection, request.headers.decode(), channel.name, "echo", b"called back", request.body
        )
        raise gen.Return(Response(body, head))

    @gen.coroutine
    def relay(request):
        answer = yield channel.raw(
            request.headers.decode(), "echo", b"", b"", hostport=request.body.decode()
        )
        raise gen.Return(Response(answer.body, answer.headers))

    def die(request):
        if request.body == b"process":
            os.kill(os.getpid(), signal.SIGKILL)
        transport.arrival(request)[1].connection.close()
        return gen.Future()

    def crash(request):
        raise RuntimeError("crashed as asked")

    def failing(name, error):
        def fail(request):
            raise error("as asked: " + name)

        return fail

    handlers = {
        "echo": lambda request: Response(request.body, request.headers),
        "big": lambda request: Response(_pattern(int(request.body)), request.headers),
        "notok": lambda request: Response(request.body, request.headers, status=FAILED),
        "slow": slow,
        "reqinfo": reqinfo,
        "callme": callme,
        "relay": relay,
        "blackhole": lambda request: gen.Future(),
        "crash": crash,
        "die": die,
    }
    handlers.update(("error-" + name, failing(name, error)) for name, error in ERRORS.items())
    return handlers


def _pattern(size):
    period = bytes(range(PERIOD))
    return (period * (size // PERIOD + 1))[:size]


def _what_arrived(request):
    low, connection, headers = transport.arrival(request)
    return {
        "service": request.service,
        "caller": headers.get("cn"),
        "headers": headers,
        "ttl": round(low.ttl * 1000),
        "flags": low.flags,
        "checksum": low.checksum[0],
        "remote": transport.remote_address(connection),
        "tracing": {
            "span": f"{low.tracing.span_id:016x}",
            "parent": f"{low.tracing.parent_id:016x}",
            "trace": f"{low.tracing.trace_id:016x}",
            "flags": low.tracing.traceflags,
        },
    }


def _json_fail(request):
    body = {"type": "as-asked", "message": "failed as asked", "got": request.body}
    return Response(body, request.headers, status=FAILED)


def _json_crash(request):
    raise RuntimeError("crashed as asked")


_JSON_HANDLERS = {
    "json-echo": lambda request: Response(request.body, request.headers),
    "json-fail": _json_fail,
    "json-crash": _json_crash,
}


def _thrift_handlers(module):
    values = {"hello": "world"}

    def get_value(request):
        if request.body.key not in values:
            raise module.NotFound(key=request.body.key)
        return Response(values[request.body.key], request.headers)

    def set_value(request):
        if not request.body.key:
            raise module.InvalidKey(key="", reason="empty")
        values[request.body.key] = request.body.value
        return Response(None, request.headers)

    def crash(request):
        raise RuntimeError("crashed as asked")

    return {
        "getValue": get_value,
        "setValue": set_value,
        "crash": crash,
        "echo": lambda request: Response(request.body.everything, request.headers),
    }
