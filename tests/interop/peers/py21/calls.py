"""The calls that this process makes when it is told to."""

import base64

import endpoints
import transport
from tornado import gen

from tchannel import errors, thrift

NEVER = "n"


class Calls:
    """Makes calls on one channel; each answer is a dict that goes out as JSON."""

    def __init__(self, channel):
        self._channel = channel
        self._schemes = {"raw": self._raw, "json": self._json, "thrift": self._thrift}

    @gen.coroutine
    def call(self, command):
        options = {
            "timeout": command["timeout"] / 1000.0,
            "caller_name": command["caller"],
            "shard_key": command["transport"].get("sk"),
            "routing_delegate": command["transport"].get("rd"),
        }
        if command.get("retry"):
            for hostport in command["to"]:
                self._channel._dep_tchannel.peers.get(hostport)
            options.update(retry_on=command["retry"]["on"], retry_limit=command["retry"]["limit"])
        else:
            options.update(hostport=command["to"][0], retry_on=NEVER)
        try:
            answer = yield self._schemes[command["scheme"]](command, options)
        except errors.TChannelError as error:
            answer = {
                "error": {
                    "code": error.code,
                    "name": type(error).__name__,
                    "message": error.description or "",
                }
            }
        raise gen.Return(answer)

    @gen.coroutine
    def ping(self, hostport):
        yield transport.ping(self._channel, hostport)
        raise gen.Return({})

    @gen.coroutine
    def _raw(self, command, options):
        response = yield self._channel.raw(
            command["service"],
            command["endpoint"],
            base64.b64decode(command["body"]),
            base64.b64decode(command["head"]),
            **options,
        )
        raise gen.Return(
            {
                "ok": response.status == 0,
                "head": base64.b64encode(response.headers).decode(),
                "body": base64.b64encode(response.body).decode(),
                "transport": _transport(response),
            }
        )

    @gen.coroutine
    def _json(self, command, options):
        response = yield self._channel.json(
            command["service"], command["endpoint"], command["body"], command["head"], **options
        )
        raise gen.Return(
            {
                "ok": response.status == 0,
                "head": response.headers,
                "body": response.body,
                "transport": _transport(response),
            }
        )

    @gen.coroutine
    def _thrift(self, command, options):
        module = thrift.load(endpoints.IDL, service=command["service"])
        function = command["endpoint"].split("::")[1]
        arguments = dict(command["body"])
        if "everything" in arguments:
            spec = module.Everything.type_spec
            arguments["everything"] = spec.from_primitive(arguments["everything"])
        request = getattr(module.KeyValue, function)(**arguments)
        try:
            response = yield self._channel.thrift(request, headers=command["head"], **options)
        except (module.NotFound, module.InvalidKey) as exception:
            name = type(exception).__name__
            raise gen.Return(
                {
                    "ok": False,
                    "exception": name[0].lower() + name[1:],
                    "body": exception.to_primitive(),
                }
            ) from None
        body = response.body
        raise gen.Return(
            {
                "ok": True,
                "head": response.headers,
                "body": body.to_primitive() if hasattr(body, "to_primitive") else body,
                "transport": _transport(response),
            }
        )


def _transport(response):
    scheme = response.transport.scheme
    return {"as": getattr(scheme, "name", scheme)}
