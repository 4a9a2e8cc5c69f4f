"""A Thrift service that has every type, for tests and for playing around.

It has a declared exception, a void and an inherited function, structs, a union, containers, an enum,
constants and typedefs, in three forms:

``IDL``
    the path of ``everything.thrift``.
``everything``
    its module as ``tchannel.thrift.load`` makes it (needs tchannel-thrift); :func:`load` makes one
    that knows which TChannel service to call, and where.
``generated``
    what the Apache Thrift compiler makes of it (needs the distribution ``thrift``); its service is
    ``generated.everything.EverythingService``, its types are in ``generated.everything.ttypes``.
"""

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from tchannel_thrift.loading import TChannelThriftModule

    everything: TChannelThriftModule
    generated: ModuleType

__all__ = ["IDL", "load"]

#: The path of the IDL.
IDL = os.path.join(os.path.dirname(__file__), "everything.thrift")


def load(service: str | None = None, hostport: str | None = None) -> "TChannelThriftModule":
    """The module, as ``tchannel.thrift.load`` makes it for that TChannel service.

    :raises ModuleNotFoundError: tchannel-thrift is not installed.
    """
    from tchannel import thrift

    return thrift.load(IDL, service=service, hostport=hostport)


# Hidden from checkers: they know what there is, and a name that is wrong is found.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "everything":
            module = globals()[name] = load()
            return module
        if name == "generated":
            try:
                for part in ("everything.ttypes", "everything.EverythingService"):
                    importlib.import_module(f"{__name__}.generated.{part}")
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] != "thrift":
                    raise
                hint = "data.generated needs Apache's library: pip install thrift"
                raise ModuleNotFoundError(hint, name="thrift") from None
            return importlib.import_module(f"{__name__}.generated")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
