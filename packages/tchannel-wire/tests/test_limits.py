"""Limits: at the limit and just beyond, and what unfinished messages may cost."""

import gc

import pytest

import tchannel_wire as wire
from tchannel_wire import ChecksumType, ErrorCode

NONE = ChecksumType.NONE


def more(id, data, *, last=False, cls=wire.CallRequestContinue):
    return wire.encode(cls(id=id, flags=not last, checksum_type=NONE, chunks=[data]))


@pytest.fixture
def limited(new_pair):
    """A pair whose server has the given limits."""
    return lambda **limits: new_pair(server={"options": wire.Options(**limits)})


def outcome(pair, frames):
    """What the server makes of these frames: the one event, and its error's code if it has one."""
    events = pair.server.receive(b"".join(frames), pair.now)
    (event,) = events
    assert pair.server.state is wire.ConnectionState.OPEN
    return event.error.code if isinstance(event, wire.RequestRefused) else type(event).__name__


@pytest.mark.parametrize(
    ("limit", "at", "beyond"),
    [
        (
            {"max_message_size": 11},
            {"chunks": [b"echo", b"123", b"1234"]},
            {"chunks": [b"echo", b"123", b"12345"]},
        ),
        ({"max_arg1": 5}, {"chunks": [b"12345", b"", b""]}, {"chunks": [b"123456", b"", b""]}),
        (
            {"max_headers": 3},
            {"headers": {"as": "", "cn": "", "a": ""}},
            {"headers": {"as": "", "cn": "", "a": "", "b": ""}},
        ),
        (
            {"max_header_key_length": 3},
            {"headers": {"as": "", "cn": "", "abc": ""}},
            {"headers": {"as": "", "cn": "", "abcd": ""}},
        ),
        (
            {"max_header_value_length": 3},
            {"headers": {"as": "raw", "cn": ""}},
            {"headers": {"as": "json", "cn": ""}},
        ),
    ],
)
@pytest.mark.parametrize("flags", [0, wire.STREAMING])
@pytest.mark.parametrize("type", [NONE, ChecksumType.CRC32C])
def test_request_at_a_limit_is_received_and_just_beyond_it_is_refused(
    limited, request_frame, limit, at, beyond, flags, type
):
    common = {"flags": flags, "checksum_type": type}

    assert outcome(limited(**limit), [request_frame(**at, **common)]) == "RequestReceived"
    assert outcome(limited(**limit), [request_frame(**beyond, **common)]) == ErrorCode.BAD_REQUEST
    both = limited(**limit)
    for _ in range(2):  # nothing that was learnt from the one lets the other pass
        assert outcome(both, [request_frame(1, **at, **common)]) == "RequestReceived"
        assert outcome(both, [request_frame(2, **beyond, **common)]) == ErrorCode.BAD_REQUEST
        both.server.fail(1, ErrorCode.BUSY, "")


def test_limits_of_one_connection_do_not_depend_on_what_another_has_seen(limited, request_frame):
    frame = request_frame(headers={"as": "raw", "cn": "abcdef"})

    assert outcome(limited(), [frame]) == "RequestReceived"
    assert outcome(limited(max_header_value_length=5), [frame]) == ErrorCode.BAD_REQUEST


def test_responses_keep_the_same_limits(new_pair, response_frame):
    options = wire.Options(max_message_size=5, max_headers=1, max_frames_per_message=2)
    pair = new_pair(client={"options": options})

    def outcome_of(*, later=(), **fields):
        call = pair.call()
        data = response_frame(call.id, **fields)
        for index, size in enumerate(later):
            data += more(
                call.id, bytes(size), last=index == len(later) - 1, cls=wire.CallResponseContinue
            )
        (event,) = pair.client.receive(data, pair.now)
        assert pair.client._reassembly == 0
        return type(event).__name__

    open_ended = {"flags": 1, "checksum_type": NONE}
    assert outcome_of(chunks=[b"", b"12", b"123"]) == "ResponseReceived"
    assert outcome_of(chunks=[b"", b"12", b"1234"]) == "CallFailed"
    assert outcome_of(headers={"as": "", "x": ""}) == "CallFailed"
    assert outcome_of(**open_ended, later=[5]) == "ResponseReceived"
    assert outcome_of(**open_ended, later=[6]) == "CallFailed"
    assert outcome_of(**open_ended, later=[1, 1]) == "CallFailed"


def test_frames_per_message_are_limited(limited, request_frame):
    first = request_frame(4, flags=1, checksum_type=NONE)

    pair = limited(max_frames_per_message=3)
    assert outcome(pair, [first, more(4, b""), more(4, b"", last=True)]) == "RequestReceived"
    pair = limited(max_frames_per_message=3)
    assert outcome(pair, [first, *[more(4, b"")] * 5]) == ErrorCode.BAD_REQUEST


def test_message_that_would_exceed_the_reassembly_memory_is_busy_and_the_others_go_on(
    limited, request_frame
):
    pair = limited(reassembly_memory=200_000)
    body = bytes(60_000)
    first = request_frame(1, flags=1, checksum_type=NONE, chunks=[b"e", b"", body])
    assert pair.server.receive(first, pair.now) == []
    assert pair.server.receive(wire.replace_id(first, 2), pair.now) == []
    assert pair.server.receive(wire.replace_id(first, 3), pair.now) == []
    assert outcome(pair, [wire.replace_id(first, 4)]) == ErrorCode.BUSY
    assert outcome(pair, [more(3, body)]) == ErrorCode.BUSY
    assert outcome(pair, [more(1, body, last=True)]) == "RequestReceived"
    assert outcome(pair, [more(2, b"", last=True)]) == "RequestReceived"
    assert pair.server._reassembly == 0


def test_reassembly_memory_counts_responses_too(new_pair, response_frame):
    pair = new_pair(client={"options": wire.Options(reassembly_memory=100_000)})
    calls = [pair.call() for _ in range(2)]
    frames = [
        response_frame(call.id, flags=1, checksum_type=NONE, chunks=[b"", b"", bytes(60_000)])
        for call in calls
    ]
    assert pair.client.receive(frames[0], pair.now) == []
    (failed,) = pair.client.receive(frames[1], pair.now)

    assert (failed.id, failed.error.code) == (calls[1].id, ErrorCode.BUSY)


@pytest.mark.parametrize(
    ("count", "headers", "chunks"), [(10_000, 0, 0), (1_000, 0, 30), (500, 100, 3)]
)
def test_10000_unfinished_messages_cost_no_more_than_was_counted(
    new_pair, request_frame, count, headers, chunks
):
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy does not count memory")
    pair = new_pair()
    server = pair.server
    names = {f"h{i}": f"{i}" for i in range(headers)}
    first = request_frame(
        1, flags=1, checksum_type=NONE, headers={"as": "raw", "cn": "x"} | names, ttl_ms=10**6
    )
    later = more(1, b"12345678")
    server.receive(wire.replace_id(first, count + 5), pair.now)
    gc.collect()
    tracemalloc.start()
    try:
        counted = server._reassembly
        for id in range(1, count):
            # As from a peer that never repeats itself, hence without help from the caches.
            unique = first.replace(b"\x02cn\x01x", b"\x02cn\x01%c" % (33 + id % 90))
            data = wire.replace_id(unique, id) + wire.replace_id(later, id) * chunks
            server.receive(data, pair.now)
            server.data_to_send()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    counted = server._reassembly - counted

    assert len(server.inbound) == count
    assert used <= counted <= server.options.reassembly_memory


def test_endless_unfinished_messages_stop_at_the_reassembly_memory(limited, request_frame):
    pair = limited(reassembly_memory=1_000_000)
    first = request_frame(1, flags=1, checksum_type=NONE, ttl_ms=10**6)
    for id in range(1, 2_000):
        pair.server.receive(wire.replace_id(first, id), pair.now)
        pair.server.data_to_send()

    assert pair.server._reassembly <= 1_000_000
    assert len(pair.server.inbound) < 500
    pair.server.expire(pair.now + 2_000)
    assert pair.server._reassembly == 0
    assert not pair.server.inbound


def test_default_message_limit_lets_a_megabyte_pass(pair):
    assert len(pair.request(b"", bytes(1 << 20)).arg3) == 1 << 20
