"""The errors of YARPC calls: one class for each code.

::

    YarpcError                       anything that went wrong with a call
    ├─ CancelledError             1  the caller gave up (never an asyncio.CancelledError)
    ├─ UnknownError               2  nobody said what it is
    ├─ InvalidArgumentError       3  the request is wrong, whatever the state of the service
    ├─ DeadlineExceededError      4  no answer in time (also a builtin TimeoutError)
    ├─ NotFoundError              5  what was asked for is not there
    ├─ AlreadyExistsError         6  what was to be made is there
    ├─ PermissionDeniedError      7  the caller is known, and may not
    ├─ ResourceExhaustedError     8  a quota is used up, or the service has too much to do
    ├─ FailedPreconditionError    9  the state of the service does not allow it
    ├─ AbortedError              10  given up because of others, a conflict say
    ├─ OutOfRangeError           11  beyond what there is
    ├─ UnimplementedError        12  the service does not do this
    ├─ InternalError             13  something is broken
    ├─ UnavailableError          14  the service cannot be reached, or not now
    ├─ DataLossError             15  data is gone or damaged
    └─ UnauthenticatedError      16  the caller is not known

A handler raises them; in the raw, json and proto encodings with everything that they hold, in Thrift as
the error frame that comes closest (`tchannel_yarpc.codes`), for Thrift has its declared exceptions. At
the caller the same class is raised. Its ``__cause__`` is the `tchannel.errors.TChannelError`, if
TChannel itself said so: an error frame, or no connection.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tchannel.errors import TChannelError, ValueExpectedError

from .codes import Code, code_of_frame

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "YarpcError",
    "error_of",
    "from_tchannel",
]


class YarpcError(Exception):
    """An error with a code. All arguments are attributes of the same names.

    Args:
        message: What happened, for people.
        name: A name for this kind of error, finer than its code.
        details: More about it. Text; a handler of a proto method may give a sequence of protobuf
            messages, of which callers get the text only: over TChannel YARPC carries no more.
        headers: Application headers of the answer.
        body: What the handler answers beside the error: bytes, what becomes JSON, or a message, as
            its encoding has it. At the caller the same; None when there was none, or nothing that
            could be decoded.

    Attributes:
        code: The code.
        service: The service that was called; None when the error came from no call.
        procedure: The procedure that was called, likewise.

    """

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        name: str | None = None,
        # Protobuf is an extra: its messages have no type here.
        details: str | Sequence[object] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> None:
        message = str(message)
        super().__init__(message)
        self.message: str = message
        self.name: str | None = name
        self.details: str | Sequence[object] | None = details
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        self.body: Any = body  # as the encoding and the procedure have it
        self.service: str | None = None
        self.procedure: str | None = None

    def __str__(self) -> str:
        text = f"{self.code.text}: {self.message}" if self.message else self.code.text
        if self.service is None:
            return text
        return f"{text} (service {self.service!r}, procedure {self.procedure!r})"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class CancelledError(YarpcError):
    """The caller gave up."""

    code = Code.CANCELLED


class UnknownError(YarpcError):
    """An error that says no more: a handler's exception that is no YarpcError, or an odd code."""

    code = Code.UNKNOWN


class InvalidArgumentError(YarpcError):
    """The request is wrong, whatever the state of the service."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceededError(YarpcError, builtins.TimeoutError):
    """No answer in time. It is also the builtin TimeoutError, so that one ``except`` does for both."""

    code = Code.DEADLINE_EXCEEDED


class NotFoundError(YarpcError):
    """What was asked for is not there."""

    code = Code.NOT_FOUND


class AlreadyExistsError(YarpcError):
    """What was to be made is there already."""

    code = Code.ALREADY_EXISTS


class PermissionDeniedError(YarpcError):
    """The caller is known, and may not do this."""

    code = Code.PERMISSION_DENIED


class ResourceExhaustedError(YarpcError):
    """A quota is used up, or the service has too much to do."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPreconditionError(YarpcError):
    """The state of the service does not allow it, and trying again does not help."""

    code = Code.FAILED_PRECONDITION


class AbortedError(YarpcError):
    """Given up because of something else, a conflict say; all of it may be tried again."""

    code = Code.ABORTED


class OutOfRangeError(YarpcError):
    """Beyond what there is."""

    code = Code.OUT_OF_RANGE


class UnimplementedError(YarpcError):
    """The service does not do this."""

    code = Code.UNIMPLEMENTED


class InternalError(YarpcError):
    """Something is broken."""

    code = Code.INTERNAL


class UnavailableError(YarpcError):
    """The service cannot be reached, or not now."""

    code = Code.UNAVAILABLE


class DataLossError(YarpcError):
    """Data is gone, or damaged."""

    code = Code.DATA_LOSS


class UnauthenticatedError(YarpcError):
    """The caller is not known."""

    code = Code.UNAUTHENTICATED


_CLASS_OF_CODE = {cls.code: cls for cls in YarpcError.__subclasses__()}


def error_of(
    code: Code,
    message: str = "",
    *,
    name: str | None = None,
    details: str | Sequence[object] | None = None,
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> YarpcError:
    """Return an error of the class for ``code``; the attributes are those of `YarpcError`."""
    return _CLASS_OF_CODE[code](message, name=name, details=details, headers=headers, body=body)


def from_tchannel(error: TChannelError) -> YarpcError:
    """Return the error that YARPC sees in one of TChannel's, which becomes its cause."""
    if error.code is None:
        code = Code.UNAVAILABLE  # no peer, none reachable: nothing that travels has no code
    elif isinstance(error, ValueExpectedError):
        code = Code.INTERNAL  # bad is not our request, but the answer
    else:
        code = code_of_frame(error.code)
    made = error_of(code, error.description or type(error).__name__)
    made.service = error.service
    made.procedure = error.endpoint
    made.__cause__ = error
    return made
