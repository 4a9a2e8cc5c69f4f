"""The codes of YARPC's errors, and the error frames of TChannel that they travel in.

A handler's own error is an application error in the raw, json and proto encodings: it travels with its
code as a header. Everything else is an error frame, which knows fewer codes::

    cancelled                        0x02 cancelled
    invalid-argument, unimplemented  0x06 bad request
    deadline-exceeded                0x01 timeout
    unavailable                      0x04 declined
    resource-exhausted               0x03 busy
    data-loss                        0xFF fatal protocol error
    all others                       0x05 unexpected error

Here data-loss is read so, but goes out as 0x05: tchannel-go closes the connection on 0xFF, whichever
call it is about, and with it all other calls of the caller.
"""

from __future__ import annotations

import enum
from typing import Final

from tchannel import errors

__all__ = ["Code", "code_named", "code_of_frame", "frame_of_code"]


class Code(enum.IntEnum):
    """What went wrong with a call: the codes of YARPC, which are those of gRPC."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    @property
    def text(self) -> str:
        """The code as it is written in headers and texts: ``not-found``."""
        return self.name.lower().replace("_", "-")


_NAMED: Final = {code.text: code for code in Code}

_FRAME_OF_CODE: Final = {
    Code.CANCELLED: errors.CANCELED,
    Code.INVALID_ARGUMENT: errors.BAD_REQUEST,
    Code.UNIMPLEMENTED: errors.BAD_REQUEST,
    Code.DEADLINE_EXCEEDED: errors.TIMEOUT,
    Code.UNAVAILABLE: errors.DECLINED,
    Code.RESOURCE_EXHAUSTED: errors.BUSY,
}

_CODE_OF_FRAME: Final = {
    errors.TIMEOUT: Code.DEADLINE_EXCEEDED,
    errors.CANCELED: Code.CANCELLED,
    errors.BUSY: Code.RESOURCE_EXHAUSTED,
    errors.DECLINED: Code.UNAVAILABLE,
    errors.UNEXPECTED_ERROR: Code.INTERNAL,
    errors.BAD_REQUEST: Code.INVALID_ARGUMENT,
    errors.NETWORK_ERROR: Code.UNAVAILABLE,
}


def code_named(text: str) -> Code | None:
    """Return the code of that name, ``not-found`` or ``NOT_FOUND``; None when there is none."""
    return _NAMED.get(text.lower().replace("_", "-"))


def frame_of_code(code: Code) -> int:
    """Return the code of the error frame that carries an error to the caller."""
    return _FRAME_OF_CODE.get(code, errors.UNEXPECTED_ERROR)


def code_of_frame(code: int) -> Code:
    """Return what an error frame's code means to a caller; one that the table lacks is internal."""
    return _CODE_OF_FRAME.get(code, Code.INTERNAL)
