"""What both sides of a connection stand on: its state, what it sends, its timer and its end."""

from __future__ import annotations

from math import inf
from struct import Struct
from typing import TYPE_CHECKING

from .deadlines import DeadlineItem, DeadlineQueue, Expirer
from .errors import MAX_MESSAGE_ID, NO_MESSAGE_ID, ErrorCode, ProtocolError, WireError
from .events import ConnectionClosed, Event, RequestReceived
from .exchanges import Flow, OutboundCall
from .fragments import CHUNK_OVERHEAD, MESSAGE_OVERHEAD, FragmentReader
from .frames import FrameType
from .messages import cut_description
from .options import Options
from .outbox import Outbox
from .states import ConnectionState, LocalInput, after_input
from .tracing import NO_TRACING

if TYPE_CHECKING:
    from .handshake import RemotePeer

__all__ = [
    "NO_PINGS",
    "ConnectionBase",
    "ConnectionTimer",
    "first_frame_cost",
    "is_at_work",
]

_ERROR = Struct(">HBxI8xB25sH")

# Replaced rather than changed, so that the many connections without a ping share it: 200 bytes.
NO_PINGS: frozenset[int] = frozenset()

_HEADER_OVERHEAD = 200
"""Bytes that Python spends on one header: two str objects and their place in a dict."""


class ConnectionTimer:
    """What a deadline queue holds for a connection: its handshake's end, later its calls' first."""

    __slots__ = ("bucket", "connection")

    bucket: dict[DeadlineItem, None] | None

    def __init__(self, connection: Expirer) -> None:
        self.connection: Expirer = connection
        self.bucket = None


class ConnectionBase:
    """The attributes that both sides use, and the steps that both take.

    The slots of the sides and of `Connection` stand here, too, since Python lays out no class whose
    bases have slots each; what they hold is declared and set where it is used.
    """

    __slots__ = (
        *("deadlines", "inbound", "options", "outbound", "peer_draining", "remote", "replied"),
        *("_next_id", "_wrapped", "_open", "_outbox", "_pings", "_state", "_timer", "_timer_at"),
        *("_max_single", "_reassembly", "_tombstones", "__weakref__"),
        # of Connection
        *("_buffer", "_init_headers", "_init_id", "_unread", "_used", "unread"),
        # of InboundSide
        *("_drain_text", "_max_arg1", "_memory", "_stream_request"),
        *("_request_prefix", "_request_size", "_request_fields", "_request_service"),
        *("_request_headers", "_request_checksum_type", "_request_checksum"),
        # of OutboundSide
        *("_response_prefix", "_response_size", "_response_fields"),
        *("_response_headers", "_response_checksum_type", "_response_checksum"),
    )

    remote: RemotePeer | None
    _timer: ConnectionTimer

    def __init__(
        self, *, options: Options | None, deadlines: DeadlineQueue | None, state: ConnectionState
    ) -> None:
        self.options: Options = Options() if options is None else options
        self.deadlines: DeadlineQueue = DeadlineQueue() if deadlines is None else deadlines
        # A copy of a limit that the hot path compares with, which saves it two lookups.
        self._max_single = self.options.max_message_size
        self.remote = None
        self.peer_draining = False
        self.replied: int = 0
        self.inbound: dict[int, RequestReceived] = {}
        self.outbound: dict[int, OutboundCall] = {}
        self._timer_at = inf
        self._outbox = Outbox()
        self._next_id = 1
        self._wrapped = False
        self._pings = NO_PINGS
        self._tombstones: dict[int, float] = {}
        self._reassembly = 0
        self._enter(state)

    # --- state --------------------------------------------------------------------------------

    def _enter(self, state: ConnectionState) -> None:
        self._state = state
        self._open = state in (ConnectionState.OPEN, ConnectionState.DRAINING)

    def _end(self, input: LocalInput, error: WireError | None, events: list[Event]) -> None:
        """Close for the reason `input`, and make the last event."""
        if self._state == ConnectionState.CLOSED:
            return
        self._enter(after_input(self._state, input))
        calls = [(call.id, call.context, call.written) for call in self.outbound.values()]
        requests = [request.id for request in self.inbound.values() if is_at_work(request)]
        for call in self.outbound.values():
            call.context = None
        flows: list[Flow | None] = [request._flow for request in self.inbound.values()]
        flows += [call._flow for call in self.outbound.values()]
        for flow in flows:
            if flow is not None:
                self._release(flow.reader)
                if flow.writer is not None:
                    flow.writer.abandon()
        self._stop_timer()
        self.outbound.clear()
        self.inbound.clear()
        self._reassembly = 0
        events.append(ConnectionClosed(error, calls, requests))

    def _fatal(self, error: ProtocolError, events: list[Event]) -> None:
        """The peer broke the protocol: tell it, once, and close."""
        self._send_error(NO_MESSAGE_ID, ErrorCode.FATAL, error.description, NO_TRACING)
        self._end(LocalInput.FAIL, error, events)

    # --- sending ------------------------------------------------------------------------------

    def _send_error(self, id: int, code: int, description: str, tracing: bytes) -> None:
        text = cut_description(description)
        self.replied += _ERROR.size + len(text)
        self._outbox.append(
            _ERROR.pack(_ERROR.size + len(text), FrameType.ERROR, id, code, tracing, len(text))
            + text
        )

    def _take_id(self, now: float) -> int:
        """The next message id: from 1, and after a wrap none that is in flight or remembered."""
        id = self._next_id
        if self._wrapped:
            self._bury_expired(now)
            while id in self.outbound or id in self._tombstones or id in self._pings:
                id = id + 1 if id < MAX_MESSAGE_ID else 1
        if id < MAX_MESSAGE_ID:
            self._next_id = id + 1
        else:
            self._next_id = 1
            self._wrapped = True
        return id

    def _bury_expired(self, now: float) -> None:
        # Ids are added in the order of time and none is kept longer than the limit, so what stands
        # behind an entry that is alive waits for it that long at most.
        tombstones = self._tombstones
        while tombstones:
            id = next(iter(tombstones))
            if tombstones[id] > now:
                return
            del tombstones[id]

    @property
    def reassembling(self) -> int:
        """Bytes that the unfinished messages of the peer hold."""
        return self._reassembly

    # --- gathering --------------------------------------------------------------------------

    def _gather(self, reader: FragmentReader, cost: int) -> None:
        """Count `cost` bytes more for an unfinished message.

        Raises:
            ProtocolError: All unfinished messages would exceed the reassembly memory, or those of
                many connections their budget; code BUSY.

        """
        total = self._reassembly + cost
        if total > self.options.reassembly_memory:
            raise ProtocolError(
                f"unfinished messages would hold more than {self.options.reassembly_memory} bytes",
                code=ErrorCode.BUSY,
                limit="reassembly_memory",
            )
        budget = reader.budget
        if budget is not None and not budget.take(cost, self):
            raise ProtocolError(
                "unfinished requests of all connections would hold too many bytes",
                code=ErrorCode.BUSY,
                limit="memory",
            )
        self._reassembly = total
        reader.memory += cost

    def _release(self, reader: FragmentReader | None) -> None:
        if reader is not None:
            self._reassembly -= reader.memory
            if reader.budget is not None:
                reader.budget.held -= reader.memory
            reader.memory = 0

    def _end_flow(self, flow: Flow | None) -> None:
        if flow is None:
            return
        self._release(flow.reader)
        flow.reader = None
        if flow.writer is not None:
            # The peer may have forgotten the call, and tchannel-node drops a connection on which a
            # fragment of a forgotten call arrives.
            flow.writer.abandon()
            flow.writer = None  # it refers to the flow: no cycle to collect

    # --- time ---------------------------------------------------------------------------------

    def _set_timer(self, when: float) -> None:
        """Let the connection's `expire_item` be called at `when`, which is earlier than anything before.

        A connection stands in the queue once, for the earliest deadline of its calls when they
        were made. The deadlines of later calls are nearly always later, so that a call costs one
        comparison here; to enter and leave the queue with each would cost 0.3 µs at either end.
        When the time comes, the calls in flight are looked through, at most once per granule.
        """
        self.deadlines.discard(self._timer)
        self.deadlines.add(self._timer, when)
        self._timer_at = when

    def _stop_timer(self) -> None:
        self.deadlines.discard(self._timer)
        self._timer_at = inf


def is_at_work(request: RequestReceived) -> bool:
    """Whether the user knows of this request, and has not given the whole answer yet."""
    flow = request._flow
    if flow is None:
        return True
    reader, writer = flow.reader, flow.writer
    return (reader is None or reader.streaming) and (writer is None or not writer.finished)


def first_frame_cost(frame: bytes, headers: int, chunks: int) -> int:
    """What keeping the first frame of an unfinished message costs."""
    return MESSAGE_OVERHEAD + len(frame) + _HEADER_OVERHEAD * headers + CHUNK_OVERHEAD * chunks
