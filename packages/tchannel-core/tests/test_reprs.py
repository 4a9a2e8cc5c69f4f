"""What objects say of themselves, in logs and debuggers, at three in the morning."""

import asyncio
import socket

import pytest

from tchannel import Request, Response, TChannel, errors, sync
from tchannel.lowlevel import inside
from tchannel.request import TransportHeaders

HOSTILE = "evil\n\x1b[2J\u202e" + "x" * 1000
SECRET = "hunter2"


@pytest.fixture
async def server():
    """Serves `slow`, whose requests stay open until `server.go` is set, and keeps what came."""
    server = TChannel("server", "127.0.0.1:0")
    server.go, server.seen = asyncio.Event(), []

    @server.json.register
    async def slow(request):
        server.seen.append(request)
        await server.go.wait()
        return Response({"password": SECRET}, {"token": SECRET})

    server.listen()
    async with server:
        yield server
        server.go.set()


@pytest.fixture
async def client():
    async with TChannel("client", process_name="worker[7]") as channel:
        yield channel


async def served(server, client, **kwargs):
    """A call that the server is busy with."""
    before = len(server.seen)
    call = client.json(
        "server",
        "slow",
        {"password": SECRET},
        {"token": SECRET},
        hostport=server.hostport,
        **kwargs,
    )
    while len(server.seen) == before:
        await asyncio.sleep(0)
    return call


def refused_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def test_a_channel_says_its_state_its_address_and_how_much_there_is(server, client):
    calls = [await served(server, client) for _ in range(2)]

    assert repr(server) == (
        f"<TChannel server: open, listens on {server.hostport}, 1 connection,"
        " 0 known peers, 0 outgoing and 2 incoming calls>"
    )
    assert repr(client) == (
        "<TChannel client: open, does not listen, 1 connection,"
        " 0 known peers, 2 outgoing and 0 incoming calls>"
    )
    server.go.set()
    await asyncio.gather(*calls)
    await server.close()
    assert repr(server).startswith("<TChannel server: closed, does not listen, 0 connections, ")


def test_a_channel_that_has_no_loop_says_what_it_knows():
    channel = TChannel("idle", known_peers=["10.0.0.1:4040"])

    assert repr(channel) == (
        "<TChannel idle: open, does not listen, 0 connections,"
        " 1 known peer, 0 outgoing and 0 incoming calls>"
    )
    assert repr(channel.service("other")) == f"<SubChannel other of {channel!r}>"


def test_a_sync_channel_says_the_same():
    channel = sync.TChannel("idle")

    assert repr(channel) == f"<sync of {channel.channel!r}>"
    channel.close()  # before its loop was ever needed
    assert repr(channel).startswith("<closed sync of <TChannel idle: ")


async def test_peers_say_who_they_are_and_how_they_stand(server, client):
    call = await served(server, client)
    (peer,) = inside(client).peers_table.peers.values()

    assert repr(peer) == f"<Peer {server.hostport}: 1 connection, 1 pending>"
    assert repr(client.peers) == "<PeerGroup of client: 0 known, 0 connected []>"

    client.peers.add(server.hostport)
    dead = client.peers.add(f"127.0.0.1:{refused_port()}")
    client.peers.penalise(dead, client.clock.time())
    assert repr(dead) == f"<Peer {dead.hostport}: 0 connections, 0 pending, chosen last>"
    assert repr(client.peers) == (
        "<PeerGroup of client: 2 known, 1 connected, 1 chosen last"
        f" [{server.hostport}, {dead.hostport}]>"
    )
    call.cancel()


async def test_a_group_of_many_names_a_few(client):
    client.peers.update([f"10.0.0.{n}:1" for n in range(1, 100)])

    assert repr(client.peers).startswith("<PeerGroup of client: 99 known, 0 connected [10.0.0.")
    assert repr(client.peers).endswith(", ...]>")
    assert len(repr(client.peers)) < 200


async def test_a_connection_says_both_ends_its_state_and_its_calls(server, client):
    call = await served(server, client)
    (ours,), (theirs,) = inside(client).connections, inside(server).connections

    assert repr(ours).startswith(f"<Connection to {server.hostport}: open, process '")
    assert repr(ours).endswith(", 1 outgoing, 0 incoming calls>")
    assert repr(theirs) == (
        f"<Connection from {theirs.address}: open, process 'worker[7]', 0 outgoing, 1 incoming call>"
    )
    call.cancel()


async def test_a_call_in_flight_says_where_it_has_got_to_and_nothing_it_carries(server, client):
    unreached = client.raw("server", "slow", b"", hostport=server.hostport)
    assert repr(unreached) == (
        f"<PendingCall server::slow as raw, 0 attempts, to {server.hostport},"
        " waiting for a connection, timeout 30 s: pending>"
    )
    unreached.cancel()
    call = await served(server, client, timeout=2)
    start = f"PendingCall server::slow as json, 1 attempt, to {server.hostport}, timeout 2 s"

    assert repr(call) == f"<{start}: pending>"
    coroutine = call.coroutine()
    assert repr(coroutine) == f"<coroutine of <{start}: pending>>"
    (request,) = server.seen
    (theirs,) = inside(server).connections
    assert repr(request) == (
        f"<IncomingRequest server::slow as json, from 'client' at {theirs.address},"
        f" id {request.id}, timeout {request.timeout:g} s>"
    )
    server.go.set()
    response = await coroutine
    assert repr(call) == f"<{start}: answered with status 0>"
    assert repr(request).endswith(", answered>")
    assert SECRET not in repr(call) + repr(request) + repr(response.headers and response.transport)


async def test_a_call_that_ended_otherwise_says_how(server, client):
    bad = client.json("server", "nope", hostport=server.hostport)
    with pytest.raises(errors.BadRequestError):
        await bad
    cancelled = await served(server, client)
    cancelled.cancel()

    assert "timeout 30 s: failed with BadRequestError(\"Endpoint 'nope' is not def" in repr(bad)
    assert repr(cancelled).endswith(": cancelled>")


async def test_a_call_behind_interceptors_and_hooks_says_so(server):
    waits = asyncio.get_running_loop().create_future()

    async def intercept(call, proceed):
        await waits
        return await proceed(call)

    async with TChannel("client", interceptors=[intercept]) as client:
        call = client.json("server", "slow", {}, hostport=server.hostport)
        assert repr(call).startswith("<PendingCall server::slow as json, 0 attempts, to 127.")
        call.cancel()

    async with TChannel("client") as client:

        @client.hooks.before_serialize_request_headers
        async def hook(headers, service):
            await waits

        call = client.json("server", "slow", {}, hostport=server.hostport)
        assert repr(call) == "<PendingCall held up by hooks: pending>"
        call.cancel()
        assert repr(call) == "<PendingCall held up by hooks: cancelled>"


def test_a_call_of_a_thread_says_the_same():
    with sync.TChannel("client") as client:
        call = client.raw("server", "x", b"", hostport=f"127.0.0.1:{refused_port()}")
        with pytest.raises(errors.NetworkError):
            call.result(10)

        assert repr(call).startswith("<CallFuture: failed with NetworkError(")


def test_a_response_shows_names_of_headers_and_a_little_of_the_body():
    response = Response({"a": 1}, {"token": SECRET, HOSTILE: "b"})

    text = repr(response)
    assert text.startswith("Response(body={'a': 1}, headers={'token': ..., 'evil\\")
    assert SECRET not in text
    assert text.isprintable()
    assert repr(Response(b"x" * 1000, b"secret")) == (
        f"Response(body=b'{'x' * 198}… (1003 characters), headers=<6 bytes>, status=0)"
    )
    assert repr(Response()) == "Response(body=None, headers=None, status=0)"


def test_what_peers_say_is_escaped_and_cut():
    transport = TransportHeaders(caller_name=HOSTILE, headers={f"{n}": HOSTILE for n in range(200)})
    request = Request(service=HOSTILE, endpoint=HOSTILE, transport=transport)

    for shown, most in ((request, 700), (transport, 6000)):
        assert repr(shown).isprintable()
        assert len(repr(shown)) < most


async def test_what_interceptors_see_is_escaped_and_cut(server, client):
    seen = []

    def intercept(call, proceed):
        seen.append(
            repr(call.replace(peer=HOSTILE, service=HOSTILE, endpoint=HOSTILE, outgoing=False))
        )
        return proceed(call)

    client.interceptors.outgoing.append(intercept)
    (await served(server, client)).cancel()

    assert seen[0].isprintable()
    assert len(seen[0]) < 700


async def test_what_a_peer_calls_itself_is_escaped_and_cut(server):
    async with TChannel("client", process_name=HOSTILE) as client:
        call = await served(server, client)
        (theirs,) = inside(server).connections

        assert theirs.wire.remote.process_name == HOSTILE
        assert repr(theirs).isprintable()
        assert len(repr(theirs)) < 400
        call.cancel()
