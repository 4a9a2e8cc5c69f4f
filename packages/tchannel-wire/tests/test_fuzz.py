"""Whatever bytes a peer sends, only the documented happens.

`receive` returns events and raises nothing. A connection is open, or closed with one
`ConnectionClosed` as its last event; what it wants to send are whole, readable frames; and its
counters agree with what it holds.
"""

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tchannel_wire as wire

FRAMES = [
    bytes.fromhex(entry["frame"])
    for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
    for entry in json.loads(path.read_text())["frames"]
    if len(entry["frame"]) < 4000
]


def connection(*, handshake_done=True, stream=False):
    server = wire.Connection(
        opener=False,
        host_port="127.0.0.1:1",
        process_name="s",
        now=0.0,
        options=wire.Options(max_message_size=100_000, reassembly_memory=200_000),
        stream_request=(lambda info: info.id % 2 == 0) if stream else None,
    )
    if handshake_done:
        client = wire.Connection(opener=True, host_port="", process_name="c", now=0.0)
        server.receive(client.data_to_send(), 0.0)
        prepared = wire.prepare_call("svc", {"as": "raw", "cn": "me"}, b"echo")
        for number in range(6):
            server.call(
                prepared,
                b"",
                b"",
                ttl=5,
                tracing=wire.NO_TRACING,
                context=number,
                now=0.0,
                stream_response=number % 2 == 0,
            )
    server.data_to_send()
    return server


def check(server, data, cuts=()):
    """Feed `data` in pieces and see that nothing undocumented comes of it; the events."""
    events = []
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(bounds):
        events += server.receive(data[start:end], 1.0)
    for event in events[:-1]:
        assert not isinstance(event, wire.ConnectionClosed)
    closed = bool(events) and isinstance(events[-1], wire.ConnectionClosed)
    assert closed == (server.state is wire.ConnectionState.CLOSED)
    repr(events)
    buffer = wire.FrameBuffer()
    while sent := server.data_to_send():
        for frame in buffer.split(sent):
            message = wire.decode(frame)
            fatal = isinstance(message, wire.ErrorMessage) and message.code == 0xFF
            assert not fatal or closed
    assert buffer.error is None
    assert buffer.pending == 0
    held = [
        call._flow.reader.memory
        for call in (*server.inbound.values(), *server.outbound.values())
        if call._flow and call._flow.reader
    ]
    assert server._reassembly == sum(held)
    return events


CUTS = st.lists(st.integers(0, 5000), max_size=5)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), CUTS, st.booleans())
def test_any_bytes(data, cuts, handshake_done):
    check(connection(handshake_done=handshake_done), data, cuts)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.builds(
            wire.Frame,
            st.sampled_from([*wire.FrameType]),
            st.integers(0, 8),
            st.binary(max_size=80),
        ),
        max_size=8,
    ),
    CUTS,
    st.booleans(),
)
def test_any_payload_in_well_formed_frames(frames, cuts, stream):
    check(connection(stream=stream), b"".join(frame.encode() for frame in frames), cuts)


CHUNKS = st.lists(st.binary(max_size=10), max_size=5)
CALL_FRAMES = st.one_of(
    st.builds(
        wire.CallRequest,
        id=st.integers(0, 4),
        flags=st.integers(0, 3),
        ttl_ms=st.integers(0, 5000),
        service=st.sampled_from(["", "svc"]),
        headers=st.sampled_from([{}, {"as": "raw", "cn": "x"}]),
        checksum_type=st.sampled_from(wire.ChecksumType),
        checksum=st.none() | st.just(5),
        chunks=CHUNKS,
    ),
    st.builds(
        wire.CallResponse,
        id=st.integers(0, 8),
        flags=st.integers(0, 1),
        headers=st.just({"as": "raw"}),
        checksum_type=st.sampled_from(wire.ChecksumType),
        chunks=CHUNKS,
    ),
    *(
        st.builds(
            cls,
            id=st.integers(0, 8),
            flags=st.integers(0, 1),
            checksum_type=st.just(wire.ChecksumType.NONE),
            chunks=CHUNKS,
        )
        for cls in (wire.CallRequestContinue, wire.CallResponseContinue)
    ),
    st.builds(wire.Cancel, id=st.integers(0, 4)),
    st.builds(wire.ErrorMessage, id=st.integers(1, 8), code=st.integers(0, 9)),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(CALL_FRAMES, max_size=12), CUTS, st.booleans())
def test_any_order_of_messages(messages, cuts, stream):
    server = connection(stream=stream)
    events = check(server, b"".join(map(wire.encode, messages)), cuts)
    events += server.expire(10_000.0)

    told = [event.id for event in events if isinstance(event, wire.RequestReceived)]
    ended = [
        event.id for event in events if isinstance(event, wire.RequestExpired | wire.CancelReceived)
    ]
    assert set(ended) <= set(told)
    if server.state is wire.ConnectionState.OPEN:
        assert not server.inbound
        assert not server.outbound
        assert server._reassembly == 0
        assert len(server.deadlines) == 0


@pytest.mark.parametrize("seed", range(5))
def test_mutated_recordings(seed):
    rng = random.Random(seed)
    for _ in range(150):
        stream = bytearray(b"".join(rng.choices(FRAMES, k=rng.randint(1, 5))))
        for _ in range(rng.randint(0, 6)):
            position = rng.randrange(len(stream))
            if rng.random() < 0.7:
                stream[position] = rng.randrange(256)
            elif rng.random() < 0.5:
                del stream[position : position + rng.randint(1, 20)]
            else:
                stream[position:position] = rng.randbytes(rng.randint(1, 20))
            if not stream:
                break
        data = bytes(stream)
        kind = {"handshake_done": rng.random() < 0.8, "stream": rng.random() < 0.5}
        cuts = [rng.randrange(len(data) + 1) for _ in range(4)]
        whole = check(connection(**kind), data)
        pieces = check(connection(**kind), data, cuts)

        assert list(map(repr, whole)) == list(map(repr, pieces))
