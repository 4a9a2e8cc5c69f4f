"""The errors of TChannel calls, grouped by what a caller may do about them.

::

    TChannelError                     anything that went wrong with a call
    ├─ RetryableError                 never reached a handler: always safe to send again
    │  ├─ BusyError             0x03  the peer has too much to do: try another peer
    │  ├─ DeclinedError         0x04  the peer refuses (it is leaving): try another peer
    │  └─ NoAvailablePeerError        no peer is known or reachable: try later
    ├─ MaybeRetryableError            may have reached a handler: send again if idempotent
    │  ├─ TimeoutError          0x01  no answer in time (also a builtin TimeoutError)
    │  ├─ UnexpectedError       0x05  the handler failed
    │  └─ NetworkError          0x07  the connection failed (also a builtin ConnectionError)
    ├─ NotRetryableError              sending the same call again cannot help
    │  ├─ CanceledError         0x02  the call was cancelled (never an asyncio.CancelledError)
    │  ├─ BadRequestError       0x06  the peer cannot make sense of the call: mend the call
    │  │  ├─ NotAuthorizedError       the caller may not make it
    │  │  ├─ OneWayNotSupportedError  Thrift's oneway functions do not exist on TChannel
    │  │  └─ ValueExpectedError       a Thrift function that returns a value gave none
    │  ├─ UnhealthyError        0x08  the service is unhealthy: back off
    │  └─ FatalProtocolError    0xFF  the two sides misunderstood each other; the connection ends
    │     ├─ ReadError                bytes that are no frame
    │     ├─ InvalidChecksumError     bytes that were damaged on the way
    │     └─ AlreadyListeningError    `listen()` called again with another port
    └─ SingletonNotPreparedError      `get_instance()` before `prepare()`
    ServiceNameIsRequiredError        a channel without a name (a ValueError)

What is retried by itself is the business of `tchannel.retry`. The codes are those of the error
frame (protocol, "error"); classes below one with a code have the same code.
"""

import builtins
from typing import Final

from tchannel_wire import ErrorCode, Tracing

from ._ground.text import escaped

__all__ = [
    "BAD_REQUEST",
    "BUSY",
    "CANCELED",
    "DECLINED",
    "FATAL",
    "NETWORK_ERROR",
    "TIMEOUT",
    "UNEXPECTED_ERROR",
    "UNHEALTHY",
    "AlreadyListeningError",
    "BadRequestError",
    "BusyError",
    "CanceledError",
    "DeclinedError",
    "FatalProtocolError",
    "InvalidChecksumError",
    "MaybeRetryableError",
    "NetworkError",
    "NoAvailablePeerError",
    "NotAuthorizedError",
    "NotRetryableError",
    "OneWayNotSupportedError",
    "ReadError",
    "RetryableError",
    "ServiceNameIsRequiredError",
    "SingletonNotPreparedError",
    "TChannelError",
    "TimeoutError",
    "UnexpectedError",
    "UnhealthyError",
    "ValueExpectedError",
]

TIMEOUT: Final = ErrorCode.TIMEOUT.value
"""The request timed out."""

CANCELED: Final = ErrorCode.CANCELLED.value
"""The request was cancelled."""

BUSY: Final = ErrorCode.BUSY.value
"""The server was busy."""

DECLINED: Final = ErrorCode.DECLINED.value
"""The server declined the request without handling it."""

UNEXPECTED_ERROR: Final = ErrorCode.UNEXPECTED.value
"""The server's handler failed in a way that its interface does not declare."""

BAD_REQUEST: Final = ErrorCode.BAD_REQUEST.value
"""The request was bad."""

NETWORK_ERROR: Final = ErrorCode.NETWORK.value
"""There was a network error while sending the request."""

UNHEALTHY: Final = ErrorCode.UNHEALTHY.value
"""The server handling the request is unhealthy."""

FATAL: Final = ErrorCode.FATAL.value
"""There was a fatal protocol-level error."""


class TChannelError(Exception):
    """An error made by TChannel, as opposed to one that an application declared.

    All arguments are attributes of the same names; what is not known is None. ``str(error)`` names
    those that are known, with what is not printable in the description escaped.
    Raised by a handler, it reaches the caller with its code and description.

    Args:
        description: What happened, for people.
        id: The message id of the call on its connection.
        tracing: The `tchannel_wire.Tracing` of the call.
        peer: ``host:port`` of the peer that the failed attempt went to.
        service: The service that was called.
        endpoint: The endpoint that was called.
        attempts: How many times the call was sent before it was given up.

    """

    code: int | None = None
    """The code in the error frame (protocol, "error"); None for errors that never travel."""

    def __init__(
        self,
        description: str | None = None,
        id: int | None = None,
        tracing: Tracing | None = None,
        *,
        peer: str | None = None,
        service: str | None = None,
        endpoint: str | None = None,
        attempts: int | None = None,
    ) -> None:
        if description is not None and not isinstance(description, str):
            # ``raise BadRequestError(error)`` is natural, and the text has to travel.
            description = str(description)
        super().__init__(description)
        self.description = description
        self.id = id
        self.tracing = tracing
        self.peer = peer
        self.service = service
        self.endpoint = endpoint
        self.attempts = attempts

    def __str__(self) -> str:
        # As it came it may be no single line, or steer the terminal: it is a peer's text.
        text = escaped(self.description or type(self).__name__)
        context = []
        if self.service is not None:
            context.append(f"service {self.service!r}")
        if self.endpoint is not None:
            context.append(f"endpoint {self.endpoint!r}")
        if self.peer is not None:
            context.append(f"peer {self.peer}")
        if self.attempts is not None:
            context.append(f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}")
        return f"{text} ({', '.join(context)})" if context else text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    @staticmethod
    def from_code(
        code: int,
        description: str | None = None,
        id: int | None = None,
        tracing: Tracing | None = None,
        *,
        peer: str | None = None,
        service: str | None = None,
        endpoint: str | None = None,
        attempts: int | None = None,
    ) -> "TChannelError":
        """The error that a code of an error frame stands for.

        A code that the protocol does not define gives a plain `TChannelError` that keeps the code
        and is never retried: a newer peer must be able to say something we do not know.
        """
        known = _CLASS_OF_CODE.get(code)
        error = (known or TChannelError)(
            description,
            id,
            tracing,
            peer=peer,
            service=service,
            endpoint=endpoint,
            attempts=attempts,
        )
        if known is None:
            error.code = code
        return error


class RetryableError(TChannelError):
    """An error where the original request is always safe to retry: it was never handled."""


class MaybeRetryableError(TChannelError):
    """An error where the original request may have been handled.

    It is safe to retry only if the request is idempotent.
    """


class NotRetryableError(TChannelError):
    """An error where the original request should not be sent again.

    Something was fundamentally wrong with it, or its caller no longer wants the answer.
    """


class TimeoutError(MaybeRetryableError, builtins.TimeoutError):
    """The call was not answered in time.

    It is also the builtin TimeoutError, which asyncio raises, so that one ``except`` does for both.
    """

    code: int | None = TIMEOUT


class CanceledError(NotRetryableError):
    """The call was cancelled by its caller.

    It never derives from `asyncio.CancelledError`: an error told by a peer must not look to the
    event loop as if the own task had been cancelled.
    """

    code: int | None = CANCELED


class BusyError(RetryableError):
    """The peer has too much to do; another one may have time."""

    code: int | None = BUSY


class DeclinedError(RetryableError):
    """The peer does not want the call, for instance because it is closing."""

    code: int | None = DECLINED


class UnexpectedError(MaybeRetryableError):
    """The handler failed in a way that its interface does not declare."""

    code: int | None = UNEXPECTED_ERROR


class BadRequestError(NotRetryableError):
    """The peer cannot make sense of the call: unknown endpoint, wrong arg scheme, bad body."""

    code: int | None = BAD_REQUEST


class NetworkError(MaybeRetryableError, ConnectionError):
    """Connecting failed, or the connection was lost before the answer.

    It is also the builtin ConnectionError, so that code that knows sockets needs no second name.
    """

    code: int | None = NETWORK_ERROR


class UnhealthyError(NotRetryableError):
    """The service, or the way to it, is unhealthy; sending more would make it worse."""

    code: int | None = UNHEALTHY


class FatalProtocolError(NotRetryableError):
    """The two sides of a connection misunderstood each other; the connection ends."""

    code: int | None = FATAL


class ReadError(FatalProtocolError):
    """Raised when what was read is no frame of the protocol."""


class InvalidChecksumError(FatalProtocolError):
    """Raised when the checksum of a message is of an unknown type or does not match."""


class AlreadyListeningError(FatalProtocolError):
    """Raised by `listen()` on a channel that already listens on another port."""


class NoAvailablePeerError(RetryableError):
    """No peer is known for a call, or none of those known can be reached.

    ``__cause__`` is then the `NetworkError` of the last one; a call that names its ``hostport`` gets
    that one itself.
    """


class NotAuthorizedError(BadRequestError):
    """The caller may not make this call; see `tchannel.authorization`.

    The protocol has no code for it: callers get a BadRequestError, which nobody retries.
    """

    def __init__(
        self,
        description: str | None = "not authorized",
        id: int | None = None,
        tracing: Tracing | None = None,
        *,
        peer: str | None = None,
        service: str | None = None,
        endpoint: str | None = None,
        attempts: int | None = None,
    ) -> None:
        super().__init__(
            description,
            id,
            tracing,
            peer=peer,
            service=service,
            endpoint=endpoint,
            attempts=attempts,
        )


class OneWayNotSupportedError(BadRequestError):
    """Raised when a ``oneway`` function of a Thrift service is registered or called."""


class ValueExpectedError(BadRequestError):
    """Raised when a Thrift function that returns a value was answered without one."""


class SingletonNotPreparedError(TChannelError):
    """Raised by `get_instance()` of a singleton channel that was not prepared in this thread."""


class ServiceNameIsRequiredError(ValueError):
    """Raised when a channel, or a service that is advertised, gets an empty name."""


_CLASS_OF_CODE: Final[dict[int, type[TChannelError]]] = {
    TIMEOUT: TimeoutError,
    CANCELED: CanceledError,
    BUSY: BusyError,
    DECLINED: DeclinedError,
    UNEXPECTED_ERROR: UnexpectedError,
    BAD_REQUEST: BadRequestError,
    NETWORK_ERROR: NetworkError,
    UNHEALTHY: UnhealthyError,
    FATAL: FatalProtocolError,
}
