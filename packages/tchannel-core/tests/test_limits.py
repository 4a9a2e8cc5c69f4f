"""Limits, and peers that do not read; time moves by hand."""

import asyncio
import logging

import pytest

from tchannel import errors
from tchannel._ground.timeouts import seconds
from tchannel.event import EventType
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel_wire import ChecksumType
from tchannel_wire import Options as WireOptions


@pytest.fixture
async def limited(clock, make_channel, join, settle):
    """A function that joins two channels with given options."""
    made = []

    async def make(**options):
        client = make_channel("client", options=Options(**options))
        server = make_channel("server", options=Options(**options))
        ends = join(client, server, "127.0.0.1:1")
        await settle()
        made.extend([client, server])
        return client, server, *ends

    yield make
    closing = [channel.close(grace=1) for channel in made]
    for _ in range(10):
        await clock.advance(1)
    await asyncio.gather(*closing)


async def hang_on(server):
    go = asyncio.Event()

    @server.raw.register
    async def hang(request):
        await go.wait()
        return b"ok"

    return go


@pytest.mark.parametrize("limit", ["max_calls_per_connection", "max_calls"])
async def test_calls_beyond_the_limit_in_flight_are_answered_busy(limited, clock, limit):
    client, server, *_ = await limited(**{limit: 3})
    go = await hang_on(server)
    calls = [client.raw("server", "hang", hostport="127.0.0.1:1") for _ in range(5)]
    await clock.advance(0)

    assert [call.done() for call in calls] == [False] * 3 + [True] * 2
    assert all(isinstance(call.exception(), errors.BusyError) for call in calls[3:])
    go.set()
    await clock.advance(0)
    assert [(await call).body for call in calls[:3]] == [b"ok"] * 3
    assert (await client.raw("server", "hang", hostport="127.0.0.1:1")).body == b"ok"


def hanging(client, size, **kwargs):
    return client.raw("server", "hang", b"x" * size, hostport="127.0.0.1:1", **kwargs)


async def test_requests_beyond_the_memory_for_those_being_served_are_answered_busy(limited, clock):
    # What it takes to put a request together counts as well, until it is complete.
    client, server, *_ = await limited(incoming_memory=310_000)
    go = await hang_on(server)
    calls = [hanging(client, 100_000) for _ in range(3)]
    await clock.advance(0)
    one_more = hanging(client, 11_000)
    await clock.advance(0)

    assert [call.done() for call in calls] == [False] * 3
    with pytest.raises(errors.BusyError, match="bytes of requests"):
        await one_more
    go.set()
    await clock.advance(0)
    assert [(await call).body for call in calls] == [b"ok"] * 3
    assert (await hanging(client, 300_000)).body == b"ok"
    assert inside(server).incoming_bytes == 0


async def test_the_headers_of_a_request_count_for_its_memory(limited, clock):
    client, server, *_ = await limited(incoming_memory=300_000)
    go = await hang_on(server)
    first = hanging(client, 100_000, headers=b"h" * 200_000)
    await clock.advance(0)

    with pytest.raises(errors.BusyError):
        await hanging(client, 1_025)
    go.set()
    await first


async def test_small_requests_are_served_when_the_memory_for_large_ones_is_used_up(limited, clock):
    client, server, *_ = await limited(incoming_memory=300_000)
    go = await hang_on(server)
    calls = [hanging(client, 300_000), *[hanging(client, 1_024) for _ in range(20)]]
    await clock.advance(0)

    assert not any(call.done() for call in calls)
    go.set()
    await asyncio.gather(*calls)


async def test_one_request_of_any_size_is_served_when_there_is_no_other(limited, clock):
    client, server, *_ = await limited(incoming_memory=2_000)
    go = await hang_on(server)
    first = hanging(client, 500_000)
    await clock.advance(0)

    with pytest.raises(errors.BusyError):
        await hanging(client, 1_025)
    go.set()
    assert (await first).body == b"ok"


@pytest.mark.parametrize("ending", ["cancel", "timeout", "connection", "error"])
async def test_the_memory_of_a_request_is_free_again_however_its_call_ends(limited, clock, ending):
    client, server, to_server, _ = await limited(incoming_memory=2_000)
    await hang_on(server)
    server.raw.register("hang" if ending == "error" else "other", lambda request: 1 / 0)
    call = hanging(client, 500_000, timeout=1)
    if ending != "error":
        await clock.advance(0)
        assert inside(server).incoming_bytes == 500_000
    if ending == "cancel":
        call.cancel()
    elif ending == "connection":
        to_server.abort()
    await clock.advance(2)

    assert call.done()
    assert inside(server).incoming_bytes == 0


async def test_streamed_requests_do_not_count_as_being_held(limited, clock):
    client, server, *_ = await limited(incoming_memory=2_000)

    @server.raw.register(stream=True)
    async def put(request):
        return b"%d" % sum([len(chunk) async for chunk in request.body])

    calls = [client.raw("server", "put", b"x" * 100_000, hostport="127.0.0.1:1") for _ in range(3)]
    await clock.advance(0)

    assert [(await call).body for call in calls] == [b"100000"] * 3


async def test_a_request_beyond_the_message_size_is_a_bad_request(limited):
    client, server, *_ = await limited(max_message_size=100_000)
    server.raw.register("echo", lambda request: b"ok")

    assert (await client.raw("server", "echo", b"x" * 99_000, hostport="127.0.0.1:1")).body == b"ok"
    with pytest.raises(errors.BadRequestError):
        await client.raw("server", "echo", b"x" * 100_001, hostport="127.0.0.1:1")
    assert (await client.raw("server", "echo", b"x", hostport="127.0.0.1:1")).body == b"ok"


async def test_a_response_beyond_the_message_size_fails_its_call_alone(limited, caplog):
    client, server, *_ = await limited(max_message_size=100_000)
    server.raw.register("big", lambda request: b"x" * 200_000)
    server.raw.register("small", lambda request: b"ok")

    with pytest.raises(errors.FatalProtocolError, match=r"large|size|bytes"):
        await client.raw("server", "big", hostport="127.0.0.1:1")
    assert [record.getMessage()[:25] for record in caplog.records] == ["bad answer of 127.0.0.1:1"]
    assert (await client.raw("server", "small", hostport="127.0.0.1:1")).body == b"ok"


async def test_new_calls_wait_while_the_peer_does_not_read_and_keep_their_timeouts(limited, clock):
    client, server, to_server, to_client = await limited(write_buffer=500_000)
    server.raw.register("echo", lambda request: request.body)
    to_client.pause_reading()
    big = [
        client.raw("server", "echo", b"x" * 1_000_000, hostport="127.0.0.1:1", timeout=60)
        for _ in range(4)
    ]
    await clock.advance(0)
    written = sum(map(len, to_server.written))
    waits = client.raw("server", "echo", b"late", hostport="127.0.0.1:1", timeout=60)
    fails = client.raw("server", "echo", b"late", hostport="127.0.0.1:1", timeout=2)
    await clock.advance(2.5)

    assert isinstance(fails.exception(), errors.TimeoutError)
    assert "does not read" in str(fails.exception())
    assert not waits.done()
    assert sum(map(len, to_server.written)) == written < 1_200_000
    to_client.resume_reading()
    await clock.advance(0)
    await asyncio.gather(*big, waits)


async def test_a_peer_that_does_not_read_its_answers_is_not_read_from(limited, clock):
    client, server, to_server, _ = await limited(write_buffer=300_000)
    served = []

    @server.raw.register
    def big(request):
        served.append(1)
        return b"x" * 60_000

    to_server.pause_reading()
    calls = [client.raw("server", "big", hostport="127.0.0.1:1") for _ in range(5)]
    for _ in range(60):
        calls += [client.raw("server", "big", hostport="127.0.0.1:1")]
        await clock.advance(0)
    stopped_at = len(served)

    assert stopped_at < 20
    to_server.resume_reading()
    await clock.advance(0)
    for call in calls:
        assert len((await call).body) == 60_000


@pytest.mark.parametrize("asked", ["pongs", "refusals"])
async def test_a_peer_that_asks_for_answers_and_reads_none_is_not_read_from(limited, clock, asked):
    client, server, to_server, to_client = await limited(write_buffer=100_000)
    to_server.pause_reading()
    wire = to_server.protocol.wire
    largest = 0
    for _ in range(300):
        for _ in range(50):
            if asked == "pongs":
                wire.ping(clock.time())
            else:
                client.raw("server", "x" * 100, hostport="127.0.0.1:1")
        to_server.protocol.flush_soon()
        await clock.advance(0)
        largest = max(largest, to_client.protocol.wire.buffered)

    assert 100_000 < largest < 200_000
    assert not to_client.reading
    to_server.resume_reading()
    await clock.advance(0)
    server.raw.register("echo", lambda request: request.body)
    answer = await client.raw("server", "echo", b"again", hostport="127.0.0.1:1")
    assert answer.body == b"again"


@pytest.fixture
async def deaf(limited, clock):
    """A function that makes calls whose answers nobody reads; returns them."""

    async def call(caller, callee, end, name):
        callee.raw.register("big", lambda request: b"x" * 60_000)
        end.pause_reading()
        calls = []
        for _ in range(20):
            calls += [caller.raw(name, "big", hostport="127.0.0.1:1", timeout=500)]
            await clock.advance(0)
        return calls

    return call


async def test_a_peer_that_takes_none_of_its_answers_for_a_minute_is_closed(
    limited, clock, deaf, caplog
):
    client, server, to_server, to_client = await limited(write_buffer=300_000)
    calls = await deaf(client, server, to_server, "server")
    assert not to_client.reading
    await clock.advance(59)
    assert not any(call.done() for call in calls)

    await clock.advance(2)

    assert inside(server).connections == inside(client).connections == set()
    assert {type(call.exception()) for call in calls} == {errors.NetworkError}
    (record,) = [record for record in caplog.records if "has taken none" in record.getMessage()]
    assert record.getMessage().endswith("in 60 s: its connection is closed")
    assert record.peer == to_client.protocol.address


async def test_a_peer_that_takes_a_little_now_and_then_is_not_closed(limited, clock, deaf):
    client, server, to_server, _ = await limited(write_buffer=300_000)
    calls = await deaf(client, server, to_server, "server")
    for _ in range(3):
        await clock.advance(50)
        to_server.resume_reading()
        await asyncio.sleep(0)
        to_server.pause_reading()
    await clock.advance(50)
    assert not all(call.done() for call in calls)

    to_server.resume_reading()
    await clock.advance(0)

    assert {len((await call).body) for call in calls} == {60_000}
    await clock.advance(100)
    assert len(inside(server).connections) == 1


async def test_calls_that_gave_up_on_a_peer_that_does_not_read_leave_nothing(limited, clock):
    client, _, to_server, to_client = await limited(write_buffer=100_000)
    to_client.pause_reading()
    client.raw("server", "x", b"x" * 1_000_000, hostport="127.0.0.1:1", timeout=100)
    await clock.advance(0)
    waiting = to_server.protocol.waiting
    calls = [client.raw("server", "x", hostport="127.0.0.1:1", timeout=1) for _ in range(10)]
    await clock.advance(0)
    assert len(waiting) == 10
    calls[0].cancel()
    await clock.advance(2)

    assert all(call.done() for call in calls)
    assert len(waiting) == 0
    assert inside(client).waiting == {}


async def test_two_peers_that_send_each_other_much_do_not_stop_each_other(limited, clock):
    client, server, *_ = await limited(write_buffer=200_000)
    server.raw.register("echo", lambda request: request.body)
    client.raw.register("echo", lambda request: request.body)
    (incoming,) = inside(server).connections
    body = b"x" * 1_000_000

    answers = await asyncio.gather(
        *[client.raw("server", "echo", body, hostport="127.0.0.1:1") for _ in range(5)],
        *[server.raw("client", "echo", body, hostport=incoming.address) for _ in range(5)],
    )
    assert all(len(answer.body) == len(body) for answer in answers)


@pytest.mark.parametrize(
    "name", ["default_timeout", "max_calls", "write_buffer", "penalty_max", "max_message_size"]
)
@pytest.mark.parametrize("value", [0, -1, "1", True])
def test_a_limit_that_is_not_above_zero_is_refused_by_its_name(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        Options(**{name: value})


@pytest.mark.parametrize("name", ["max_calls", "max_calls_per_connection", "max_handshakes"])
def test_a_count_is_a_whole_number(name):
    with pytest.raises(TypeError, match=f"{name} must be an int, not 1.5"):
        Options(**{name: 1.5})


@pytest.mark.parametrize("checksum", [ChecksumType.NONE, ChecksumType.CRC32, ChecksumType.CRC32C])
async def test_calls_carry_the_checksum_of_the_options(limited, checksum):
    client, server, *_ = await limited(checksum=checksum)
    used = []

    @server.raw.register
    async def echo(request):
        used.append(request.event.checksum_type)
        return request.body

    for body in (b"small", bytes(100_000)):
        assert (await client.raw("server", "echo", body, hostport="127.0.0.1:1")).body == body
    assert used == [checksum, checksum]


@pytest.mark.parametrize("checksum", [ChecksumType.FARMHASH, 9, None])
@pytest.mark.parametrize("others", [{}, {"wire": WireOptions()}], ids=["alone", "wire given"])
def test_a_checksum_that_is_never_written_is_refused_by_its_name(checksum, others):
    with pytest.raises(ValueError, match="checksum must be NONE, CRC32 or CRC32C"):
        Options(checksum=checksum, **others)


# -- timeouts are seconds ---------------------------------------------------------------------


def test_timeouts_are_seconds_in_every_form():
    from datetime import timedelta

    assert seconds(2, 30.0) == 2.0
    assert seconds(0.25, 30.0) == 0.25
    assert seconds(timedelta(minutes=1), 30.0) == 60.0
    assert seconds(None, 30.0) == seconds(0, 30.0) == 30.0


def test_a_large_int_is_taken_as_seconds_and_logged_once(caplog, monkeypatch):
    monkeypatch.setattr("tchannel._ground.timeouts._warned", False)
    with caplog.at_level(logging.WARNING):
        assert seconds(3600, 30.0) == 3600.0
        assert seconds(1000, 30.0) == 1000.0
        assert seconds(999, 30.0) == 999.0
        assert seconds(5000.0, 30.0) == 5000.0

    assert len(caplog.records) == 1
    assert "the unit is seconds" in caplog.text
    assert "1:00:00" in caplog.text


@pytest.mark.parametrize("value", [-1, -0.5, float("nan")])
def test_negative_and_nan_timeouts_are_value_errors(value):
    with pytest.raises(ValueError, match="timeout"):
        seconds(value, 30.0)


def test_an_endless_timeout_is_the_longest_that_the_protocol_can_say():
    assert seconds(float("inf"), 30.0) == pytest.approx(0xFFFFFFFF / 1000)


@pytest.mark.parametrize("value", [float("inf"), 1.5, "4"])
@pytest.mark.parametrize("name", ["peer_connections", "max_error_text"])
def test_a_count_that_is_no_int_is_refused_by_its_name(name, value):
    with pytest.raises(TypeError, match=name):
        Options(**{name: value})


@pytest.mark.parametrize(
    "name", ["default_timeout", "connect_timeout", "handshake_timeout", "close_grace"]
)
def test_a_time_without_end_is_refused_by_its_name(name):
    with pytest.raises(ValueError, match=name):
        Options(**{name: float("inf")})


@pytest.mark.parametrize("name", ["handshake_timeout", "max_message_size", "reassembly_memory"])
def test_a_limit_of_the_wire_is_refused_beside_wire(name):
    with pytest.raises(TypeError, match=f"{name} stands beside wire="):
        Options(**{name: 5}, wire=WireOptions())


def test_there_is_one_handshake_timeout_for_tls_and_for_ours():
    assert Options(wire=WireOptions(handshake_timeout=2.0)).handshake_timeout == 2.0
    assert Options(handshake_timeout=3).wire.handshake_timeout == 3


def test_limits_of_the_wire_are_given_in_its_own_class():
    with pytest.raises(TypeError, match="wire"):
        Options(wire={"max_headers": 5})


@pytest.mark.parametrize(
    ("limit", "most", "call"),
    [
        ("max_message_size", 100_000, {"body": b"x" * 100_001}),
        ("max_frames_per_message", 1, {"body": b"x" * 70_000}),
        ("reassembly_memory", 200_000, {"body": b"x" * 250_000}),
        ("max_arg1", 10, {"endpoint": "e" * 11}),
    ],
)
async def test_a_limit_that_the_wire_keeps_is_counted_by_its_name(limited, limit, most, call):
    client, server, *_ = await limited(wire=WireOptions(**{limit: most}))
    reached = []
    server.hooks.register(lambda *what: reached.append(what), EventType.on_limit_reached)
    client.options.wire = WireOptions()

    with pytest.raises((errors.BadRequestError, errors.BusyError)):
        await client.raw(
            "server",
            call.get("endpoint", "e"),
            call.get("body", b""),
            hostport="127.0.0.1:1",
            retry_on="n",
        )

    assert server.stats().limits_reached == {limit: 1}
    assert reached == [(limit, most)]
