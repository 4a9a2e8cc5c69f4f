"""The calls of ours that do not fit the fast way of outbound.py, as in inbound_unusual.py."""

from __future__ import annotations

from struct import Struct

from .arguments import check_call
from .connection_base import ConnectionBase, first_frame_cost
from .errors import ProtocolError, bad_request
from .events import CallFailed, Event, ResponseChunk, ResponseReceived
from .exchanges import OutboundCall, OutboundFlow, PreparedCall
from .fragments import FragmentReader, FragmentWriter
from .frames import FrameType
from .headers import check_header_limits
from .messages import MORE_FRAGMENTS, CallResponse, Cancel, decode, encode, read_chunks

__all__ = ["UnusualOutbound"]

_ID = Struct(">4xI")
_TTL_TRACING = Struct(">I25s")


class UnusualOutbound(ConnectionBase):
    """Calls the peer and receives its answers, however many frames they take."""

    __slots__ = ()

    # --- calling ----------------------------------------------------------------------------

    def _call_unusually(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        arg3: bytes,
        milliseconds: int,
        tracing: bytes,
        context: object,
        now: float,
        ttl: float,
        stream_response: bool,
    ) -> OutboundCall:
        """Call in several frames, or without a checksum."""
        check_call(arg2, arg3, ttl, tracing)
        call = self._start(
            prepared, arg2, milliseconds, tracing, context, now, ttl, stream_response
        )
        writer = call.writer
        assert writer is not None
        writer.write(arg3)
        writer.finish()
        return call

    def _start(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        milliseconds: int,
        tracing: bytes,
        context: object,
        now: float,
        ttl: float,
        stream_response: bool,
    ) -> OutboundCall:
        # The prefix ends with the checksum type, which the writer adds itself.
        fields = _TTL_TRACING.pack(milliseconds, tracing) + prepared._prefix[:-1]
        call = OutboundCall()
        call.id = self._take_id(now)
        call.connection = self
        call.context = context
        call.tracing = tracing
        call.ttl = ttl
        call.deadline = now + ttl
        call._number = -1
        flow = call._flow = OutboundFlow(stream=stream_response)
        flow.writer = FragmentWriter(
            call.id, FrameType.CALL_REQUEST, fields, prepared.checksum_type, prepared.arg1, arg2
        )
        flow.writer.attach(self._outbox, flow)
        self.outbound[call.id] = call
        if call.deadline < self._timer_at:
            self._set_timer(call.deadline)
        return call

    def _withdraw(self, call: OutboundCall, why: str, now: float) -> None:
        written = call.written
        self._forget_call(call)
        if written:
            self._outbox.append(encode(Cancel(id=call.id, tracing=call.tracing, why=why)))
        elif call._number >= 0:
            self._outbox.drop(call._number)
        self._remember(call, now)

    # --- receiving --------------------------------------------------------------------------

    def _receive_unusual_response(self, frame: bytes, now: float, events: list[Event]) -> None:
        """A response of several frames, a bad one, or one that the fast way does not know."""
        call = self.outbound.get(_ID.unpack_from(frame)[0])
        if call is None:
            return
        last = len(frame) > 16 and not frame[16] & MORE_FRAGMENTS
        try:
            message = decode(frame)
            assert isinstance(message, CallResponse)
            check_header_limits(message.headers, self.options)
            flow = call._flow
            if flow is None:
                flow = call._flow = OutboundFlow()
            elif flow.reader is not None:
                raise bad_request("second call response for one call")
            reader = FragmentReader(message.checksum_type, self.options, to_stream=flow.stream)
            flow.reader = reader
            if not last:
                headers, chunks = len(message.headers), len(message.chunks)
                self._gather(reader, first_frame_cost(frame, headers, chunks))
            reader.feed(message.checksum_type, message.checksum, message.chunks, last=last)
        except ProtocolError as error:
            self._fail_call(call, error, now, events, last=last)
            return
        flow.response = ResponseReceived(
            call.id,
            call.context,
            message.code,
            message.tracing,
            message.headers,
            message.checksum_type,
            b"",
            b"",
            not last,
        )
        self._advance_response(call, flow, reader, events, last=last)

    def _receive_call_response_continue(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> None:
        call = self.outbound.get(id)
        if call is None:
            return
        flow = call._flow
        last = stop - start > 16 and not data[start + 16] & MORE_FRAGMENTS
        try:
            checksum_type, checksum, chunks = read_chunks(data, start + 17, stop)
            if flow is None or flow.reader is None:
                raise bad_request("the first frame of a response is missing")
            reader = flow.reader
            if not reader.streaming:
                self._gather(reader, reader.cost(chunks))
            reader.feed(checksum_type, checksum, chunks, last=last)
        except ProtocolError as error:
            self._fail_call(call, error, now, events, last=last)
            return
        self._advance_response(call, flow, reader, events, last=last)

    def _advance_response(
        self,
        call: OutboundCall,
        flow: OutboundFlow,
        reader: FragmentReader,
        events: list[Event],
        *,
        last: bool,
    ) -> None:
        """Tell what the last frame has completed."""
        if reader.streaming:
            data = reader.take(2)
            reader.passed_on()
            if data or last:
                events.append(ResponseChunk(call.id, call.context, data, last))
        elif last or (reader.to_stream and reader.arg == 2):
            response = flow.response
            assert response is not None
            flow.response = None
            response.arg2 = reader.take(1)
            response.arg3 = reader.take(2)
            response.more = not last
            events.append(response)
            self._release(reader)
            reader.passed_on()
        if last:
            self._forget_call(call)

    def _fail_call(
        self,
        call: OutboundCall,
        error: ProtocolError,
        now: float,
        events: list[Event],
        *,
        last: bool,
    ) -> None:
        """End a call whose answer is bad; what follows of the answer will be ignored."""
        context = call.context
        error.message_id = call.id
        if last:
            self._forget_call(call)
        else:
            self._withdraw(call, "the response is bad", now)
        events.append(CallFailed(call.id, context, error))
