"""The graceful end of a channel; time moves by hand where it matters."""

import asyncio
import contextlib
import gc
import logging
import socket
import warnings

import pytest

from tchannel import TChannel, errors
from tchannel._life.states import ChannelState
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.peer_sources import PeerSource


@pytest.fixture
def work(joined):
    """An endpoint that answers when it is told to."""
    go = asyncio.Event()

    @joined.server.raw.register
    async def work(request):
        await go.wait()
        return b"done"

    return go


async def test_calls_being_served_may_finish_within_the_grace(joined, work):
    call = joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.server.close(grace=5)
    await joined.advance(1)
    assert not closing.done()
    work.set()
    await joined.advance(3)

    assert (await call).body == b"done"
    await closing


async def test_what_is_left_at_the_end_of_the_grace_gets_an_error_frame(joined, work):
    call = joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.server.close(grace=2)
    await joined.advance(2.5)
    await joined.advance(3)

    await closing
    assert isinstance(call.exception(), errors.CanceledError)
    assert "the server closed before the call was done" in str(call.exception())
    assert inside(joined.server).connections == set()
    assert inside(joined.server).incoming_calls == 0


async def test_a_connection_that_waits_to_be_idle_leaves_no_timer(joined, work, clock):
    joined.client.peers.add(joined.hostport)
    call = joined.client.raw("server", "work")
    await joined.advance(0)
    timers = clock.waiting
    joined.client.peers.remove(joined.hostport)
    joined.client.peers.add(joined.hostport)
    joined.client.peers.remove(joined.hostport)
    assert clock.waiting == timers + 1

    closing = joined.client.close(grace=0)
    await joined.advance(0)

    await closing
    assert isinstance(call.exception(), errors.NetworkError)
    # Nor those that look after the connection: whether the peer is there, whether it ever calls.
    assert clock.waiting == timers - 2


async def test_new_calls_are_declined_while_it_drains(joined, work):
    joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    connection = joined.to_server.protocol
    closing = joined.server.close(grace=2)
    await joined.advance(0)
    # Peers that ignore the notice (go, python) keep calling on the same connection.
    connection.peer.connections.append(connection)
    late = joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)

    assert isinstance(late.exception(), errors.DeclinedError)
    connection.peer.connections.remove(connection)
    work.set()
    await joined.advance(6)
    await closing


async def test_peers_are_told_that_it_drains_and_stop_using_the_connection(joined, work):
    joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.server.close(grace=2)
    await joined.advance(0)

    assert joined.to_server.protocol.peer_draining
    assert joined.to_server.protocol.peer.connections == []
    work.set()
    await joined.advance(6)
    await closing


async def test_our_own_calls_are_finished_first(joined):
    joined.client.raw.register("echo", lambda request: request.body)
    go = asyncio.Event()

    @joined.server.raw.register
    async def slow(request):
        await go.wait()
        return b"slow"

    call = joined.client.raw("server", "slow", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.client.close(grace=5)
    await joined.advance(1)
    assert not closing.done()
    go.set()
    await joined.advance(3)

    assert (await call).body == b"slow"
    await closing


async def test_a_closed_channel_makes_no_calls_and_does_not_listen(joined):
    closing = joined.client.close()
    with pytest.raises(RuntimeError, match="client is closed"):
        joined.client.raw("server", "x", hostport=joined.hostport)
    with pytest.raises(RuntimeError, match="closed"):
        joined.client.listen()
    await joined.advance(5)
    await closing
    assert joined.client.is_closed()


async def test_closing_twice_closes_once(joined):
    said = []
    joined.client.on_close(lambda: said.append("bye"))
    first, second = joined.client.close(), joined.client.close()
    await joined.advance(5)
    await asyncio.gather(first, second)

    assert said == ["bye"]


async def test_giving_up_the_wait_does_not_stop_the_closing(joined, work):
    call = joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    first, second = joined.server.close(grace=5), joined.server.close()
    first.cancel()
    await joined.advance(1)
    assert not second.done()
    work.set()
    await joined.advance(3)

    assert (await call).body == b"done"
    await second
    await joined.server.close()
    assert inside(joined.server).connections == set()


async def test_a_handler_that_awaits_the_close_of_its_channel_is_ended_by_it(joined):
    ended = []

    @joined.server.raw.register
    async def leave(request):
        try:
            await joined.server.close(grace=1)
        finally:
            ended.append(request.cancelled)

    call = joined.client.raw("server", "leave", hostport=joined.hostport)
    await joined.advance(1.5)
    await joined.advance(3)

    assert ended == [True]
    assert isinstance(call.exception(), errors.CanceledError)
    await joined.server.close()
    assert inside(joined.server).connections == set()


@pytest.mark.parametrize("waits_for", ["connection", "retry", "first peers", "reader"])
async def test_a_call_that_still_waits_at_the_end_of_the_grace_fails_and_leaves_nothing(
    joined, make_channel, clock, monkeypatch, waits_for
):
    channel = make_channel("waiting", options=Options(write_buffer=1, retry_delay=100.0))
    channel.use_loop()
    if waits_for == "first peers":
        channel.peers.expecting(asyncio.Future())
        call = channel.raw("server", "x", timeout=50)
    elif waits_for == "reader":
        joined.to_client.pause_reading()
        channel = joined.client
        for _ in range(6):
            channel.raw("server", "x", b"x" * 1_000_000, hostport=joined.hostport, timeout=50)
        await joined.advance(0)
        call = channel.raw("server", "x", hostport=joined.hostport, timeout=50)
    else:

        async def connect(peer):
            if waits_for == "connection":
                await asyncio.Event().wait()
            raise ConnectionRefusedError("nobody there")

        monkeypatch.setattr(
            type(inside(channel).peers_table), "_open", lambda _, peer, connection: connect(peer)
        )
        call = channel.raw("server", "x", hostport="127.0.0.1:9", retry_limit=9, timeout=50)
    await joined.advance(0.5)
    assert not call.done()

    closing = channel.close(grace=1)
    await joined.advance(0.5)
    assert not call.done()
    await joined.advance(0.6)
    await joined.advance(4)

    assert closing.done()
    assert isinstance(call.exception(), errors.NetworkError)
    assert "closed" in str(call.exception())
    assert inside(channel).waiting == {}
    assert inside(channel).peers_table.peers == {} or waits_for == "reader"


async def test_a_call_that_was_just_made_is_still_answered(joined, make_channel, join, settle):
    client = make_channel("late")
    joined.server.raw.register("echo", lambda request: request.body)
    client.use_loop()
    peer = inside(client).peers_table.get("127.0.0.1:2")
    peer.connecting = asyncio.ensure_future(settle())
    call = client.raw("server", "echo", b"just", hostport="127.0.0.1:2")
    closing = client.close(grace=5)
    await settle()
    join(client, joined.server, "127.0.0.1:2")
    await joined.advance(3)

    assert (await call).body == b"just"
    await closing


async def test_close_callbacks_run_first_and_may_take_their_time(joined, caplog):
    order = []

    async def unadvertise():
        order.append(joined.client.state)

    def broken():
        raise OSError("no")

    joined.client.on_close(broken)
    joined.client.on_close(unadvertise)
    closing = joined.client.close()
    await joined.advance(5)
    await closing

    assert order == [ChannelState.WINDING_DOWN]
    assert "failed while client closes" in caplog.text


async def test_a_peer_that_does_not_read_cannot_keep_a_channel_open(joined):
    joined.to_client.reading = False
    joined.to_server.other.reading = False
    call = joined.client.raw("server", "x", b"x" * 1_000_000, hostport=joined.hostport, timeout=60)
    closing = joined.client.close(grace=1)
    await joined.advance(2)
    await joined.advance(6)

    assert closing.done()
    assert isinstance(call.exception(), errors.TChannelError)


async def test_nothing_is_left_after_closing_real_channels(tcp, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = asyncio.all_tasks()
        server = tcp("server", hostport="127.0.0.1:0")
        server.raw.register("echo", lambda request: request.body)
        server.listen()
        clients = [tcp(f"client-{n}") for n in range(3)]
        for client in clients:
            await client.raw("server", "echo", b"x", hostport=server.hostport)
        await asyncio.gather(server.close(), *[client.close() for client in clients])
        await asyncio.sleep(0)

        assert asyncio.all_tasks() == before
        assert not any(inside(channel).connections for channel in (server, *clients))
        gc.collect()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_without_a_grace_nothing_is_waited_for(joined, work):
    call = joined.client.raw("server", "work", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.server.close(grace=0)
    await joined.advance(0)
    await joined.advance(3)

    assert closing.done()
    assert isinstance(call.exception(), errors.CanceledError)


async def test_a_timer_that_fires_early_does_not_keep_a_channel_open(make_channel, clock, settle):
    channel = make_channel("channel")
    channel.use_loop()
    never = asyncio.Future()
    channel.on_close(lambda: never)
    call_at = clock.call_at
    clock.call_at = lambda when, *args: call_at(when - 0.001, *args)
    closing = channel.close(grace=1)
    await clock.advance(0.9995)
    await clock.advance(0)
    assert never.cancelled()
    await clock.advance(5)
    await closing


async def test_hooks_that_still_run_are_cancelled(joined):
    ended = []

    async def slow_hook(request):
        try:
            await asyncio.Future()
        finally:
            ended.append(True)

    from tchannel.event import EventType

    joined.server.hooks.register(slow_hook, EventType.after_receive_request)
    joined.server.raw.register("echo", lambda request: request.body)
    await joined.client.raw("server", "echo", hostport=joined.hostport)
    closing = joined.server.close(grace=1)
    await joined.advance(5)
    await closing

    assert ended == [True]


async def test_async_with_closes(tcp):
    async with tcp("server", hostport="127.0.0.1:0") as server:
        server.listen()
    assert server.is_closed()


def test_closing_before_any_loop_runs_frees_the_port(tcp_free):
    from tchannel import TChannel

    server = TChannel("server", hostport="127.0.0.1:0")
    server.listen()
    hostport = server.hostport
    server.close()
    again = TChannel("server", hostport=hostport)
    again.listen()
    again.close()


@pytest.fixture
def tcp_free():
    """Give the test an IOLoop of its own, closed afterwards."""
    from tornado.ioloop import IOLoop

    loop = IOLoop(make_current=True)
    yield
    loop.close()


async def test_a_channel_closes_while_a_broken_connection_still_has_bytes_to_send(joined):
    joined.to_server.reading = False
    joined.server.raw.register("big", lambda request: b"x" * 60_000)
    for _ in range(3):
        joined.client.raw("server", "big", hostport=joined.hostport)
    await joined.advance(0)
    joined.to_client.protocol.data_received(bytes(16))  # no frame: the connection ends
    assert inside(joined.server).connections

    closing = joined.server.close(grace=1)
    await joined.advance(5)
    await joined.advance(5)
    await closing
    assert inside(joined.server).connections == set()


@pytest.mark.parametrize("turns", range(6))
def test_a_connection_that_is_just_being_accepted_is_closed_as_well(turns):
    async def serve():
        server = TChannel("server", hostport="127.0.0.1:0")
        server.listen()
        await asyncio.sleep(0.01)
        caller = socket.create_connection(("127.0.0.1", server.port))
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close(grace=1)
        return caller

    # A loop of its own, which ends at once: what is left then warns when it is collected.
    with asyncio.run(serve()) as caller:
        gc.collect()
        caller.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert caller.recv(1) == b""


async def test_closing_ends_when_a_connection_is_accepted_in_the_same_turn():
    server = TChannel("server", hostport="127.0.0.1:0")
    server.listen()
    with socket.create_connection(("127.0.0.1", server.port)):
        closing = server.close(grace=0)
        # Its making is cancelled before `connection_made`, which comes all the same.
        inside(server).listener._acceptor._accept(inside(server).listener._sockets[0])
        async with asyncio.timeout(10):
            await closing

    assert inside(server).connections == set()


@pytest.mark.parametrize("turns", range(12))
async def test_closing_ends_in_whatever_turn_of_connecting_it_comes(turns):
    client = TChannel("client")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        call = client.raw("server", "e", hostport=f"127.0.0.1:{silent.getsockname()[1]}")
        await pass_turns(turns)
        async with asyncio.timeout(10):
            await client.close(grace=0)

    assert inside(client).connections == set()
    assert isinstance(call.exception(), errors.NetworkError)


async def pass_turns(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(4))
def test_a_closing_that_its_loop_did_not_see_the_end_of_is_done_in_the_next(turns):
    server = TChannel("server", hostport="127.0.0.1:0")
    server.on_close(lambda: asyncio.sleep(60))

    async def begin():
        server.listen()
        server.close()
        await pass_turns(turns)

    async def end():
        await server.close(grace=0)

    asyncio.run(begin())
    asyncio.run(end())

    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


@pytest.mark.parametrize("turns", range(3, 10))
def test_calls_that_wait_for_a_connection_or_a_retry_end_with_their_loop(turns):
    async def begin(silent):
        client = TChannel("client")
        options = Options(retry_delay=60, retry_delay_max=60)
        calls = [
            client.raw("server", "e", hostport=f"127.0.0.1:{silent.getsockname()[1]}"),
            TChannel("other", known_peers=["127.0.0.1:1"], options=options).raw("server", "e"),
        ]
        await pass_turns(turns)
        return calls

    with socket.create_server(("127.0.0.1", 0)) as silent:
        calls = asyncio.run(begin(silent))

    assert [type(call.exception()) for call in calls] == [errors.NetworkError] * 2


async def test_calls_of_the_bytes_in_which_a_connection_was_closed_are_not_served_for_ever(joined):
    @joined.server.raw.register
    async def hang(request):
        await asyncio.Event().wait()

    closing = joined.to_client.protocol.close
    joined.server.hooks.after_receive_request(lambda request: closing())
    calls = [joined.client.raw("server", "hang", hostport=joined.hostport) for _ in range(3)]
    await joined.advance(0)

    assert inside(joined.server).connections == set()
    assert inside(joined.server).incoming_calls == 0
    assert {type(call.exception()) for call in calls} == {errors.NetworkError}


async def test_a_call_that_a_hook_cancels_before_it_is_sent_is_not_sent(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    seen = []
    server.raw.register("e", seen.append)
    server.listen()
    client = tcp("client", known_peers=[server.hostport])
    call = client.raw("server", "e")
    client.hooks.before_send_request(lambda request: call.cancel())

    await asyncio.wait([call])
    await client.raw("server", "e")

    assert call.cancelled()
    assert len(seen) == 1
    assert [peer.pending for peer in inside(client).peers_table.peers.values()] == [0]


def test_a_closed_channel_that_is_used_in_another_loop_starts_nothing_there():
    began = []

    class Source(PeerSource):
        def start(self, group, clock):
            began.append(asyncio.get_running_loop())

        def stop(self):
            pass

    channel = TChannel("client", known_peers=Source())

    async def use_and_close():
        channel.use_loop()
        await channel.close()

    async def use_again():
        with pytest.raises(RuntimeError, match="is closed"):
            channel.raw("server", "e")
        return asyncio.all_tasks() - {asyncio.current_task()}

    asyncio.run(use_and_close())
    assert asyncio.run(use_again()) == set()
    assert len(began) == 1


async def test_a_connection_that_its_peer_has_ended_gets_no_further_calls(joined):
    connection = joined.to_server.protocol
    (peer,) = inside(joined.client).peers_table.peers.values()
    assert peer.connections == [connection]

    connection.eof_received()

    call = joined.client.raw("server", "e", hostport=joined.hostport)
    await asyncio.wait([call])
    with pytest.raises(errors.NetworkError, match="cannot connect"):
        await call
    assert not connection.wire.outbound


async def test_a_peer_that_ends_its_side_and_reads_nothing_is_not_waited_for(joined):
    joined.to_client.pause_reading()
    call = joined.client.raw("server", "e", b"x" * 5_000, hostport=joined.hostport)
    await joined.advance(0)

    joined.to_server.protocol.eof_received()
    await joined.advance(1)
    assert not call.done()
    await joined.advance(1)

    assert isinstance(call.exception(), errors.NetworkError)
    assert inside(joined.client).connections == set()


async def test_closing_waits_until_its_peers_know_of_it(joined):
    joined.to_client.pause_reading()  # what the client sends stays on its way
    call = joined.client.raw("server", "e", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.server.close(grace=5)
    await joined.advance(0.4)
    assert not joined.to_client.closing  # else that call would be lost with the connection

    joined.to_client.resume_reading()
    await joined.advance(0)

    assert isinstance(call.exception(), errors.DeclinedError)
    assert closing.done()


@pytest.mark.parametrize(("grace", "waited"), [(5, 0.5), (0.2, 0.2), (0, 0)])
async def test_a_peer_that_does_not_answer_is_waited_for_half_a_second(joined, grace, waited):
    joined.to_client.pause_reading()
    closing = joined.server.close(grace=grace)
    if waited:
        await joined.advance(waited * 0.9)
        assert not joined.to_client.closing
    await joined.advance(waited * 0.1 + 0.01)
    assert joined.to_client.closing
    await joined.advance(5)
    await closing


async def test_a_peer_that_is_known_to_answer_no_pings_is_not_waited_for(joined, make_mute):
    joined.server.raw.register("e", lambda request: b"")
    make_mute(joined.to_server)
    joined.client.raw("server", "e", hostport=joined.hostport)
    for _ in range(3):  # it is pinged in the first quiet second, and only answers calls
        await joined.advance(4)
        joined.client.raw("server", "e", hostport=joined.hostport)
    await joined.advance(0)
    closing = joined.client.close(grace=5)
    await joined.advance(0)
    await closing


async def test_a_peer_whose_handshake_ends_while_we_drain_is_told_as_well(
    joined, work, make_channel, join, settle
):
    call = joined.client.raw("server", "work", b"", hostport=joined.hostport)
    await settle()
    closing = joined.server.close(grace=10)
    await settle()
    late = make_channel("late")
    late.use_loop()
    to_server, to_late = join(late, joined.server, "127.0.0.1:2")
    await settle()

    assert to_server.protocol.peer_draining
    refused = late.raw("server", "work", b"", hostport="127.0.0.1:2")
    work.set()
    await joined.advance(3)
    await closing
    assert (await call).body == b"done"
    assert to_late.closing
    refused.cancel()


async def test_rolling_restarts_lose_no_call(tcp):
    """Two servers, restarted 20 times in all, under 16 callers with default retries."""
    servers = {}

    def start(hostport):
        server = servers[hostport] = tcp("server", hostport=hostport)

        @server.raw.register
        async def work(request):
            await asyncio.sleep(0.002)
            return request.body

        server.listen()
        return server

    for _ in range(2):
        first = start("127.0.0.1:0")
        servers[first.hostport] = servers.pop("127.0.0.1:0")
    clients = [tcp(f"client-{n}", known_peers=list(servers)) for n in range(4)]
    answered, failed, over = [0], [], asyncio.Event()

    async def keep_calling(client):
        while not over.is_set():
            try:
                await client.raw("server", "work", b"x", timeout=10)
                answered[0] += 1
            except errors.TChannelError as error:
                failed.append(error)

    callers = [asyncio.ensure_future(keep_calling(clients[n % 4])) for n in range(16)]
    for turn in range(20):
        hostport = list(servers)[turn % 2]
        before = answered[0]
        await servers[hostport].close()
        start(hostport)
        async with asyncio.timeout(20):
            while answered[0] < before + 50:
                await asyncio.sleep(0.005)
    over.set()
    await asyncio.gather(*callers)

    assert failed == []
    assert answered[0] > 1000
