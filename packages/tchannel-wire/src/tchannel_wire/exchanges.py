"""The state of one call, from either end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import TYPE_CHECKING

from .checksums import WHOLE_CHECKSUMS, ChecksumType
from .frames import MAX_FRAME_SIZE, elide
from .headers import AS, CN, encode_headers, header_pairs

if TYPE_CHECKING:
    from .connection_base import ConnectionBase
    from .deadlines import DeadlineItem
    from .events import RequestReceived, ResponseReceived
    from .fragments import FragmentReader, FragmentWriter

__all__ = ["MAX_ARG1", "InboundCall", "OutboundCall", "PreparedCall", "prepare_call"]

MAX_ARG1 = 16 * 1024
"""The protocol's limit for the name of an endpoint."""


class OutboundCall:
    """A call of ours that is not answered yet.

    Attributes:
        id: The message id.
        connection: The connection that it was made on.
        context: What the caller gave to have back with the events; None once the call is over.
        tracing: The 25 bytes of its span.
        ttl: Seconds it was given.
        writer: Where the arg3 of `start_call` is written to, and what is left of a large request;
            None for a request of one frame, and when all of it has been handed out.

    """

    __slots__ = (
        *("id", "connection", "context", "tracing", "ttl", "writer", "bucket"),
        *("_number", "_stream", "_reader", "_response"),
    )

    writer: FragmentWriter | None
    bucket: dict[DeadlineItem, None] | None
    _number: int
    _reader: FragmentReader | None
    _response: ResponseReceived | None

    def __init__(
        self,
        id: int,
        connection: ConnectionBase,
        context: object,
        tracing: bytes,
        ttl: float,
        number: int,
        stream: bool,
    ) -> None:
        # `bucket` is set by the deadline queue right after.
        self.id = id
        self.connection = connection
        self.context = context
        self.tracing = tracing
        self.ttl = ttl
        self.writer = None
        self._number = number
        self._stream = stream
        self._reader = None

    @property
    def written(self) -> bool:
        """Whether any byte of the request has been handed out for sending."""
        if self._number < 0:
            return self.writer is None or self.writer.started
        return self._number < self.connection._outbox.pulled

    def written_out(self) -> None:
        """The last frame of the request has been built."""
        self.writer = None

    def __repr__(self) -> str:
        return f"OutboundCall(id={self.id}, context={self.context!r})"


class InboundCall:
    """A call of the peer's that is not answered completely yet.

    Attributes:
        id: The message id.
        connection: The connection that it came on.
        tracing: The 25 bytes of its span.
        checksum_type: Its checksum type, which the answer uses, too.
        writer: What writes a response of several frames; None before.

    """

    __slots__ = (
        *("id", "connection", "tracing", "checksum_type", "writer", "bucket"),
        *("_reader", "_request"),
    )

    writer: FragmentWriter | None
    bucket: dict[DeadlineItem, None] | None
    _reader: FragmentReader | None
    _request: RequestReceived

    def __init__(
        self, id: int, connection: ConnectionBase, tracing: bytes, checksum_type: ChecksumType
    ) -> None:
        # `bucket` is set by the deadline queue right after, `_request` only with a reader.
        self.id = id
        self.connection = connection
        self.tracing = tracing
        self.checksum_type = checksum_type
        self.writer = None
        self._reader = None

    def written_out(self) -> None:
        """The last frame of the response has been built, so the call is over."""
        self.connection._forget_request(self)

    def __repr__(self) -> str:
        return f"InboundCall(id={self.id})"


class PreparedCall:
    """What all calls of one endpoint with the same headers have in common, encoded once.

    Made by `prepare_call`; immutable by contract, and fit to be kept and shared between
    connections.

    Attributes:
        service: The service to call.
        headers: The transport headers.
        arg1: The endpoint.
        checksum_type: The checksum of the calls.

    """

    __slots__ = (
        *("service", "headers", "arg1", "checksum_type"),
        *("_prefix", "_arg1_chunk", "_size", "_pack", "_whole"),
    )

    def __init__(
        self,
        service: str,
        headers: dict[str, str],
        arg1: bytes,
        checksum_type: ChecksumType,
        prefix: bytes,
    ) -> None:
        self.service = service
        self.headers = headers
        self.arg1 = arg1
        self.checksum_type = checksum_type
        # service~1 and the header block
        self._prefix = prefix
        typed = prefix + bytes((checksum_type,))
        self._arg1_chunk = len(arg1).to_bytes(2, "big") + arg1
        # One pack for everything up to arg2, made for the lengths of this very endpoint.
        head = Struct(f">HBxI8xBI25s{len(typed)}sI{len(self._arg1_chunk)}sH")
        self._pack: Callable[..., bytes] = head.pack
        # The frame's size without arg2 and arg3. Calls without a checksum are rare: they are left
        # to the general way, by a size that no frame can have.
        self._size = head.size + 2 if checksum_type else MAX_FRAME_SIZE
        self._prefix = typed
        self._whole = WHOLE_CHECKSUMS[checksum_type]

    def __repr__(self) -> str:
        return (
            f"PreparedCall(service={self.service!r}, arg1={elide(self.arg1)}, "
            f"headers={self.headers!r}, checksum_type={self.checksum_type.name})"
        )


def prepare_call(
    service: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    arg1: bytes,
    checksum_type: ChecksumType = ChecksumType.CRC32C,
) -> PreparedCall:
    """Check and encode what does not change from call to call. Keep the result: it costs 10 calls.

    Args:
        service: The service to call, 1 to 255 bytes in UTF-8 (an empty name throws inside
            Hyperbahn, and is never answered).
        headers: Transport headers; `as` and `cn` are required, since tchannel-node refuses a
            call without them.
        arg1: The endpoint, at most 16 KiB (it must fit the first frame).
        checksum_type: NONE, CRC32 or CRC32C; default CRC-32C. Not FARMHASH, which tchannel-go and
            tchannel-python drop.

    Raises:
        TypeError: An argument has another type.
        ValueError: An argument breaks one of these rules; it is named with its value.

    """
    if not isinstance(service, str):
        raise TypeError(f"service must be a str, not {service!r}")
    raw_service = service.encode()
    if not 1 <= len(raw_service) <= 0xFF:
        raise ValueError(
            f"service must be 1 to 255 bytes, not {len(raw_service)}: {service[:40]!r}"
        )
    if not isinstance(arg1, bytes):
        raise TypeError(f"arg1 must be bytes, not {arg1!r}")
    if len(arg1) > MAX_ARG1:
        raise ValueError(f"arg1 must be at most {MAX_ARG1} bytes, not {len(arg1)}: {elide(arg1)}")
    if checksum_type not in (ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C):
        raise ValueError(f"checksum_type must be NONE, CRC32 or CRC32C, not {checksum_type!r}")
    pairs = header_pairs(headers)
    block = encode_headers(pairs)
    named = dict(pairs)
    for key in (AS, CN):
        if key not in named:
            raise ValueError(f"headers must have {key!r}, got {named!r}")
    prefix = bytes((len(raw_service),)) + raw_service + block
    return PreparedCall(service, named, arg1, ChecksumType(checksum_type), prefix)
