"""Two channels joined without a socket.

::

    pair = Pair()

    @pair.server.json.register("greet")
    def greet(request): ...

    async with pair:
        await pair.client.json("server", "greet", {})

Everything above the socket is the real thing: handshake, frames, limits, deadlines.
"""

import asyncio
from contextvars import Context
from types import TracebackType
from typing import Any, Self

from tchannel import TChannel
from tchannel.clock import Clock
from tchannel.lowlevel import Connection, inside

__all__ = ["MemoryTransport", "Pair", "join", "memory_transports"]

#: What the client knows the server by. Nothing listens there, in case the connection is lost.
_SERVER = "127.0.0.1:1"
_HIGH_WATER = 64 * 1024


class MemoryTransport(asyncio.Transport):
    """One end of a connection that stays in memory; :func:`memory_transports` makes two.

    Bytes arrive in a later turn of the loop, those of one turn together, as from a socket.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # No addresses, as for a Unix socket: nobody could connect to them.
        super().__init__({"sockname": "", "peername": ""})
        self._loop = loop
        self._protocol: asyncio.Protocol | None = None
        self._other: MemoryTransport | None = None
        self._arriving: list[bytes] = []
        self._arrived: asyncio.Handle | None = None
        self._eof_arriving = False
        self._reading = True
        self._closing = False
        self._lost = False
        self._writing_paused = False
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4

    def connect(self, protocol: asyncio.Protocol) -> None:
        """Give the end to the protocol that uses it."""
        self._protocol = protocol
        protocol.connection_made(self)

    # Writing

    # Any: as asyncio types it.
    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Send bytes; none once the transport closes."""
        other = self._other
        if not data or self._closing or other is None:
            return
        other._arriving.append(bytes(data))
        other._deliver_soon()
        if not self._writing_paused and self.get_write_buffer_size() > self._high:
            self._writing_paused = True
            if self._protocol is not None:
                self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        """How many bytes the other end has not read."""
        return sum(map(len, self._other._arriving)) if self._other is not None else 0

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high limit of :meth:`get_write_buffer_size`, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Say when the protocol is told to pause; default 64 KiB, and a quarter to resume."""
        self._high = _HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low

    def can_write_eof(self) -> bool:
        """False: nobody half-closes in TChannel (protocol, "Connection")."""
        return False

    # Reading

    def is_reading(self) -> bool:
        """Whether bytes are handed to the protocol."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Let bytes wait at the other end."""
        self._reading = False

    def resume_reading(self) -> None:
        """Hand over what has waited."""
        self._reading = True
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if self._arrived is None and not self._lost:
            self._arrived = self._loop.call_soon(self._deliver, context=Context())

    def _deliver(self) -> None:
        self._arrived = None
        protocol = self._protocol
        if protocol is None or not self._reading or self._lost:
            return
        if self._arriving:
            data = b"".join(self._arriving)
            self._arriving.clear()
            if not self._closing:
                protocol.data_received(data)
            other = self._other
            if other is not None:
                other._read_by_other()
        if self._eof_arriving and not self._arriving and not self._closing:
            protocol.eof_received()
            self.close()

    def _read_by_other(self) -> None:
        if self._writing_paused and self.get_write_buffer_size() <= self._low:
            self._writing_paused = False
            if self._protocol is not None:
                self._protocol.resume_writing()
        if self._closing:
            self._lose_soon()

    # The end

    def is_closing(self) -> bool:
        """Whether :meth:`close` or :meth:`abort` was called."""
        return self._closing

    def close(self) -> None:
        """Close once the other end has read everything."""
        if not self._closing:
            self._closing = True
            if not self.get_write_buffer_size():
                self._lose_soon()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        if self._other is not None:
            self._other._arriving.clear()
        self._lose_soon()

    def _lose_soon(self) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._lose, context=Context())

    def _lose(self) -> None:
        other, self._other = self._other, None
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connection_lost(None)
        if other is not None:
            # What it wrote will not be read any more: nothing of it is waited for.
            other._other = None
            other._eof_arriving = True
            other._deliver_soon()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that uses this end."""
        assert self._protocol is not None, "connect() gives it one"
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give it another protocol."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol


def memory_transports(
    loop: asyncio.AbstractEventLoop,
) -> tuple[MemoryTransport, MemoryTransport]:
    """Two transports, each the other end of the other."""
    one, two = MemoryTransport(loop), MemoryTransport(loop)
    one._other, two._other = two, one
    return one, two


def join(client: TChannel, server: TChannel) -> None:
    """Connect two channels of the running loop, as if ``client`` had opened the connection.

    The client knows the server as a peer from then on, so that its calls need no ``hostport``; the
    server can call back over the same connection.

    :raises RuntimeError: no loop runs, or one of the channels is closed.
    """
    loop = asyncio.get_running_loop()
    client.use_loop()
    server.use_loop()
    near, far = memory_transports(loop)
    peer = client.peers.add(_SERVER)
    accepted = Connection(inside(server), None)
    opened = Connection(inside(client), peer)
    far.connect(accepted)
    near.connect(opened)
    # The handshake at once, so that a call made right now finds the connection: there and back.
    for end in (far, near):
        end._deliver()
    if not opened.ready:
        raise RuntimeError(f"cannot join {client!r} and {server!r}: one of them is closed")


class Pair:
    """A client and a server channel, joined in memory when they are first used in a loop.

    :param clock: the clock of both; default the loop's.

    ``client`` and ``server`` are ordinary channels named ``"client"`` and ``"server"``.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.server: TChannel = TChannel("server", clock=clock)
        self._client = TChannel("client", clock=clock)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def channels(self) -> tuple[TChannel, TChannel]:
        """Client and server, joined or not."""
        return self._client, self.server

    @property
    def client(self) -> TChannel:
        """The channel that calls; joined to the server from its first use in a running loop on."""
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            return self._client
        if self._loop is not running and not self._client.is_closed():
            self._loop = running
            join(self._client, self.server)
        return self._client

    async def close(self) -> None:
        """Close both."""
        await self._client.close()
        await self.server.close()

    async def __aenter__(self) -> Self:
        _ = self.client
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
