"""Thrift files as modules whose services make requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from . import rw
from .adapters.engine import EngineService
from .handlers import name_for_handlers
from .request import RequestBuilder
from .rw.compile.unit import MODULE_FUNCTIONS
from .rw.loader import loader_with, options_of
from .rw.options import LoadOptions

__all__ = ["TChannelThriftModule", "load"]

# One for each way to read files: a file is parsed once, and its types are the same for all who load
# it in that way.
_loaders: dict[LoadOptions, rw.Loader] = {}
_lock = threading.Lock()


class TChannelThriftModule(ModuleType):
    """A Thrift module whose services make requests: what `tchannel.thrift.load` returns.

    Its attributes are those of the engine's module, with a `RequestBuilder` for each service.

    Args:
        service: Name of the TChannel service to call.
        module: The engine's module.
        hostport: Where to call, instead of one of the peers that the channel knows.

    Attributes:
        service: As given, unless the IDL has the name.
        hostport: As given, unless the IDL has the name.

    """

    # Any: a str or None, unless the IDL has the name.
    service: Any
    hostport: Any

    def __init__(
        self, service: str | None, module: ModuleType, hostport: str | None = None
    ) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__.pop("__loader__", None)
        self._module = module
        self._service = service
        # Names of the IDL win: it may well include a file service.thrift.
        for name, value in (("service", service), ("hostport", hostport)):
            if name not in module.__dict__:
                setattr(self, name, value)
        for service_class in module.__services__:
            thrift_service = EngineService(service_class)
            thrift_service.module = module
            if thrift_service.name not in MODULE_FUNCTIONS:
                builder = RequestBuilder(thrift_service, service, hostport)
                setattr(self, thrift_service.name, builder)

    # Any: types and constants are those of the IDL.
    def __getattr__(self, name: str) -> Any:
        module = self.__dict__.get("_module")
        if module is None:
            raise AttributeError(f"no attribute {name!r} yet", name=name, obj=self)
        if name in module.__dict__:
            return module.__dict__[name]
        found = name_for_handlers(module, name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._module)})

    def __repr__(self) -> str:
        return f"TChannelThriftModule({self._service!r}, {self._module!r})"


# A module's attributes are those of the IDL; `python -m tchannel_thrift stubs` types them.
def load(
    path: str | os.PathLike[str],
    service: str | None = None,
    hostport: str | None = None,
    module_name: str | None = None,
    *,
    strict: bool = False,
    include_dirs: Iterable[str | os.PathLike[str]] = (),
    int_enum: bool = False,
) -> TChannelThriftModule:
    """Load a Thrift file as a module whose services make requests.

    ::

        keyvalue = load("service.thrift", service="keyvalue-server")
        response = await channel.thrift(keyvalue.KeyValue.getValue("foo"))

    Args:
        path: The file; relative to the current directory. A file is read once in a process.
        service: Name of the TChannel service to call; a server needs none.
        hostport: Where to call, instead of one of the peers that the channel knows.
        module_name: ``__name__`` of the module; default is that of the file, without its extension.
        strict: Accept only what thriftrw accepts. By default everything that Apache's compiler
            accepts, above all fields that are said to be neither required nor optional.
        include_dirs: Directories in which included files are looked for, after the directory of
            the file that includes them; as ``thrift -I``.
        int_enum: Make enums ``enum.IntEnum`` classes, and what is read their members. By default
            they are plain ints.

    Returns:
        A `TChannelThriftModule`. It can be registered on a channel, and so can its services.

    Raises:
        OSError: The file cannot be read.
        ThriftError: (`tchannel_thrift.rw.ThriftError`) The file is wrong; says where and why.

    """
    # The arguments of 0.17 were the other way round.
    if service is not None and not _is_file(path) and _is_file(service):
        path, service = service, os.fspath(path)
    options = options_of(strict=strict, include_dirs=include_dirs, int_enum=int_enum)
    with _lock:
        loader = _loaders.setdefault(options, loader_with(options))
    return TChannelThriftModule(service, loader.load(path, module_name), hostport)


def _is_file(path: str | os.PathLike[str]) -> bool:
    return os.fspath(path).endswith(".thrift")
