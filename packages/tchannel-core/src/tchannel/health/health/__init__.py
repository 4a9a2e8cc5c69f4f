"""The default handler of ``Meta::health``, and the Thrift module that it belongs to."""

import sys

from tchannel_thrift.meta import health, meta

__all__ = ["health", "meta"]

# tchannel-python had a file of that name: ``from tchannel.health.health.meta import HealthStatus``.
sys.modules[f"{__name__}.meta"] = meta
