"""Two ends that do everything at once, in an order drawn from a seed.

Calls both ways, whole and in pieces, of sizes around a frame's edge; answers whole, in pieces, early
and failed; cancels, pings, claims; reads cut anywhere. Every call ends exactly once, what arrives is
what was sent, and nothing is left in the end.
"""

import random

import pytest

import tchannel_wire as wire

SIZES = [0, 1, 2, 100, 65_440, 65_460, 65_480, 65_490, 65_535, 131_000, 200_000]
TYPES = [wire.ChecksumType.NONE, wire.ChecksumType.CRC32, wire.ChecksumType.CRC32C]
RAW = wire.encode_headers({"as": "raw"})


class End:
    """One end: its connection, the calls it makes and those it serves."""

    def __init__(self, rng, opener):
        self.rng = rng
        self.connection = wire.Connection(
            opener=opener,
            host_port="127.0.0.1:1",
            process_name="p",
            now=0.0,
            stream_request=lambda _: rng.random() < 0.5,
        )
        self.inbox = bytearray()
        self.sent = {}  # context -> what the answer must be, and what has come of it
        self.writers = []
        self.served = {}  # id -> [arg2, arg3 so far, complete]
        self.pings = 0
        self.calls = 0

    def bytes(self):
        size = max(0, self.rng.choice(SIZES) + self.rng.randint(-9, 9))
        return self.rng.randbytes(1) * size

    def act(self):
        self.rng.choice(
            [self.call, self.call, self.write, self.write, *[self.answer] * 3, self.other]
        )()

    def call(self):
        prepared = wire.prepare_call(
            "svc",
            {"as": "raw", "cn": self.rng.choice("abc")},
            self.rng.choice([b"echo", bytes(16_384)]),
            self.rng.choice(TYPES),
        )
        self.calls += 1
        arg2, arg3 = self.bytes(), self.bytes()
        common = {
            "ttl": 60.0,
            "tracing": wire.NO_TRACING,
            "context": self.calls,
            "now": 0.0,
            "stream_response": self.rng.random() < 0.3,
        }
        if self.rng.random() < 0.6:
            call = self.connection.call(prepared, arg2, arg3, **common)
        else:
            call = self.connection.start_call(prepared, arg2, **common)
            self.writers.append((call.writer, self.calls))
            arg3 = b""
        self.sent[self.calls] = {"call": call, "arg2": arg2, "arg3": arg3, "got": None}

    def write(self):
        if self.writers:
            index = self.rng.randrange(len(self.writers))
            writer, context = self.writers[index]
            data = self.bytes()
            if self.rng.random() < 0.4:
                del self.writers[index]
                writer.finish()
            elif writer.write(data) and context in self.sent:
                self.sent[context]["arg3"] += data

    def answer(self):
        ready = [id for id, (_, _, complete) in self.served.items() if complete]
        if ready:
            id = self.rng.choice(ready)
            arg2, arg3, _ = self.served.pop(id)
            way = self.rng.random()
            if way < 0.1:
                assert self.connection.fail(id, wire.ErrorCode.UNEXPECTED, "failed")
            elif way < 0.8:
                assert self.connection.respond(id, RAW, arg2, arg3)
            else:
                writer = self.connection.start_response(id, RAW, arg2)
                writer.write(arg3[: len(arg3) // 2])
                writer.write(arg3[len(arg3) // 2 :])
                assert writer.finish()

    def other(self):
        way = self.rng.random()
        if way < 0.4:
            self.pings += 1
            self.connection.ping(0.0)
        elif way < 0.6:
            self.connection.claim(wire.NO_TRACING, 1.0, now=0.0)
        elif self.sent:
            context = self.rng.choice(list(self.sent))
            self.connection.cancel(self.sent.pop(context)["call"].id, now=0.0)

    def send(self, other, limit=None):
        other.inbox += self.connection.data_to_send(limit)

    def read(self, size):
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        for event in self.connection.receive(data, 0.0):
            self.handle(event)

    def handle(self, event):
        match event:
            case wire.RequestReceived():
                self.served[event.id] = [event.arg2, event.arg3, not event.more]
            case wire.RequestChunk():
                self.served[event.id][1] += event.data
                self.served[event.id][2] = event.last
            case wire.CancelReceived():
                self.served.pop(event.id, None)
            case wire.ResponseReceived():
                self.sent[event.context]["got"] = event.arg3
                assert event.arg2 == self.sent[event.context]["arg2"]
                self.end(event.context, complete=not event.more)
            case wire.ResponseChunk():
                self.sent[event.context]["got"] += event.data
                self.end(event.context, complete=event.last)
            case wire.ErrorReceived():
                assert event.description in ("failed", "cancelled by the caller")
                del self.sent[event.context]
            case wire.PongReceived():
                self.pings -= 1
            case wire.Connected() | wire.ClaimReceived():
                pass
            case _:
                pytest.fail(f"unexpected {event!r}")

    def end(self, context, *, complete):
        if complete:
            call = self.sent.pop(context)
            assert call["got"] == call["arg3"]


@pytest.mark.parametrize("seed", range(40))
def test_what_arrives_is_what_was_sent_and_nothing_is_left(seed):
    rng = random.Random(seed)
    ends = End(rng, opener=True), End(rng, opener=False)
    opener, accepter = ends
    opener.send(accepter)
    accepter.read(None)
    accepter.send(opener)
    opener.read(None)

    for _ in range(120):
        one, other = rng.sample(ends, 2)
        if rng.random() < 0.5:
            one.act()
        else:
            one.send(other, rng.choice([None, 1, 1_000, 70_000]))
            other.read(rng.choice([1, 15, 16, 17, 1_000, 70_000, None]))
    for _ in range(200):  # plenty for what is left
        for one, other in (ends, ends[::-1]):
            while one.writers:
                one.writers.pop()[0].finish()
            one.send(other)
            other.read(None)
            other.answer()

    for end in ends:
        connection = end.connection
        assert connection.state is wire.ConnectionState.OPEN
        assert (end.sent, end.pings) == ({}, 0)
        assert (connection.inbound, connection.outbound) == ({}, {})
        assert (connection.buffered, connection._reassembly) == (0, 0)
        assert connection.next_deadline() is None
