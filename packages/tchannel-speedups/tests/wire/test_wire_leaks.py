"""References: whatever a native way does, a thousand times of it leave nothing behind."""

import gc
import sys

import pytest

import tchannel_wire as wire

NOW = 100.0
TIMES = 1_000
BLOCK = wire.encode_headers({"as": "raw"})
PREPARED = wire.prepare_call("keyvalue", {"as": "raw", "cn": "client"}, b"echo")
RARE = wire.prepare_call("keyvalue", {"as": "raw", "cn": "client"}, b"echo", wire.ChecksumType.NONE)
TRACING = bytes(25)
ODD = bytearray(b"odd")


class Pair:
    """Two connections after their handshake."""

    def __init__(self) -> None:
        self.client = self.connection(opener=True)
        self.server = self.connection(opener=False)
        self.server.receive(self.client.data_to_send(), NOW)
        self.client.receive(self.server.data_to_send(), NOW)

    def connection(self, *, opener: bool) -> wire.Connection:
        return wire.Connection(
            opener=opener, host_port="127.0.0.1:4040", process_name="test", now=NOW
        )

    def call(self, prepared: wire.PreparedCall = PREPARED, body: bytes = b"body") -> bytes:
        self.client.call(prepared, b"head", body, 1.0, TRACING, NOW, context=object())
        return self.client.data_to_send()

    def answer(self, block: bytes = BLOCK, body: bytes = b"answer") -> bytes:
        for id in list(self.server.inbound):
            self.server.respond(id, block, b"head", body, 0)
        return self.server.data_to_send()


def a_call_and_its_answer(pair):
    pair.server.receive(pair.call(), NOW)
    pair.client.receive(pair.answer(), NOW)


def names_in_the_call(pair):
    pair.client.call(
        prepared=PREPARED, arg2=b"", arg3=b"", ttl=1.0, tracing=TRACING, now=NOW, context=object()
    )
    pair.server.receive(pair.client.data_to_send(), NOW)
    pair.client.receive(pair.answer(), NOW)


def several_frames_and_no_checksum(pair):
    pair.server.receive(pair.call(RARE, bytes(70_000)), NOW)
    pair.client.receive(pair.answer(body=bytes(70_000)), NOW)


def frames_in_pieces_and_some_left_unread(pair):
    data = pair.call() + pair.call()
    pair.server.receive(data[:20], NOW)
    pair.server.receive(data[20:], NOW, 1)
    while pair.server.unread:
        pair.server.receive(b"", NOW, 1)
    data = pair.answer()
    pair.client.receive(data, NOW, 1)
    while pair.client.unread:
        pair.client.receive(b"", NOW, 1)


def a_bad_checksum(pair):
    data = pair.call()
    pair.server.receive(data[:-1] + b"\x00", NOW)
    pair.client.receive(pair.server.data_to_send(), NOW)


def an_answer_that_nobody_waits_for(pair):
    pair.server.receive(pair.call(), NOW)
    for id in list(pair.client.outbound):
        pair.client.cancel(id, now=NOW)
    pair.client.data_to_send()
    pair.client.receive(pair.answer(), NOW)
    pair.client._tombstones.clear()


def an_answer_to_nothing(pair):
    assert pair.server.respond(77_777, BLOCK, b"", b"") is False


def mistakes_in_a_call(pair):
    for args in (
        (PREPARED, None, b"", 1.0, TRACING, NOW),
        (PREPARED, b"", ODD, 1.0, b"short", NOW),
        (PREPARED, b"", b"", float("nan"), TRACING, NOW),
        (None, b"", b"", 1.0, TRACING, NOW),
        (PREPARED,),
    ):
        with pytest.raises((TypeError, ValueError)):
            pair.client.call(*args)
    with pytest.raises(TypeError):
        pair.client.call(PREPARED, b"", b"", 1.0, TRACING, NOW, nobody=1)


def mistakes_in_an_answer(pair):
    pair.server.receive(pair.call(), NOW)
    (id,) = pair.server.inbound
    for args in ((id, b"\x00", b"", b""), (id, BLOCK, b"", "text"), (id, BLOCK, b"", b"", 256)):
        with pytest.raises((TypeError, ValueError)):
            pair.server.respond(*args)
    pair.client.receive(pair.answer(), NOW)


def mistakes_in_receive(pair):
    for args in (("text", NOW), (b"x", NOW, "1"), ()):
        with pytest.raises(TypeError):
            pair.server.receive(*args)


def a_timer_that_raises(pair):
    """The exception comes through from the middle of a native way."""
    a_call_and_its_answer(pair)  # so that what follows is native
    data = pair.call()

    class Broken:
        def discard(self, item):
            raise ZeroDivisionError

    whole, pair.server.deadlines = pair.server.deadlines, Broken()
    pair.server._timer_at = float("inf")
    with pytest.raises(ZeroDivisionError):
        pair.server.receive(data, NOW)
    pair.server.deadlines = whole
    for id in list(pair.client.outbound):
        pair.client.cancel(id, now=NOW)
    pair.client.data_to_send()
    pair.client._tombstones.clear()


def a_connection_that_ends(pair):
    fresh = Pair()
    fresh.server.receive(fresh.call(), NOW)
    fresh.server.receive(b"\x00\x01", NOW)
    fresh.client.receive(fresh.server.data_to_send(), NOW)


WAYS = [
    a_call_and_its_answer,
    names_in_the_call,
    several_frames_and_no_checksum,
    frames_in_pieces_and_some_left_unread,
    a_bad_checksum,
    an_answer_that_nobody_waits_for,
    an_answer_to_nothing,
    mistakes_in_a_call,
    mistakes_in_an_answer,
    mistakes_in_receive,
    a_timer_that_raises,
    a_connection_that_ends,
]
SHARED = (
    *(PREPARED, RARE, BLOCK, TRACING, ODD, NOW, wire.ChecksumType.CRC32C, wire.ChecksumType.CRC32),
    *(wire.RequestReceived, wire.ResponseReceived, wire.OutboundCall, wire.Connection),
    *(wire.ConnectionState.OPEN, wire.ConnectionState.CLOSED),
)
COUNTED = SHARED if sys.version_info >= (3, 12) else (*SHARED, None, True, False, 0, 1)
"""What is never to be held more often afterwards; None and the like count on 3.11 only."""


def counts() -> list[int]:
    gc.collect()
    return [sys.getrefcount(one) for one in COUNTED]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_held_nor_given_away_too_often(way):
    pair = Pair()
    for _ in range(50):
        way(pair)
    before = counts()
    for _ in range(TIMES):
        way(pair)

    # A leak in either direction would be a thousand; a few come and go with the test itself.
    gone = [
        (one, now - was)
        for one, was, now in zip(COUNTED, before, counts(), strict=True)
        if abs(now - was) > TIMES // 5
    ]
    assert gone == []


@pytest.mark.parametrize("way", WAYS)
def test_no_block_of_memory_is_left_behind(way):
    pair = Pair()
    for _ in range(200):
        way(pair)
    gc.collect()
    before = sys.getallocatedblocks()  # 0 with an allocator of the system's, under a sanitizer say
    for _ in range(TIMES):
        way(pair)
    gc.collect()

    assert sys.getallocatedblocks() - before < TIMES // 5
