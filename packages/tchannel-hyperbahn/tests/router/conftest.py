"""A peer made of hand-written frames."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import tchannel_wire as wire
from tchannel_hyperbahn import Router
from tchannel_hyperbahn.router.connection import RouterConnection

HEADERS = {"cn": "caller", "as": "raw"}


class RawPeer:
    """One connection to the router, and what came on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.buffer = wire.FrameBuffer()
        self.frames: deque[bytes] = deque()

    @property
    def unsent(self) -> int:
        """Bytes that the operating system has not taken."""
        return self.writer.transport.get_write_buffer_size()

    def connection_in(self, router: Router) -> RouterConnection:
        """The router's end of it."""
        address = self.writer.get_extra_info("sockname")
        (found,) = [
            connection
            for connection in router.connections
            if connection.transport.get_extra_info("peername") == address
        ]
        return found

    def stop_reading(self, router: Router) -> None:
        """Read nothing more; the system's buffer at the router's end no longer grows by itself."""
        end = self.connection_in(router).transport.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        self.writer.transport.pause_reading()

    def read_on(self) -> None:
        self.writer.transport.resume_reading()

    def send(self, *frames: wire.Message | bytes) -> None:
        for frame in frames:
            self.writer.write(frame if isinstance(frame, bytes) else wire.encode(frame))

    async def next_frame(self) -> bytes:
        """The next frame as it is; EOFError when the router has closed."""
        async with asyncio.timeout(60):
            while not self.frames:
                data = await self.reader.read(1 << 20)
                if not data:
                    raise EOFError
                self.frames += self.buffer.split(data)
        return self.frames.popleft()

    async def next(self) -> Any:
        """The next message."""
        return wire.decode(await self.next_frame())

    async def answered(self) -> Any:
        """The next message, after a ping: what was not sent before it is not going to be sent."""
        self.send(wire.PingRequest(id=0xABCDEF))
        return await self.next()

    async def shake_hands(self, host_port: str = "0.0.0.0:0") -> None:
        self.send(wire.InitRequest(headers=wire.init_headers(host_port, "raw")))
        assert isinstance(await self.next(), wire.InitResponse)

    async def accept_handshake(self, host_port: str) -> None:
        request = await self.next()
        assert isinstance(request, wire.InitRequest)
        self.send(wire.InitResponse(id=request.id, headers=wire.init_headers(host_port, "raw")))

    async def advertise(self, *names: str) -> Any:
        """The router's answer."""
        self.send(json_call(0x7777, "ad", {"services": [{"serviceName": n} for n in names]}))
        return await self.next()

    def close(self) -> None:
        self.writer.close()


def call(id: int, service: str = "service", **fields: Any) -> wire.CallRequest:
    """A call of ``endpoint`` with small args."""
    fields.setdefault("ttl_ms", 600_000)
    fields.setdefault("headers", HEADERS)
    fields.setdefault("chunks", [b"endpoint", b"head", b"body"])
    return wire.CallRequest(id=id, service=service, **fields)


def json_call(id: int, endpoint: str, body: object) -> wire.CallRequest:
    chunks = [endpoint.encode(), b"null", json.dumps(body).encode()]
    return call(id, "hyperbahn", headers={"cn": "caller", "as": "json"}, chunks=chunks)


class Frames:
    """The functions above, for tests."""

    call = staticmethod(call)
    json_call = staticmethod(json_call)


@pytest.fixture
def frames() -> Frames:
    return Frames()


@pytest.fixture
async def open_raw() -> AsyncIterator[Callable[[str], Awaitable[RawPeer]]]:
    """A function that connects to an address, without any handshake."""
    opened: list[RawPeer] = []

    async def connect(hostport: str) -> RawPeer:
        host, _, port = hostport.rpartition(":")
        end = socket.socket()
        end.setblocking(False)
        # A megabyte that is not read fills every buffer of the system on the way. With segments of
        # their usual size, 64 KiB, so small a window would make it wait for its timers all the time.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 4 * 1024)
        await asyncio.get_running_loop().sock_connect(end, (host, int(port)))
        opened.append(RawPeer(*await asyncio.open_connection(sock=end)))
        return opened[-1]

    yield connect
    for peer in opened:
        peer.close()
        try:
            await peer.writer.wait_closed()
        except ConnectionError:
            pass


@pytest.fixture
async def caller(router: Router, open_raw: Callable[[str], Awaitable[RawPeer]]) -> RawPeer:
    """A peer that only calls."""
    peer = await open_raw(router.hostport)
    await peer.shake_hands()
    return peer


@pytest.fixture
async def service(router: Router, open_raw: Callable[[str], Awaitable[RawPeer]]) -> RawPeer:
    """A peer that has advertised "service" and does not listen."""
    peer = await open_raw(router.hostport)
    await peer.shake_hands()
    answer = await peer.advertise("service")
    assert json.loads(answer.chunks[2]) == {"connectionCount": 1}
    return peer


class Listening:
    """A socket that the router connects back to."""

    def __init__(self) -> None:
        self.accepted: asyncio.Queue[RawPeer] = asyncio.Queue()
        self.peers: list[RawPeer] = []
        self.hostport = ""
        self.server: asyncio.Server

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.hostport = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peers.append(RawPeer(reader, writer))
        self.accepted.put_nowait(self.peers[-1])


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    server = Listening()
    await server.start()
    yield server
    server.server.close()
    for peer in server.peers:
        peer.close()
        try:
            await peer.writer.wait_closed()
        except ConnectionError:
            pass
