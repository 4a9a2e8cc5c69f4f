"""The default handler of ``Meta::health``, and the Thrift module that it belongs to."""

from tchannel_thrift.meta import health, meta

__all__ = ["health", "meta"]
