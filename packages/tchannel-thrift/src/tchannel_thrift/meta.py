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

from .loading import load

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

meta: Any = load(Path(__file__).with_name("meta.thrift"), service="tchannel")
"""The Thrift module; its service `Meta` makes requests to the service ``tchannel``."""

Meta: Any = meta.Meta
HealthRequest: object = meta.HealthRequest
HealthRequestType: object = meta.HealthRequestType
HealthState: object = meta.HealthState
HealthStatus: Any = meta.HealthStatus
ThriftIDLs: Any = meta.ThriftIDLs
VersionInfo: object = meta.VersionInfo


# The result is of a class that the IDL defines.
def health(request: object) -> object:
    """Answer ``Meta::health``: healthy."""
    return HealthStatus(ok=True)
