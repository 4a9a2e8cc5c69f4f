"""YARPC's conventions for TChannel: to call Go services built on it, Cadence's among them, and to be
one of them.

::

    from tchannel import TChannel
    from tchannel_yarpc import NotFoundError, Yarpc

    yarpc = Yarpc(TChannel("keyvalue"))

    @yarpc.json.register
    async def get(request): ...

    response = await yarpc.json("keyvalue", "get", {"key": "a"})

The encodings raw and json are always there, thrift and proto with the extras ``thrift`` and
``protobuf``.
"""

from ._version import __version__
from .calls import CallOptions, YarpcCall
from .codes import Code
from .errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
    UnknownError,
    YarpcError,
)
from .exceptions import ApplicationError
from .handlers import Request
from .headers import Headers
from .yarpc import Yarpc

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "ApplicationError",
    "CallOptions",
    "CancelledError",
    "Code",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "Headers",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "Request",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "Yarpc",
    "YarpcCall",
    "YarpcError",
    "__version__",
]
