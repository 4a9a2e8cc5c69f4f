"""Conversations of two connections that a random number decides, and all that can be seen of them.

The same number gives the same conversation: run natively and in Python, both have to say the same.
"""

import random

import pytest

import tchannel_wire as wire
from tchannel_wire import inbound, outbound

SERVICES = ("keyvalue", "x", "a-service-with-a-longer-name", "dienst-ü")
HEADERS = (
    {"as": "raw", "cn": "client"},
    {"as": "json", "cn": "client", "re": "c"},
    {"as": "raw", "cn": "client", "sk": "k" * 200, "rd": "d" * 255},
)
BLOCKS = tuple(
    wire.encode_headers(headers)
    for headers in (
        {"as": "raw"},
        {"as": "json", "x": "y"},
        {"as": "r", "l": "l" * 255, "m": "m" * 255},
    )
)
TYPES = (wire.ChecksumType.CRC32C, wire.ChecksumType.CRC32, wire.ChecksumType.NONE)
SIZES = (0, 0, 1, 2, 16, 16, 16, 100, 300, 5_000, 8_000, 8_100, 8_192, 65_400, 65_535, 200_000)


class Sub(bytes):
    """Bytes of a class of one's own, which few think of."""


class Conversation:
    """Two connections, what a random number lets happen to them, and what came of it."""

    def __init__(self, seed: int, *, bad: float) -> None:
        # What other conversations have left would only change which way is taken.
        for cache in (inbound._prefixes, outbound._prefixes, inbound._response_packers):
            cache.clear()
        self.random = random.Random(seed)
        self.bad = bad
        self.now = 100.0
        self.said: list[object] = []
        self.requests: list[int] = []
        self.calls: list[int] = []
        limits = self.random.choice(
            (
                {},
                {},
                {"max_message_size": 6_000},
                {"max_arg1": 8, "max_headers": 2},
                {"max_header_value_length": 100},
            )
        )
        streams = self.random.random() < 0.2
        self.client = self.connection(opener=True, options=wire.Options(**limits))
        self.server = self.connection(
            opener=False,
            options=wire.Options(**limits),
            stream_request=(lambda request: streams) if streams else None,
        )
        self.carry(self.client, self.server)
        self.carry(self.server, self.client)
        self.prepared = [
            wire.prepare_call(service, headers, endpoint, type)
            for service in SERVICES
            for headers in HEADERS
            for endpoint, type in zip((b"echo", b"", b"long-endpoint"), TYPES, strict=True)
        ]

    def connection(self, **arguments: object) -> wire.Connection:
        return wire.Connection(
            host_port="127.0.0.1:4040", process_name="test", now=self.now, **arguments
        )

    def run(self, steps: int) -> list[object]:
        """What can be seen of so many steps."""
        actions = (
            *(self.call, self.call, self.call, self.respond, self.respond, self.respond),
            *(self.to_server, self.to_server, self.to_client, self.to_client),
            *(self.rare, self.pass_time),
        )
        for _ in range(steps):
            self.random.choice(actions)()
        self.to_server()
        self.to_client()
        for one in (self.client, self.server):
            self.said.append((repr(one), sorted(one.inbound), sorted(one.outbound)))
            self.said.append(
                (one.buffered, one.unread, one.was_used, one.replied, one.reassembling)
            )
            self.said.append((one._next_id, one._timer_at, one.next_deadline()))
        return self.said

    # --- what happens ---------------------------------------------------------------------------

    def attempt(self, function, *args: object, **named: object) -> object:
        """Call something, and keep what it returns or raises."""
        try:
            result = function(*args, **named)
        except Exception as error:
            self.said.append((type(error).__name__, str(error)))
            return None
        self.said.append(seen(result))
        return result

    def odd(self) -> bool:
        return self.random.random() < self.bad

    def body(self) -> object:
        size = self.random.choice(SIZES)
        made = self.random.randbytes(size)
        if self.odd():
            return self.random.choice(
                (bytearray(made), memoryview(made), Sub(made), "text", None, 7)
            )
        return made

    def call(self) -> None:
        tracing: object = self.random.randbytes(25)
        ttl: object = self.random.choice((0.5, 1.0, 30.0, 0.0001, 5_000_000.0, 2))
        prepared: object = self.random.choice(self.prepared)
        now: object = self.now
        if self.odd():
            tracing = self.random.choice((b"", bytes(24), bytes(26), "t" * 25, None, bytearray(25)))
        if self.odd():
            ttl = self.random.choice((float("nan"), float("inf"), -1.0, 0, True, "1", None, 1e300))
        if self.odd():
            prepared = self.random.choice((None, "call", wire.PreparedCall))
        if self.odd():
            now = self.random.choice((int(self.now), None, True))
        args = [prepared, self.body(), self.body(), ttl, tracing, now]
        named: dict[str, object] = {}
        if self.random.random() < 0.3:
            names = ("prepared", "arg2", "arg3", "ttl", "tracing", "now")
            cut = self.random.randrange(7)
            args, named = args[:cut], dict(zip(names[cut:], args[cut:], strict=True))
            if self.odd():
                named["nobody"] = 1
            if self.random.random() < 0.3:
                named["context"] = "context"
        elif self.random.random() < 0.5:
            args.append("context")
            if self.random.random() < 0.3:
                args.append(self.random.random() < 0.5)
        made = self.attempt(self.client.call, *args, **named)
        if made is not None:
            self.calls.append(made.id)

    def respond(self) -> None:
        if not self.requests:
            return
        id: object = self.random.choice(self.requests)
        if self.random.random() < 0.8:
            self.requests.remove(id)
        if self.odd():
            id = self.random.choice((True, float(id), -1, 0, 2**40, None, "1", 99_999))
        block: object = self.random.choice(BLOCKS)
        if self.odd():
            block = self.random.choice(
                (b"", b"\x00", b"\x01\x01a", None, bytearray(block), Sub(block))
            )
        args = [id, block, self.body(), self.body()]
        if self.random.random() < 0.3:
            args.append(self.random.choice((0, 1, 255)))
            if self.odd():
                args[-1] = self.random.choice((256, -1, True, None, "0", 2**70))
        if self.random.random() < 0.1:
            self.attempt(self.server.respond, *args[:2], arg2=args[2], arg3=args[3])
        else:
            self.attempt(self.server.respond, *args)

    def rare(self) -> None:
        """What else there is to do with a connection."""
        what = self.random.randrange(9)
        if what == 0 and self.calls:
            self.attempt(self.client.cancel, self.random.choice(self.calls), "why", now=self.now)
        elif what == 1 and self.requests:
            self.attempt(self.server.fail, self.random.choice(self.requests), 3, "busy")
        elif what == 2:
            self.attempt(self.client.ping, self.now)
        elif what == 3 and self.random.random() < 0.1:
            self.attempt(self.server.drain, "restarting")
        elif what == 4 and self.random.random() < 0.05:
            self.attempt(self.client.close, self.now)
        elif what == 5:
            self.client._next_id = self.random.choice((2**32 - 3, 2**32 - 2, self.client._next_id))
        elif what == 6 and self.calls:
            self.attempt(self.client.receive, self.odd_arguments(), self.now)
        elif what == 7 and self.random.random() < 0.05:
            self.attempt(self.client.receive_eof, self.now)
        elif what == 8 and self.random.random() < 0.1:
            self.attempt(
                self.server.receive, b"", self.now, self.random.choice((None, "1", -1, True))
            )

    def odd_arguments(self) -> object:
        return self.random.choice((b"", "text", None)) if self.odd() else b""

    def pass_time(self) -> None:
        self.now += self.random.choice((0.001, 0.1, 1.0))
        for one in (self.client, self.server):
            self.attempt(one.expire, self.now)

    def to_server(self) -> None:
        self.carry(self.client, self.server)

    def to_client(self) -> None:
        self.carry(self.server, self.client)

    def carry(self, sender: wire.Connection, receiver: wire.Connection) -> None:
        """Bring bytes over, in pieces, now and then changed on the way."""
        data = sender.data_to_send(self.random.choice((None, None, 1, 70_000)))
        self.said.append(data)
        data = self.damaged(data)
        while True:
            size = self.random.choice((len(data), len(data), 1, 15, 16, 17, 64, 1_000, 70_000)) or 1
            piece, data = data[:size], data[size:]
            now: object = int(self.now) if self.odd() else self.now
            most = (self.random.choice((0, 1, 2, 3, 64)),) if self.random.random() < 0.4 else ()
            self.note(self.attempt(receiver.receive, piece, now, *most))
            while receiver.unread:
                self.note(
                    self.attempt(receiver.receive, b"", self.now, *most if most != (0,) else (1,))
                )
            if not data:
                return

    def damaged(self, data: bytes) -> bytes:
        if not data or not self.odd():
            return data
        place = self.random.randrange(len(data))
        what = self.random.randrange(5)
        if what == 0:
            return data[:place] + self.random.randbytes(1) + data[place + 1 :]
        if what == 1:  # within the first frame, where most of the meaning lies
            place = self.random.randrange(min(len(data), 120))
            return data[:place] + self.random.randbytes(1) + data[place + 1 :]
        if what == 2:
            return data[:place]
        if what == 3:
            return data + data  # everything twice
        size = self.random.randrange(16, 200)
        frame = size.to_bytes(2, "big") + self.random.choice(
            (b"\x03", b"\x04", b"\x13", b"\x14", b"\xff")
        )
        return frame + self.random.randbytes(size - 3) + data

    def note(self, events: object) -> None:
        for event in events if isinstance(events, list) else []:
            if isinstance(event, wire.RequestReceived):
                self.requests.append(event.id)


@pytest.fixture
def conversation() -> type[Conversation]:
    """What makes a conversation of a number."""
    return Conversation


@pytest.fixture(name="seen")
def seen_fixture():
    """What a user can see of a value."""
    return seen


def seen(value: object) -> object:
    """What a user can see of a value: its type and all it holds, as it is now."""
    if isinstance(value, list):
        return [seen(one) for one in value]
    if isinstance(value, wire.OutboundCall):
        return (
            value.id,
            value.context,
            value.tracing,
            value.ttl,
            value.deadline,
            value.written,
            value._number,
        )
    slots = getattr(type(value), "__slots__", None)
    if isinstance(slots, tuple) and slots:
        names = [name for name in slots if name != "connection"]
        context = [getattr(value, "context", None)]
        return (type(value).__name__, *(seen(getattr(value, name)) for name in names), *context)
    if isinstance(value, BaseException):
        return (type(value).__name__, str(value))
    return (type(value).__name__, value)
