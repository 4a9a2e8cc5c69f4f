"""Thrift for TChannel; implemented by the tchannel-thrift distribution."""

from .._ground.optional import install_hint

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
