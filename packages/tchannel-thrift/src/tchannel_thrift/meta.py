"""The service `Meta`, which every TChannel server offers (protocol, "Arg schemes").

Every channel answers ``Meta::health`` with ok by itself. To answer it otherwise::

    from tchannel.health import HealthStatus, Meta

    @channel.thrift.register(Meta)
    def health(request):
        return HealthStatus(ok=database.is_up())

``request.body.hr`` is None or a HealthRequest, whose ``type`` is None or a HealthRequestType.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .loading import TChannelThriftModule, load
from .request import RequestBuilder

__all__ = [
    "HealthRequest",
    "HealthRequestType",
    "HealthState",
    "HealthStatus",
    "Meta",
    "ThriftIDLs",
    "VersionInfo",
    "health",
    "meta",
]

meta: TChannelThriftModule = load(Path(__file__).with_name("meta.thrift"), service="tchannel")
"""The Thrift module; its service `Meta` makes requests to the service ``tchannel``."""

Meta: RequestBuilder = meta.Meta
# Any: made from the IDL when it is loaded, so that their fields and items are known to no checker.
HealthRequest: Any = meta.HealthRequest
HealthRequestType: Any = meta.HealthRequestType
HealthState: Any = meta.HealthState
HealthStatus: Any = meta.HealthStatus
ThriftIDLs: Any = meta.ThriftIDLs
VersionInfo: Any = meta.VersionInfo


# The result is of a class that the IDL defines.
def health(request: object) -> object:
    """Answer ``Meta::health``: healthy."""
    return HealthStatus(ok=True)
