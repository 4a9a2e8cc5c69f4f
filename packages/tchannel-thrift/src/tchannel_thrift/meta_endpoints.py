"""``Meta::thriftIDL``: the IDL of what a server serves.

It is there from the first use of the Thrift arg scheme on; its types are loaded by the first call,
because most servers are never asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tchannel.lowlevel import Endpoint

from .idl_texts import IDL, collect

if TYPE_CHECKING:
    from types import ModuleType

    from tchannel.lowlevel import Endpoints

    from .service import ThriftService

__all__ = ["MetaEndpoints"]

_THRIFT_IDL = "Meta::thriftIDL"


class MetaEndpoints:
    """The Meta endpoint of a channel or sub-channel that core does not answer.

    Args:
        endpoints: Where it goes; an endpoint that is there already stays.
        idl: Whether the IDL is told at all.

    """

    __slots__ = ("_idl", "_modules")

    def __init__(self, endpoints: Endpoints, *, idl: bool = True) -> None:
        self._modules: list[ModuleType] = []
        self._idl: IDL | None = None
        if idl and _THRIFT_IDL not in endpoints.names():
            # The function takes no arguments, so there is nothing to decode.
            endpoints.add(_THRIFT_IDL, Endpoint("thrift", self._thrift_idl, None, _encode))

    def served(self, service: ThriftService) -> None:
        """Note that functions of a service are served, for their IDL to be told."""
        if service.module is not None and service.module not in self._modules:
            self._modules.append(service.module)
            self._idl = None

    def _thrift_idl(self, request: object) -> object:
        from .meta import ThriftIDLs, meta

        if self._idl is None:
            own = [module for module in self._modules if not _is_meta(module)]
            # Where no handler has an IDL, Meta is what is served.
            self._idl = collect(own or [meta])
        return ThriftIDLs(idls=self._idl.texts, entryPoint=self._idl.entry_point)


def _is_meta(module: ModuleType) -> bool:
    from .meta import meta

    return bool(module.__thrift_source__ == meta.__thrift_source__)


def _encode(result: object) -> tuple[int, bytes, bytes]:
    from .meta import Meta

    return Meta._thrift_service.method("thriftIDL").encode_result(result)
