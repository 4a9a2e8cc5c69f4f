"""One connection of the router: the way in, and what each frame leads to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from logging import Logger
from typing import TYPE_CHECKING, ClassVar, cast

import tchannel_wire as wire
from tchannel.lowlevel import announced_address, logger

from .backlog import Backlog
from .routing import probable_route_of, route_of
from .writing import FrameWriter

if TYPE_CHECKING:
    from tchannel.clock import TimerHandle

    from .directory import Instance
    from .exchange import Exchange
    from .local import LocalCall
    from .server import Router

__all__ = ["RouterConnection"]

log: Logger = logger("tchannel.router")

_HANDSHAKE_TIMEOUT = 5.0
_PEEK = 512
"""Bytes of a read while somebody is slow: enough to see whom the next frame is for."""


class RouterConnection(FrameWriter, asyncio.BufferedProtocol):
    """A connection to a caller or a service, whoever opened it.

    Args:
        router: Whose connection it is.
        instance: Whom it was opened to; None when the other side opened it.
        address: Where the other side is, when it opened the connection; the transport cannot tell
            of one that is gone again already.

    """

    # Declared again: a checker infers it anew where a method of this class sets it.
    transport: asyncio.Transport

    def __init__(self, router: Router, instance: Instance | None = None, address: str = "") -> None:
        super().__init__(router)
        self.instance = instance
        """Whom it leads to, once that is known."""
        self.remote: wire.RemotePeer | None = None
        self.address: str = address if instance is None else instance.hostport
        """The caller's socket, or what it was opened to: what lines of the log name."""
        self.announced: str | None = None
        """Where the caller says it listens: what it advertises."""
        self.incoming: dict[int, Exchange] = {}
        """Calls that came on it, by their ids here."""
        self.outgoing: dict[int, Exchange] = {}
        """Calls that were forwarded on it, by their ids here."""
        self.local: dict[int, LocalCall] = {}
        """Calls to the router itself that have not arrived in full."""
        self.peer_draining: bool = False
        self.held_since: float | None = None
        """Since when the frame that is being handled has been held back; None if it was not."""
        self._opener = instance is not None
        self._last_id = 0
        self._reader = wire.FrameBuffer()
        self._next_read = _PEEK
        self._arriving_for: Backlog | None = None
        self._waits_for: set[Backlog] = set()
        self._kept: deque[tuple[float, bytes]] = deque()
        self._handshake: TimerHandle

    @property
    def usable(self) -> bool:
        """Whether a further call may be forwarded on it."""
        return self.remote is not None and not self.peer_draining and not self.closed

    @property
    def kept(self) -> int:
        """Bytes that have been read and not passed on: they are arriving, or held back."""
        return self._reader.pending + sum(len(frame) for _, frame in self._kept)

    def next_id(self) -> int:
        """An id for a call that is forwarded on it."""
        while True:
            self._last_id = self._last_id + 1 if self._last_id < wire.MAX_MESSAGE_ID else 1
            # After 4,294,967,294 calls the ids begin again, and an old call may still have one.
            if self._last_id not in self.outgoing:
                return self._last_id

    # -- what asyncio calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self.transport = cast("asyncio.Transport", transport)
        low = self._limits.low
        self.transport.set_write_buffer_limits(high=low, low=low)
        router = self._router
        router.connections.add(self)
        self._handshake = router.clock.call_at(
            router.clock.time() + _HANDSHAKE_TIMEOUT, self._handshake_failed
        )
        if router.closed:
            self.abort()
        elif self._opener:
            self._send(wire.InitRequest(headers=self._router.init_headers))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to, and how much: little while somebody is slow."""
        # One buffer for all connections: it is emptied at once, and allocating 256 KiB for each read
        # costs more than copying what was read.
        if not self._router.slow:
            return self._router.read_buffer
        size, self._next_read = self._next_read, _PEEK
        if self._arriving_for is not None and self._arriving_for.full:
            size = _PEEK  # it has filled up since, through others that were read in the same turn
        return self._router.read_buffer[:size]

    def buffer_updated(self, nbytes: int) -> None:
        """Handle every frame that is complete."""
        frames = iter(self._reader.split(bytes(self._router.read_buffer[:nbytes])))
        if self._waits_for:
            self._keep(None, frames)
            return
        for frame in frames:
            backlog = self._take(frame)
            if backlog is not None or self._waits_for:
                self._keep(frame if backlog is not None else None, frames)
                if backlog is not None:
                    backlog.hold_back(self)
                return
            self.held_since = None  # of the first frame at most: the others were not here
        self._end_read()

    def eof_received(self) -> None:
        """The peer is gone: nobody half-closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was under way here."""
        if self not in self._router.connections:
            return
        self.closed = True
        self._handshake.cancel()
        self.local.clear()
        self._reader = wire.FrameBuffer()
        self._kept.clear()
        for backlog in self._waits_for:
            backlog.forget(self)
        self._waits_for.clear()
        self._router.connection_lost(self)
        self.end_writing()

    def making_cancelled(self) -> None:
        """See to the end of a connection whose making was cancelled: it may have been made already.

        asyncio's transports then tell of their end in the next turn of the loop, uvloop's never.
        """
        if self in self._router.connections:
            self.instance = None  # whoever asked for it is told by whoever cancelled
            self.abort()
            loop = self._router.loop
            loop.call_soon(loop.call_soon, self.connection_lost, None)

    # -- holding back -------------------------------------------------------------------------

    def wait_for(self, backlog: Backlog) -> None:
        """Read nothing more until ``backlog`` has room."""
        if not self._waits_for and not self.transport.is_closing():
            self.transport.pause_reading()
        self._waits_for.add(backlog)

    def go_on(self, backlog: Backlog) -> None:
        """Handle what was kept and read on, unless something else is waited for."""
        self._waits_for.discard(backlog)
        while self._kept and not self._waits_for:
            since, frame = self._kept.popleft()
            self.held_since = since
            full = self._take(frame)
            self.held_since = None
            if full is not None:
                self._kept.appendleft((since, frame))
                full.hold_back(self)
                return
        if not self._waits_for:
            self._end_read()
        if not self._waits_for and not self.transport.is_closing():
            self.transport.resume_reading()

    def _take(self, frame: bytes) -> Backlog | None:
        """Handle a frame; if somebody else has no room for it, return whom it has to wait for."""
        if self.closed:
            return None
        try:
            handler = self._HANDLERS.get(frame[2])
            if handler is None:
                raise wire.ProtocolError(f"unknown frame type {frame[2]:#04x}")
            if self.remote is None and frame[2] not in _INIT_TYPES:
                raise wire.ProtocolError("a frame before the handshake")
            return handler(self, frame)
        except wire.ProtocolError as error:
            self._on_bad_frame(error)
            return None

    def _keep(self, held: bytes | None, others: Iterable[bytes]) -> None:
        now = self._router.clock.time()
        if held is not None:
            self._kept.append((now if self.held_since is None else self.held_since, held))
        self._kept.extend((now, frame) for frame in others)
        self.held_since = None

    def _end_read(self) -> None:
        if self.closed:
            return
        if self._reader.error is not None:
            self._on_bad_frame(self._reader.error)
        elif self._router.slow:
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Read the frame that is arriving if its receiver has room for it, and else nothing."""
        missing = self._reader.missing
        if not missing:
            return
        prefix = self._reader.peek(2 * _PEEK)
        known, backlog = self._receiver_of(prefix)
        self._arriving_for = backlog
        if backlog is not None and backlog.full:
            if self.held_since is None:
                self.held_since = self._router.clock.time()
            backlog.hold_back(self)
        elif known or len(prefix) > _PEEK:
            self._next_read = missing

    def _receiver_of(self, prefix: bytes) -> tuple[bool, Backlog | None]:
        """Whether it can be told whom a frame is for by its first bytes, and who that is."""
        if len(prefix) < wire.HEADER_SIZE:
            return False, None
        relay = self._router.relay
        if prefix[2] == wire.FrameType.CALL_REQUEST:
            name = probable_route_of(prefix, relay.serves)
            return name is not None, relay.receiver_of_calls(name or "")
        return True, relay.receiver_of(self, prefix)

    # -- answers of the router's own ----------------------------------------------------------

    def reply(self, frame: bytes) -> None:
        """Send the router's own answer to what came on it; who does not read them sends no more."""
        self.write(frame)
        # Not as soon as it is full: one of two services that wait for each other to read has to be
        # read to the end, answers or not, when the other is gone.
        if self.full and self.waiting > self._limits.choked_at and not self.closed:
            self.hold_back(self)

    def refuse(self, id: int, code: wire.ErrorCode, text: str, tracing: bytes) -> None:
        """Answer a call with an error."""
        error = wire.ErrorMessage(id=id, code=code, tracing=tracing, description=text)
        self.reply(wire.encode(error))

    def _send(self, message: wire.Message) -> None:
        self.reply(wire.encode(message))

    # -- frames -------------------------------------------------------------------------------

    def _on_init_request(self, frame: bytes) -> None:
        if self._opener or self.remote is not None:
            raise wire.ProtocolError("init request out of place")
        message = wire.decode(frame)
        assert isinstance(message, wire.InitRequest)
        self.remote = wire.check_init_request(message)
        self._handshake.cancel()
        self.announced = announced_address(self.remote.host_port, self.address)
        self._send(wire.InitResponse(id=message.id, headers=self._router.init_headers))

    def _on_init_response(self, frame: bytes) -> None:
        if not self._opener or self.remote is not None:
            raise wire.ProtocolError("init response out of place")
        message = wire.decode(frame)
        assert isinstance(message, wire.InitResponse)
        self.remote = wire.check_init_response(message, 1)
        self._handshake.cancel()
        self._router.connected(self)

    def _on_call_request(self, frame: bytes) -> Backlog | None:
        name = route_of(frame, self._router.relay.serves)
        if name not in self._router.NAMES:
            return self._router.relay.begin(self, frame, name)
        if self.full:
            return self
        self._router.endpoints.begin(self, frame)
        return None

    def _on_request_continues(self, frame: bytes) -> Backlog | None:
        if not self.local or wire.peek_id(frame) not in self.local:
            return self._router.relay.continue_request(self, frame)
        if self.full:
            return self
        self._router.endpoints.go_on(self, frame)
        return None

    def _on_answer(self, frame: bytes) -> Backlog | None:
        return self._router.relay.answer(self, frame)

    def _on_ping(self, frame: bytes) -> None:
        self._send(wire.PingResponse(id=wire.peek_id(frame)))

    def _on_pong(self, frame: bytes) -> None:
        pass

    def _on_error(self, frame: bytes) -> Backlog | None:
        if wire.peek_id(frame) != wire.NO_MESSAGE_ID:
            return self._router.relay.error(self, frame)
        message = wire.decode(frame)
        assert isinstance(message, wire.ErrorMessage)
        log.info("%s says: %s", self.address, message)
        # What is no draining is followed by the end of the connection anyway.
        self.peer_draining = True
        return None

    def _on_bad_frame(self, error: wire.ProtocolError) -> None:
        log.warning("%s sent a bad frame: %s", self.address, error)
        if error.code != wire.ErrorCode.FATAL:
            self.local.pop(error.message_id, None)
            self.refuse(error.message_id, error.code, error.description, wire.NO_TRACING)
            return
        self._send(wire.ErrorMessage(code=wire.ErrorCode.FATAL, description=error.description))
        self.close()

    _HANDLERS: ClassVar[dict[int, Callable[[RouterConnection, bytes], Backlog | None]]] = {
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

    def __repr__(self) -> str:
        return f"<RouterConnection {'to' if self._opener else 'from'} {self.address}>"


_INIT_TYPES = (wire.FrameType.INIT_REQUEST, wire.FrameType.INIT_RESPONSE)
