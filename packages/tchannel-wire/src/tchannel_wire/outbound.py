"""The side of a connection on which we call the peer.

As in inbound.py, a small response in one frame takes the fast way, and whatever is unusual about
a frame is looked at with the classes of messages.py.
"""

from __future__ import annotations

import struct
from math import isfinite
from struct import Struct

from .checksums import WHOLE_CHECKSUMS, ChecksumType
from .connection_base import MAX_ID, ConnectionBase, first_frame_cost
from .errors import ErrorCode, ProtocolError
from .events import (
    CallExpired,
    CallFailed,
    ErrorReceived,
    Event,
    ResponseChunk,
    ResponseReceived,
)
from .exchanges import OutboundCall, PreparedCall
from .fragments import FragmentReader, FragmentWriter
from .frames import MAX_FRAME_SIZE, FrameType
from .headers import check_header_limits, decode_headers, header_block_end
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

_HEAD = Struct(">HBxI8xBB25s")
_ID = Struct(">4xI")
_SUM_LENGTH = Struct(">IH")
_LENGTH = Struct(">H")
_TTL_TRACING = Struct(">I25s")

_PREFIX = 43
"""Where the transport headers and the checksum type of a response begin."""

_CALL_REQUEST = int(FrameType.CALL_REQUEST)
_MAX_TTL = 0xFFFFFFFF

_CACHE_ENTRIES = 1024
_CACHED_SIZE = 512

# From the bytes of headers and checksum type to what they mean; bounded by the number of entries
# and by the size of each.
_prefixes: dict[bytes, tuple[dict[str, str], ChecksumType]] = {}


class OutboundSide(ConnectionBase):
    """Calls the peer and receives its answers."""

    __slots__ = ()

    # --- calling ----------------------------------------------------------------------------

    def call(
        self,
        prepared: PreparedCall,
        arg2: bytes,
        arg3: bytes,
        *,
        ttl: float,
        tracing: bytes,
        context: object = None,
        now: float,
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
            context: Anything, to come back with the events of this call; default None.
            now: The time, in seconds.
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
            milliseconds = int(ttl * 1000)
            if not 0 < milliseconds <= _MAX_TTL:
                milliseconds = 1 if milliseconds < 1 else _MAX_TTL
            length2 = len(arg2)
            size = prepared._size + length2 + len(arg3)
            if size >= MAX_FRAME_SIZE or len(tracing) != TRACING_SIZE:
                return self._call_unusually(
                    prepared, arg2, arg3, milliseconds, tracing, context, now, ttl, stream_response
                )
            if self._wrapped or self._next_id == MAX_ID:
                id = self._take_id(now)
            else:
                id = self._next_id
                self._next_id = id + 1
            frame = b"".join(
                (
                    prepared._pack(
                        size,
                        _CALL_REQUEST,
                        id,
                        0,
                        milliseconds,
                        tracing,
                        prepared._prefix,
                        prepared._whole(prepared.arg1 + arg2 + arg3),
                        prepared._arg1_chunk,
                        length2,
                    ),
                    arg2,
                    _LENGTH.pack(len(arg3)),
                    arg3,
                )
            )
        except (TypeError, ValueError, OverflowError):
            _milliseconds(arg2, arg3, ttl, tracing)
            raise
        outbox = self._outbox
        frames = outbox.frames
        call = self.outbound[id] = OutboundCall(
            id, self, context, tracing, ttl, outbox.pulled + len(frames), stream_response
        )
        frames.append(frame)
        outbox.size += size
        self.deadlines.add(call, deadline)
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
        milliseconds = _milliseconds(arg2, b"", ttl, tracing)
        return self._start(
            prepared, arg2, milliseconds, tracing, context, now, ttl, stream_response
        )

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
        _milliseconds(arg2, arg3, ttl, tracing)
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
        id = self._take_id(now)
        # The prefix ends with the checksum type, which the writer adds itself.
        fields = _TTL_TRACING.pack(milliseconds, tracing) + prepared._prefix[:-1]
        call = OutboundCall(id, self, context, tracing, ttl, -1, stream_response)
        call.writer = FragmentWriter(
            id, _CALL_REQUEST, fields, prepared.checksum_type, prepared.arg1, arg2
        )
        call.writer.attach(self._outbox, call)
        self.outbound[id] = call
        self.deadlines.add(call, now + ttl)
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

    def _expire_call(self, call: OutboundCall, now: float, events: list[Event]) -> None:
        if self.outbound.get(call.id) is call:
            context = call.context
            self._withdraw(call, "the deadline has passed", now)
            events.append(CallExpired(call.id, context))

    # --- receiving --------------------------------------------------------------------------

    def _receive_call_response(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            size, _, id, flags, code, tracing = _HEAD.unpack_from(frame)
            call = self.outbound.get(id)
            if call is None:
                return  # it was cancelled, or has expired
            # As for requests: one comparison instead of a walk over the headers.
            if not frame.startswith(
                self._response_prefix, _PREFIX
            ) and not self._read_response_prefix(frame):
                self._receive_unusual_response(frame, now, events)
                return
            end = self._response_end
            checksum, length = _SUM_LENGTH.unpack_from(frame, end)
            start = end + 6
            end = start + length + 2
            start = end + (frame[end - 2] << 8 | frame[end - 1])
            arg2 = frame[end:start]
            start += 2
            arg3 = frame[start:]
            if (
                start + (frame[start - 2] << 8 | frame[start - 1]) != size
                or self._response_checksum(arg2 + arg3) != checksum
                or flags
                or length
                or call._reader is not None
                or call.writer is not None
                or size > self._max_single
            ):
                self._receive_unusual_response(frame, now, events)
                return
        except (IndexError, struct.error, ProtocolError, UnicodeDecodeError):
            self._receive_unusual_response(frame, now, events)
            return
        del self.outbound[id]
        self.deadlines.discard(call)
        events.append(
            ResponseReceived(
                id,
                call.context,
                code,
                tracing,
                self._response_headers,
                self._response_checksum_type,
                arg2,
                arg3,
                False,
            )
        )
        call.context = None

    def _read_response_prefix(self, frame: bytes) -> bool:
        """Learn what the prefix of this frame means; False if it is none for the fast way."""
        end = header_block_end(frame, _PREFIX)
        checksum_type = frame[end]
        prefix = frame[_PREFIX : end + 1]
        known = _prefixes.get(prefix)
        if known is None:
            if checksum_type not in (ChecksumType.CRC32, ChecksumType.CRC32C):
                return False
            known = decode_headers(frame[_PREFIX:end]), ChecksumType(checksum_type)
            if len(prefix) <= _CACHED_SIZE:
                if len(_prefixes) >= _CACHE_ENTRIES:
                    _prefixes.clear()
                _prefixes[prefix] = known
        check_header_limits(known[0], self.options)
        self._response_headers, self._response_checksum_type = known
        self._response_checksum = WHOLE_CHECKSUMS[checksum_type]
        self._response_prefix = prefix
        self._response_end = end + 1
        return True

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
            if call._reader is not None:
                raise _bad("second call response for one call")
            reader = FragmentReader(message.checksum_type, self.options, to_stream=call._stream)
            call._reader = reader
            if not last:
                headers, chunks = len(message.headers), len(message.chunks)
                self._gather(reader, first_frame_cost(frame, headers, chunks))
            reader.feed(message.checksum_type, message.checksum, message.chunks, last=last)
        except ProtocolError as error:
            self._fail_call(call, error, now, events, last=last)
            return
        call._response = ResponseReceived(
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
        self._advance_response(call, reader, events, last=last)

    def _receive_call_response_continue(
        self, frame: bytes, now: float, events: list[Event]
    ) -> None:
        call = self.outbound.get(_ID.unpack_from(frame)[0])
        if call is None:
            return
        reader = call._reader
        last = len(frame) > 16 and not frame[16] & MORE_FRAGMENTS
        try:
            checksum_type, checksum, chunks = read_chunks(frame, 17)
            if reader is None:
                raise _bad("the first frame of a response is missing")
            if not reader.streaming:
                self._gather(reader, reader.cost(chunks))
            reader.feed(checksum_type, checksum, chunks, last=last)
        except ProtocolError as error:
            self._fail_call(call, error, now, events, last=last)
            return
        self._advance_response(call, reader, events, last=last)

    def _advance_response(
        self, call: OutboundCall, reader: FragmentReader, events: list[Event], *, last: bool
    ) -> None:
        """Tell what the last frame has completed."""
        if reader.streaming:
            data = reader.take(2)
            reader.passed_on()
            if data or last:
                events.append(ResponseChunk(call.id, call.context, data, last))
        elif last or (reader.to_stream and reader.arg == 2):
            response = call._response
            assert response is not None
            call._response = None
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


def known_code(code: int) -> int:
    """`code` as an `ErrorCode`, or as the number it is."""
    try:
        return ErrorCode(code)
    except ValueError:
        return code


def _milliseconds(arg2: object, arg3: object, ttl: float, tracing: object) -> int:
    """Check the arguments of a call; its ttl as the wire has it."""
    for name, value in (("arg2", arg2), ("arg3", arg3), ("tracing", tracing)):
        if not isinstance(value, bytes):
            raise TypeError(f"{name} must be bytes, not {type(value).__name__}")
        if name == "tracing" and len(value) != TRACING_SIZE:
            raise ValueError(f"tracing must be {TRACING_SIZE} bytes, not {len(value)}")
    if not isinstance(ttl, int | float):
        raise TypeError(f"ttl must be a number of seconds, not {ttl!r}")
    if not isfinite(ttl):
        raise ValueError(f"ttl must be a finite number of seconds, not {ttl!r}")
    return min(max(int(ttl * 1000), 1), _MAX_TTL)


def _bad(description: str) -> ProtocolError:
    return ProtocolError(description, code=ErrorCode.BAD_REQUEST)
