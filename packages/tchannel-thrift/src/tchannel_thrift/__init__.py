"""Thrift for TChannel: an engine that needs no compiler, and the Thrift arg scheme.

::

    from tchannel import TChannel, thrift

    keyvalue = thrift.load("service.thrift", service="keyvalue-server")

    @server.thrift.register(keyvalue.KeyValue)
    def getValue(request):
        return values[request.body.key]

    response = await client.thrift(keyvalue.KeyValue.getValue("foo"))

The engine alone is `tchannel_thrift.rw`, which imports nothing of TChannel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .client import client_for
    from .errors import UndeclaredExceptionError
    from .headers import headers_of
    from .loading import TChannelThriftModule, load
    from .request import RequestBuilder, ThriftRequest, thrift_request_builder
    from .scheme import ThriftArgScheme, register

__all__ = [
    "RequestBuilder",
    "TChannelThriftModule",
    "ThriftArgScheme",
    "ThriftRequest",
    "UndeclaredExceptionError",
    "__version__",
    "client_for",
    "headers_of",
    "load",
    "register",
    "thrift_request_builder",
]

_HOMES = {
    "RequestBuilder": "request",
    "TChannelThriftModule": "loading",
    "ThriftArgScheme": "scheme",
    "ThriftRequest": "request",
    "UndeclaredExceptionError": "errors",
    "client_for": "client",
    "headers_of": "headers",
    "load": "loading",
    "register": "scheme",
    "thrift_request_builder": "request",
}

# Lazily, because who wants the engine alone needs neither tchannel nor its event loop.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
