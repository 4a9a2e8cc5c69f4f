"""Recorded conversations of other implementations: each frame, each checksum, each conversation."""

import json
from pathlib import Path

import pytest

import tchannel_wire as wire

VECTORS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
}


def frames_of(name):
    for entry in VECTORS[name]["frames"]:
        yield entry["conn"], entry["from"], bytes.fromhex(entry["frame"])


def test_all_recordings_are_here():
    assert len(VECTORS) == 33
    assert {name.split("-")[0] for name in VECTORS} == {"go", "node", "py21", "hyperbahn"}


@pytest.mark.parametrize("name", VECTORS)
def test_each_frame_decodes_and_encodes_back_to_the_same_bytes(name):
    for _, _, frame in frames_of(name):
        assert frame == wire.encode(wire.decode(frame))


@pytest.mark.parametrize("name", VECTORS)
def test_each_checksum_verifies_and_would_be_written_the_same(name):
    seeds = {}
    checked = 0
    for connection, sender, frame in frames_of(name):
        message = wire.decode(frame)
        if not hasattr(message, "chunks"):
            continue
        exchange = connection, sender, message.id
        seed = seeds.get(exchange, 0) if "Continue" in type(message).__name__ else 0
        assert wire.verify_chunks(message.checksum_type, message.checksum, message.chunks, seed)
        assert message.checksum == wire.chunks_checksum(message.checksum_type, message.chunks, seed)
        seeds[exchange] = message.checksum
        checked += 1
    assert checked or name == "go-ping-crc32"


class Stand:
    """A connection of ours in the place of one of the recorded ends."""

    def __init__(self, opener, init_response_id=1):
        self.connection = wire.Connection(
            opener=opener, host_port="127.0.0.1:1", process_name="replay", now=0.0
        )
        self.events = []

    def receive(self, data):
        for event in self.connection.receive(data, 1.0):
            assert not isinstance(
                event, wire.ConnectionClosed | wire.RequestRefused | wire.CallFailed
            )
            self.events.append(event)


@pytest.mark.parametrize("cut", ["whole", "byte by byte"])
@pytest.mark.parametrize("name", VECTORS)
def test_each_conversation_replays_against_both_ends(name, cut):
    stands = {}
    for connection, sender, frame in frames_of(name):
        if connection not in stands:
            stands[connection] = {"client": Stand(opener=True), "server": Stand(opener=False)}
        # What the recorded client sent, our server receives, and the other way round. So that
        # responses have a call to belong to, our client repeats each request as it was.
        here = stands[connection]["server" if sender == "client" else "client"]
        there = stands[connection][sender]
        message = wire.decode(frame)
        if isinstance(message, wire.CallRequest):
            there.connection._next_id = message.id
            prepared = wire.prepare_call(
                message.service,
                message.headers,
                message.chunks[0],
                wire.ChecksumType.CRC32C,
            )
            there.connection.call(
                prepared, b"", b"", ttl=1, tracing=message.tracing, context=name, now=1.0
            )
        if isinstance(message, wire.PingRequest):
            there.connection._next_id = message.id
            there.connection.ping(1.0)
        if cut == "whole":
            here.receive(frame)
        else:
            for index in range(len(frame)):
                here.receive(frame[index : index + 1])

    for ends in stands.values():
        for stand in ends.values():
            assert stand.connection.state is wire.ConnectionState.OPEN
    all_events = [e for ends in stands.values() for s in ends.values() for e in s.events]
    messages = [wire.decode(frame) for _, _, frame in frames_of(name)]
    for cls, event in (
        (wire.CallRequest, wire.RequestReceived),
        (wire.CallResponse, wire.ResponseReceived),
        (wire.ErrorMessage, wire.ErrorReceived),
        (wire.PingResponse, wire.PongReceived),
    ):
        count = sum(isinstance(message, cls) for message in messages)
        assert sum(isinstance(e, event) for e in all_events) == count


def test_fragmented_response_of_node_is_whole():
    client = wire.Connection(opener=True, host_port="", process_name="p", now=0.0)
    events = []
    for _, sender, frame in frames_of("node-big"):
        message = wire.decode(frame)
        if isinstance(message, wire.CallRequest):
            client._next_id = message.id
            prepared = wire.prepare_call(message.service, message.headers, message.chunks[0])
            client.call(prepared, b"", b"", ttl=1, tracing=message.tracing, now=0.0)
        elif sender == "server":
            events += client.receive(frame, 0.0)

    response = events[-1]
    assert isinstance(response, wire.ResponseReceived)
    assert response.arg3 == b"x" * 100_000
