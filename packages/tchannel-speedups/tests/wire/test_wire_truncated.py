"""Every valid frame, cut at every byte and with every byte changed: both ways see the same."""

import pytest

import tchannel_wire as wire
from tchannel_wire import inbound, outbound

NOW = 100.0
HEADERS = {"as": "raw", "cn": "client", "sk": "k"}


class Ends:
    """Two connections after their handshake, and after a first call if prefixes are to be known."""

    def __init__(self, *, learnt: bool) -> None:
        for cache in (inbound._prefixes, outbound._prefixes, inbound._response_packers):
            cache.clear()
        self.prepared = wire.prepare_call("keyvalue", HEADERS, b"echo")
        self.block = wire.encode_headers({"as": "raw"})
        self.client = self.connection(opener=True)
        self.server = self.connection(opener=False)
        self.server.receive(self.client.data_to_send(), NOW)
        self.client.receive(self.server.data_to_send(), NOW)
        if learnt:
            self.server.receive(self.request(), NOW)
            self.client.receive(self.response(), NOW)

    def connection(self, *, opener: bool) -> wire.Connection:
        return wire.Connection(
            opener=opener, host_port="127.0.0.1:4040", process_name="test", now=NOW
        )

    def request(self) -> bytes:
        self.client.call(self.prepared, b"head", b"body" * 4, 1.0, bytes(25), NOW)
        return self.client.data_to_send()

    def response(self) -> bytes:
        for id in list(self.server.inbound):
            self.server.respond(id, self.block, b"head", b"answer")
        return self.server.data_to_send()


def sizes(frame: bytes) -> list[bytes]:
    """The frame as it is, and cut at each byte: as a stream that pauses, and as a frame so short."""
    cut = [frame[:end] for end in range(len(frame))]
    whole = [len(one).to_bytes(2, "big") + one[2:] for one in cut if len(one) >= 16]
    return [frame, *cut, *whole]


def changes(frame: bytes) -> list[bytes]:
    """The frame with one byte another one, for each byte but those of its size."""
    return [
        frame[:place] + bytes((frame[place] ^ bit,)) + frame[place + 1 :]
        for place in range(2, len(frame))
        for bit in (0x01, 0x80, 0xFF)
    ]


def outcome(seen, message: str, make, index: int, *, learnt: bool) -> list[object]:
    """All that can be seen after one such frame, and after the bytes that it lacks."""
    ends = Ends(learnt=learnt)
    request = ends.request()
    receiver, frame = ends.server, request
    if message == "response":
        ends.server.receive(request, NOW)
        receiver, frame = ends.client, ends.response()
    data = make(frame)[index]
    said = [seen(receiver.receive(data, NOW))]
    said.append(seen(receiver.receive(frame[len(data) :], NOW)))
    said.append((sorted(receiver.inbound), sorted(receiver.outbound), receiver.state))
    said.append((receiver.data_to_send(), receiver._buffer.pending, receiver._timer_at))
    return said


@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize("make", [sizes, changes])
@pytest.mark.parametrize("message", ["request", "response"])
def test_both_ways_see_the_same_in_a_frame_that_was_tampered_with(
    purely, seen, message, make, learnt
):
    ends = Ends(learnt=learnt)
    frame = ends.request()
    if message == "response":
        ends.server.receive(frame, NOW)
        frame = ends.response()
    count = len(make(frame))
    assert count > 100

    native = [outcome(seen, message, make, index, learnt=learnt) for index in range(count)]
    with purely("wire"):
        python = [outcome(seen, message, make, index, learnt=learnt) for index in range(count)]

    for index, (one, other) in enumerate(zip(native, python, strict=True)):
        assert one == other, (message, index)
    good = native[0] if make is sizes else None
    assert good is None or good[0][0][0] in {"RequestReceived", "ResponseReceived"}
