"""Channels that nobody holds any more and nobody closed: they go, and their connections with them."""

import asyncio
import gc
import sys
import warnings
import weakref

import pytest

from tchannel import TChannel
from tchannel.lowlevel import inside
from tchannel.options import Options


@pytest.fixture
def service(tcp):
    """A service that echoes."""
    server = tcp("service", hostport="127.0.0.1:0")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    return server


TELLS = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="PyPy tells nothing of a channel that it collects"
)


@pytest.fixture
def collected(clock):
    """A function that lets idle connections rest, collects garbage, and returns its warnings."""

    async def collect():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await clock.advance(4)
            for _ in range(3):
                gc.collect()
                await clock.advance(0)
        return sorted(str(one.message) for one in caught if one.category is ResourceWarning)

    return collect


async def used(service, clock, name="client", **kwargs):
    """Make a channel, call with it, and keep no more than a weak reference."""
    channel = TChannel(name, clock=clock, **kwargs)
    hostport = None if "known_peers" in kwargs else service.hostport
    assert (await channel.raw("service", "echo", b"x", hostport=hostport)).body == b"x"
    return weakref.ref(channel)


async def without_connections(service):
    while inside(service).connections:
        await next(iter(inside(service).connections)).lost


@TELLS
async def test_channels_that_were_used_and_dropped_are_collected_with_a_warning(
    service, clock, collected
):
    made = [await used(service, clock, f"client-{number}") for number in range(50)]
    assert len(inside(service).connections) == 50
    said = await collected()
    assert said == sorted(f"unclosed channel client-{n}: await close()" for n in range(50))
    assert [channel() for channel in made] == [None] * 50
    await without_connections(service)


@TELLS
@pytest.mark.parametrize("kwargs", [{}, {"options": Options(keepalive=False, idle_timeout=1000)}])
async def test_so_it_is_with_known_peers_and_whatever_the_options(
    service, clock, collected, kwargs
):
    channel = await used(service, clock, known_peers=[service.hostport], **kwargs)
    assert await collected() == ["unclosed channel client: await close()"]
    assert channel() is None
    await without_connections(service)


async def test_so_it_is_with_tls(tcp, clock, collected, tls):
    server = tcp("service", hostport="127.0.0.1:0", ssl_server=tls[0])
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    channel = await used(server, clock, ssl_client=tls[1], server_name="service.test")
    assert await collected() == ["unclosed channel client: await close()"]
    assert channel() is None
    await without_connections(server)


async def test_a_channel_that_is_closed_warns_of_nothing(service, clock, collected):
    channel = TChannel("client", clock=clock)
    await channel.raw("service", "echo", b"x", hostport=service.hostport)
    await clock.advance(4)
    await channel.close()
    del channel
    assert await collected() == []


@TELLS
async def test_a_call_under_way_keeps_its_channel(service, clock, collected):
    release = asyncio.get_running_loop().create_future()
    service.raw.register("wait", lambda request: release)
    channel = TChannel("client", clock=clock)
    await channel.raw("service", "echo", b"x", hostport=service.hostport)
    await clock.advance(4)
    call = channel.raw("service", "wait", hostport=service.hostport, timeout=100)
    asleep = weakref.ref(channel)
    del channel
    assert await collected() == []
    release.set_result(b"there")
    assert (await call).body == b"there"
    del call
    assert await collected() == ["unclosed channel client: await close()"]
    assert asleep() is None


@pytest.mark.parametrize(
    "kind", ["listener", "handler", "handler of a sub-channel", "handler with a name like ours"]
)
async def test_who_may_be_called_stays(service, clock, collected, kind):
    channel = TChannel("client", "127.0.0.1:0", clock=clock)
    if kind == "listener":
        channel.listen()
    else:
        endpoints = channel.service("other") if "sub-channel" in kind else channel
        name = "tchannel::back" if "like ours" in kind else "back"
        endpoints.raw.register(name, lambda request: b"called back")
    await channel.raw("service", "echo", b"x", hostport=service.hostport)
    (connection,) = inside(service).connections
    there = weakref.ref(channel)
    del channel
    assert await collected() == []
    if kind not in {"listener", "handler of a sub-channel"}:
        answer = await service.raw("client", name, hostport=connection.address)
        assert answer.body == b"called back"
    closing = there().close(grace=0)
    await clock.advance(3)
    await closing


async def test_a_connection_at_rest_goes_on_as_if_it_had_never_rested(tcp, service, clock):
    client = tcp("client", clock=clock)
    bodies = [b"x", bytes(1_000_000), b"y"]
    for body in bodies:
        answer = await client.raw("service", "echo", body, hostport=service.hostport)
        assert answer.body == body
        (connection,) = inside(client).connections
        assert not connection.dormant
        await clock.advance(4)
        assert connection.dormant
    for other in list(inside(service).connections):
        other.close()
    await connection.lost
    answer = await client.raw("service", "echo", b"again", hostport=service.hostport)
    assert answer.body == b"again"
    (another,) = inside(client).connections
    assert another is not connection
