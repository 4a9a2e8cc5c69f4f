from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest

import tchannel_wire as wire
from tchannel import errors
from tchannel.lowlevel import inside
from tchannel_hyperbahn import Router


async def test_a_free_port_is_taken_when_none_is_given():
    router = Router()
    with pytest.raises(RuntimeError, match=r"no port yet: .* bind\(\)"):
        router.hostport  # noqa: B018 - it raises
    assert router.services == {}

    router.listen()

    assert not router.hostport.endswith(":0")
    await router.close()


def test_without_a_loop_it_can_take_its_address_but_not_serve():
    router = Router()
    with pytest.raises(RuntimeError, match="none runs here: call listen"):
        router.listen()

    router.bind()
    address = router.hostport
    early = socket.create_connection(address.split(":"))

    async def serve():
        async with router:
            assert router.hostport == address
            early.setblocking(False)
            loop = asyncio.get_running_loop()
            early_frame = wire.InitRequest(headers=wire.init_headers("0.0.0.0:0", "raw"))
            await loop.sock_sendall(early, wire.encode(early_frame))
            return await loop.sock_recv(early, 1024)

    assert isinstance(wire.decode(asyncio.run(serve())), wire.InitResponse)
    early.close()


async def test_an_address_that_was_taken_is_given_back_although_nobody_listened():
    router = Router()
    router.bind()
    address = router.hostport

    await router.close()

    async with Router(address):
        pass


async def test_it_can_be_closed_from_another_loop():
    async with Router() as router:
        await asyncio.to_thread(lambda: asyncio.run(router.close()))

        assert router.closed
        assert not router.connections


async def test_it_can_be_closed_before_it_listens_and_twice():
    router = Router()

    await router.close()
    await router.close()

    with pytest.raises(RuntimeError, match="closed"):
        router.listen()


async def test_closing_leaves_nothing(open_raw):
    before = asyncio.all_tasks()
    async with Router() as router:
        peer = await open_raw(router.hostport)
        await peer.shake_hands("127.0.0.1:1")
        await peer.advertise("name")
        address = router.hostport

    host, port = address.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert asyncio.all_tasks() == before
    assert not router.connections


@pytest.mark.parametrize("turns", range(6))
async def test_closing_ends_in_whatever_turn_of_a_new_connection_it_comes(turns):
    router = Router()
    router.listen()
    with socket.create_connection(router.hostport.split(":")):
        await pass_turns(turns)
        async with asyncio.timeout(10):
            await router.close()

    assert not router.connections


@pytest.mark.parametrize("turns", range(12))
async def test_closing_ends_in_whatever_turn_of_connecting_back_it_comes(turns):
    router = Router()
    router.listen()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        back = f"127.0.0.1:{silent.getsockname()[1]}"
        router.connect(router.directory.instance(back, ephemeral=False))
        await pass_turns(turns)
        async with asyncio.timeout(10):
            await router.close()

    assert not router.connections


@pytest.mark.parametrize("turns", range(4))
async def test_giving_up_waiting_for_its_end_does_not_stop_it(turns):
    router = Router()
    router.listen()
    with socket.create_connection(router.hostport.split(":")) as caller:
        await pass_turns(4)
        waiting = asyncio.ensure_future(router.close())
        await pass_turns(turns)
        waiting.cancel()
        again = [router.close() for _ in range(2)]
        async with asyncio.timeout(10):
            await asyncio.gather(*again)

        assert not router.connections
        caller.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert caller.recv(1) == b""


async def test_a_connection_that_was_reset_before_it_was_accepted_is_dropped(eventually):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    async with Router() as router:
        with socket.create_connection(router.hostport.split(":")) as caller:
            # Closing it resets it.
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await pass_turns(10)
        await eventually(lambda: not router.connections)

    assert complaints == []


def test_the_address_of_a_router_whose_loop_is_over_can_be_given_back():
    router = Router()

    async def begin():
        router.listen()

    asyncio.run(begin())
    asyncio.run(router.close())

    with socket.socket() as probe:
        host, port = router.hostport.split(":")
        assert probe.connect_ex((host, int(port))) != 0


async def pass_turns(turns):
    for _ in range(turns):
        await asyncio.sleep(0)


async def test_it_can_come_back_on_its_address():
    async with Router() as first:
        address = first.hostport

    async with Router(address) as second:
        assert second.hostport == address


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"hostport": "nowhere"}, "no port"),
        ({"hostport": "[::1]:0"}, "IPv4"),
        ({"hostport": "example.com:0"}, "IPv4"),
        ({"forget_after": 0}, "forget_after must be above 0, not 0"),
        ({"max_buffered": 131071}, "max_buffered must be 131072 or more, not 131071"),
    ],
)
def test_a_mistake_is_refused_at_once(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        Router(**arguments)


async def test_localhost_is_understood():
    async with Router("localhost:0") as router:
        assert router.hostport.startswith("127.0.0.1:")


# -- connecting back ------------------------------------------------------------------------------


async def test_it_connects_back_to_who_advertises(router, open_raw, listening):
    peer = await open_raw(router.hostport)
    await peer.shake_hands(listening.hostport)
    await peer.advertise("service")

    back = await listening.accepted.get()
    request = await back.next()

    assert isinstance(request, wire.InitRequest)
    assert request.headers["host_port"] == router.hostport


async def test_it_connects_back_once(router, open_raw, listening):
    peer = await open_raw(router.hostport)
    await peer.shake_hands(listening.hostport)

    for _ in range(5):
        await peer.advertise("service")
    await (await listening.accepted.get()).accept_handshake(listening.hostport)
    for _ in range(5):
        await peer.advertise("service")

    assert listening.accepted.empty()


async def test_calls_go_over_the_advertisers_own_connection(
    router, open_raw, listening, caller, frames
):
    peer = await open_raw(router.hostport)
    await peer.shake_hands(listening.hostport)
    await peer.advertise("service")
    back = await listening.accepted.get()
    await back.accept_handshake(listening.hostport)

    caller.send(frames.call(1))
    assert (await peer.next()).service == "service"

    peer.close()
    assert isinstance(await caller.next(), wire.ErrorMessage)  # the call that was under way
    caller.send(frames.call(2))
    assert (await back.next()).service == "service"


async def test_an_address_that_refuses_is_a_network_error(router, open_raw, frames, caller):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = f"127.0.0.1:{probe.getsockname()[1]}"
    peer = await open_raw(router.hostport)
    await peer.shake_hands(dead)
    await peer.advertise("service")
    peer.close()

    async def error():
        while True:
            caller.send(frames.call(1))
            message = await caller.next()
            if "cannot connect" in message.description:
                return message

    assert (await error()).code == wire.ErrorCode.NETWORK
    assert router.services == {"service": [dead]}


async def test_a_peer_that_hangs_up_in_the_handshake_is_a_network_error(
    router, open_raw, listening, frames, caller, eventually
):
    peer = await open_raw(router.hostport)
    await peer.shake_hands(listening.hostport)
    await peer.advertise("service")
    back = await listening.accepted.get()
    peer.close()
    await eventually(lambda: len(router.connections) == 2)
    caller.send(frames.call(1))
    await caller.answered()

    back.close()

    error = await caller.next()
    assert (error.id, error.code) == (1, wire.ErrorCode.NETWORK)
    assert "closed in the handshake" in error.description


async def test_who_does_not_listen_is_forgotten_with_its_connection(router, service, eventually):
    assert list(router.services) == ["service"]

    service.close()

    await eventually(lambda: router.services == {})


# -- with channels --------------------------------------------------------------------------------


async def test_kilobytes_and_megabytes_arrive_as_they_were_sent(serve, router, make_channel):
    await serve("echo")
    client = make_channel("client")
    client.advertise(routers=[router.hostport])

    for size in (0, 1, 65_535, 300_000, 5_000_000):
        body = bytes(range(256)) * (size // 256 + 1)
        assert (await client.raw("echo", "echo", body[:size], b"head")).body == body[:size]


async def test_a_cancelled_call_is_cancelled_in_the_handler(router, make_channel):
    service, client = make_channel("service"), make_channel("client")
    entered, cancelled = asyncio.Event(), asyncio.Event()

    @service.raw.register("wait")
    async def wait(request):
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    await service.advertise(routers=[router.hostport])
    client.advertise(routers=[router.hostport])
    call = client.raw("service", "wait")
    await entered.wait()

    call.cancel()

    async with asyncio.timeout(5):
        await cancelled.wait()


async def test_a_killed_instance_is_passed_over(serve, router, make_channel, eventually):
    first, second = await serve("echo"), await serve("echo")
    client = make_channel("client")
    client.advertise(routers=[router.hostport])

    for connection in list(inside(first).connections):
        connection.abort()
    inside(first).listener.close()
    await eventually(lambda: len(router.directory.instances("echo")) == 2)
    for number in range(20):
        response = await client.raw("echo", "echo", str(number), retry_on="ct")
        assert response.body == str(number).encode()
    assert inside(second).incoming_calls == 0


async def test_a_rolling_restart_fails_no_call(serve, router, make_channel, eventually):
    client = make_channel("client")
    client.advertise(routers=[router.hostport])
    instances = [await serve("echo") for _ in range(3)]
    stop = asyncio.Event()
    failures = []
    made = 0

    async def load():
        nonlocal made
        while not stop.is_set():
            made += 1
            try:
                await client.raw("echo", "echo", b"x")
            except errors.TChannelError as error:
                failures.append(error)

    workers = [asyncio.create_task(load()) for _ in range(8)]
    for instance in instances:
        await serve("echo")
        await eventually(lambda enough=made + 200: made >= enough)
        await instance.close()
    stop.set()
    await asyncio.gather(*workers)

    assert failures == []


async def test_a_router_that_is_gone_costs_only_the_calls_written_to_it(make_channel):
    routers = [Router(), Router()]
    for router in routers:
        router.listen()
    addresses = [router.hostport for router in routers]
    services = [make_channel("echo") for _ in routers]
    for service, address in zip(services, addresses, strict=True):
        service.raw.register("echo", lambda request: request.body)
        await service.advertise(routers=[address])
    client = make_channel("client")
    await client.advertise(routers=addresses)
    for _ in range(10):
        await client.raw("echo", "echo", b"x")

    calls = [client.raw("echo", "echo", b"x") for _ in range(50)]
    await asyncio.sleep(0)
    await routers[0].close()
    results = await asyncio.gather(*calls, return_exceptions=True)

    for result in results:
        assert not isinstance(result, Exception) or isinstance(result, errors.NetworkError)
    for _ in range(20):
        assert (await client.raw("echo", "echo", b"x")).body == b"x"
    await routers[1].close()


async def test_a_service_at_an_address_that_is_none_costs_its_callers_an_error_each(
    open_raw, frames, eventually
):
    async with Router(trust_announced_hosts=True) as router:
        caller = await open_raw(router.hostport)
        await caller.shake_hands()
        for host in ("a..b", "x" * 70):  # what getaddrinfo does not take for a name at all
            service = await open_raw(router.hostport)
            await service.shake_hands(f"{host}:4040")
            await service.advertise("nowhere")
            service.close()
        await eventually(lambda: len(router.connections) == 1)
        caller.send(*[frames.call(id, "nowhere") for id in range(1, 5)])

        for _ in range(4):
            error = await caller.next()
            assert error.code == wire.ErrorCode.NETWORK


async def test_accepted_connections_send_small_frames_at_once():
    async with Router() as router:
        _, writer = await asyncio.open_connection(*router.hostport.split(":"))
        async with asyncio.timeout(10):
            while not router.connections:
                await asyncio.sleep(0.001)
        (connection,) = router.connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()


@pytest.mark.parametrize("kind", ["eager", "bare"])
async def test_it_serves_whatever_task_factory_the_loop_has(make_channel, kind):
    loop = asyncio.get_running_loop()
    factory = lambda loop, coroutine: asyncio.Task(coroutine, loop=loop)  # noqa: E731
    if kind == "eager":
        factory = getattr(asyncio, "eager_task_factory", None)
        if factory is None or type(loop).__module__.startswith("uvloop"):
            pytest.skip("needs eager tasks: 3.12, and asyncio's loop")
    loop.set_task_factory(factory)
    try:
        async with Router() as router:
            service = make_channel("service", hostport="127.0.0.1:0")
            service.raw.register("echo", lambda request: request.body)
            service.listen()
            await service.advertise([router.hostport])
            caller = make_channel("caller", known_peers=[router.hostport])
            assert (await caller.raw("service", "echo", b"x")).body == b"x"
            await service.unadvertise()
    finally:
        loop.set_task_factory(None)
