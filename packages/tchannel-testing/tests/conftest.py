"""What the tests of the testing package share."""

import asyncio
import contextlib
import signal

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let processes be interrupted where a script runs the tests in its background.

    A shell without job control has its background processes ignore SIGINT, and theirs as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def frame(type: int, payload: bytes, id: int = 1) -> bytes:
    """A TChannel frame, by hand."""
    size = (16 + len(payload)).to_bytes(2)
    return size + bytes([type, 0]) + id.to_bytes(4) + bytes(8) + payload


class Recorder(asyncio.Protocol):
    """One end of a TCP connection that remembers each read, and can wait for bytes."""

    def __init__(self, echo=False):
        self.echo = echo
        self.reads = []
        self.eof = False
        self.lost = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()
        self.transport = None

    @property
    def data(self):
        return b"".join(self.reads)

    def connection_made(self, transport):
        self.transport = transport
        self.changed.set()

    def data_received(self, data):
        self.reads.append(data)
        if self.echo:
            self.transport.write(data)
        self.changed.set()

    def eof_received(self):
        self.eof = True
        self.changed.set()
        return not self.echo

    def connection_lost(self, exc):
        self.lost.set_result(exc)
        self.changed.set()

    def write(self, data):
        self.transport.write(data)

    async def until(self, condition):
        """Wait until ``condition(self)`` holds."""
        while not condition(self):
            self.changed.clear()
            await self.changed.wait()

    async def receive(self, size):
        """Wait until ``size`` bytes have come, and return all."""
        await self.until(lambda end: len(end.data) >= size)
        return self.data


class TcpServer:
    """Listens, and keeps a Recorder for each connection it accepted."""

    def __init__(self, echo):
        self.echo = echo
        self.accepted = []
        self.arrived = asyncio.Event()

    def make(self):
        self.accepted.append(Recorder(self.echo))
        self.arrived.set()
        return self.accepted[-1]

    async def first(self):
        """The end of the first accepted connection, once it is there."""
        await self.arrived.wait()
        end = self.accepted[0]
        await end.until(lambda end: end.transport is not None)
        return end


@pytest.fixture
def make_frame():
    """Builds frames: ``make_frame(type, payload, id=1)``."""
    return frame


@pytest.fixture
async def tcp():
    """Plain TCP ends: ``await tcp.serve(echo=...)`` and ``await tcp.connect(hostport)``."""
    async with contextlib.AsyncExitStack() as stack:
        loop = asyncio.get_running_loop()

        class Tcp:
            async def serve(self, echo=False):
                recorders = TcpServer(echo)
                server = await loop.create_server(recorders.make, "127.0.0.1", 0)
                recorders.hostport = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

                async def close():
                    server.close()
                    for end in recorders.accepted:
                        end.transport.abort()
                        await end.lost

                stack.push_async_callback(close)
                return recorders

            async def connect(self, hostport):
                host, _, port = hostport.rpartition(":")
                _, end = await loop.create_connection(Recorder, host, int(port))

                async def close():
                    end.transport.abort()
                    await end.lost

                stack.push_async_callback(close)
                return end

        yield Tcp()
