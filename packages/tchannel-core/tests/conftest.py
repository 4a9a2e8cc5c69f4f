"""Channels joined in memory, and a clock that moves when a test says so."""

from __future__ import annotations

import asyncio
import datetime
import heapq
import ipaddress
import itertools
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tchannel import TChannel
from tchannel._links.connection import Connection
from tchannel.lowlevel import inside

try:
    import uvloop
except ImportError:
    uvloop = None


def pytest_configure(config: pytest.Config) -> None:
    """Let processes be interrupted where a script runs the tests in its background.

    A shell without job control has its background processes ignore SIGINT, and theirs as well.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ManualClock:
    """Time that stands still until `advance`."""

    def __init__(self) -> None:
        self.now = 1000.0
        # Each with its callback in a list, which is empty once it is cancelled: a loop's timer then
        # holds nothing either.
        self._timers: list[tuple[float, int, list[Callable[[], object]]]] = []
        self._count = itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> Any:
        due: list[Callable[[], object]] = [partial(callback, *args)]
        heapq.heappush(self._timers, (when, next(self._count), due))

        class Handle:
            def cancel(self) -> None:
                due.clear()

        return Handle()

    @property
    def waiting(self) -> int:
        """How many timers are set."""
        return sum(len(due) for *_, due in self._timers)

    async def advance(self, seconds: float) -> None:
        """Let time pass: timers fire in order, and what they start runs until it waits."""
        ends = self.now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= ends:
            when, _, due = heapq.heappop(self._timers)
            self.now = max(self.now, when)
            if due:
                due.pop()()
                await settle()
        self.now = ends
        await settle()


async def settle(turns: int = 30) -> None:
    """Let everything that can run now run until it waits."""
    for _ in range(turns):
        await asyncio.sleep(0)


class MemoryTransport(asyncio.Transport):
    """One end of a connection in memory."""

    def __init__(self, protocol: Connection) -> None:
        super().__init__()
        self.connection = protocol
        self.protocol: asyncio.Protocol = protocol
        """What is told of bytes: the connection, or what stands for it while it rests."""
        self.other: MemoryTransport
        self.reading = True
        self.closing = False
        self.lost = False
        self.held: list[bytes] = []
        self.written: list[bytes] = []
        self.cut = False
        """Set it to lose everything that is written from then on."""
        self.high_water = 64 * 1024
        self.paused_writer = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return "" if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closing

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: bytes) -> None:
        assert not self.closing, "written after close"
        self.written.append(bytes(data))
        if not self.cut:
            self.other.held.append(bytes(data))
            self._watch_buffer()
            asyncio.get_running_loop().call_soon(self.other.deliver)

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.other.held))

    def _watch_buffer(self) -> None:
        size = self.get_write_buffer_size()
        if size > self.high_water and not self.paused_writer:
            self.paused_writer = True
            self.protocol.pause_writing()
        elif self.paused_writer and size <= self.high_water // 4:
            self.paused_writer = False
            self.protocol.resume_writing()

    def deliver(self) -> None:
        while self.held and self.reading and not self.lost:
            data = self.held.pop(0)
            self.protocol.data_received(data)
        if not self.lost:
            self.other._watch_buffer()
            if self.other.closing and not self.held:
                self.other._end()

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        asyncio.get_running_loop().call_soon(self.deliver)

    def close(self) -> None:
        """Close once the other side has read everything, as a socket's transport does."""
        if not self.closing:
            self.closing = True
            if not self.other.held or self.cut:
                asyncio.get_running_loop().call_soon(self._end)

    def abort(self) -> None:
        self.closing = True
        self.other.held.clear()
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self, error: Exception | None = None) -> None:
        for end in (self, self.other):
            if not end.lost:
                end.lost = end.closing = True
                end.protocol.connection_lost(error)


class Joined:
    """A client and a server channel with one connection between them, and the clock of both."""

    hostport = "127.0.0.1:1"

    def __init__(self, clock: ManualClock, client: TChannel, server: TChannel) -> None:
        self.clock = clock
        self.client = client
        self.server = server
        self.to_server, self.to_client = join(client, server, self.hostport)

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds)


def join(
    client: TChannel, server: TChannel, hostport: str
) -> tuple[MemoryTransport, MemoryTransport]:
    """Connect two channels; ``hostport`` is how the client calls the server."""
    client.use_loop()
    server.use_loop()
    mine = MemoryTransport(Connection(inside(client), inside(client).peers_table.get(hostport)))
    theirs = MemoryTransport(Connection(inside(server), None))
    mine.other, theirs.other = theirs, mine
    theirs.protocol.connection_made(theirs)
    mine.protocol.connection_made(mine)
    return mine, theirs


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """Every asynchronous test runs on both loops, where uvloop is installed (extra `speed`)."""
    if uvloop is None:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(name="settle")
def settle_fixture():
    """A function that lets everything run that can run now: ``await settle()``."""
    return settle


@pytest.fixture(name="join")
def join_fixture():
    """A function that joins two channels in memory: ``join(client, server, hostport)``."""
    return join


@pytest.fixture
def make_mute():
    """A function that lets the other end of a transport answer no pings, as tchannel-python does."""

    def make(transport: MemoryTransport) -> None:
        other = transport.other.connection
        other.wire = _Deaf(other.wire)

    return make


class _Deaf:
    """A sans-IO connection that does not see pings."""

    def __init__(self, connection: Any) -> None:
        object.__setattr__(self, "_connection", connection)

    def receive(self, data: bytes, now: float, *limits: Any) -> Any:
        ping = bytes((0, 16, 0xD0))
        return self._connection.receive(data, now, *limits) if data[:3] != ping else []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._connection, name, value)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def joined(clock: ManualClock) -> AsyncIterator[Joined]:
    """Client and server joined in memory, with a clock that the test moves."""
    client, server = TChannel("client", clock=clock), TChannel("server", clock=clock)
    pair = Joined(clock, client, server)
    await settle()
    yield pair
    await close_all(clock, client, server)


@pytest.fixture
def make_channel(clock: ManualClock):
    """A function that makes a channel on the test's clock; it is closed with the test."""
    made: list[TChannel] = []

    def make(name: str, **kwargs: Any) -> TChannel:
        made.append(TChannel(name, clock=clock, **kwargs))
        return made[-1]

    make.made = made
    return make


@pytest.fixture
async def tcp():
    """Make channels on the real clock and real sockets; closed with the test."""
    made: list[TChannel] = []

    def make(name: str = "server", **kwargs: Any) -> TChannel:
        made.append(TChannel(name, **kwargs))
        return made[-1]

    yield make
    for channel in made:
        await channel.close(grace=1)


async def close_all(clock: ManualClock, *channels: TChannel) -> None:
    """Close channels on a manual clock, moving it until they are closed."""
    closing = [channel.close(grace=1) for channel in channels]
    for _ in range(20):
        if all(future.done() for future in closing):
            break
        await clock.advance(1)
    await asyncio.gather(*closing)


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """A test leaves no task behind."""
    before = asyncio.all_tasks()
    yield
    await settle()
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"left behind: {left}"


class CertificateAuthority:
    """Signs certificates, and keeps them as files with their keys.

    Args:
        folder: where the files are; the authority's own is ``ca.pem``.

    """

    def __init__(self, folder: Path) -> None:
        x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes certificates")
        from cryptography.hazmat.primitives.asymmetric import ec

        self._x509 = x509
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "ca.pem"
        certificate = self._sign("ca.test", [x509.DNSName("ca.test")], self._key, 1, ca=True)
        self.file.write_bytes(certificate)

    def make(
        self, subject: str, *, uri: str | None = None, ip: str | None = None, days: float = 1
    ) -> Path:
        """Write a certificate with its key and return the file.

        Args:
            subject: its common name, and its DNS name unless another kind of name is given.
            uri: a URI to be its name instead.
            ip: an IP address to be its name instead.
            days: how long it is valid from now on; negative for one that has expired.

        """
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        if uri is not None:
            name = self._x509.UniformResourceIdentifier(uri)
        elif ip is not None:
            name = self._x509.IPAddress(ipaddress.ip_address(ip))
        else:
            name = self._x509.DNSName(subject)
        file = self.folder / f"{subject}.pem"
        file.write_bytes(
            self._sign(subject, [name], key, days)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file

    def _sign(
        self, subject: str, names: list[Any], key: Any, days: float, *, ca: bool = False
    ) -> bytes:
        from cryptography.hazmat.primitives import hashes, serialization

        x509 = self._x509

        def common_name(text: str) -> Any:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        now = datetime.datetime.now(datetime.UTC)
        issuer = self._key.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(common_name(subject))
            .issuer_name(common_name("ca.test"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=10))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False)
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, ca, ca, False, False), critical=True
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    """A certificate authority; it has signed ``service.test.pem`` and ``client.test.pem``."""
    made = CertificateAuthority(tmp_path_factory.mktemp("tls"))
    made.make("service.test")
    made.make("client.test")
    return made


@pytest.fixture
def tls(authority: CertificateAuthority) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts for both sides; the server wants a certificate of the client too."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.folder / "service.test.pem")
    server.load_verify_locations(authority.file)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=authority.file)
    client.load_cert_chain(authority.folder / "client.test.pem")
    return server, client
