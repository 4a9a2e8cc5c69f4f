"""The messages of the protocol, one class each: what is in a frame, field by field.

`encode` and `decode` turn a message into the bytes of its frame and back. In every class `_read`
stands next to `_write`, and both name the fields in the order of the wire.

Relays, tools and tests use these classes. `Connection` builds and reads the small call frames
itself, because an object per frame would be half of what a call costs, and comes here for all else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import ClassVar, TypeAlias

from .checksums import ChecksumType, chunks_checksum
from .errors import NO_MESSAGE_ID, ErrorCode, ProtocolError, error_name
from .frames import HEADER_SIZE, MAX_FRAME_SIZE, FrameType, elide
from .headers import decode_headers, encode_headers, header_block_end
from .tracing import NO_TRACING, TRACING_SIZE, Tracing

__all__ = [
    "MAX_ERROR_DESCRIPTION",
    "MORE_FRAGMENTS",
    "PROTOCOL_VERSION",
    "STREAMING",
    "CallRequest",
    "CallRequestContinue",
    "CallResponse",
    "CallResponseContinue",
    "Cancel",
    "Claim",
    "ErrorMessage",
    "InitRequest",
    "InitResponse",
    "Message",
    "PingRequest",
    "PingResponse",
    "cut_description",
    "decode",
    "encode",
    "read_chunks",
]

PROTOCOL_VERSION = 2
MORE_FRAGMENTS = 0x01
"""The flag of every call frame but the last of its message."""
STREAMING = 0x02
"""A flag that some peers may set on a call's first frame; it is read and never written."""
MAX_ERROR_DESCRIPTION = MAX_FRAME_SIZE - HEADER_SIZE - 1 - TRACING_SIZE - 2

_HEADER = Struct(">HBxI8x")
_BYTE = Struct(">B")
_SHORT = Struct(">H")
_LONG = Struct(">I")
_TTL_TRACING = Struct(">I25s")

# The first fields of each frame, its header included, in one unpacking.
_REQUEST_HEAD = Struct(">HBxI8xBI25s")
_RESPONSE_HEAD = Struct(">HBxI8xBB25s")


class _Message:
    """What all messages share: comparison, and a repr that elides long fields."""

    __slots__ = ("id",)

    TYPE: ClassVar[FrameType]
    _FIELDS: ClassVar[tuple[str, ...]] = ()

    id: int

    def _write(self) -> bytes:
        """The payload."""
        return b""

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Message:
        """The message that a whole frame holds; IndexError or a short slice say "cut off"."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in ("id", *self._FIELDS))

    __hash__ = None  # type: ignore[assignment]  # mutable, so not hashable

    def __repr__(self) -> str:
        fields = "".join(f", {name}={_show(name, getattr(self, name))}" for name in self._FIELDS)
        return f"{type(self).__name__}(id={self.id}{fields})"


def _show(name: str, value: object) -> str:
    if isinstance(value, bytes):
        if name == "tracing":
            return "none" if value == NO_TRACING else repr(Tracing.unpack(value))
        return elide(value)
    if isinstance(value, str) and len(value) > 200:
        return f"{value[:200]!r}...({len(value)} characters)"
    if name == "chunks" and isinstance(value, list):
        shown = ", ".join(elide(chunk) for chunk in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    if name == "checksum":
        return f"{value:#010x}"
    if isinstance(value, ChecksumType):
        return value.name
    return repr(value)


def _tracing(tracing: bytes | Tracing) -> bytes:
    if isinstance(tracing, Tracing):
        return tracing.pack()
    if len(tracing) != TRACING_SIZE:
        raise ValueError(f"tracing must be {TRACING_SIZE} bytes, not {len(tracing)}")
    return bytes(tracing)


# --- handshake ----------------------------------------------------------------------------------


class _Init(_Message):
    __slots__ = ("headers", "version")
    _FIELDS = ("version", "headers")

    def __init__(
        self, *, id: int = 1, version: int = PROTOCOL_VERSION, headers: Mapping[str, str]
    ) -> None:
        self.id = id
        self.version = version
        self.headers = dict(headers)

    def _write(self) -> bytes:
        parts = [_SHORT.pack(self.version), _SHORT.pack(len(self.headers))]
        for key, value in self.headers.items():
            for text in (key.encode(), value.encode()):
                parts += (_length(text, key), text)
        return b"".join(parts)

    @classmethod
    def _read_headers(cls, frame: bytes) -> tuple[int, dict[str, str]]:
        if len(frame) < HEADER_SIZE + 4:
            raise IndexError
        version, count = _SHORT.unpack_from(frame, 16)[0], _SHORT.unpack_from(frame, 18)[0]
        headers: dict[str, str] = {}
        offset = 20
        for _ in range(count):
            key, offset = _read_text(frame, offset)
            value, offset = _read_text(frame, offset)
            headers[str(key, "utf-8")] = str(value, "utf-8")
        return version, headers


class InitRequest(_Init):
    """The opener's half of the handshake: ``version:2 nh:2 (key~2 value~2)*``.

    Args:
        id: The message id.
        version: The protocol's version, 2.
        headers: `host_port` and `process_name` are required by the protocol, any others allowed.

    """

    __slots__ = ()
    TYPE = FrameType.INIT_REQUEST

    @classmethod
    def _read(cls, frame: bytes, id: int) -> InitRequest:
        version, headers = cls._read_headers(frame)
        return cls(id=id, version=version, headers=headers)


class InitResponse(_Init):
    """The accepter's half of the handshake; fields as in `InitRequest`, id of the request."""

    __slots__ = ()
    TYPE = FrameType.INIT_RESPONSE

    @classmethod
    def _read(cls, frame: bytes, id: int) -> InitResponse:
        version, headers = cls._read_headers(frame)
        return cls(id=id, version=version, headers=headers)


# --- calls --------------------------------------------------------------------------------------


class _Call(_Message):
    """The end that all four call messages share: ``csumtype:1 (csum:4){0,1} chunk~2 ...``."""

    __slots__ = ("checksum", "checksum_type", "chunks", "flags")

    flags: int
    checksum_type: ChecksumType
    checksum: int
    chunks: list[bytes]

    def _set_chunks(
        self,
        flags: int,
        checksum_type: ChecksumType,
        checksum: int | None,
        chunks: Iterable[bytes],
    ) -> None:
        self.flags = flags
        self.checksum_type = ChecksumType(checksum_type)
        self.chunks = list(chunks)
        if checksum is None:
            checksum = chunks_checksum(self.checksum_type, self.chunks)
        self.checksum = checksum

    @property
    def more(self) -> bool:
        """Whether more frames of this message follow."""
        return bool(self.flags & MORE_FRAGMENTS)

    def _write_chunks(self) -> bytes:
        parts = [bytes((self.checksum_type,))]
        if self.checksum_type:
            parts.append(_LONG.pack(self.checksum))
        for chunk in self.chunks:
            parts += (_length(chunk, "chunk"), chunk)
        return b"".join(parts)


def read_chunks(
    frame: bytes, offset: int, end: int | None = None
) -> tuple[ChecksumType, int, list[bytes]]:
    """Checksum type, checksum and chunks of a frame, from the checksum type's `offset` to its `end`.

    Raises:
        ProtocolError: The frame is cut off or has an unknown checksum type; code BAD_REQUEST.

    """
    if end is None:
        end = len(frame)
    if offset >= end:
        raise _cut_off()
    try:
        checksum_type = ChecksumType(frame[offset])
    except ValueError:
        raise ProtocolError(
            f"unknown checksum type {frame[offset]}", code=ErrorCode.BAD_REQUEST
        ) from None
    offset += 1
    checksum = 0
    if checksum_type:
        if offset + 4 > end:
            raise _cut_off()
        checksum = _LONG.unpack_from(frame, offset)[0]
        offset += 4
    chunks = []
    while offset < end:
        start = offset + 2
        if start > end:
            raise _cut_off()
        offset = start + (frame[offset] << 8 | frame[offset + 1])
        chunks.append(frame[start:offset])
    if offset > end:
        raise _cut_off()
    return checksum_type, checksum, chunks


class CallRequest(_Call):
    """The first frame of a call.

    ``flags:1 ttl:4 tracing:25 service~1 nh:1 (hk~1 hv~1)* csumtype:1 (csum:4){0,1} chunk~2 ...``

    Args:
        id: The message id, chosen by the caller.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        ttl: Milliseconds until the call's deadline.
        tracing: The 25 bytes of a span, or a `Tracing`.
        service: The service that is called.
        headers: The transport headers.
        checksum_type: The checksum of this message, which its response will use, too.
        checksum: The value on the wire; computed over `chunks` when left out.
        chunks: The parts of arg1, arg2 and arg3 in this frame.

    """

    __slots__ = ("headers", "service", "tracing", "ttl")
    TYPE = FrameType.CALL_REQUEST
    _FIELDS = (
        *("flags", "ttl", "tracing", "service", "headers"),
        *("checksum_type", "checksum", "chunks"),
    )

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        ttl: int,
        tracing: bytes | Tracing = NO_TRACING,
        service: str,
        headers: Mapping[str, str],
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self.ttl = ttl
        self.tracing = _tracing(tracing)
        self.service = service
        self.headers = dict(headers)
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        service = self.service.encode()
        if len(service) > 0xFF:
            raise ValueError(f"service must be at most 255 bytes, not {len(service)}")
        return b"".join(
            (
                _BYTE.pack(self.flags),
                _LONG.pack(self.ttl),
                self.tracing,
                bytes((len(service),)),
                service,
                encode_headers(self.headers),
                self._write_chunks(),
            )
        )

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallRequest:
        if len(frame) < _REQUEST_HEAD.size:
            raise IndexError
        _, _, _, flags, ttl, tracing = _REQUEST_HEAD.unpack_from(frame)
        start = 47 + frame[46]
        if start > len(frame):
            raise IndexError
        service = str(frame[47:start], "utf-8")
        end = header_block_end(frame, start)
        headers = decode_headers(frame[start:end])
        checksum_type, checksum, chunks = read_chunks(frame, end)
        return cls(
            id=id,
            flags=flags,
            ttl=ttl,
            tracing=tracing,
            service=service,
            headers=headers,
            checksum_type=checksum_type,
            checksum=checksum,
            chunks=chunks,
        )


class CallResponse(_Call):
    """The first frame of the answer to a call.

    ``flags:1 code:1 tracing:25 nh:1 (hk~1 hv~1)* csumtype:1 (csum:4){0,1} chunk~2 ...``

    Args:
        id: The id of the call.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        code: 0 for success, anything else for an application error that the args describe.
        tracing: The tracing of the call.
        headers: The transport headers.
        checksum_type: The checksum type of the call.
        checksum: The value on the wire; computed over `chunks` when left out.
        chunks: The parts of arg1 (always empty), arg2 and arg3 in this frame.

    """

    __slots__ = ("code", "headers", "tracing")
    TYPE = FrameType.CALL_RESPONSE
    _FIELDS = (
        *("flags", "code", "tracing", "headers"),
        *("checksum_type", "checksum", "chunks"),
    )

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        code: int = 0,
        tracing: bytes | Tracing = NO_TRACING,
        headers: Mapping[str, str],
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self.code = code
        self.tracing = _tracing(tracing)
        self.headers = dict(headers)
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        return b"".join(
            (
                _BYTE.pack(self.flags) + _BYTE.pack(self.code),
                self.tracing,
                encode_headers(self.headers),
                self._write_chunks(),
            )
        )

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallResponse:
        if len(frame) < _RESPONSE_HEAD.size:
            raise IndexError
        _, _, _, flags, code, tracing = _RESPONSE_HEAD.unpack_from(frame)
        end = header_block_end(frame, 43)
        headers = decode_headers(frame[43:end])
        checksum_type, checksum, chunks = read_chunks(frame, end)
        return cls(
            id=id,
            flags=flags,
            code=code,
            tracing=tracing,
            headers=headers,
            checksum_type=checksum_type,
            checksum=checksum,
            chunks=chunks,
        )


class _Continue(_Call):
    __slots__ = ()
    _FIELDS = ("flags", "checksum_type", "checksum", "chunks")

    def __init__(
        self,
        *,
        id: int,
        flags: int = 0,
        checksum_type: ChecksumType = ChecksumType.CRC32C,
        checksum: int | None = None,
        chunks: Iterable[bytes],
    ) -> None:
        self.id = id
        self._set_chunks(flags, checksum_type, checksum, chunks)

    def _write(self) -> bytes:
        return _BYTE.pack(self.flags) + self._write_chunks()


class CallRequestContinue(_Continue):
    """A later frame of a call: ``flags:1 csumtype:1 (csum:4){0,1} chunk~2 ...``.

    Args:
        id: The id of the call.
        flags: Bit `MORE_FRAGMENTS` when the message goes on.
        checksum_type: The type of the first frame.
        checksum: The value on the wire; when left out, computed over `chunks` as if this frame
            were the first (`chunks_checksum` takes the previous frame's value as its seed).
        chunks: The parts of the args in this frame.

    """

    __slots__ = ()
    TYPE = FrameType.CALL_REQUEST_CONTINUE

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallRequestContinue:
        flags = frame[16]
        checksum_type, checksum, chunks = read_chunks(frame, 17)
        return cls(
            id=id, flags=flags, checksum_type=checksum_type, checksum=checksum, chunks=chunks
        )


class CallResponseContinue(_Continue):
    """A later frame of an answer; fields as in `CallRequestContinue`."""

    __slots__ = ()
    TYPE = FrameType.CALL_RESPONSE_CONTINUE

    @classmethod
    def _read(cls, frame: bytes, id: int) -> CallResponseContinue:
        flags = frame[16]
        checksum_type, checksum, chunks = read_chunks(frame, 17)
        return cls(
            id=id, flags=flags, checksum_type=checksum_type, checksum=checksum, chunks=chunks
        )


# --- everything else ------------------------------------------------------------------------------


class Cancel(_Message):
    """Asks for the call with this id to end: ``ttl:4 tracing:25 why~2``.

    The protocol's text contradicts itself: one table says that there is no body. The long form is
    written, a frame without a body is read as all defaults.

    Args:
        id: The id of the call.
        ttl: Milliseconds; 0 where it says nothing.
        tracing: The tracing of the call.
        why: A text for people.

    """

    __slots__ = ("tracing", "ttl", "why")
    TYPE = FrameType.CANCEL
    _FIELDS = ("ttl", "tracing", "why")

    def __init__(
        self, *, id: int, ttl: int = 0, tracing: bytes | Tracing = NO_TRACING, why: str = ""
    ) -> None:
        self.id = id
        self.ttl = ttl
        self.tracing = _tracing(tracing)
        self.why = why

    def _write(self) -> bytes:
        why = cut_description(self.why, MAX_FRAME_SIZE - HEADER_SIZE - _TTL_TRACING.size - 2)
        return _TTL_TRACING.pack(self.ttl, self.tracing) + _SHORT.pack(len(why)) + why

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Cancel:
        if len(frame) == HEADER_SIZE:
            return cls(id=id)
        if len(frame) < HEADER_SIZE + _TTL_TRACING.size:
            raise IndexError
        ttl, tracing = _TTL_TRACING.unpack_from(frame, HEADER_SIZE)
        why, _ = _read_text(frame, 45)
        return cls(id=id, ttl=ttl, tracing=tracing, why=str(why, "utf-8", "replace"))


class Claim(_Message):
    """Tells another worker that this one has a request, named by its tracing: ``ttl:4 tracing:25``.

    Args:
        id: The message id.
        ttl: Milliseconds for which the claim holds.
        tracing: The tracing of the request.

    """

    __slots__ = ("tracing", "ttl")
    TYPE = FrameType.CLAIM
    _FIELDS = ("ttl", "tracing")

    def __init__(self, *, id: int, ttl: int, tracing: bytes | Tracing = NO_TRACING) -> None:
        self.id = id
        self.ttl = ttl
        self.tracing = _tracing(tracing)

    def _write(self) -> bytes:
        return _TTL_TRACING.pack(self.ttl, self.tracing)

    @classmethod
    def _read(cls, frame: bytes, id: int) -> Claim:
        if len(frame) < HEADER_SIZE + _TTL_TRACING.size:
            raise IndexError
        ttl, tracing = _TTL_TRACING.unpack_from(frame, HEADER_SIZE)
        return cls(id=id, ttl=ttl, tracing=tracing)


class PingRequest(_Message):
    """Asks for a `PingResponse` with the same id; without a payload."""

    __slots__ = ()
    TYPE = FrameType.PING_REQUEST

    def __init__(self, *, id: int) -> None:
        self.id = id

    @classmethod
    def _read(cls, frame: bytes, id: int) -> PingRequest:  # noqa: ARG003 - no payload
        return cls(id=id)


class PingResponse(_Message):
    """Answers a `PingRequest`; without a payload."""

    __slots__ = ()
    TYPE = FrameType.PING_RESPONSE

    def __init__(self, *, id: int) -> None:
        self.id = id

    @classmethod
    def _read(cls, frame: bytes, id: int) -> PingResponse:  # noqa: ARG003 - no payload
        return cls(id=id)


class ErrorMessage(_Message):
    """Ends a call, or says something about the connection: ``code:1 tracing:25 message~2``.

    Args:
        id: The id of the call, or `NO_MESSAGE_ID` when it is about the connection.
        code: An `ErrorCode`, or the number that a newer peer sent.
        tracing: The tracing of the call.
        description: A text for people; cut to 65,491 bytes, on a character, when written. Bytes
            that are no UTF-8 are read as replacement characters.

    """

    __slots__ = ("code", "description", "tracing")
    TYPE = FrameType.ERROR
    _FIELDS = ("code", "tracing", "description")

    def __init__(
        self,
        *,
        id: int = NO_MESSAGE_ID,
        code: int,
        tracing: bytes | Tracing = NO_TRACING,
        description: str = "",
    ) -> None:
        self.id = id
        self.code = code
        self.tracing = _tracing(tracing)
        self.description = description

    def _write(self) -> bytes:
        text = cut_description(self.description)
        return _BYTE.pack(self.code) + self.tracing + _SHORT.pack(len(text)) + text

    @classmethod
    def _read(cls, frame: bytes, id: int) -> ErrorMessage:
        tracing = frame[17:42]
        text, _ = _read_text(frame, 42)
        return cls(
            id=id, code=frame[16], tracing=tracing, description=str(text, "utf-8", "replace")
        )

    def __str__(self) -> str:
        return f"{error_name(self.code)}: {self.description}"


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
    code = ErrorCode.FATAL if issubclass(cls, _Init) else ErrorCode.BAD_REQUEST
    name = cls.TYPE.name.lower().replace("_", " ")
    raise ProtocolError(f"{name} {description}", code=code, message_id=id)


def cut_description(text: str, most: int = MAX_ERROR_DESCRIPTION) -> bytes:
    """`text` in UTF-8, cut to `most` bytes without cutting a character; lone surrogates are `?`."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= most:
        return raw
    return raw[:most].decode("utf-8", "ignore").encode()


def _length(data: bytes, what: str) -> bytes:
    if len(data) > MAX_FRAME_SIZE:
        raise ValueError(f"{what} of {len(data)} bytes does not fit a frame")
    return _SHORT.pack(len(data))


def _read_text(frame: bytes, offset: int) -> tuple[bytes, int]:
    start = offset + 2
    end = start + (frame[offset] << 8 | frame[offset + 1])
    if end > len(frame):
        raise IndexError
    return frame[start:end], end


def _cut_off() -> ProtocolError:
    return ProtocolError("call is cut off", code=ErrorCode.BAD_REQUEST)
