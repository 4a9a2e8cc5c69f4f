"""From a message to the bytes of its frame, and back."""

from __future__ import annotations

import struct
from struct import Struct
from typing import TypeAlias

from ..errors import ErrorCode, ProtocolError
from ..frames import HEADER_SIZE, MAX_FRAME_SIZE
from .call import CallRequest, CallResponse
from .call_continue import CallRequestContinue, CallResponseContinue
from .control import Cancel, Claim, PingRequest, PingResponse
from .error import ErrorMessage
from .init import InitRequest, InitResponse

__all__ = ["Message", "decode", "encode"]

_HEADER = Struct(">HBxI8x")

Message: TypeAlias = (
    InitRequest
    | InitResponse
    | CallRequest
    | CallResponse
    | CallRequestContinue
    | CallResponseContinue
    | Cancel
    | Claim
    | PingRequest
    | PingResponse
    | ErrorMessage
)

_CLASSES: dict[int, type[Message]] = {
    cls.TYPE: cls
    for cls in (
        *(InitRequest, InitResponse, CallRequest, CallResponse),
        *(CallRequestContinue, CallResponseContinue, Cancel, Claim),
        *(PingRequest, PingResponse, ErrorMessage),
    )
}


_MESSAGES = frozenset(_CLASSES.values())


def encode(message: Message) -> bytes:
    """The whole frame of `message`.

    Raises:
        TypeError: `message` is none.
        ValueError: A field does not fit its place on the wire, or all of them not one frame.

    """
    if type(message) not in _MESSAGES:
        raise TypeError(f"message must be of one of the message classes, not {message!r}")
    try:
        payload = message._write()
        size = HEADER_SIZE + len(payload)
        if size > MAX_FRAME_SIZE:
            raise ValueError(f"a frame of {size} bytes, at most {MAX_FRAME_SIZE} fit")
        return _HEADER.pack(size, message.TYPE, message.id) + payload
    except struct.error as error:
        raise ValueError(f"{message!r} has a field that does not fit the wire: {error}") from None


def decode(frame: bytes) -> Message:
    """The message in a whole frame.

    Raises:
        TypeError: `frame` is not bytes.
        ProtocolError: The bytes are no frame of this protocol. Its code is FATAL when that is so
            for the frame as such or for a handshake, BAD_REQUEST when it is about this message.

    """
    if not isinstance(frame, bytes):
        raise TypeError(f"frame must be bytes, not {frame!r}")
    size = len(frame)
    if size < HEADER_SIZE:
        raise ProtocolError(f"frame of {size} bytes, the header alone has {HEADER_SIZE}")
    said, type, id = _HEADER.unpack_from(frame)
    if said != size:
        raise ProtocolError(f"frame of {size} bytes says that it has {said}")
    cls = _CLASSES.get(type)
    if cls is None:
        raise ProtocolError(f"unknown frame type {type:#04x}")
    try:
        return cls._read(frame, id)
    except ProtocolError as error:
        error.message_id = id
        raise
    except IndexError:
        description = "is cut off"
    except UnicodeDecodeError:
        description = "holds a string that is not UTF-8"
    code = ErrorCode.FATAL if cls in (InitRequest, InitResponse) else ErrorCode.BAD_REQUEST
    name = cls.TYPE.name.lower().replace("_", " ")
    raise ProtocolError(f"{name} {description}", code=code, message_id=id)
