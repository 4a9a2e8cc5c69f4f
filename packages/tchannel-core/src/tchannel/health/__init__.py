"""``Meta::health`` as a Thrift service; implemented by the tchannel-thrift distribution.

Every channel answers ``Meta::health`` by itself. To answer it otherwise::

    @channel.thrift.register(Meta)
    def health(request):
        return HealthStatus(ok=database.is_up())
"""

from importlib import import_module

from .._ground.optional import install_hint

try:
    # First, because importing the submodule binds the package's attribute `health` to a module.
    import_module(".health", __name__)
    from tchannel_thrift.meta import (
        HealthRequest,
        HealthRequestType,
        HealthState,
        HealthStatus,
        Meta,
        ThriftIDLs,
        VersionInfo,
        health,
    )
except ImportError as _error:
    raise install_hint(_error, needs="tchannel_thrift", dist="tchannel-thrift") from None

__all__ = [
    "HealthRequest",
    "HealthRequestType",
    "HealthState",
    "HealthStatus",
    "Meta",
    "ThriftIDLs",
    "VersionInfo",
    "health",
]
