"""A Thrift engine that needs no compiler: types from ``.thrift`` files at run time.

It takes the place of thriftrw, under the same names::

    from tchannel_thrift import rw

    keyvalue = rw.load("keyvalue.thrift")
    payload = keyvalue.dumps(keyvalue.KeyValue.getItem.request("somekey"))

It is pure Python and imports nothing of TChannel. Payloads that are nested deeper than 128 levels are
refused; ``Loader(BinaryProtocol(max_depth=...))`` sets another limit.
"""

from typing import TYPE_CHECKING

from . import errors, protocol, spec, value, wire
from .errors import (
    EndOfInputError,
    ThriftCompilerError,
    ThriftError,
    ThriftParserError,
    ThriftProtocolError,
    UnknownExceptionError,
)
from .loader import Loader, install, load
from .protocol import BinaryProtocol
from .spec import OutOfRangeError
from .speedups import use as _use_speedups
from .value import Message

if TYPE_CHECKING:
    __version__: str

__all__ = [
    "BinaryProtocol",
    "EndOfInputError",
    "Loader",
    "Message",
    "OutOfRangeError",
    "ThriftCompilerError",
    "ThriftError",
    "ThriftParserError",
    "ThriftProtocolError",
    "UnknownExceptionError",
    "__version__",
    "errors",
    "install",
    "load",
    "protocol",
    "spec",
    "value",
    "wire",
]

# Only when asked for: the engine imports nothing that is not its own, and metadata takes 10 ms.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> str:
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib.metadata import version

        return version("tchannel-thrift")


# At the end: what is replaced has to be there.
_use_speedups()
