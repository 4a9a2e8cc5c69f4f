"""The state of one call, from either end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .checksums import WHOLE_CHECKSUMS, ChecksumType
from .frames import MAX_FRAME_SIZE, elide
from .headers import ARG_SCHEME, CALLER_NAME, encode_headers, header_pairs
from .layouts import Packers

if TYPE_CHECKING:
    from .connection_base import ConnectionBase
    from .events import ResponseReceived
    from .fragments import FragmentReader, FragmentWriter
    from .inbound import InboundSide

__all__ = [
    "MAX_ARG1",
    "Flow",
    "InboundFlow",
    "OutboundCall",
    "OutboundFlow",
    "PreparedCall",
    "prepare_call",
]

MAX_ARG1 = 16 * 1024
"""The protocol's limit for the name of an endpoint."""


class Flow:
    """What a call has more than others when one of its messages takes several frames.

    The calls of the hot path have none: five attributes less to set for each.

    Attributes:
        reader: Gathers the message that comes in; None before its first and after its last frame.
        writer: Builds the message that goes out; None before and, for a request, after.

    """

    __slots__ = ("reader", "writer")

    reader: FragmentReader | None
    writer: FragmentWriter | None

    def __init__(self) -> None:
        self.reader = None
        self.writer = None

    def written_out(self) -> None:
        """The last frame of what `writer` writes has been built."""
        raise NotImplementedError


class OutboundFlow(Flow):
    """A call of ours whose request or response takes several frames, or is streamed.

    Attributes:
        stream: Whether the response's arg3 is wanted in pieces.
        response: The event that is being gathered.

    """

    __slots__ = ("response", "stream")

    response: ResponseReceived | None
    writer: FragmentWriter | None

    def __init__(self, *, stream: bool = False) -> None:
        super().__init__()
        self.stream: bool = stream
        self.response = None

    def written_out(self) -> None:
        """The request is on its way; its response is still to come."""
        self.writer = None


class InboundFlow(Flow):
    """A call of the peer's whose request or response takes several frames.

    It knows the request's id, not the request, which refers to it: a cycle would keep a body of
    many MiB until the next collection of garbage.
    """

    __slots__ = ("_connection", "_id")

    def __init__(self, connection: InboundSide, id: int) -> None:
        super().__init__()
        self._connection = connection
        self._id = id

    def written_out(self) -> None:
        """The response is on its way, so the call is over."""
        self._connection._forget_request(self._connection.inbound[self._id])


class OutboundCall:
    """A call of ours that is not answered yet. Made by a `Connection` only.

    Attributes:
        id: The message id.
        connection: The connection that it was made on.
        context: What the caller gave to have back with the events; None once the call is over.
        tracing: The 25 bytes of its span.
        ttl: Seconds it was given.
        deadline: When they are over.

    """

    __slots__ = (
        *("id", "connection", "context", "tracing", "ttl", "deadline"),
        *("_number", "_flow"),
    )

    # No __init__: the connection sets the attributes, which halves the cost of making a call.
    id: int
    connection: ConnectionBase
    context: object
    tracing: bytes
    ttl: float
    deadline: float
    _number: int
    _flow: OutboundFlow | None

    @property
    def writer(self) -> FragmentWriter | None:
        """Where the arg3 of `start_call` is written to, and what is left of a large request.

        None for a request of one frame, and when all of it has been handed out.
        """
        return None if self._flow is None else self._flow.writer

    @property
    def written(self) -> bool:
        """Whether any byte of the request has been handed out for sending."""
        if self._number < 0:
            writer = self.writer
            return writer is None or writer.started
        return self._number < self.connection._outbox.pulled

    def __repr__(self) -> str:
        return f"OutboundCall(id={self.id}, context={self.context!r})"


class PreparedCall:
    """What all calls of one endpoint with the same headers have in common, encoded once.

    Made by `prepare_call`; immutable by contract, and fit to be kept and shared between
    connections.

    Attributes:
        service: The service to call.
        headers: The transport headers.
        arg1: The endpoint.
        checksum_type: The checksum of the calls.
        context: What whoever makes the calls wants to find here again; None until it is set.

    """

    __slots__ = (
        *("service", "headers", "arg1", "checksum_type", "context"),
        *("_prefix", "_arg1_chunk", "_size", "_packers", "_whole"),
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
        # Any: it is whatever its user has put there.
        self.context: Any = None
        # service~1 and the header block
        self._prefix = prefix
        typed = prefix + bytes((checksum_type,))
        self._arg1_chunk = len(arg1).to_bytes(2, "big") + arg1
        self._packers = Packers(f">HBxI8xBI25s{len(typed)}sI{len(self._arg1_chunk)}s")
        # The frame's size without arg2 and arg3. Calls without a checksum are rare: they are left
        # to the general way, by a size that no frame can have.
        self._size = self._packers.size if checksum_type else MAX_FRAME_SIZE
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
    for key in (ARG_SCHEME, CALLER_NAME):
        if key not in named:
            raise ValueError(f"headers must have {key!r}, got {named!r}")
    prefix = bytes((len(raw_service),)) + raw_service + block
    return PreparedCall(service, named, arg1, ChecksumType(checksum_type), prefix)
