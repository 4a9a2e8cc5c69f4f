"""The Thrift arg scheme, under the path that tchannel-python had; implemented by tchannel-thrift."""

from .._ground.optional import install_hint

try:
    from tchannel_thrift import ThriftArgScheme
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_thrift", dist="tchannel-thrift") from None

__all__ = ["ThriftArgScheme"]
