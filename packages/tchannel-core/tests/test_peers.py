"""The choice of a peer, its cost, penalties, and which peers take part at all."""

import asyncio
import random
from types import SimpleNamespace

import pytest

from tchannel import TChannel, errors
from tchannel._calls.outgoing import OutgoingCall
from tchannel._life.states import ChannelState
from tchannel._links.peers import Peer, PeerGroup
from tchannel.event import EventEmitter
from tchannel.lowlevel import inside
from tchannel.options import Options

CALLER = SimpleNamespace(
    timers=SimpleNamespace(time=lambda: 0.0),
    events=EventEmitter(),
    state=ChannelState.OPEN,
    peers_table=SimpleNamespace(drop_unused=lambda peer: None),
)


class Connection:
    """Takes calls, and sends none."""

    flushing = True
    calls_sent = 0

    def __init__(self):
        self.wire = self

    def call(self, *args):
        return object()


def begin_call(peer):
    """Send a call to the peer, as every call is sent; it can be ended."""
    loop = asyncio.new_event_loop()
    try:
        call = OutgoingCall(loop=loop)
    finally:
        loop.close()
    call.channel = CALLER
    call.arg2 = call.arg3 = b""
    call.prepared = call.deadline = call.pump = call.waits = call.streamed = None
    call.timeout, call.tracing, call.stream, call.attempts = 1.0, bytes(25), False, 0
    call.peer = peer
    call.send_on(Connection())
    return call


def end_call(call):
    """End it, as each attempt ends."""
    call._end_attempt()


class Group:
    """A group whose connections a test makes by hand."""

    def __init__(self, count, connected=0, **options):
        self.connects = []
        self.group = PeerGroup(
            Options(**options), self.peer_of, self.connects.append, lambda p: None
        )
        self.group.update([f"127.0.{n // 250}.{n % 250 + 1}:1" for n in range(count)])
        self.peers = list(self.group._peers.values())
        for peer in self.peers[:connected]:
            self.connect(peer)

    def peer_of(self, hostport):
        return Peer(hostport)

    def connect(self, peer):
        peer.connections.append(object())
        self.group.file(peer)

    def disconnect(self, peer):
        peer.connections.clear()
        self.group.file(peer)

    def choose(self, tried=(), now=0.0):
        return self.group.choose(tried, now)


def test_a_group_without_peers_has_none_to_choose():
    assert Group(0).choose() is None


def test_connected_peers_are_chosen_before_those_that_are_not():
    made = Group(10)
    made.connect(made.peers[7])

    assert {made.choose() for _ in range(20)} == {made.peers[7]}


def test_the_peer_with_the_fewest_pending_calls_is_chosen():
    made = Group(3, connected=3)
    begin_call(made.peers[0])
    begin_call(made.peers[1])

    assert made.choose() is made.peers[2]


def test_equal_peers_are_chosen_in_turn():
    made = Group(4, connected=4)
    chosen = []
    for _ in range(8):
        peer = made.choose()
        chosen.append(peer)
        end_call(begin_call(peer))

    assert sorted(map(id, chosen[:4])) == sorted(map(id, made.peers))
    assert chosen[:4] == chosen[4:]


def test_tried_peers_are_avoided_as_long_as_there_is_another():
    made = Group(3, connected=2)
    first = made.choose()
    second = made.choose((first,))
    third = made.choose((first, second))

    assert {first, second} == set(made.peers[:2])
    assert third is made.peers[2]
    assert made.choose((first, second, third)) is None


def test_pending_calls_stay_balanced_over_many_random_calls():
    made = Group(7, connected=7)
    running = []
    numbers = random.Random(7)
    for _ in range(2000):
        if running and numbers.random() < 0.45:
            end_call(running.pop(numbers.randrange(len(running))))
        else:
            peer = made.choose()
            assert peer.pending == min(p.pending for p in made.peers)
            running.append(begin_call(peer))


class CountingPeer(Peer):
    """Counts how often it is looked at by being hashed or compared."""

    __slots__ = ()
    looks = 0

    def __hash__(self):
        CountingPeer.looks += 1
        return id(self)

    def __eq__(self, other):
        CountingPeer.looks += 1
        return self is other


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
def test_a_choice_looks_at_as_few_peers_among_ten_thousand_as_among_ten(count):
    made = Group(0)
    made.peer_of = CountingPeer
    made.group._peer_of = CountingPeer
    made.group.update([f"127.{n // 62500}.{n // 250 % 250}.{n % 250 + 1}:1" for n in range(count)])
    for peer in list(made.group._peers.values()):
        made.connect(peer)
    CountingPeer.looks = 0
    calls = 500
    numbers = random.Random(count)
    for _ in range(calls):
        peer = made.group.choose((), 0.0)
        call = begin_call(peer)
        if numbers.random() < 0.5:
            end_call(call)

    # Each call takes the peer out of a bucket and puts it in another, at its begin and its end.
    assert CountingPeer.looks / calls < 12


def test_a_group_opens_one_connection_after_the_other_up_to_its_maximum():
    made = Group(20, peer_connections=3)
    made.connect(made.peers[0])
    for _ in range(5):
        made.choose()
        for peer in made.connects:
            if not peer.connections:
                made.connect(peer)

    assert sum(bool(peer.connections) for peer in made.peers) == 3


@pytest.mark.parametrize("failure", range(5))
def test_a_penalty_doubles_with_each_failure_up_to_its_maximum(failure):
    made = Group(2, connected=2, penalty_min=0.5, penalty_max=3)
    peer = made.peers[0]
    now = 0.0
    for _ in range(failure + 1):
        made.group.penalise(peer, now)
        length = peer.penalised_until - now
        now = peer.penalised_until + 0.001
        made.choose(now=now)

    longest = min(3, 0.5 * 2**failure)
    assert longest * 0.75 <= length <= longest


def test_a_penalised_peer_is_chosen_only_when_no_other_can_be():
    made = Group(3, connected=2)
    first, second, unconnected = made.peers
    made.group.penalise(first, 0.0)

    assert {made.choose() for _ in range(10)} == {second}
    assert made.choose((second,)) is unconnected
    assert made.choose((second, unconnected)) is first


def test_a_penalty_ends_with_its_time_and_with_the_first_success():
    made = Group(2, connected=2)
    first, second = made.peers
    made.group.penalise(first, 0.0)
    made.group.penalise(second, 0.0)

    assert made.choose(now=0.1) in made.peers
    made.group.forgive(first)
    assert {made.choose(now=0.1) for _ in range(5)} == {first}
    assert first.penalty == 0
    made.choose(now=31.0)
    assert not second.penalised_until


def test_the_only_peer_is_chosen_again_when_its_penalty_lapses():
    made = Group(1, connected=1)
    (peer,) = made.peers
    made.group.penalise(peer, 0.0)
    assert made.choose(now=0.1) is peer

    assert made.choose(now=5.0) is peer
    assert made.choose((peer,), now=5.0) is None
    end_call(begin_call(peer))
    assert made.choose(now=6.0) is peer


def test_removed_peers_are_chosen_no_more_and_added_ones_are():
    made = Group(2, connected=2)
    gone, stays = made.peers
    made.group.remove(gone.hostport)
    assert made.choose() is stays
    made.group.update(["127.9.9.9:1"])

    assert made.group.hosts == ["127.9.9.9:1"]
    assert made.choose().hostport == "127.9.9.9:1"


@pytest.mark.parametrize("hostport", ["", "nonsense", "host:", "host:0", "host:99999", ":80", 7])
def test_an_address_that_nobody_can_connect_to_is_refused_with_its_text(hostport):
    with pytest.raises((ValueError, TypeError), match=str(hostport) if hostport != "" else "''"):
        TChannel("client", known_peers=["127.0.0.1:4040", hostport])


def test_a_str_for_known_peers_is_refused():
    with pytest.raises(TypeError, match="known_peers"):
        TChannel("client", known_peers="127.0.0.1:4040")


async def test_calls_spread_over_known_peers(tcp):
    servers = []
    for n in range(3):
        server = tcp(f"server-{n}", hostport="127.0.0.1:0")
        server.raw.register("who", lambda request, n=n: str(n))
        server.listen()
        servers.append(server)
    client = tcp("client", known_peers=[server.hostport for server in servers])

    answers = set()
    async with asyncio.timeout(10):
        while answers != {b"0", b"1", b"2"}:  # the others are connected to meanwhile
            answers.add((await client.raw("service", "who")).body)


async def test_a_peer_that_cannot_be_connected_to_is_left_for_another(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.raw.register("ok", lambda request: b"ok")
    server.listen()
    for _ in range(5):
        client = tcp("client", known_peers=[server.hostport, "127.0.0.1:1"])
        assert (await client.raw("server", "ok")).body == b"ok"


async def test_busy_peers_are_left_for_others(tcp):
    servers = []
    for n in range(2):
        server = tcp(f"server-{n}", hostport="127.0.0.1:0")
        server.listen()
        servers.append(server)
    calls = {"busy": 0, "free": 0}

    def busy(request):
        calls["busy"] += 1
        raise errors.BusyError("go away")

    def free(request):
        calls["free"] += 1

    servers[0].raw.register("work", busy)
    servers[1].raw.register("work", free)
    client = tcp("client", known_peers=[server.hostport for server in servers])

    for _ in range(30):
        await client.raw("service", "work")

    assert calls["free"] == 30
    assert calls["busy"] < 10


async def test_callers_never_pollute_the_choice_and_are_dropped_when_they_leave(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.raw.register("hello", lambda request: None)
    server.listen()
    callers = [tcp(f"caller-{n}") for n in range(5)]
    for caller in callers:
        await caller.raw("server", "hello", hostport=server.hostport)

    assert len(server.peers) == 0
    assert len(inside(server).peers_table) == 5
    for caller in callers:
        await caller.close()
    async with asyncio.timeout(30):
        while len(inside(server).peers_table):
            await asyncio.sleep(0.005)


async def test_an_address_given_once_is_forgotten_with_its_connection(tcp):
    server = tcp("server", hostport="127.0.0.1:0")
    server.raw.register("hello", lambda request: None)
    server.listen()
    client = tcp("client")
    await client.raw("server", "hello", hostport=server.hostport)
    assert len(inside(client).peers_table) == 1
    assert len(client.peers) == 0
    await server.close()

    async with asyncio.timeout(30):
        while len(inside(client).peers_table):
            await asyncio.sleep(0.005)


async def test_a_connect_that_fails_in_an_unforeseen_way_fails_its_calls_and_can_be_tried_again(
    tcp, monkeypatch
):
    server, client = tcp("server", hostport="127.0.0.1:0"), tcp("client")
    server.raw.register("echo", lambda request: request.body)
    server.listen()
    table = type(inside(client).peers_table)
    with monkeypatch.context() as patch:

        async def broken(self, peer, connection):
            raise RuntimeError("no such transport")

        patch.setattr(table, "_open", broken)
        with pytest.raises(errors.NetworkError, match="no such transport"):
            await client.raw("server", "echo", hostport=server.hostport)

    assert (await client.raw("server", "echo", b"x", hostport=server.hostport)).body == b"x"
