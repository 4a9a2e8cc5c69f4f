"""The calls of the peer that do not fit the fast way of inbound.py.

Requests and responses of several frames, rare checksums, and whatever breaks a rule: all of it is
read with the classes of the messages package, field by field.
"""

from __future__ import annotations

from struct import Struct

from .arguments import check_answer
from .connection_base import ConnectionBase, first_frame_cost, is_announced
from .errors import NO_MESSAGE_ID, ErrorCode, ProtocolError, bad_request
from .events import Event, RequestChunk, RequestReceived, RequestRefused
from .exchanges import InboundFlow
from .fragments import FragmentReader, FragmentWriter
from .frames import MAX_FRAME_SIZE, FrameType
from .headers import AS, CN, check_header_limits
from .layouts import REQUEST_PREFIX
from .messages import MORE_FRAGMENTS, CallRequest, decode, read_chunks
from .states import ConnectionState
from .tracing import NO_TRACING

__all__ = ["UnusualInbound"]

_ID = Struct(">4xI")

_RESPONSE_SIZE = 54
"""A response's frame without its header block and args."""


class UnusualInbound(ConnectionBase):
    """Receives and answers the peer's calls, however many frames they take."""

    __slots__ = ()

    # --- receiving --------------------------------------------------------------------------

    def _receive_unusual_request(self, frame: bytes, now: float, events: list[Event]) -> None:
        """A request of several frames, a bad one, or one that the fast way does not know."""
        id = _ID.unpack_from(frame)[0]
        if id == NO_MESSAGE_ID:
            self._fatal(ProtocolError("call request with the reserved id 0xffffffff"), events)
            return
        if id in self.inbound:
            description = f"call request with id {id}, which is in flight"
            self._fatal(ProtocolError(description, message_id=id), events)
            return
        service, endpoint = "", b""
        tracing = frame[21:REQUEST_PREFIX] if len(frame) >= REQUEST_PREFIX else NO_TRACING
        try:
            message = decode(frame)
            assert isinstance(message, CallRequest)
            service = message.service
            endpoint = message.chunks[0] if message.chunks else b""
            self._check_request(message, endpoint)
            reader = FragmentReader(message.checksum_type, self.options)
            last = not message.more
            if not last:
                headers, chunks = len(message.headers), len(message.chunks)
                self._gather(reader, first_frame_cost(frame, headers, chunks))
            try:
                reader.feed(message.checksum_type, message.checksum, message.chunks, last=last)
            except ProtocolError:
                self._release(reader)
                raise
        except ProtocolError as error:
            self._refuse(id, tracing, error, service, endpoint, events)
            return
        deadline = now + message.ttl * 0.001
        request = RequestReceived(
            id,
            message.flags,
            message.ttl,
            deadline,
            tracing,
            service,
            message.headers,
            message.checksum_type,
            endpoint,
            b"",
            b"",
            not last,
        )
        if not last and self._stream_request is not None:
            reader.to_stream = self._stream_request(request)
        flow = request._flow = InboundFlow(self, id)
        flow.reader = reader
        self.inbound[id] = request
        if deadline < self._timer_at:
            self._set_timer(deadline)
        self._advance_request(request, flow, reader, events, last=last)

    def _check_request(self, request: CallRequest, arg1: bytes) -> None:
        """The rules that a call request breaks although it can be read.

        Raises:
            ProtocolError: With what its sender is to be told.

        """
        if self._state == ConnectionState.DRAINING:
            raise ProtocolError(self._drain_text, code=ErrorCode.DECLINED)
        if request.ttl == 0:
            raise ProtocolError("the ttl has run out: it is 0", code=ErrorCode.TIMEOUT)
        if not request.service:
            raise bad_request("no service name given")
        for key in (AS, CN):
            if key not in request.headers:
                raise bad_request(f"transport header {key!r} is missing")
        check_header_limits(request.headers, self.options)
        if len(arg1) > self.options.max_arg1:
            raise bad_request(
                f"arg1 has {len(arg1)} bytes, at most {self.options.max_arg1} are allowed"
            )

    def _receive_call_request_continue(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> None:
        request = self.inbound.get(id)
        flow = None if request is None else request._flow
        if request is None or flow is None or flow.reader is None:
            # Of a call that is over: refused, answered early, cancelled or expired.
            return
        reader = flow.reader
        try:
            checksum_type, checksum, chunks = read_chunks(data, start + 17, stop)
            last = not data[start + 16] & MORE_FRAGMENTS
            if not reader.streaming:
                self._gather(reader, reader.cost(chunks))
            reader.feed(checksum_type, checksum, chunks, last=last)
        except ProtocolError as error:
            self._refuse(id, request.tracing, error, request.service, request.arg1, events)
            return
        self._advance_request(request, flow, reader, events, last=last)

    def _advance_request(
        self,
        request: RequestReceived,
        flow: InboundFlow,
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
                events.append(RequestChunk(request.id, data, last))
        elif last or (reader.to_stream and reader.arg == 2):
            request.arg1 = reader.take(0)
            request.arg2 = reader.take(1)
            request.arg3 = reader.take(2)
            request.more = not last
            events.append(request)
            self._release(reader)
            reader.passed_on()
        if last:
            flow.reader = None

    def _refuse(
        self,
        id: int,
        tracing: bytes,
        error: ProtocolError,
        service: str,
        endpoint: bytes,
        events: list[Event],
    ) -> None:
        """Answer a bad call with an error of its own; the rest of its frames will be ignored."""
        request = self.inbound.get(id)
        if request is not None:
            self._forget_request(request)
        error.message_id = id
        self._send_error(id, error.code, error.description, tracing)
        events.append(RequestRefused(id, error, service, endpoint))

    # --- answering --------------------------------------------------------------------------

    def _respond_unusually(
        self, request: RequestReceived, header_block: bytes, arg2: bytes, arg3: bytes, code: int
    ) -> bool:
        """Answer in several frames, with a rare checksum, or before the request is complete."""
        flow = request._flow
        if not is_announced(request) or (flow is not None and flow.writer is not None):
            return False
        check_answer(arg2, arg3, code)
        writer = self._new_writer(request, header_block, arg2, code)
        writer.write(arg3)
        writer.finish()
        if _RESPONSE_SIZE + len(header_block) + len(arg2) + len(arg3) < MAX_FRAME_SIZE:
            frame = writer.next_frame()
            assert frame is not None
            self._outbox.append(frame)
            self._forget_request(request)
        else:
            self._attach_writer(request, writer)
        return True

    def _new_writer(
        self, request: RequestReceived, header_block: bytes, arg2: bytes, code: int
    ) -> FragmentWriter:
        fields = bytes((code,)) + request.tracing + header_block
        return FragmentWriter(
            request.id, FrameType.CALL_RESPONSE, fields, request.checksum_type, b"", arg2
        )

    def _attach_writer(self, request: RequestReceived, writer: FragmentWriter) -> None:
        flow = request._flow
        if flow is None:
            flow = request._flow = InboundFlow(self, request.id)
        flow.writer = writer
        writer.attach(self._outbox, flow)
