"""One connection of the router: frames in, frames out, and holding back those who send too much."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from contextvars import Context
from typing import TYPE_CHECKING, ClassVar, cast

import tchannel_wire as wire

from .routing import route_of

if TYPE_CHECKING:
    from .directory import Instance
    from .exchange import Exchange
    from .local import LocalCall
    from .server import Router

__all__ = ["RouterConnection"]

log = logging.getLogger("tchannel.router")

_HANDSHAKE_TIMEOUT = 5.0
_MAX_ID = 0xFFFFFFFE
# Frames from this size on are not rewritten but sent in parts.
_LARGE = 8 * 1024


class RouterConnection(asyncio.Protocol):
    """A connection to a caller or a service, whoever opened it.

    Args:
        router: Whose connection it is.
        instance: Whom it was opened to; None when the other side opened it.

    """

    transport: asyncio.Transport

    def __init__(self, router: Router, instance: Instance | None = None) -> None:
        self.instance = instance
        """Whom it leads to, once that is known."""
        self.remote: wire.RemotePeer | None = None
        self.address = "" if instance is None else instance.hostport
        self.incoming: dict[int, Exchange] = {}
        """Calls that came on it, by their ids here."""
        self.outgoing: dict[int, Exchange] = {}
        """Calls that were forwarded on it, by their ids here."""
        self.local: dict[int, LocalCall] = {}
        """Calls to the router itself that have not arrived in full."""
        self.draining = False
        self.closed = False
        self._opener = instance is not None
        self._router = router
        self._loop = router.loop
        self._buffer = wire.FrameBuffer()
        self._out: list[bytes | memoryview] = []
        self._flushing = False
        self._last_id = 0
        self._paused = False
        self._held_for: set[Hashable] = set()
        self._holding: set[RouterConnection] = set()
        self._context = Context()
        self._handshake = router.clock.call_at(
            router.clock.time() + _HANDSHAKE_TIMEOUT, self._handshake_failed
        )

    @property
    def usable(self) -> bool:
        """Whether a further call may be forwarded on it."""
        return self.remote is not None and not self.draining and not self.closed

    def next_id(self) -> int:
        """An id for a call that is forwarded on it."""
        while True:
            self._last_id = self._last_id + 1 if self._last_id < _MAX_ID else 1
            # After 4,294,967,294 calls the ids begin again, and an old call may still have one.
            if self._last_id not in self.outgoing:
                return self._last_id

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.transport = cast("asyncio.Transport", transport)
        most = self._router.max_buffered
        self.transport.set_write_buffer_limits(high=most, low=most // 2)
        self._router.connections.add(self)
        if self._router.closed:
            self.abort()
        elif self._opener:
            self._send(wire.InitRequest(headers=self._router.init_headers))
        else:
            host, port = transport.get_extra_info("peername")[:2]
            self.address = f"{host}:{port}"

    def data_received(self, data: bytes) -> None:
        """Handle every frame that is complete."""
        handlers = self._HANDLERS
        for frame in self._buffer.split(data):
            if self.closed:
                return
            handler = handlers.get(frame[2])
            try:
                if handler is None:
                    raise wire.ProtocolError(f"unknown frame type {frame[2]:#04x}")
                if self.remote is None and frame[2] not in _INIT_TYPES:
                    raise wire.ProtocolError("a frame before the handshake")
                handler(self, frame)
            except wire.ProtocolError as error:
                self._on_bad_frame(error)
        if self._buffer.error is not None and not self.closed:
            self._on_bad_frame(self._buffer.error)

    def eof_received(self) -> None:
        """The peer is gone: nobody half-closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was under way here."""
        self.closed = True
        self._handshake.cancel()
        self.local.clear()
        self._release_all()
        self._router.connection_lost(self)

    def pause_writing(self) -> None:
        """The peer reads slower than others send to it."""
        self._paused = True

    def resume_writing(self) -> None:
        """Let them send again."""
        self._paused = False
        self._release_all()

    # -- writing ------------------------------------------------------------------------------

    def forward(self, frame: bytes, id: int, sender: RouterConnection) -> None:
        """Send a frame under another id; ``sender`` is held back when there is too much of it."""
        if self.closed:
            return
        if len(frame) < _LARGE:
            self._out.append(wire.replace_id(frame, id))
        else:
            # In parts: rewriting would copy 64 KiB twice more, a fifth of what relaying them costs.
            self._out += (frame[:4], id.to_bytes(4, "big"), memoryview(frame)[8:])
        if self._paused:
            self._holding.add(sender)
            sender.hold(self)
        if not self._flushing:
            self._flush_soon()

    def write(self, frame: bytes) -> None:
        """Send a frame of the router's own."""
        if self.closed:
            return
        self._out.append(frame)
        if not self._flushing:
            self._flush_soon()

    def reply(self, frame: bytes) -> None:
        """Send the router's own answer to what came on it; who does not read them sends no more."""
        self.write(frame)
        if self._paused:
            self._holding.add(self)
            self.hold(self)

    def refuse(self, id: int, code: wire.ErrorCode, text: str, tracing: bytes) -> None:
        """Answer a call with an error."""
        error = wire.ErrorMessage(id=id, code=code, tracing=tracing, description=text)
        self.reply(wire.encode(error))

    def _send(self, message: wire.Message) -> None:
        self.reply(wire.encode(message))

    def _flush_soon(self) -> None:
        # One write for all that is forwarded within one turn of the loop: as in the channel, a write
        # for each frame would be most of the cost of a relayed call.
        self._flushing = True
        self._loop.call_soon(self._flush, context=self._context)

    def _flush(self) -> None:
        self._flushing = False
        out = self._out
        if out and not self.transport.is_closing():
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()

    # -- holding back -------------------------------------------------------------------------

    def hold(self, reason: Hashable) -> None:
        """Read nothing more, because of ``reason``: whoever cannot take it."""
        if not self._held_for and not self.transport.is_closing():
            self.transport.pause_reading()
        self._held_for.add(reason)

    def release(self, reason: Hashable) -> None:
        """Read on, unless there is another reason not to."""
        if reason in self._held_for:
            self._held_for.remove(reason)
            if not self._held_for and not self.transport.is_closing():
                self.transport.resume_reading()

    def _release_all(self) -> None:
        holding, self._holding = self._holding, set()
        for sender in holding:
            sender.release(self)

    # -- frames -------------------------------------------------------------------------------

    def _on_init_request(self, frame: bytes) -> None:
        if self._opener or self.remote is not None:
            raise wire.ProtocolError("init request out of place")
        message = wire.decode(frame)
        assert isinstance(message, wire.InitRequest)
        self.remote = wire.check_init_request(message)
        self._handshake.cancel()
        if self.remote.host_port is not None:
            self.address = self.remote.host_port
        self._send(wire.InitResponse(id=message.id, headers=self._router.init_headers))

    def _on_init_response(self, frame: bytes) -> None:
        if not self._opener or self.remote is not None:
            raise wire.ProtocolError("init response out of place")
        message = wire.decode(frame)
        assert isinstance(message, wire.InitResponse)
        self.remote = wire.check_init_response(message, 1)
        self._handshake.cancel()
        self._router.connected(self)

    def _on_call_request(self, frame: bytes) -> None:
        name = route_of(frame)
        if name == self._router.NAME:
            self._router.endpoints.begin(self, frame)
        else:
            self._router.relay.begin(self, frame, name)

    def _on_request_continues(self, frame: bytes) -> None:
        if self.local and wire.peek_id(frame) in self.local:
            self._router.endpoints.go_on(self, frame)
        else:
            self._router.relay.continue_request(self, frame)

    def _on_answer(self, frame: bytes) -> None:
        self._router.relay.answer(self, frame)

    def _on_ping(self, frame: bytes) -> None:
        self._send(wire.PingResponse(id=wire.peek_id(frame)))

    def _on_pong(self, frame: bytes) -> None:
        pass

    def _on_error(self, frame: bytes) -> None:
        if wire.peek_id(frame) != _NO_ID:
            self._router.relay.error(self, frame)
            return
        message = wire.decode(frame)
        assert isinstance(message, wire.ErrorMessage)
        log.info("%s says: %s", self.address, message)
        # What is no draining is followed by the end of the connection anyway.
        self.draining = True

    def _on_bad_frame(self, error: wire.ProtocolError) -> None:
        log.warning("%s sent a bad frame: %s", self.address, error)
        if error.code != wire.ErrorCode.FATAL:
            self.local.pop(error.message_id, None)
            self.refuse(error.message_id, error.code, error.description, _NO_TRACING)
            return
        self._send(wire.ErrorMessage(code=wire.ErrorCode.FATAL, description=error.description))
        self.close()

    _HANDLERS: ClassVar[dict[int, Callable[[RouterConnection, bytes], None]]] = {
        wire.FrameType.INIT_REQUEST: _on_init_request,
        wire.FrameType.INIT_RESPONSE: _on_init_response,
        wire.FrameType.CALL_REQUEST: _on_call_request,
        wire.FrameType.CALL_REQUEST_CONTINUE: _on_request_continues,
        wire.FrameType.CALL_RESPONSE: _on_answer,
        wire.FrameType.CALL_RESPONSE_CONTINUE: _on_answer,
        wire.FrameType.CANCEL: _on_request_continues,
        wire.FrameType.CLAIM: _on_request_continues,
        wire.FrameType.PING_REQUEST: _on_ping,
        wire.FrameType.PING_RESPONSE: _on_pong,
        wire.FrameType.ERROR: _on_error,
    }

    # -- the end ------------------------------------------------------------------------------

    def _handshake_failed(self) -> None:
        log.warning("%s did not finish the handshake", self.address)
        self.abort()

    def close(self) -> None:
        """Send what is to be sent, then close."""
        if not self.closed:
            self._flush()
            self.closed = True
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.closed = True
        self.transport.abort()

    def __repr__(self) -> str:
        return f"<RouterConnection {'to' if self._opener else 'from'} {self.address}>"


_INIT_TYPES = (wire.FrameType.INIT_REQUEST, wire.FrameType.INIT_RESPONSE)
_NO_ID = 0xFFFFFFFF
_NO_TRACING = bytes(25)
