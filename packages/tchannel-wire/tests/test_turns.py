"""Taking some frames of what was read and leaving the rest for later; memory shared by connections."""

import time

import pytest

import tchannel_wire as wire


def opened(**kwargs):
    """The accepting end of a connection whose handshake is done."""
    connection = wire.Connection(
        opener=False, host_port="127.0.0.1:4040", process_name="p", now=0.0, **kwargs
    )
    headers = {"host_port": "0.0.0.0:0", "process_name": "q"}
    connection.receive(wire.encode(wire.InitRequest(id=1, headers=headers)), 0.0)
    connection.data_to_send()
    return connection


def request(id, chunks=(b"echo", b"", b"body"), *, more=False, kind=wire.ChecksumType.CRC32C):
    return wire.encode(
        wire.CallRequest(
            id=id,
            flags=wire.MORE_FRAGMENTS if more else 0,
            ttl_ms=1000,
            tracing=wire.NO_TRACING,
            service="service",
            headers={"as": "raw", "cn": "caller"},
            checksum_type=kind,
            chunks=chunks,
        )
    )


@pytest.mark.parametrize("cut", [0, 1, 7, 15, 17, 50])
@pytest.mark.parametrize("most", [1, 2, 3, 9, 10, 11])
def test_all_frames_come_in_order_however_many_are_taken_at_once(most, cut):
    connection = opened()
    data = b"".join(request(n) for n in range(1, 11))
    seen = []
    for part in (data[: len(data) - cut], data[len(data) - cut :]):
        events = connection.receive(part, 0.0, most)
        assert len(events) <= most + 1  # the one that an earlier read began comes besides
        seen += events
        while connection.unread:
            events = connection.receive(b"", 0.0, most)
            assert len(events) <= most
            seen += events
    assert [event.id for event in seen] == list(range(1, 11))
    assert all(event.arg3 == b"body" for event in seen)


def test_what_comes_while_frames_are_unread_stands_behind_them():
    connection = opened()
    first = connection.receive(request(1) + request(2) + request(3)[:20], 0.0, 1)
    assert [event.id for event in first] == [1]
    assert connection.unread == len(request(2)) + 20
    rest = connection.receive(request(3)[20:] + request(4), 0.0)
    assert [event.id for event in rest] == [2, 3, 4]
    assert connection.unread == 0


def test_pings_count_as_frames():
    connection = opened()
    connection.receive(b"".join(wire.encode(wire.PingRequest(id=n)) for n in range(1, 10)), 0.0, 4)
    assert connection.replied == 4 * 16


def test_a_frame_whose_checksum_takes_long_is_the_last_of_its_turn():
    connection = opened()
    dear = request(1, (b"echo", b"", b"x" * 60_000), kind=wire.ChecksumType.FARMHASH)
    events = connection.receive(dear + request(2), 0.0, 64)
    assert [event.id for event in events] == [1]
    assert [event.id for event in connection.receive(b"", 0.0, 64)] == [2]
    assert len(connection.receive(dear.replace(b"\1", b"\1"), 0.0)) == 1


def test_a_frame_of_empty_chunks_is_refused_without_looking_at_all_of_them():
    connection = opened()
    frame = request(1, (b"echo", *[b""] * 30_000), kind=wire.ChecksumType.NONE)
    started = time.process_time()
    refused = connection.receive(frame, 0.0)
    short = connection.receive(request(2, [b"echo", *[b""] * 60], kind=wire.ChecksumType.NONE), 0.0)
    assert time.process_time() - started < 5
    assert "more than three args" in str(refused[0].error)
    assert type(refused[0]) is type(short[0]) is wire.RequestRefused


class Budget(wire.MemoryBudget):
    """Lets a certain connection give way."""

    other: wire.Connection

    def make_room(self, size, connection):
        self.events = self.other.shed()
        return self.held + size <= self.limit


def test_unfinished_requests_of_many_connections_count_together():
    budget = wire.MemoryBudget(100_000)
    first, second = opened(memory=budget), opened(memory=budget)
    body = (b"echo", b"", b"x" * 40_000)
    assert first.receive(request(1, body, more=True), 0.0) == []
    assert second.receive(request(1, body, more=True), 0.0) == []
    assert 80_000 < budget.held <= 100_000
    (refused,) = second.receive(request(2, body, more=True), 0.0)
    assert refused.error.code == wire.ErrorCode.BUSY
    first.receive_eof(0.0)
    assert budget.held == second.reassembling
    second.expire(5.0)
    assert budget.held == second.reassembling == 0


def test_a_connection_sheds_what_is_unfinished_and_nothing_else():
    budget = Budget(100_000)
    first, second = opened(memory=budget), opened(memory=budget)
    budget.other = first
    body = (b"echo", b"", b"x" * 40_000)
    complete = first.receive(request(1, body), 0.0)
    first.receive(request(2, body, more=True) + request(3, body, more=True), 0.0)
    assert second.receive(request(1, body, more=True), 0.0) == []
    assert [event.id for event in budget.events] == [2, 3]
    assert all(event.error.code == wire.ErrorCode.BUSY for event in budget.events)
    assert list(first.inbound) == [complete[0].id]
    assert budget.held == second.reassembling > 40_000
