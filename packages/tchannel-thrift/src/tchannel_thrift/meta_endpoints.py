"""``Meta::thriftIDL`` and ``Meta::versionInfo``: what a server says about itself.

They are there from the first use of the Thrift arg scheme on; their types are loaded by the first
call, because most servers are never asked.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from tchannel.lowlevel import Endpoint

from .idl_texts import IDL, collect

if TYPE_CHECKING:
    from types import ModuleType

    from tchannel.lowlevel import Endpoints

    from .service import ThriftService

__all__ = ["MetaEndpoints"]


class MetaEndpoints:
    """The Meta endpoints of a channel or sub-channel, beside its health.

    Args:
        endpoints: Where they go; an endpoint that is there already stays.

    """

    __slots__ = ("_idl", "_modules")

    def __init__(self, endpoints: Endpoints) -> None:
        self._modules: list[ModuleType] = []
        self._idl: IDL | None = None
        known = endpoints.names()
        for name, handler in (("thriftIDL", self._thrift_idl), ("versionInfo", _version_info)):
            if f"Meta::{name}" not in known:
                endpoints.add(f"Meta::{name}", _endpoint(name, handler))

    def served(self, service: ThriftService) -> None:
        """Note that functions of a service are served, for their IDL to be told."""
        if service.module is not None and service.module not in self._modules:
            self._modules.append(service.module)
            self._idl = None

    def _thrift_idl(self, request: object) -> Any:
        from .meta import ThriftIDLs, meta

        if self._idl is None:
            own = [module for module in self._modules if not _is_meta(module)]
            # Where no handler has an IDL, Meta is what is served.
            self._idl = collect(own or [meta])
        return ThriftIDLs(idls=self._idl.texts, entryPoint=self._idl.entry_point)


def _is_meta(module: ModuleType) -> bool:
    from .meta import meta

    return bool(module.__thrift_source__ == meta.__thrift_source__)


def _version_info(request: object) -> Any:
    import tchannel

    from .meta import VersionInfo

    return VersionInfo(
        language="python",
        language_version=platform.python_version(),
        version=tchannel.__version__,
    )


def _endpoint(name: str, handler: Any) -> Endpoint:
    def encode(result: object) -> tuple[int, bytes, bytes]:
        from .meta import Meta

        return Meta._thrift_service.method(name).encode_result(result)  # type: ignore[no-any-return]  # of Any

    # Neither function takes arguments, so there is nothing to decode.
    return Endpoint("thrift", handler, None, encode)
