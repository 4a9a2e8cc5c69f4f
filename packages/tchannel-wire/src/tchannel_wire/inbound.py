"""The side of a connection on which the peer calls us.

A small request in one frame takes the fast way through `_receive_call_request`. Whatever is
unusual about a frame, be it legal or not (several frames, a rare checksum, a broken rule), leads to
`_receive_unusual_request`, which looks at every field with the classes of the messages package:
the fast way only has to notice that it is not the right one.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from struct import Struct
from typing import Any

from .arguments import check_answer
from .caches import BlockCache
from .checksums import WHOLE_CHECKSUMS, ChecksumType, is_dear
from .connection_base import ConnectionBase, first_frame_cost, is_at_work
from .errors import NO_MESSAGE_ID, ErrorCode, ProtocolError, bad_request
from .events import (
    CancelReceived,
    Event,
    RequestChunk,
    RequestExpired,
    RequestReceived,
    RequestRefused,
)
from .exchanges import InboundFlow
from .fragments import FragmentReader, FragmentWriter
from .frames import MAX_FRAME_SIZE, FrameType
from .headers import ARG_SCHEME, CALLER_NAME, check_header_limits, decode_headers, header_block_end
from .layouts import NO_SIZE, REQUEST_PREFIX, HeadLayouts, Packers
from .memory import MemoryBudget
from .messages import MORE_FRAGMENTS, CallRequest, Cancel, decode, read_chunks
from .states import ConnectionState
from .tracing import NO_TRACING

__all__ = ["InboundSide"]

_ID = Struct(">4xI")

# From the bytes of service, headers and checksum type to what they mean.
_prefixes: BlockCache[tuple[str, dict[str, str], ChecksumType]] = BlockCache()

# From a header block to what packs responses with it.
_response_packers: BlockCache[Packers] = BlockCache()
_packers_for = _response_packers.get  # bound once: one lookup less per answer

# flags, ttl_ms, tracing, prefix, checksum, length of arg1
_heads = HeadLayouts(">16xBI25s", "IH")
_NO_FIELDS = (0, 0, b"", b"", 0, 0)

# Without a call of __init__, whose twelve arguments cost 0.1 us more.
_new = object.__new__

_CALL_RESPONSE = int(FrameType.CALL_RESPONSE)

_RESPONSE_SIZE = 54
"""A response's frame without its header block and args."""


class InboundSide(ConnectionBase):
    """Receives the peer's calls and answers them, however many frames they take."""

    __slots__ = ()

    _stream_request: Callable[[RequestReceived], bool] | None
    _memory: MemoryBudget | None
    _used: bool
    _drain_text: str
    _max_arg1: int
    # The bytes at the same place of the last small request, and what they mean.
    _request_prefix: bytes
    _request_size: int
    _request_fields: Callable[[bytes, int], tuple[Any, ...]]
    _request_service: str
    _request_headers: dict[str, str]
    _request_checksum_type: ChecksumType
    """What the last request of the hot path used: CRC-32 or CRC-32C."""
    _request_checksum: Callable[[bytes], int]

    def _set_up_inbound(
        self,
        stream_request: Callable[[RequestReceived], bool] | None,
        memory: MemoryBudget | None,
    ) -> None:
        self._stream_request = stream_request
        self._memory = memory
        self._drain_text = ""
        self._max_arg1 = self.options.max_arg1  # a copy for the hot path: two lookups less
        self._request_size = NO_SIZE
        self._request_checksum_type = ChecksumType.CRC32C
        self._request_checksum = WHOLE_CHECKSUMS[ChecksumType.CRC32C]

    # --- receiving ------------------------------------------------------------------------------

    def _receive_call_request(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> bool | None:
        """The frame ``data[start:stop]``, which is not cut out of it: 0.1 µs less.

        True if it was so dear that others should have their turn.
        """
        try:
            end = start + self._request_size
            flags, ttl_ms, tracing, prefix, checksum, length = (
                self._request_fields(data, start) if end <= stop else _NO_FIELDS
            )
            # One comparison instead of a walk over the headers: calls repeat, and since each
            # field in the prefix carries its length, equal bytes mean the same (saves 0.7 us).
            if not prefix or prefix != self._request_prefix:
                if not self._read_request_prefix(data[start:stop]):
                    return self._receive_unusual_request(data[start:stop], now, events)
                end = start + self._request_size
                flags, ttl_ms, tracing, prefix, checksum, length = self._request_fields(data, start)
            after1 = end + length
            arg1 = data[end:after1]
            start2 = after1 + 2
            after2 = start2 + (data[after1] << 8 | data[after1 + 1])
            arg2 = data[start2:after2]
            start3 = after2 + 2
            arg3 = data[start3:stop]
            if (
                start3 + (data[after2] << 8 | data[after2 + 1]) != stop
                or self._request_checksum(arg1 + arg2 + arg3) != checksum
                or flags
                or not ttl_ms
                or length > self._max_arg1
                or id in self.inbound
                or id == NO_MESSAGE_ID
                or self._state is not ConnectionState.OPEN
                or stop - start > self._max_single
            ):
                return self._receive_unusual_request(data[start:stop], now, events)
        except (IndexError, struct.error, ProtocolError, UnicodeDecodeError):
            return self._receive_unusual_request(data[start:stop], now, events)
        deadline = now + ttl_ms * 0.001
        if deadline < self._timer_at:
            self._set_timer(deadline)
        request = self.inbound[id] = _new(RequestReceived)
        request.id = id
        request.flags = flags
        request.ttl_ms = ttl_ms
        request.deadline = deadline
        request.tracing = tracing
        request.service = self._request_service
        request.headers = self._request_headers
        request.checksum_type = self._request_checksum_type
        request.arg1 = arg1
        request.arg2 = arg2
        request.arg3 = arg3
        request.more = False
        request.context = request._flow = None
        events.append(request)
        return None

    def _read_request_prefix(self, frame: bytes) -> bool:
        """Learn what the prefix of this frame means; False if it is none for the fast way."""
        start = REQUEST_PREFIX + 1 + frame[REQUEST_PREFIX]
        end = header_block_end(frame, start)
        checksum_type = frame[end]
        prefix = frame[REQUEST_PREFIX : end + 1]
        known = _prefixes.get(prefix)
        if known is None:
            if checksum_type not in (ChecksumType.CRC32, ChecksumType.CRC32C):
                return False
            service = str(frame[REQUEST_PREFIX + 1 : start], "utf-8")
            headers = decode_headers(frame[start:end])
            if not service or ARG_SCHEME not in headers or CALLER_NAME not in headers:
                return False
            known = service, headers, ChecksumType(checksum_type)
            _prefixes.keep(prefix, known)
        check_header_limits(known[1], self.options)
        self._request_service, self._request_headers, self._request_checksum_type = known
        self._request_checksum = WHOLE_CHECKSUMS[checksum_type]
        self._request_prefix = prefix
        head = _heads[len(prefix)]
        self._request_fields = head.unpack
        self._request_size = head.size
        return True

    def _receive_unusual_request(self, frame: bytes, now: float, events: list[Event]) -> bool:
        """A request of several frames, a bad one, or one that the fast way does not know."""
        id = _ID.unpack_from(frame)[0]
        if id == NO_MESSAGE_ID:
            self._fatal(ProtocolError("call request with the reserved id 0xffffffff"), events)
            return False
        if id in self.inbound:
            description = f"call request with id {id}, which is in flight"
            self._fatal(ProtocolError(description, message_id=id), events)
            return False
        service, endpoint = "", b""
        tracing = frame[21:REQUEST_PREFIX] if len(frame) >= REQUEST_PREFIX else NO_TRACING
        try:
            message = decode(frame)
            assert isinstance(message, CallRequest)
            service = message.service
            endpoint = message.chunks[0] if message.chunks else b""
            self._check_request(message, endpoint)
            reader = FragmentReader(message.checksum_type, self.options, budget=self._memory)
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
            return True  # the text of an error costs as much as many small frames
        deadline = now + message.ttl_ms * 0.001
        request = RequestReceived(
            id,
            message.flags,
            message.ttl_ms,
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
        self._used = True
        flow = request._flow = InboundFlow(self, id)
        flow.reader = reader
        self.inbound[id] = request
        if deadline < self._timer_at:
            self._set_timer(deadline)
        self._advance_request(request, flow, reader, events, last=last)
        return is_dear(message.checksum_type, len(frame))

    def _check_request(self, request: CallRequest, arg1: bytes) -> None:
        """The rules that a call request breaks although it can be read.

        Raises:
            ProtocolError: With what its sender is to be told.

        """
        if self._state == ConnectionState.DRAINING:
            raise ProtocolError(self._drain_text, code=ErrorCode.DECLINED)
        if request.ttl_ms == 0:
            raise ProtocolError("the ttl has run out: it is 0", code=ErrorCode.TIMEOUT)
        if not request.service:
            raise bad_request("no service name given")
        for key in (ARG_SCHEME, CALLER_NAME):
            if key not in request.headers:
                raise bad_request(f"transport header {key!r} is missing")
        check_header_limits(request.headers, self.options)
        if len(arg1) > self.options.max_arg1:
            raise bad_request(
                f"arg1 has {len(arg1)} bytes, at most {self.options.max_arg1} are allowed",
                "max_arg1",
            )

    def _receive_call_request_continue(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> bool:
        request = self.inbound.get(id)
        flow = None if request is None else request._flow
        if request is None or flow is None or flow.reader is None:
            # Of a call that is over: refused, answered early, cancelled or expired.
            return False
        reader = flow.reader
        try:
            checksum_type, checksum, chunks = read_chunks(data, start + 17, stop)
            last = not data[start + 16] & MORE_FRAGMENTS
            if not reader.streaming:
                self._gather(reader, reader.cost(chunks))
            reader.feed(checksum_type, checksum, chunks, last=last)
        except ProtocolError as error:
            self._refuse(id, request.tracing, error, request.service, request.arg1, events)
            return True  # as above
        self._advance_request(request, flow, reader, events, last=last)
        return is_dear(checksum_type, stop - start)

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

    def shed(self) -> list[Event]:
        """Refuse as busy all requests whose last frame has not come: others need the memory."""
        events: list[Event] = []
        for request in list(self.inbound.values()):
            if not _is_announced(request):
                error = ProtocolError(
                    "unfinished requests of all connections hold too many bytes, "
                    "most of them those of this one",
                    code=ErrorCode.BUSY,
                    limit="memory",
                )
                self._refuse(
                    request.id, request.tracing, error, request.service, request.arg1, events
                )
        return events

    def _receive_cancel(self, frame: bytes, now: float, events: list[Event]) -> None:
        request = self.inbound.get(_ID.unpack_from(frame)[0])
        if request is None:
            return
        try:
            message = decode(frame)
            why = message.why if isinstance(message, Cancel) else ""
        except ProtocolError:
            why = ""  # the text is cut off; what the peer wants is clear all the same
        if self._stop_request(request, ErrorCode.CANCELLED, "cancelled by the caller"):
            events.append(CancelReceived(request.id, why))

    def _expire_request(self, request: RequestReceived, events: list[Event]) -> None:
        complete = _is_announced(request)
        description = "the ttl has run out"
        if not complete:
            description += " before the request was complete"
        if self._stop_request(request, ErrorCode.TIMEOUT, description):
            events.append(RequestExpired(request.id))
        elif not complete:
            error = ProtocolError(description, code=ErrorCode.TIMEOUT, message_id=request.id)
            events.append(RequestRefused(request.id, error, request.service, request.arg1))

    def _stop_request(self, request: RequestReceived, code: ErrorCode, description: str) -> bool:
        """End a call with an error; whether somebody is at work on it, and must be told."""
        at_work = is_at_work(request)
        self._forget_request(request)
        self._send_error(request.id, code, description, request.tracing)
        return at_work

    def _forget_request(self, request: RequestReceived) -> None:
        """A call of the peer's is over, whatever its end."""
        self.inbound.pop(request.id, None)
        self._end_flow(request._flow)

    # --- answering ------------------------------------------------------------------------------

    def respond(
        self, id: int, header_block: bytes, arg2: bytes, arg3: bytes, code: int = 0
    ) -> bool:
        """Answer a call of the peer's, with its checksum type and tracing.

        Args:
            id: The id of the `RequestReceived`.
            header_block: The transport headers, from `encode_headers`; `as` is required, because
                tchannel-node and tchannel-java drop an answer without it.
            arg2: Application headers.
            arg3: The body, of any size.
            code: 0 for success, 1 to 255 for an application error that the args describe.

        Returns:
            False, and nothing is written, if the call is over: cancelled, expired or answered.

        Raises:
            TypeError: An arg is not bytes.
            ValueError: `header_block` is none, or lacks `as`; `code` does not fit a byte.

        """
        request = self.inbound.get(id)
        if request is None:
            return False
        try:
            # The same few header blocks go out again and again (saves 0.4 us).
            packers = _packers_for(header_block)
            if packers is None:
                packers = _new_response_packers(header_block)
            length2 = len(arg2)
            length3 = len(arg3)
            size = packers.size + length2 + length3
            checksum_type = request.checksum_type
            # The type of the last small request is a usual one, and nearly always this one's, too.
            # A frame that is full to the last byte must not begin its arg3 at the edge, which the
            # writer sees to.
            if (
                size >= MAX_FRAME_SIZE
                or checksum_type is not self._request_checksum_type
                or request._flow is not None
            ):
                return self._respond_unusually(request, header_block, arg2, arg3, code)
            frame = (
                packers[length2](
                    size,
                    _CALL_RESPONSE,
                    id,
                    0,
                    code,
                    request.tracing,
                    header_block,
                    checksum_type,
                    self._request_checksum(arg2 + arg3),
                    0,
                    length2,
                    arg2,
                    length3,
                )
                + arg3
            )
        except (TypeError, struct.error):
            check_answer(arg2, arg3, code)
            raise
        outbox = self._outbox
        outbox.frames.append(frame)
        outbox.size += size
        del self.inbound[id]
        return True

    def _respond_unusually(
        self, request: RequestReceived, header_block: bytes, arg2: bytes, arg3: bytes, code: int
    ) -> bool:
        """Answer in several frames, with a rare checksum, or before the request is complete."""
        flow = request._flow
        if not _is_announced(request) or (flow is not None and flow.writer is not None):
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

    def start_response(
        self, id: int, header_block: bytes, arg2: bytes, code: int = 0
    ) -> FragmentWriter:
        """Answer a call of the peer's with a body that comes in pieces.

        Args:
            id: The id of the `RequestReceived`.
            header_block: As for `respond`.
            arg2: Application headers.
            code: As for `respond`.

        Returns:
            What arg3 is written to; `write` and `finish` return False once the call is over,
            which it may be from the start.

        Raises:
            TypeError: `arg2` is not bytes.
            ValueError: As for `respond`.

        """
        request = self.inbound.get(id)
        flow = None if request is None else request._flow
        if (
            request is None
            or not _is_announced(request)
            or (flow is not None and flow.writer is not None)
        ):
            gone = FragmentWriter(id, FrameType.CALL_RESPONSE, b"", ChecksumType.NONE, b"", b"")
            gone.abandon()
            return gone
        if header_block not in _response_packers:
            _new_response_packers(header_block)
        check_answer(arg2, b"", code)
        writer = self._new_writer(request, header_block, arg2, code)
        self._attach_writer(request, writer)
        return writer

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

    def fail(self, id: int, code: int, description: str) -> bool:
        """Answer a call of the peer's with an error frame; a response begun is given up.

        Args:
            id: The id of the `RequestReceived`.
            code: An `ErrorCode`. tchannel-go closes the connection on FATAL, whatever its id.
            description: A text for people; cut to 65,491 bytes on a character.

        Returns:
            False, and nothing is written, if the call is over: cancelled, expired or answered.

        Raises:
            TypeError: `description` is no str.
            ValueError: `code` does not fit a byte, or is 0.

        """
        if not isinstance(description, str):
            raise TypeError(f"description must be a str, not {description!r}")
        if not isinstance(code, int) or not 1 <= code <= 0xFF:
            raise ValueError(f"code must be 1 to 255, not {code!r}")
        request = self.inbound.get(id)
        if request is None or not is_at_work(request):
            return False
        self._forget_request(request)
        self._send_error(id, code, description, request.tracing)
        return True


def _is_announced(request: RequestReceived) -> bool:
    """Whether the user has got the event of this request."""
    flow = request._flow
    return flow is None or flow.reader is None or flow.reader.streaming


def _new_response_packers(header_block: bytes) -> Packers:
    try:
        headers = decode_headers(header_block)
    except (ProtocolError, TypeError):
        raise ValueError(
            f"header_block must come from encode_headers, not {header_block!r}"
        ) from None
    if ARG_SCHEME not in headers:
        raise ValueError(f"header_block must have {ARG_SCHEME!r}, got {headers!r}")
    packers = Packers(f">HBxI8xBB25s{len(header_block)}sBIH")
    _response_packers.keep(header_block, packers)
    return packers
