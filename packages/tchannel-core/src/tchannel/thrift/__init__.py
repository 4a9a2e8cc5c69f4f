"""Thrift for TChannel; implemented by the tchannel-thrift distribution."""

from typing import TYPE_CHECKING

from .._ground.optional import install_hint, submodules

try:
    from tchannel_thrift import (
        RequestBuilder,
        TChannelThriftModule,
        ThriftArgScheme,
        ThriftRequest,
        UndeclaredExceptionError,
        client_for,
        headers_of,
        load,
        register,
        thrift_request_builder,
    )
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_thrift", dist="tchannel-thrift") from None

__all__ = [
    "RequestBuilder",
    "TChannelThriftModule",
    "ThriftArgScheme",
    "ThriftRequest",
    "UndeclaredExceptionError",
    "client_for",
    "headers_of",
    "load",
    "register",
    "thrift_request_builder",
]

if TYPE_CHECKING:
    from . import client as client
    from . import module as module
    from . import rw as rw
    from . import server as server
else:
    __getattr__ = submodules(
        __name__,
        {
            *("client", "module", "rw", "server"),
            *("reflection", "serializer"),  # gone: each says so
        },
    )
