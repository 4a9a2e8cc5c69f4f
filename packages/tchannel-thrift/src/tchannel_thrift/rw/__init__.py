"""A Thrift engine that needs no compiler: types from ``.thrift`` files at run time.

It takes the place of thriftrw, under the same names::

    from tchannel_thrift import rw

    keyvalue = rw.load("keyvalue.thrift")
    payload = keyvalue.dumps(keyvalue.KeyValue.getItem.request("somekey"))

It is pure Python and imports nothing of TChannel. Payloads that are nested deeper than 128 levels are
refused; ``Loader(BinaryProtocol(max_depth=...))`` sets another limit.
"""

from .._version import __version__
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
from .value import Message

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
