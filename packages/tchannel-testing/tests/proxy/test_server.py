"""The fault proxy over real sockets."""

import asyncio
import socket
import struct
from importlib import metadata

import pytest
from packaging.version import Version

from tchannel_testing.clock import ManualClock
from tchannel_testing.proxy import FaultProxy, flip_byte, is_continuation, is_frame_type

CALL, CONTINUE = 0x03, 0x13


@pytest.fixture
async def joined(tcp):
    """Makes a proxy with a server behind it and a client before it."""
    proxies = []

    async def join(echo=True, **options):
        server = await tcp.serve(echo=echo)
        proxy = FaultProxy(server.hostport, **options)
        proxies.append(proxy)
        await proxy.start()
        client = await tcp.connect(proxy.hostport)
        return proxy, client, await server.first()

    yield join
    for proxy in proxies:
        await proxy.close()


async def test_without_faults_bytes_pass_both_ways_and_are_counted(joined, make_frame):
    proxy, client, _ = await joined()
    hello = make_frame(CALL, b"hello")

    client.write(hello)

    assert await client.receive(len(hello)) == hello
    assert proxy.upstream.bytes == proxy.downstream.bytes == len(hello)
    assert proxy.upstream.frames == proxy.downstream.frames == 1
    assert proxy.accepted == len(proxy.connections) == 1


async def test_an_orderly_end_passes_behind_the_bytes_before_it(joined):
    proxy, client, server = await joined(echo=False)

    client.write(b"last words")
    client.transport.write_eof()
    await server.until(lambda end: end.eof)
    assert server.data == b"last words"
    server.write(b"answer to a half-closed end")
    server.transport.close()

    assert await client.receive(27) == b"answer to a half-closed end"
    await client.until(lambda end: end.eof)
    await proxy.until(lambda: not proxy.connections)


async def test_latency_delays_bytes_by_so_many_seconds_of_the_clock(joined):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock)
    proxy.upstream.set(latency=2.0)

    client.write(b"slow")
    await proxy.until(lambda: proxy.upstream.bytes == 4)
    await clock.elapse(1.9)
    assert server.data == b""
    await clock.elapse(0.2)

    assert await server.receive(4) == b"slow"


async def test_one_direction_is_delayed_and_the_other_is_not(joined):
    clock = ManualClock()
    proxy, client, server = await joined(clock=clock)
    proxy.downstream.set(latency=5.0)

    client.write(b"quick there, slow back")
    await server.receive(22)
    await proxy.until(lambda: proxy.downstream.bytes == 22)
    assert client.data == b""
    await clock.elapse(5)

    assert await client.receive(22) == b"quick there, slow back"


async def test_jitter_adds_up_to_its_amount_and_keeps_the_order(joined):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock, seed=7)
    proxy.upstream.set(latency=1.0, jitter=1.0, split=1)

    client.write(bytes(range(20)))
    await proxy.until(lambda: proxy.upstream.bytes == 20)
    await clock.elapse(0.999)
    assert server.data == b""
    await clock.elapse(1.001)

    assert await server.receive(20) == bytes(range(20))


async def test_bandwidth_spreads_bytes_over_time(joined):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock)
    proxy.upstream.set(bandwidth=1000)

    client.write(bytes(1000))
    await proxy.until(lambda: proxy.upstream.bytes == 1000)
    await clock.elapse(0.501)
    assert len(await server.receive(500)) == 500
    await clock.elapse(0.5)

    assert len(await server.receive(1000)) == 1000


@pytest.mark.parametrize("fault", [{"latency": 60.0}, {"jitter": 60.0}, {"bandwidth": 10}], ids=str)
async def test_bytes_that_are_late_leave_at_once_when_the_fault_ends(joined, fault):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock, seed=7)
    proxy.upstream.set(**fault)
    client.write(bytes(1000))
    await proxy.until(lambda: proxy.upstream.bytes == 1000)
    assert server.data == b""

    proxy.clear()
    client.write(b"later")

    assert await server.receive(1005) == bytes(1000) + b"later"


async def test_bytes_that_wait_leave_at_the_new_pace_if_that_is_earlier(joined):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock)
    proxy.upstream.set(bandwidth=100)
    client.write(bytes(1000))
    await proxy.until(lambda: proxy.upstream.bytes == 1000)

    proxy.upstream.set(bandwidth=1000)
    await clock.elapse(0.501)
    assert len(await server.receive(500)) == 500
    proxy.upstream.set(bandwidth=1, latency=9)
    await clock.elapse(0.5)

    assert len(await server.receive(1000)) == 1000


async def test_split_writes_pieces_of_at_most_so_many_bytes(joined):
    proxy, client, server = await joined(echo=False)
    client.write(b"connected")
    await server.receive(9)
    server.reads.clear()
    proxy.upstream.set(split=3)

    client.write(b"abcdefgh")
    await server.receive(8)

    assert server.reads == [b"abc", b"def", b"gh"]


async def test_join_holds_frames_until_there_are_enough(joined, make_frame):
    proxy, client, server = await joined(echo=False)
    one, two = make_frame(CALL, b"one"), make_frame(CALL, b"two", id=2)
    proxy.upstream.set(join=2)

    client.write(one)
    await proxy.until(lambda: proxy.upstream.frames == 1)
    assert server.reads == []
    client.write(two)
    await server.receive(len(one + two))

    assert server.reads == [one + two]


async def test_withheld_fragments_are_overtaken_and_released_in_order(joined, make_frame):
    proxy, client, server = await joined(echo=False)
    first, more, last = (
        make_frame(t, b"x" * n) for t, n in [(CALL, 1), (CONTINUE, 2), (CONTINUE, 3)]
    )
    ping = make_frame(0xD0, b"", id=9)
    proxy.upstream.set(withhold=is_continuation)

    client.write(first + more + last + ping)
    assert await server.receive(len(first + ping)) == first + ping
    proxy.upstream.clear()

    assert await server.receive(len(first + ping + more + last)) == first + ping + more + last


async def test_a_fault_that_wants_frames_waits_for_the_next_one_when_switched_on_inside_one(
    joined, make_frame
):
    proxy, client, server = await joined(echo=False)
    started, held = make_frame(CONTINUE, b"started"), make_frame(CONTINUE, b"held")

    client.write(started[:5])
    await server.receive(5)
    proxy.upstream.set(withhold=is_continuation)
    client.write(started[5:] + held[:7])
    assert await server.receive(len(started)) == started
    client.write(held[7:])
    await proxy.until(lambda: proxy.upstream.frames == 2)
    assert server.data == started
    proxy.upstream.clear()

    assert await server.receive(len(started + held)) == started + held


async def test_switching_such_a_fault_off_inside_a_frame_loses_nothing(joined, make_frame):
    proxy, client, server = await joined(echo=False)
    frame = make_frame(CALL, b"in two parts")
    proxy.upstream.set(join=1)

    client.write(frame[:9])
    await proxy.until(lambda: proxy.upstream.bytes == 9)
    proxy.upstream.clear()
    client.write(frame[9:])

    assert await server.receive(len(frame)) == frame


async def test_a_stream_that_is_not_tchannel_passes_through_faults_of_frames(joined):
    proxy, client, server = await joined(echo=False)
    proxy.upstream.set(withhold=is_continuation)

    client.write(b"\x00\x01 is no size of a frame")

    assert await server.receive(24) == b"\x00\x01 is no size of a frame"


async def test_rewrite_changes_the_frames_it_is_meant_for(joined, make_frame):
    proxy, client, server = await joined(echo=False)
    call, ping = make_frame(CALL, b"body"), make_frame(0xD0, b"")
    proxy.upstream.set(rewrite=flip_byte(-1, types=(CALL,)))

    client.write(ping + call)

    assert await server.receive(len(ping + call)) == ping + call[:-1] + bytes([call[-1] ^ 0xFF])


async def test_corruption_inverts_bytes_and_repeats_with_the_same_seed(joined):
    seen = []
    for _ in range(2):
        proxy, client, server = await joined(echo=False, seed=1)
        proxy.upstream.set(corrupt_rate=0.5)
        client.write(bytes(100))
        seen.append(await server.receive(100))

    assert seen[0] == seen[1]
    assert 20 < seen[0].count(0xFF) < 80
    assert seen[0].count(0xFF) + seen[0].count(0) == 100


async def test_a_cut_after_bytes_passes_exactly_so_many(joined):
    proxy, client, server = await joined(echo=False)
    client.write(b"before")
    await server.receive(6)
    proxy.upstream.set(cut_after_bytes=4)

    client.write(b"after it")
    await server.until(lambda end: end.eof)

    assert server.data == b"beforeafte"
    await client.until(lambda end: end.eof)


async def test_a_cut_after_frames_passes_exactly_so_many(joined, make_frame):
    proxy, client, server = await joined(echo=False)
    frames = [make_frame(CALL, b"x", id=n) for n in (1, 2, 3)]
    proxy.upstream.set(cut_after_frames=2)

    client.write(b"".join(frames))
    await server.until(lambda end: end.eof)

    assert server.data == frames[0] + frames[1]


async def test_a_cut_can_be_a_reset(joined):
    proxy, client, server = await joined(echo=False)
    proxy.upstream.set(cut_after_bytes=1, cut_with_reset=True)

    client.write(b"x")

    assert isinstance(await client.lost, ConnectionResetError)
    await server.until(lambda end: end.eof or end.lost.done())
    if server.eof:
        # On uvloop until 0.22 it looks like EOF, and who stays half open is told of no more.
        loop = asyncio.get_running_loop()
        assert type(loop) is not asyncio.SelectorEventLoop
        assert Version(metadata.version("uvloop")) < Version("0.23")
    else:
        assert isinstance(await server.lost, ConnectionResetError)


async def test_reset_reaches_both_ends(joined):
    proxy, client, server = await joined()

    proxy.reset()

    assert isinstance(await client.lost, ConnectionResetError)
    assert isinstance(await server.lost, ConnectionResetError)
    await proxy.until(lambda: not proxy.connections)


async def test_a_reset_by_one_end_reaches_the_other(joined):
    _, client, server = await joined(echo=False)

    linger = b"\1\0\0\0\0\0\0\0"
    client.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, linger
    )
    client.transport.abort()

    assert isinstance(await server.lost, ConnectionResetError)


async def test_a_black_hole_swallows_and_its_end_resets_the_connection(joined):
    proxy, client, server = await joined(echo=False)
    proxy.upstream.set(black_hole=True)

    client.write(b"into the void")
    await proxy.until(lambda: proxy.upstream.bytes == 13)
    assert server.data == b""
    assert not client.lost.done()
    proxy.clear()

    assert isinstance(await client.lost, ConnectionResetError)


async def test_a_black_hole_through_which_nothing_went_leaves_the_connection(joined):
    proxy, client, _ = await joined()
    proxy.set(black_hole=True)
    proxy.clear()

    client.write(b"still here")

    assert await client.receive(10) == b"still here"


async def test_a_half_open_connection_swallows_what_the_end_that_stays_writes(joined):
    proxy, client, server = await joined()

    proxy.half_open()
    await server.lost
    client.write(b"anybody?")
    await proxy.until(lambda: proxy.upstream.bytes == 8)

    assert client.data == b""
    assert not client.lost.done()
    assert not client.eof


async def test_the_client_can_be_the_end_that_vanishes(joined):
    proxy, client, server = await joined(echo=False)

    proxy.half_open("client")
    await client.until(lambda end: end.eof or end.lost.done())
    server.write(b"anybody?")
    await proxy.until(lambda: proxy.downstream.bytes == 8)

    assert not server.lost.done()


async def test_a_stalled_direction_makes_the_sender_wait_and_loses_nothing(joined):
    proxy, client, server = await joined(echo=False)
    proxy.upstream.set(stall=True)
    size = 20_000_000

    client.write(bytes(size))
    server.write(b"the other way works")
    await client.receive(19)
    assert client.transport.get_write_buffer_size() > 0
    proxy.upstream.clear()

    assert len(await server.receive(size)) == size


async def test_a_slow_reader_makes_the_sender_wait(joined):
    proxy, client, server = await joined(echo=False)
    server.transport.pause_reading()
    size = 20_000_000

    client.write(bytes(size))
    await proxy.until(lambda: proxy.upstream.bytes > 100_000)
    assert proxy.upstream.bytes < size
    server.transport.resume_reading()

    assert len(await server.receive(size)) == size


async def test_new_connections_can_be_refused(joined, tcp):
    proxy, _, _ = await joined()
    proxy.refuse = True

    client = await tcp.connect(proxy.hostport)
    assert isinstance(await client.lost, ConnectionResetError)
    proxy.clear()
    client = await tcp.connect(proxy.hostport)
    client.write(b"again")

    assert await client.receive(5) == b"again"


async def test_an_upstream_that_is_not_there_resets_the_client(tcp):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        async with FaultProxy(f"127.0.0.1:{closed.getsockname()[1]}") as proxy:
            client = await tcp.connect(proxy.hostport)

            assert isinstance(await client.lost, ConnectionResetError)


async def test_closing_aborts_connections_even_when_nobody_reads(joined):
    proxy, client, server = await joined(echo=False)
    server.transport.pause_reading()
    client.write(bytes(20_000_000))
    await proxy.until(lambda: proxy.upstream.bytes > 100_000)

    await proxy.close()

    assert proxy.connections == ()
    await client.lost


@pytest.mark.parametrize("turns", range(12))
async def test_closing_ends_in_whatever_turn_of_a_new_connection_it_comes(turns):
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        proxy = FaultProxy(f"127.0.0.1:{upstream.getsockname()[1]}")
        await proxy.start()
        with socket.create_connection(proxy.hostport.rsplit(":", 1)):
            for _ in range(turns):
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                await proxy.close()

    assert proxy.connections == ()


@pytest.mark.parametrize("fault", ["reset", "half_open", "close"])
@pytest.mark.parametrize("turns", range(6))
async def test_a_fault_may_come_in_whatever_turn_of_a_new_connection(fault, turns):
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        proxy = FaultProxy(f"127.0.0.1:{upstream.getsockname()[1]}")
        await proxy.start()
        with socket.create_connection(proxy.hostport.rsplit(":", 1)):
            # It goes on just before the proxy begins to connect to the server.
            await proxy.until(lambda: proxy.accepted)
            for _ in range(turns):
                await asyncio.sleep(0)
            ending = getattr(proxy, fault)()
            async with asyncio.timeout(10):
                if fault == "close":
                    await ending
                if fault == "reset":
                    await proxy.until(lambda: not proxy.connections)
                await proxy.close()

    assert proxy.connections == ()


@pytest.mark.parametrize("turns", range(6))
async def test_who_gives_up_waiting_for_an_end_does_not_prevent_it(joined, turns):
    proxy, _, _ = await joined()
    (connection,) = proxy.connections
    waiting = [asyncio.ensure_future(proxy.close()), connection.closed]
    for _ in range(turns):
        await asyncio.sleep(0)

    for future in waiting:
        future.cancel()

    async with asyncio.timeout(10):
        await proxy.close()
    assert proxy.connections == ()


async def test_an_end_of_file_for_who_has_just_reset_is_no_error(joined):
    clock = ManualClock()
    proxy, client, server = await joined(echo=False, clock=clock)
    proxy.set(latency=1)
    server.transport.write_eof()
    for _ in range(20):  # it arrives, and waits
        await asyncio.sleep(0)

    client.transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    client.transport.abort()
    await asyncio.sleep(0)
    clock.advance(1)  # before the proxy is told of the reset

    await proxy.until(lambda: not proxy.connections)


async def test_closing_ends_those_who_wait(joined):
    proxy, _, _ = await joined()
    waiting = asyncio.ensure_future(proxy.until(lambda: False))
    await asyncio.sleep(0)

    await proxy.close()

    with pytest.raises(RuntimeError, match="closed"):
        await waiting


async def test_a_fault_that_makes_no_sense_is_refused_and_nothing_changes(joined):
    proxy, _, _ = await joined()
    proxy.set(latency=1)

    with pytest.raises(ValueError, match=r"bandwidth.*-5"):
        proxy.set(bandwidth=-5, latency=2)
    with pytest.raises(TypeError, match="lateness"):
        proxy.set(lateness=1)

    assert proxy.upstream.faults.latency == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latency": -1}, "latency.*-1"),
        ({"jitter": float("nan")}, "jitter.*nan"),
        ({"split": 0}, "split.*0"),
        ({"join": True}, "join.*True"),
        ({"cut_after_bytes": -1}, "cut_after_bytes.*-1"),
        ({"cut_after_frames": 1.5}, r"cut_after_frames.*1\.5"),
        ({"corrupt_rate": 2}, "corrupt_rate.*2"),
    ],
)
def test_each_setting_names_itself_and_its_bad_value(settings, message):
    with pytest.raises(ValueError, match=message):
        FaultProxy("127.0.0.1:1").set(**settings)


async def test_half_open_names_the_ends_there_are(joined):
    proxy, _, _ = await joined()

    with pytest.raises(ValueError, match=r"upstream.*client.*server"):
        proxy.half_open("server")


def test_an_address_without_a_port_is_refused_with_its_value():
    with pytest.raises(ValueError, match="nowhere"):
        FaultProxy("nowhere")


def test_the_address_is_not_known_before_the_start():
    with pytest.raises(RuntimeError, match="start"):
        _ = FaultProxy("127.0.0.1:1").hostport


async def test_a_proxy_starts_once():
    async with FaultProxy("127.0.0.1:1") as proxy:
        with pytest.raises(RuntimeError, match="already"):
            await proxy.start()


def test_frames_can_be_chosen_by_type(make_frame):
    wanted = is_frame_type(0xD0, 0xD1)

    assert wanted(make_frame(0xD0, b""))
    assert not wanted(make_frame(CALL, b""))


def test_flip_byte_leaves_short_frames_alone(make_frame):
    short = make_frame(CALL, b"")

    assert flip_byte(40)(short) == short
    assert flip_byte(-40)(short) == short


async def test_it_sends_small_frames_at_once_both_ways(joined):
    proxy, *_ = await joined()
    (connection,) = proxy.connections
    for end in (connection._client, connection._server):
        sock = end.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
