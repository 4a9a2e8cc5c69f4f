"""A connection without I/O: bytes in, events out, bytes out, and time as an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from struct import Struct
from types import UnionType
from typing import TypeAlias

from .arguments import check_claim
from .connection_base import NO_PINGS, ConnectionTimer
from .deadlines import DeadlineItem, DeadlineQueue
from .errors import NO_MESSAGE_ID, ErrorCode, PeerError, ProtocolError, known_code
from .events import (
    ClaimReceived,
    Connected,
    DrainReceived,
    Event,
    NoticeReceived,
    PongReceived,
    RequestReceived,
)
from .frames import HEADER_SIZE, FrameBuffer, FrameType
from .handshake import (
    RemotePeer,
    check_init_request,
    check_init_response,
    init_headers,
    request_host_port,
    response_host_port,
)
from .inbound import InboundSide
from .layouts import NO_SIZE
from .memory import MemoryBudget
from .messages import (
    Claim,
    ErrorMessage,
    InitRequest,
    InitResponse,
    PingRequest,
    PingResponse,
    decode,
    encode,
)
from .options import Options
from .outbound import OutboundSide
from .states import TRANSITIONS, ConnectionState, LocalInput, after_frame, after_input
from .tracing import NO_TRACING

__all__ = ["Connection"]

_HEADER = Struct(">HBxI8x").unpack_from
_ID = Struct(">4xI")
_CALL_REQUEST = int(FrameType.CALL_REQUEST)
_CALL_RESPONSE = int(FrameType.CALL_RESPONSE)
_CALL_REQUEST_CONTINUE = int(FrameType.CALL_REQUEST_CONTINUE)
_CALL_RESPONSE_CONTINUE = int(FrameType.CALL_RESPONSE_CONTINUE)
_DRAINING = "draining:"

NO_LIMIT = 2**31 - 1
"""More frames than any bytes hold; as an int of 32 bits, because a range of more is slow somewhere."""

_NO_HEADERS: Mapping[str, str] = {}
"""What a connection keeps of its own init headers once they are sent."""


class Connection(InboundSide, OutboundSide):
    """One end of a connection.

    Give it what the socket reads (`receive`), send what it has to say (`data_to_send`), and call
    `expire` when `next_deadline` has come. Everything that happens comes out as a list of events.
    It never blocks, knows no clock, and never raises because of what a peer sends. Times are
    seconds of any monotonic clock, always the same one.

    Args:
        opener: Whether this end made the connection; then the init request is queued at once.
        host_port: Where this end listens, for the handshake; an opener may give any text, and
            what tchannel-node would refuse is written as ``0.0.0.0:0``.
        process_name: A name of this process for people.
        now: The time.
        options: The limits; default `Options()`.
        headers: More headers for the handshake; the language and versions are filled in.
        deadlines: A queue to be shared by many connections. Its owner then passes what
            `pop_expired` returns to ``item.connection.expire_item(item, now)``. Default: its own.
        stream_request: Asked at the first frame of each request that has several, with all that
            is known by then, whether its arg3 is to be passed on in pieces. It must not raise.
            Default: everything is gathered.
        unix_socket: Whether an accepter may have a `host_port` that is no address; default False.
        memory: Where the bytes of the peer's unfinished requests count besides
            `Options.reassembly_memory`; many connections may share it. Default: nowhere.

    Raises:
        TypeError: An argument has another type.
        ValueError: An accepter's `host_port` is not where it listens: tchannel-node refuses to
            be answered by ``0.0.0.0:0``. Or `headers` hold `host_port` or `process_name`.

    Attributes:
        options: The limits.
        deadlines: The queue of deadlines.
        remote: What the peer said about itself; None before the handshake is done.
        peer_draining: Whether the peer has announced that it leaves.
        replied: Bytes of pongs and error frames that were ever queued. A peer can ask for any number
            of them and read none: whoever drives the connection watches how this grows.
        unread: Bytes that `receive` was given and has not looked at yet.
        inbound: The peer's calls that are not answered completely, by id. Not to be changed.
        outbound: Our calls that are not answered yet, by id. Not to be changed.

    """

    __slots__ = ()

    _init_headers: Mapping[str, str]
    # Declared again: a checker infers it anew where a method of this class sets it.
    remote: RemotePeer | None
    replied: int
    _unread: bytes
    unread: int
    _used: bool

    def __init__(
        self,
        *,
        opener: bool,
        host_port: str,
        process_name: str,
        now: float,
        options: Options | None = None,
        headers: Mapping[str, str] | None = None,
        deadlines: DeadlineQueue | None = None,
        stream_request: Callable[[RequestReceived], bool] | None = None,
        unix_socket: bool = False,
        memory: MemoryBudget | None = None,
    ) -> None:
        _check_type(host_port, "host_port", str)
        _check_type(process_name, "process_name", str)
        _check_type(options, "options", Options | None)
        _check_type(headers, "headers", Mapping | None)
        _check_type(deadlines, "deadlines", DeadlineQueue | None)
        _check_type(memory, "memory", MemoryBudget | None)
        if opener:
            host_port = request_host_port(host_port)
            state = ConnectionState.AWAITING_INIT_RESPONSE
        else:
            host_port = response_host_port(host_port, unix_socket=unix_socket)
            state = ConnectionState.AWAITING_INIT_REQUEST
        own_headers = init_headers(host_port, process_name, headers)
        super().__init__(options=options, deadlines=deadlines, state=state)
        self._set_up_inbound(stream_request, memory)
        self._set_up_outbound()
        self._buffer = FrameBuffer()
        self._unread = b""
        self.unread = 0
        self._used = False
        self._init_headers = own_headers
        self._init_id = 0
        self._timer = ConnectionTimer(self)
        self._set_timer(now + self.options.handshake_timeout)
        if opener:
            self._init_id = self._take_id(now)
            request = InitRequest(id=self._init_id, headers=self._init_headers)
            self._outbox.append(encode(request))
            self._init_headers = _NO_HEADERS

    def __repr__(self) -> str:
        return (
            f"Connection({self.state.name}, remote={self.remote!r}, "
            f"inbound={len(self.inbound)}, outbound={len(self.outbound)})"
        )

    # --- state ------------------------------------------------------------------------------

    @property
    def state(self) -> ConnectionState:
        """Where the connection is in its life."""
        return self._state

    @property
    def buffered(self) -> int:
        """Bytes that are queued to be sent, those of args that are in no frame yet included."""
        return self._outbox.size + self._outbox.pending

    @property
    def has_data(self) -> bool:
        """Whether `data_to_send` would return anything."""
        return self._outbox.has_data

    @property
    def was_used(self) -> bool:
        """Whether a call, an answer, or a pong either way has ever been carried."""
        # What the hot path keeps of the last small message tells that there was one.
        return (
            self._used
            or self._request_size != NO_SIZE
            or self._response_size != NO_SIZE
            or bool(self.outbound)
        )

    # --- bytes in and out -------------------------------------------------------------------

    def receive(self, data: bytes, now: float, most: int = NO_LIMIT) -> list[Event]:
        """Take the next bytes from the peer, and tell what they mean.

        It never raises because of these bytes. What precedes a bad frame takes effect; a frame
        that breaks the protocol queues an error frame and ends in `ConnectionClosed`.

        Args:
            data: The bytes; b"" to go on with those that are `unread`.
            now: The time.
            most: How many frames are looked at, so that one peer does not keep others waiting; one
                whose checksum is computed in plain Python, or that is in error, may be the last.
                What is left is `unread`, and comes first next time. By default there is no limit.

        """
        events: list[Event] = []
        buffer = self._buffer
        start = 0
        if self.unread:
            if data:
                data = self._unread[-self.unread :] + data
            else:  # read on where it lies: a copy for each of many turns would be dear
                data = self._unread
                start = len(data) - self.unread
            self._unread = b""
            self.unread = 0
        elif buffer.pending:
            frame, start = buffer.complete(data)
            if frame is not None:
                self._receive_frames(frame, 0, now, events, most)
        start = self._receive_frames(data, start, now, events, most)
        if start != len(data):
            if start >= 0:
                buffer.keep(data, start)
            elif ~start != len(data):
                self._unread = data
                self.unread = len(data) - ~start
                return events
        if buffer.error is not None and self._state != ConnectionState.CLOSED:
            self._fatal(buffer.error, events)
        return events

    def _receive_frames(
        self, data: bytes, start: int, now: float, events: list[Event], most: int
    ) -> int:
        """Handle the whole frames in `data` from `start` on; where the rest begins.

        If that was not reached, because `most` frames were, the complement of where it stopped.
        """
        end = len(data)
        # Counted by the loop itself: it costs nothing.
        for _ in range(most):
            if end - start < HEADER_SIZE:
                return start
            size, type, id = _HEADER(data, start)
            stop = start + size
            if stop > end or size < HEADER_SIZE:
                return start
            # The frames of the hot path and the large ones are read where they lie, the others
            # cut out.
            dear: object = None
            if type == _CALL_RESPONSE and self._open:
                dear = self._receive_call_response(data, start, stop, id, now, events)
            elif type == _CALL_REQUEST and self._open:
                dear = self._receive_call_request(data, start, stop, id, now, events)
            elif type == _CALL_REQUEST_CONTINUE and self._open:
                dear = self._receive_call_request_continue(data, start, stop, id, now, events)
            elif type == _CALL_RESPONSE_CONTINUE and self._open:
                dear = self._receive_call_response_continue(data, start, stop, id, now, events)
            elif handler := _HANDLERS[self._state].get(type):
                handler(self, data[start:stop], now, events)
            elif self._state != ConnectionState.CLOSED:
                self._receive_unexpected(type, events)
            start = stop
            if dear and most != NO_LIMIT:
                break
        return ~start

    def receive_eof(self, now: float) -> list[Event]:
        """The peer's stream has ended, which ends the connection."""
        events: list[Event] = []
        error: PeerError | None = None
        if not self._open:
            error = PeerError(ErrorCode.NETWORK, "the stream ended before the handshake was done")
        elif self._buffer.pending:
            error = PeerError(ErrorCode.NETWORK, "the stream ended in the middle of a frame")
        self._end(LocalInput.EOF, error, events)
        return events

    def data_to_send(self, limit: int | None = None) -> bytes:
        """The next bytes for the peer; b"" when there are none now.

        Whole frames, small ones first, and messages of several frames built only now, one frame
        of each in turn, until `limit` bytes (default 256 KiB) are reached.
        """
        return self._outbox.take(limit)

    # --- time -------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `expire` is to be called next; None while nothing is waiting."""
        self.rest()  # whatever the timer was set for is over
        return self.deadlines.next_deadline()

    def expire(self, now: float) -> list[Event]:
        """Whatever has run out of time by now ends; for a connection with a queue of its own."""
        events: list[Event] = []
        for item in self.deadlines.pop_expired(now):
            events += item.connection.expire_item(item, now)
        return events

    def rest(self) -> None:
        """Leave the deadline queue, which then does not hold the connection, if no call is under way."""
        if self._open and not self.outbound and not self.inbound:
            self._stop_timer()

    def expire_item(self, item: DeadlineItem, now: float) -> list[Event]:
        """An item of this connection came out of a deadline queue: the events of its end."""
        events: list[Event] = []
        if item is not self._timer or self._state == ConnectionState.CLOSED:
            return events
        if not self._open:
            seconds = self.options.handshake_timeout
            error = PeerError(ErrorCode.TIMEOUT, f"no handshake within {seconds:g} seconds")
            self._end(LocalInput.HANDSHAKE_TIMEOUT, error, events)
            return events
        self._timer_at = earliest = inf
        for call in list(self.outbound.values()):
            if call.deadline <= now:
                self._expire_call(call, now, events)
            elif call.deadline < earliest:
                earliest = call.deadline
        for request in list(self.inbound.values()):
            if request.deadline <= now:
                self._expire_request(request, events)
            elif request.deadline < earliest:
                earliest = request.deadline
        if earliest < inf:
            self._set_timer(earliest)
        return events

    # --- what is not a call -----------------------------------------------------------------

    def ping(self, now: float) -> int:
        """Ask the peer for a sign of life, and return the id that `PongReceived` will carry.

        tchannel-python and tchannel-java never answer, and a tchannel-go peer that drains must
        not be pinged.

        Raises:
            LocalProtocolError: The connection is not open.

        """
        after_input(self._state, LocalInput.START)
        id = self._take_id(now)
        self._pings |= {id}
        self._outbox.append(encode(PingRequest(id=id)))
        return id

    def claim(self, tracing: bytes, ttl: float, *, now: float) -> None:
        """Tell the peer that this process has the request that `tracing` names.

        Args:
            tracing: The 25 bytes of the request's span.
            ttl: Seconds for which the claim holds.
            now: The time.

        Raises:
            LocalProtocolError: The connection is not open.
            TypeError: An argument has another type.
            ValueError: `tracing` is not 25 bytes, or `ttl` is not finite.

        """
        after_input(self._state, LocalInput.START)
        ttl_ms = check_claim(tracing, ttl)
        message = Claim(id=self._take_id(now), ttl_ms=ttl_ms, tracing=tracing)
        self._outbox.append(encode(message))

    def drain(self, reason: str, *, decline: bool = True) -> None:
        """Announce that this end will leave, and decline the peer's new calls from now on.

        Calls under way, both ways, go on. Every new call is declined one by one, because
        tchannel-go and tchannel-python ignore the announcement. A second call does nothing.

        Args:
            reason: A text for people.
            decline: Whether new calls are declined; default True. With False only the announcement
                is sent, each time, and nothing changes here.

        Raises:
            LocalProtocolError: The connection is not open.
            TypeError: `reason` is no str.
            ValueError: It is empty.

        """
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a str, not {reason!r}")
        if not reason.strip():
            raise ValueError(f"reason must not be empty, got {reason!r}")
        state = after_input(self._state, LocalInput.DRAIN)
        if state == self._state:
            return
        text = f"{_DRAINING} {reason}"
        if decline:
            self._enter(state)
            self._drain_text = text
        self._send_error(NO_MESSAGE_ID, ErrorCode.DECLINED, text, NO_TRACING)

    def close(self, now: float) -> list[Event]:
        """End the connection. Whole frames that are queued can still be sent, nothing else."""
        events: list[Event] = []
        self._end(LocalInput.CLOSE, None, events)
        return events

    def _receive_unexpected(self, type: int, events: list[Event]) -> None:
        try:
            after_frame(self._state, type)
        except ProtocolError as error:
            self._fatal(error, events)

    def _receive_init_request(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            message = decode(frame)
            assert isinstance(message, InitRequest)
            remote = check_init_request(message)
        except ProtocolError as error:
            self._fatal(error, events)
            return
        self._outbox.append(encode(InitResponse(id=message.id, headers=self._init_headers)))
        self._init_headers = _NO_HEADERS
        self.remote = remote
        self._handshake_done(FrameType.INIT_REQUEST)
        events.append(Connected(remote))

    def _receive_init_response(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            message = decode(frame)
            assert isinstance(message, InitResponse)
            remote = check_init_response(message, self._init_id)
        except ProtocolError as error:
            self._fatal(error, events)
            return
        self.remote = remote
        self._handshake_done(FrameType.INIT_RESPONSE)
        events.append(Connected(remote))

    def _handshake_done(self, type: FrameType) -> None:
        self._stop_timer()
        self._enter(after_frame(self._state, type))

    def _receive_claim(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            message = decode(frame)
        except ProtocolError:
            return  # a hint that cannot be read is no hint
        assert isinstance(message, Claim)
        events.append(ClaimReceived(message.ttl_ms, message.tracing))

    def _receive_ping_request(self, frame: bytes, now: float, events: list[Event]) -> None:
        pong = encode(PingResponse(id=_ID.unpack_from(frame)[0]))
        self.replied += len(pong)
        self._used = True
        self._outbox.append(pong)

    def _receive_ping_response(self, frame: bytes, now: float, events: list[Event]) -> None:
        id = _ID.unpack_from(frame)[0]
        if id in self._pings:
            self._pings = self._pings - {id} or NO_PINGS
            self._used = True
            events.append(PongReceived(id))

    def _receive_error(self, frame: bytes, now: float, events: list[Event]) -> None:
        handshake_done = self._open
        if handshake_done and _ID.unpack_from(frame)[0] != NO_MESSAGE_ID:
            self._receive_call_error(frame, now, events)
            return
        try:
            message = decode(frame)
        except ProtocolError as error:
            self._fatal(error, events)
            return
        assert isinstance(message, ErrorMessage)
        code, text = known_code(message.code), message.description
        if code == ErrorCode.FATAL or not handshake_done:
            self._end(LocalInput.CLOSE, PeerError(code, text), events)
        elif code == ErrorCode.DECLINED and text.startswith(_DRAINING):
            self.peer_draining = True
            events.append(DrainReceived(text[len(_DRAINING) :].strip()))
        else:
            events.append(NoticeReceived(code, text))


def _check_type(value: object, name: str, kind: type | UnionType) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be of type {getattr(kind, '__name__', kind)}, not {value!r}")


_FrameHandler: TypeAlias = Callable[[Connection, bytes, float, list[Event]], None]

_FRAME_HANDLERS: dict[FrameType, _FrameHandler] = {
    FrameType.INIT_REQUEST: Connection._receive_init_request,
    FrameType.INIT_RESPONSE: Connection._receive_init_response,
    FrameType.CANCEL: Connection._receive_cancel,
    FrameType.CLAIM: Connection._receive_claim,
    FrameType.PING_REQUEST: Connection._receive_ping_request,
    FrameType.PING_RESPONSE: Connection._receive_ping_response,
    FrameType.ERROR: Connection._receive_error,
}

# Plain ints as keys: the type byte of a frame is looked up as it is.
_HANDLERS: dict[ConnectionState, dict[int, _FrameHandler]] = {
    state: {
        int(type): _FRAME_HANDLERS[type]
        for type in steps
        if isinstance(type, FrameType)
        and type in _FRAME_HANDLERS
        and state != ConnectionState.CLOSED
    }
    for state, steps in TRANSITIONS.items()
}
"""By state and frame type, what takes a frame that `_receive_frames` does not read itself."""
