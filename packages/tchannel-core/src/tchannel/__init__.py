"""TChannel RPC for asyncio and Tornado.

::

    channel = TChannel("my-service")

    @channel.json.register
    async def greet(request):
        return {"text": f"Hello, {request.body['name']}"}

    channel.listen()
    response = await channel.json("other-service", "endpoint", {"a": 1}, hostport="127.0.0.1:4040")
"""

from __future__ import annotations

from os import path as _path
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import authorization as authorization
    from . import channel as channel
    from . import clock as clock
    from . import context as context
    from . import errors, interceptors, retry, schemes, status
    from . import event as event
    from . import glossary as glossary
    from . import health as health
    from . import hyperbahn as hyperbahn
    from . import logging as logging
    from . import lowlevel as lowlevel
    from . import net as net
    from . import options as options
    from . import peer_sources as peer_sources
    from . import request as request
    from . import response as response
    from . import service as service
    from . import singleton as singleton
    from . import stats as stats
    from . import statsd as statsd
    from . import streaming as streaming
    from . import subchannel as subchannel
    from . import sync as sync
    from . import tcurl as tcurl
    from . import testing as testing
    from . import thrift as thrift
    from . import tls as tls
    from . import tracing as tracing
    from . import transport as transport
    from ._calls.pending import PendingCall
    from .channel import TChannel
    from .options import Options
    from .request import Request
    from .response import Response
    from .streaming import Body
    from .thrift import thrift_request_builder as thrift_request_builder

__all__ = [
    "Body",
    "Options",
    "PendingCall",
    "Request",
    "Response",
    "TChannel",
    "__version__",
    "errors",
    "interceptors",
    "retry",
    "schemes",
    "status",
]

_HOMES = {
    "Body": "streaming",
    "Options": "options",
    "PendingCall": "_calls.pending",
    "Request": "request",
    "Response": "response",
    "TChannel": "channel",
}
# Modules that users name as attributes, without a word of import; what is gone says so there, too.
_MODULES = frozenset(
    {
        *("authorization", "channel", "clock", "context", "errors", "event", "glossary"),
        *("interceptors", "logging", "lowlevel", "net", "options", "peer_sources", "request"),
        *("response", "retry", "schemes", "service", "singleton", "stats", "statsd", "status"),
        *("streaming", "subchannel", "sync", "tchannel", "tls", "tracing", "transport"),
    }
)
_LAYERS = frozenset({"health", "hyperbahn", "tcurl", "testing", "thrift"})
_GONE = frozenset(
    {
        *("container", "deprecate", "enum", "frame", "io", "messages", "peer_heap"),
        *("peer_strategy", "rw", "serializer", "tornado", "zipkin"),
    }
)

# Lazily, so that a tool which needs the errors alone does not pay for the event loop. Not for checkers:
# they know what there is, and a name that is wrong is found.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _HOMES:
            value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        elif name in _MODULES | _LAYERS | _GONE or name == "thrift_request_builder":
            try:
                if name == "thrift_request_builder":
                    value = import_module(".thrift", __name__).thrift_request_builder
                else:
                    value = import_module(f".{name}", __name__)
            except ImportError as error:
                # A missing attribute, as `hasattr` and the import system have to see it; with the same
                # words: which layer is to be installed, or what to write instead.
                raise AttributeError(str(error)) from error
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


# A file that Uber's distribution of this name has and this one has not: a look takes 2 microseconds.
if _path.exists(f"{__path__[0]}/tornado/__init__.py"):
    from ._ground.namesake import beside

    beside(__path__[0])


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
