"""Connecting to a host that has several addresses, some of them dead."""

import asyncio
import contextlib
import gc
import socket

import pytest

from tchannel import errors
from tchannel._links import dialling
from tchannel._links.dialling import open_socket
from tchannel.lowlevel import inside

REFUSES = ("127.0.0.9", 1)


@pytest.fixture
def resolve(monkeypatch):
    """A function that says which addresses ``service.test`` has: ``resolve(address, ...)``."""

    def resolve_to(*addresses):
        async def look_up(loop, host, port):
            assert host == "service.test"
            family = {True: socket.AF_INET6, False: socket.AF_INET}
            return [
                (family[":" in address[0]], socket.SOCK_STREAM, 6, "", address)
                for address in addresses
            ]

        monkeypatch.setattr(dialling, "_look_up", look_up)

    return resolve_to


@pytest.fixture
def silent():
    """An address that takes no connection and refuses none: what waits there fills its queue."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.2", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()


@pytest.fixture
def answering():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


async def dial():
    async with asyncio.timeout(10):
        return await open_socket(asyncio.get_running_loop(), "service.test", 1)


async def test_a_dead_address_costs_a_quarter_of_a_second(resolve, silent, answering):
    resolve(silent, answering)
    loop = asyncio.get_running_loop()
    began = loop.time()
    with await dial() as connected:
        assert connected.getpeername() == answering
    assert 0.2 < loop.time() - began < 5


@pytest.mark.parametrize("first", [REFUSES, ("::1", 1)])
async def test_an_address_that_refuses_costs_nothing(resolve, answering, first, monkeypatch):
    monkeypatch.setattr(dialling, "_NEXT_AFTER", 60)
    resolve(first, answering)
    with await dial() as connected:
        assert connected.getpeername() == answering


async def test_families_take_turns():
    four = [(socket.AF_INET, ("192.0.2.1", 1)), (socket.AF_INET, ("192.0.2.2", 1))]
    six = [(socket.AF_INET6, ("2001:db8::1", 1))]
    assert dialling._in_turn([*four, *six]) == [four[0], six[0], four[1]]


async def test_the_failure_names_every_address(resolve):
    resolve(REFUSES, ("127.0.0.8", 1))
    with pytest.raises(OSError, match=r"127\.0\.0\.9:1.*127\.0\.0\.8:1"):
        await dial()


async def test_one_failure_is_itself(resolve):
    resolve(REFUSES)
    with pytest.raises(ConnectionRefusedError, match=r"refused: 127\.0\.0\.9:1"):
        await dial()


async def test_a_host_without_addresses_is_an_error(resolve):
    resolve()
    with pytest.raises(OSError, match="has no address"):
        await dial()


async def test_a_network_that_is_back_is_noticed_by_another_attempt(resolve, monkeypatch):
    monkeypatch.setattr(dialling, "_AGAIN_AFTER", 0.01)
    attempts = []
    back = asyncio.Event()

    async def attempt(loop, family, address):
        attempts.append(address)
        if not back.is_set():
            await asyncio.Event().wait()  # its SYN was lost, and the kernel sends no other for long
        return socket.socket()

    monkeypatch.setattr(dialling, "_attempt", attempt)
    resolve(REFUSES)
    dialling_ = asyncio.ensure_future(dial())
    async with asyncio.timeout(10):
        while len(attempts) < 8:
            await asyncio.sleep(0.01)
        waiting = len(asyncio.all_tasks())
        back.set()
        (await dialling_).close()
    # The attempts, this test and `dial`: the oldest attempts were given up.
    assert waiting <= dialling._AT_ONCE + 3


@pytest.mark.parametrize("turns", range(6))
async def test_giving_up_leaves_no_socket(resolve, silent, turns):
    resolve(silent)
    task = asyncio.ensure_future(dial())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    gc.collect()  # a socket that was left would warn


async def test_both_that_answer_at_once_leave_one_socket(resolve, answering, monkeypatch):
    made = []

    async def attempt(loop, family, address):
        await asyncio.sleep(0.05)
        made.append(socket.socket())
        return made[-1]

    monkeypatch.setattr(dialling, "_attempt", attempt)
    monkeypatch.setattr(dialling, "_NEXT_AFTER", 0)
    resolve(answering, REFUSES)
    with await dial() as connected:
        assert [sock.fileno() >= 0 for sock in made].count(True) == 1
        assert connected in made


async def test_small_frames_leave_at_once_on_connections_that_we_open(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.raw.register("e", lambda request: b"")
    server.listen()
    client = tcp("client")
    await client.raw("server", "e", hostport=server.hostport)
    for channel in (client, server):
        (connection,) = inside(channel).connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("port", [1, 65535])
async def test_a_call_says_which_address_refused_it(tcp, port):
    client = tcp("client")
    with pytest.raises(errors.NetworkError, match=rf"127\.0\.0\.9:{port}.*refused"):
        await client.raw("server", "e", hostport=f"127.0.0.9:{port}")
