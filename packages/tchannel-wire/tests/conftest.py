"""Fixtures of the wire tests: two connections joined in memory, with time as a plain number."""

from collections.abc import Callable

import pytest
from hypothesis import settings

import tchannel_wire as wire

# A machine that is busy with something else makes no test wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


class Pair:
    """An opener `client` and an accepter `server`, joined by hand; `now` moves when told to."""

    def __init__(self, *, client=None, server=None, **common):
        self.now = 100.0
        self.client = wire.Connection(
            opener=True,
            host_port="127.0.0.1:4040",
            process_name="client[1]",
            now=self.now,
            **common,
            **(client or {}),
        )
        self.server = wire.Connection(
            opener=False,
            host_port="127.0.0.1:4041",
            process_name="server[2]",
            now=self.now,
            **common,
            **(server or {}),
        )

    def to_server(self):
        """Carry everything that the client has to say; the server's events."""
        events = []
        while data := self.client.data_to_send():
            events += self.server.receive(data, self.now)
        return events

    def to_client(self):
        """Carry everything that the server has to say; the client's events."""
        events = []
        while data := self.server.data_to_send():
            events += self.client.receive(data, self.now)
        return events

    def open(self):
        (connected,) = self.to_server()
        assert isinstance(connected, wire.Connected)
        (connected,) = self.to_client()
        assert isinstance(connected, wire.Connected)
        return self

    def call(self, arg2=b"", arg3=b"", *, prepared=None, ttl=1.0, context=None, **options):
        """A call by the client, queued."""
        return self.client.call(
            prepared or prepare(),
            arg2,
            arg3,
            ttl=ttl,
            tracing=TRACING,
            context=context,
            now=self.now,
            **options,
        )

    def request(self, *args, **options):
        """A call by the client, and the one event that it makes at the server."""
        self.call(*args, **options)
        (event,) = self.to_server()
        assert isinstance(event, wire.RequestReceived)
        return event


TRACING = wire.Tracing(0x0102, 0x0304, 0x0506, 1).pack()


def prepare(service="svc", arg1=b"echo", checksum_type=wire.ChecksumType.CRC32C, **headers):
    return wire.prepare_call(service, {"as": "raw", "cn": "tests"} | headers, arg1, checksum_type)


@pytest.fixture
def tracing() -> bytes:
    """The tracing field of the calls that `Pair.call` makes."""
    return TRACING


@pytest.fixture
def prepared() -> Callable[..., wire.PreparedCall]:
    """Makes a `PreparedCall`; every argument has a default."""
    return prepare


@pytest.fixture
def new_pair() -> Callable[..., Pair]:
    """Makes a joined pair that is open; keywords go to both connections."""
    return lambda **options: Pair(**options).open()


@pytest.fixture
def unopened_pair() -> Callable[..., Pair]:
    """Makes a joined pair that has not exchanged a byte."""
    return Pair


@pytest.fixture
def pair(new_pair) -> Pair:
    """A joined pair that is open."""
    return new_pair()


@pytest.fixture
def raw() -> bytes:
    """The header block of a raw response."""
    return wire.encode_headers({"as": "raw"})


@pytest.fixture
def request_frame() -> Callable[..., bytes]:
    """Makes the frame of a call request by hand, good or bad."""

    def make(id=7, chunks=(b"echo", b"", b""), **fields):
        fields = {
            "ttl_ms": 1000,
            "service": "svc",
            "headers": {"as": "raw", "cn": "tests"},
            "tracing": TRACING,
        } | fields
        return wire.encode(wire.CallRequest(id=id, chunks=chunks, **fields))

    return make


@pytest.fixture
def response_frame() -> Callable[..., bytes]:
    """Makes the frame of a call response by hand, good or bad."""

    def make(id, chunks=(b"", b"", b""), **fields):
        fields = {"headers": {"as": "raw"}, "tracing": TRACING} | fields
        return wire.encode(wire.CallResponse(id=id, chunks=chunks, **fields))

    return make


@pytest.fixture
def decode_all() -> Callable[[bytes], list[wire.Message]]:
    """The messages in a stream of whole frames."""

    def decode_stream(data):
        buffer = wire.FrameBuffer()
        messages = [wire.decode(frame) for frame in buffer.split(data)]
        assert buffer.error is None
        assert buffer.pending == 0
        return messages

    return decode_stream


@pytest.fixture
def sent_by(decode_all) -> Callable[[wire.Connection], list[wire.Message]]:
    """All that a connection has to say, as messages."""

    def take(connection):
        data = b""
        while more := connection.data_to_send():
            data += more
        return decode_all(data)

    return take


@pytest.fixture
def assert_refused(sent_by) -> Callable[..., tuple[wire.RequestRefused, wire.ErrorMessage]]:
    """Asserts that a call was refused, and that it was all that it cost; with what was answered."""

    def check(connection, events, id, code, text):
        (refused,) = events
        assert isinstance(refused, wire.RequestRefused)
        assert (refused.id, refused.error.code, refused.error.message_id) == (id, code, id)
        assert text in str(refused.error)
        (answer,) = sent_by(connection)
        assert isinstance(answer, wire.ErrorMessage)
        assert (answer.id, answer.code, answer.description) == (id, code, refused.error.description)
        assert connection.state is wire.ConnectionState.OPEN
        assert not connection.inbound
        assert connection._reassembly == 0
        return refused, answer

    return check
