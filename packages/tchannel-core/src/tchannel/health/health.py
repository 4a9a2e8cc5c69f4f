"""The default handler of ``Meta::health``, and the Thrift module that it belongs to."""

# Ignored while the installed layer has its engine only.
from tchannel_thrift.meta import health, meta  # type: ignore[import-not-found]

__all__ = ["health", "meta"]
