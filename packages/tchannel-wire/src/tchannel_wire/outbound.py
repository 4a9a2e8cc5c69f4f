"""The side of a connection on which we call the peer.

As in inbound.py, a small call and a small response, each in one frame, take the fast way, and
whatever is unusual about them is left to methods that look at every field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from struct import Struct
from typing import Any

from .arguments import MAX_TTL_MS, check_call, check_prepared
from .caches import BlockCache
from .checksums import WHOLE_CHECKSUMS, ChecksumType, is_dear
from .connection_base import ConnectionBase, first_frame_cost
from .errors import MAX_MESSAGE_ID, ProtocolError, bad_request, known_code
from .events import (
    CallExpired,
    CallFailed,
    ErrorReceived,
    Event,
    ResponseChunk,
    ResponseReceived,
)
from .exchanges import OutboundCall, OutboundFlow, PreparedCall
from .fragments import FragmentReader, FragmentWriter
from .frames import MAX_FRAME_SIZE, FrameType
from .headers import check_header_limits, decode_headers, header_block_end
from .layouts import NO_SIZE, RESPONSE_PREFIX, HeadLayouts
from .messages import (
    MORE_FRAGMENTS,
    CallResponse,
    Cancel,
    ErrorMessage,
    decode,
    encode,
    read_chunks,
)
from .states import LocalInput, after_input
from .tracing import TRACING_SIZE

__all__ = ["OutboundSide"]

_ID = Struct(">4xI")
_TTL_TRACING = Struct(">I25s")

_CALL_REQUEST = int(FrameType.CALL_REQUEST)

# From the bytes of headers and checksum type to what they mean.
_prefixes: BlockCache[tuple[dict[str, str], ChecksumType]] = BlockCache()

# flags, code, tracing, prefix, checksum, length of arg1, length of arg2
_heads = HeadLayouts(">16xBB25s", "IHH")
_NO_FIELDS = (0, 0, b"", b"", 0, 0, 0)

# Without a call of __init__, whose nine arguments cost 0.1 us more.
_new = object.__new__


class OutboundSide(ConnectionBase):
    """Calls the peer and receives its answers, however many frames they take."""

    __slots__ = ()

    _used: bool

    # The bytes at the same place of the last small response, and what they mean.
    _response_prefix: bytes
    _response_size: int
    _response_fields: Callable[[bytes, int], tuple[Any, ...]]
    _response_headers: dict[str, str]
    _response_checksum_type: ChecksumType
    _response_checksum: Callable[[bytes], int]

    def _set_up_outbound(self) -> None:
        self._response_size = NO_SIZE

    # --- calling --------------------------------------------------------------------------------

    def call(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        arg3: bytes,
        ttl: float,
        tracing: bytes,
        now: float,
        context: object = None,
        stream_response: bool = False,
    ) -> OutboundCall:
        """Call the peer with args that are there.

        Args:
            prepared: What `prepare_call` made.
            arg2: Application headers.
            arg3: The body, of any size.
            ttl: Seconds until the deadline; written as 1 to 0xFFFFFFFF milliseconds, never as 0,
                which makes tchannel-node and Hyperbahn close the connection.
            tracing: The 25 bytes of the call's span.
            now: The time, in seconds.
            context: Anything, to come back with the events of this call; default None.
            stream_response: Whether the response's arg3 is wanted in pieces; default False.

        Raises:
            LocalProtocolError: The connection is not open.
            TypeError: An arg is not bytes.
            ValueError: `ttl` is not finite, or `tracing` is not 25 bytes.

        """
        if not self._open:
            after_input(self._state, LocalInput.START)
        try:
            deadline = now + ttl
            ttl_ms = int(ttl * 1000)
            if not 0 < ttl_ms <= MAX_TTL_MS:
                ttl_ms = 1 if ttl_ms < 1 else MAX_TTL_MS
            length2 = len(arg2)
            length3 = len(arg3)
            size = prepared._size + length2 + length3
            if size >= MAX_FRAME_SIZE or len(tracing) != TRACING_SIZE:
                return self._call_unusually(
                    prepared, arg2, arg3, ttl_ms, tracing, context, now, ttl, stream_response
                )
            if self._wrapped or self._next_id == MAX_MESSAGE_ID:
                id = self._take_id(now)
            else:
                id = self._next_id
                self._next_id = id + 1
            frame = (
                prepared._packers[length2](
                    size,
                    _CALL_REQUEST,
                    id,
                    0,
                    ttl_ms,
                    tracing,
                    prepared._prefix,
                    prepared._whole(prepared.arg1 + arg2 + arg3),
                    prepared._arg1_chunk,
                    length2,
                    arg2,
                    length3,
                )
                + arg3
            )
        except (AttributeError, TypeError, ValueError, OverflowError, struct.error):
            check_prepared(prepared)
            check_call(arg2, arg3, ttl, tracing)
            raise
        outbox = self._outbox
        frames = outbox.frames
        call = self.outbound[id] = OutboundCall()
        call.id = id
        call.connection = self
        call.context = context
        call.tracing = tracing
        call.ttl = ttl
        call.deadline = deadline
        call._number = outbox.pulled + len(frames)
        call._flow = OutboundFlow(stream=True) if stream_response else None
        frames.append(frame)
        outbox.size += size
        if deadline < self._timer_at:
            self._set_timer(deadline)
        return call

    def _call_unusually(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        arg3: bytes,
        ttl_ms: int,
        tracing: bytes,
        context: object,
        now: float,
        ttl: float,
        stream_response: bool,
    ) -> OutboundCall:
        """Call in several frames, or without a checksum."""
        check_call(arg2, arg3, ttl, tracing)
        call = self._start(prepared, arg2, ttl_ms, tracing, context, now, ttl, stream_response)
        writer = call.writer
        assert writer is not None
        writer.write(arg3)
        writer.finish()
        return call

    def start_call(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        *,
        ttl: float,
        tracing: bytes,
        context: object = None,
        now: float,
        stream_response: bool = False,
    ) -> OutboundCall:
        """Call the peer with an arg3 that comes in pieces, by the `writer` of the returned call.

        The arguments are those of `call`. The writer's `write` and `finish` return False once
        the call is over.

        Raises:
            LocalProtocolError: The connection is not open.
            TypeError: `arg2` is not bytes.
            ValueError: `ttl` is not finite, or `tracing` is not 25 bytes.

        """
        if not self._open:
            after_input(self._state, LocalInput.START)
        check_prepared(prepared)
        ttl_ms = check_call(arg2, b"", ttl, tracing)
        return self._start(prepared, arg2, ttl_ms, tracing, context, now, ttl, stream_response)

    def _start(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        ttl_ms: int,
        tracing: bytes,
        context: object,
        now: float,
        ttl: float,
        stream_response: bool,
    ) -> OutboundCall:
        # The prefix ends with the checksum type, which the writer adds itself.
        fields = _TTL_TRACING.pack(ttl_ms, tracing) + prepared._prefix[:-1]
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

    def cancel(self, id: int, why: str = "", *, now: float) -> None:
        """End a call of ours without an event; nothing happens if it is over.

        A cancel is sent if any byte of the request was handed out, which is safe with every peer;
        otherwise the request is taken back. The id is not used again for a while.

        Args:
            id: The call's id.
            why: A text for the peer's people; default empty.
            now: The time, in seconds.

        """
        call = self.outbound.get(id)
        if call is not None:
            self._withdraw(call, why, now)

    def _withdraw(self, call: OutboundCall, why: str, now: float) -> None:
        written = call.written
        self._forget_call(call)
        if written:
            self._outbox.append(encode(Cancel(id=call.id, tracing=call.tracing, why=why)))
        elif call._number >= 0:
            self._outbox.drop(call._number)
        self._remember(call, now)

    def _remember(self, call: OutboundCall, now: float) -> None:
        """Keep the id of a call from being used again while its peer may still speak of it."""
        self._bury_expired(now)
        options = self.options
        life = min(call.ttl + options.tombstone_margin, options.tombstone_limit)
        self._tombstones[call.id] = now + life

    def _forget_call(self, call: OutboundCall) -> None:
        """A call of ours is over, whatever its end."""
        del self.outbound[call.id]
        # The context usually refers to the call: without it there is no cycle to collect.
        call.context = None
        self._end_flow(call._flow)

    def _expire_call(self, call: OutboundCall, now: float, events: list[Event]) -> None:
        context = call.context
        self._withdraw(call, "the deadline has passed", now)
        events.append(CallExpired(call.id, context))

    # --- receiving ------------------------------------------------------------------------------

    def _receive_call_response(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> bool | None:
        """The frame ``data[start:stop]``, which is not cut out of it: 0.1 µs less.

        True if it was so dear that others should have their turn.
        """
        call = self.outbound.get(id)
        if call is None:
            return None  # it was cancelled, or has expired
        try:
            end = start + self._response_size
            flags, code, tracing, prefix, checksum, length1, length2 = (
                self._response_fields(data, start) if end <= stop else _NO_FIELDS
            )
            # As for requests: one comparison instead of a walk over the headers.
            if not prefix or prefix != self._response_prefix:
                if not self._read_response_prefix(data[start:stop]):
                    return self._receive_unusual_response(data[start:stop], now, events)
                end = start + self._response_size
                flags, code, tracing, prefix, checksum, length1, length2 = self._response_fields(
                    data, start
                )
            after2 = end + length2
            arg2 = data[end:after2]
            start3 = after2 + 2
            arg3 = data[start3:stop]
            if (
                start3 + (data[after2] << 8 | data[after2 + 1]) != stop
                or self._response_checksum(arg2 + arg3) != checksum
                or flags
                or length1
                or call._flow is not None
                or stop - start > self._max_single
            ):
                return self._receive_unusual_response(data[start:stop], now, events)
        except (IndexError, struct.error, ProtocolError, UnicodeDecodeError):
            return self._receive_unusual_response(data[start:stop], now, events)
        del self.outbound[id]
        response = _new(ResponseReceived)
        response.id = id
        response.context = call.context
        response.code = code
        response.tracing = tracing
        response.headers = self._response_headers
        response.checksum_type = self._response_checksum_type
        response.arg2 = arg2
        response.arg3 = arg3
        response.more = False
        events.append(response)
        call.context = None
        return None

    def _read_response_prefix(self, frame: bytes) -> bool:
        """Learn what the prefix of this frame means; False if it is none for the fast way."""
        end = header_block_end(frame, RESPONSE_PREFIX)
        checksum_type = frame[end]
        prefix = frame[RESPONSE_PREFIX : end + 1]
        known = _prefixes.get(prefix)
        if known is None:
            if checksum_type not in (ChecksumType.CRC32, ChecksumType.CRC32C):
                return False
            known = decode_headers(frame[RESPONSE_PREFIX:end]), ChecksumType(checksum_type)
            _prefixes.keep(prefix, known)
        check_header_limits(known[0], self.options)
        self._response_headers, self._response_checksum_type = known
        self._response_checksum = WHOLE_CHECKSUMS[checksum_type]
        self._response_prefix = prefix
        head = _heads[len(prefix)]
        self._response_fields = head.unpack
        self._response_size = head.size
        return True

    def _receive_unusual_response(self, frame: bytes, now: float, events: list[Event]) -> bool:
        """A response of several frames, a bad one, or one that the fast way does not know."""
        call = self.outbound.get(_ID.unpack_from(frame)[0])
        if call is None:
            return False
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
            return True
        self._used = True
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
        return is_dear(message.checksum_type, len(frame))

    def _receive_call_response_continue(
        self, data: bytes, start: int, stop: int, id: int, now: float, events: list[Event]
    ) -> bool:
        call = self.outbound.get(id)
        if call is None:
            return False
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
            return True
        self._advance_response(call, flow, reader, events, last=last)
        return is_dear(checksum_type, stop - start)

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

    def _receive_call_error(self, frame: bytes, now: float, events: list[Event]) -> None:
        """An error frame about one call."""
        call = self.outbound.get(_ID.unpack_from(frame)[0])
        if call is None:
            return
        context = call.context
        try:
            message = decode(frame)
        except ProtocolError as error:
            self._fail_call(call, error, now, events, last=True)
            return
        assert isinstance(message, ErrorMessage)
        self._forget_call(call)
        events.append(
            ErrorReceived(
                call.id, context, known_code(message.code), message.description, message.tracing
            )
        )

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
