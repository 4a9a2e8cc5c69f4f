"""What a connection tells its user, in the order in which it happened.

Events are plain slotted objects, built with positional arguments: one is made per message, and a
frozen dataclass would cost five times as much. They are not meant to be changed. The two of the hot
path are filled in where they are made, without a call of ``__init__``: 0.1 µs less for each.
"""

# ruff: noqa: RUF023 - slots stand in the order of the arguments, which repr follows

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from .checksums import ChecksumType
from .frames import elide

if TYPE_CHECKING:
    from .errors import ProtocolError, WireError
    from .exchanges import InboundFlow
    from .handshake import RemotePeer

__all__ = [
    "CallExpired",
    "CallFailed",
    "CancelReceived",
    "ClaimReceived",
    "Connected",
    "ConnectionClosed",
    "DrainReceived",
    "ErrorReceived",
    "Event",
    "NoticeReceived",
    "PongReceived",
    "RequestChunk",
    "RequestExpired",
    "RequestReceived",
    "RequestRefused",
    "ResponseChunk",
    "ResponseReceived",
]


class _Event:
    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # compared by value, and holds dicts

    def __repr__(self) -> str:
        fields = []
        for name in self.__slots__:
            value = getattr(self, name)
            fields.append(f"{name}={elide(value) if isinstance(value, bytes) else repr(value)}")
        return f"{type(self).__name__}({', '.join(fields)})"


class Connected(_Event):
    """The handshake is done; calls may start.

    Attributes:
        remote: What the peer said about itself.

    """

    __slots__ = ("remote",)

    def __init__(self, remote: RemotePeer) -> None:
        self.remote: RemotePeer = remote


class _Answerable(_Event):
    """The private part of `RequestReceived`, out of the sight of comparison and repr."""

    __slots__ = ("_flow", "context")

    _flow: InboundFlow | None
    """What is only needed when the request or its response takes several frames."""
    context: object


class RequestReceived(_Answerable):
    """The peer calls us. It must be answered once, with `respond`, `start_response` or `fail`.

    `Connection.inbound` holds this very object until the answer is written: one object per call
    instead of two saves 0.2 µs.

    Attributes:
        id: The call's id, to be given with the answer.
        flags: The flags of the first frame as received.
        ttl_ms: Milliseconds that its caller gives it, as received.
        deadline: When the ttl runs out, in the time of `now`.
        tracing: The 25 bytes of the call's span.
        service: The service that is called.
        headers: The transport headers. Shared between calls, so never to be changed.
        checksum_type: The checksum type of the call, and of its answer.
        arg1: The endpoint.
        arg2: Application headers, whole.
        arg3: The body; with `more`, its beginning.
        more: Whether the rest of arg3 follows in `RequestChunk` events.
        context: Yours: None, or what `stream_request` left there when it saw the first frame.

    """

    __slots__ = (
        *("id", "flags", "ttl_ms", "deadline", "tracing", "service", "headers", "checksum_type"),
        *("arg1", "arg2", "arg3", "more"),
    )

    def __init__(
        self,
        id: int,
        flags: int,
        ttl_ms: int,
        deadline: float,
        tracing: bytes,
        service: str,
        headers: dict[str, str],
        checksum_type: ChecksumType,
        arg1: bytes,
        arg2: bytes,
        arg3: bytes,
        more: bool,
    ) -> None:
        self.id = id
        self.flags = flags
        self.ttl_ms = ttl_ms
        self.deadline = deadline
        self.tracing = tracing
        self.service = service
        self.headers = headers
        self.checksum_type = checksum_type
        self.arg1 = arg1
        self.arg2 = arg2
        self.arg3 = arg3
        self.more = more
        self.context: object = None
        self._flow = None


class ResponseReceived(_Event):
    """The peer answered a call of ours; without `more` the call is over.

    Attributes:
        id: The call's id.
        context: What was given with the call.
        code: 0 for success, else an application error, described by the args.
        tracing: The 25 bytes of the call's span.
        headers: The transport headers. Shared between calls, so never to be changed.
        checksum_type: The checksum type of the response.
        arg2: Application headers, whole.
        arg3: The body; with `more`, its beginning.
        more: Whether the rest of arg3 follows in `ResponseChunk` events.

    """

    __slots__ = (
        *("id", "context", "code", "tracing", "headers", "checksum_type"),
        *("arg2", "arg3", "more"),
    )

    def __init__(
        self,
        id: int,
        context: object,
        code: int,
        tracing: bytes,
        headers: dict[str, str],
        checksum_type: ChecksumType,
        arg2: bytes,
        arg3: bytes,
        more: bool,
    ) -> None:
        self.id = id
        self.context = context
        self.code = code
        self.tracing = tracing
        self.headers = headers
        self.checksum_type = checksum_type
        self.arg2 = arg2
        self.arg3 = arg3
        self.more = more


class RequestChunk(_Event):
    """More of the arg3 of a request whose `RequestReceived` said `more`.

    Attributes:
        id: The call's id.
        data: The next bytes of arg3; empty only with `last`.
        last: Whether arg3 ends here.

    """

    __slots__ = ("id", "data", "last")

    def __init__(self, id: int, data: bytes, last: bool) -> None:
        self.id: int = id
        self.data: bytes = data
        self.last: bool = last


class ResponseChunk(_Event):
    """More of the arg3 of a response whose `ResponseReceived` said `more`.

    Attributes:
        id: The call's id.
        context: What was given with the call.
        data: The next bytes of arg3; empty only with `last`.
        last: Whether arg3 ends here; then the call is over.

    """

    __slots__ = ("id", "context", "data", "last")

    def __init__(self, id: int, context: object, data: bytes, last: bool) -> None:
        self.id: int = id
        self.context: object = context
        self.data: bytes = data
        self.last: bool = last


class ErrorReceived(_Event):
    """The peer ended a call of ours with an error frame; the call is over.

    Attributes:
        id: The call's id.
        context: What was given with the call.
        code: An `ErrorCode`, or the plain number where the peer knows more codes than we do.
        description: The peer's text.
        tracing: The 25 bytes of the call's span.

    """

    __slots__ = ("id", "context", "code", "description", "tracing")

    def __init__(
        self, id: int, context: object, code: int, description: str, tracing: bytes
    ) -> None:
        self.id: int = id
        self.context: object = context
        self.code: int = code
        self.description: str = description
        self.tracing: bytes = tracing


class CallFailed(_Event):
    """The answer to a call of ours was bad, so the call is over; the connection lives on.

    Attributes:
        id: The call's id.
        context: What was given with the call.
        error: What is wrong with the answer: a checksum, its size, its form. Its code is BUSY
            when our own reassembly memory was used up, else BAD_REQUEST.

    """

    __slots__ = ("id", "context", "error")

    def __init__(self, id: int, context: object, error: ProtocolError) -> None:
        self.id: int = id
        self.context: object = context
        self.error: ProtocolError = error


class CallExpired(_Event):
    """The ttl of a call of ours ran out. It is over, and a cancel is queued if the peer knew of it.

    Attributes:
        id: The call's id.
        context: What was given with the call.

    """

    __slots__ = ("id", "context")

    def __init__(self, id: int, context: object) -> None:
        self.id: int = id
        self.context: object = context


class CancelReceived(_Event):
    """The peer cancelled its call. An error (cancelled) is queued already: do not answer.

    Attributes:
        id: The call's id.
        why: The peer's text.

    """

    __slots__ = ("id", "why")

    def __init__(self, id: int, why: str) -> None:
        self.id: int = id
        self.why: str = why


class RequestExpired(_Event):
    """The ttl of the peer's call ran out. An error (timeout) is queued already: do not answer.

    Attributes:
        id: The call's id.

    """

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id: int = id


class RequestRefused(_Event):
    """The peer's call was bad and has been answered with an error; for logs.

    It comes instead of `RequestReceived`. Only when the bad frame belongs to a streamed arg3 has
    there been a `RequestReceived` with `more` before; its stream then ends with this event.

    Attributes:
        id: The call's id.
        error: What was wrong; its code is what the peer got.
        service: The service that was called; empty where it could not be read.
        endpoint: arg1; empty where it could not be read.

    """

    __slots__ = ("id", "error", "service", "endpoint")

    def __init__(self, id: int, error: ProtocolError, service: str, endpoint: bytes) -> None:
        self.id: int = id
        self.error: ProtocolError = error
        self.service: str = service
        self.endpoint: bytes = endpoint


class ClaimReceived(_Event):
    """Another worker tells that it has a request that may come to us, too.

    Attributes:
        ttl_ms: Milliseconds for which the claim holds.
        tracing: The 25 bytes that name the request.

    """

    __slots__ = ("ttl_ms", "tracing")

    def __init__(self, ttl_ms: int, tracing: bytes) -> None:
        self.ttl_ms: int = ttl_ms
        self.tracing: bytes = tracing


class PongReceived(_Event):
    """The peer answered a ping.

    Attributes:
        id: What `ping` returned.

    """

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id: int = id


class DrainReceived(_Event):
    """The peer will leave: make no new calls on this connection. Those under way go on.

    Attributes:
        reason: The peer's text, without the leading ``draining:``.

    """

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason: str = reason


class NoticeReceived(_Event):
    """An error frame about the connection that asks for nothing; for logs.

    Attributes:
        code: The error's code.
        description: The peer's text.

    """

    __slots__ = ("code", "description")

    def __init__(self, code: int, description: str) -> None:
        self.code: int = code
        self.description: str = description


class ConnectionClosed(_Event):
    """The connection is over; there is never another event. What is queued should still be sent.

    Attributes:
        error: Why; None for an orderly end: `close`, or the end of the peer's stream between two
            frames. `ProtocolError` when the peer broke the protocol, `PeerError` when it said so.
        calls: The calls of ours that got no answer, as ``(id, context, written)``; `written` is
            False only when no byte of the request has been handed out for sending.
        requests: The ids of the peer's calls that were not answered completely.

    """

    __slots__ = ("error", "calls", "requests")

    def __init__(
        self,
        error: WireError | None,
        calls: list[tuple[int, object, bool]],
        requests: list[int],
    ) -> None:
        self.error: WireError | None = error
        self.calls: list[tuple[int, object, bool]] = calls
        self.requests: list[int] = requests


Event: TypeAlias = (
    Connected
    | RequestReceived
    | ResponseReceived
    | RequestChunk
    | ResponseChunk
    | ErrorReceived
    | CallFailed
    | CallExpired
    | CancelReceived
    | RequestExpired
    | RequestRefused
    | ClaimReceived
    | PongReceived
    | DrainReceived
    | NoticeReceived
    | ConnectionClosed
)
