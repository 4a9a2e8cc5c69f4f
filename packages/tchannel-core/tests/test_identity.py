"""Who is called: what a peer says of itself in the handshake chooses no route."""

import asyncio
import socket
import ssl

import pytest

import tchannel_wire as wire
from tchannel import TChannel, errors
from tchannel._links.tls_names import bears_name
from tchannel.lowlevel import inside
from tchannel.net import local_ip
from tchannel.options import Options

TRUSTING = Options(trust_announced_addresses=True)


class Claimant(TChannel):
    """A channel that announces whatever address it is told to."""

    claim = "0.0.0.0:0"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        inner = inside(self)
        really = inner.advertised_hostport
        inner.advertised_hostport = lambda *, opener: (
            self.claim if opener else really(opener=opener)
        )


def serve(channel):
    """Let a channel listen, and tell its name and who calls."""
    channel.raw.register("name", lambda request: channel.name)
    channel.raw.register("who", lambda request: request.transport.peer)
    channel.listen()
    return channel


async def name_at(caller, hostport=None, **kwargs):
    """Return the name of who answers a call to an address, or to a known peer."""
    response = await caller.raw("any", "name", hostport=hostport, **kwargs)
    return response.body.decode()


@pytest.fixture
async def claimant():
    """Make a channel that claims an address, connected to another; returns it and its address."""
    made = []

    async def make(claim, to, **kwargs):
        channel = Claimant("claimant", **kwargs)
        channel.claim = claim
        channel.raw.register("name", lambda request: "claimant")
        made.append(channel)
        response = await channel.raw("any", "who", hostport=to.hostport)
        return channel, response.body.decode()

    yield make
    for channel in made:
        await channel.close(grace=1)


@pytest.fixture
async def shake_hands():
    """Connect by hand and say ``host_port`` in the handshake, from ``local_addr`` if given."""
    writers = []

    async def shake(service, host_port="0.0.0.0:0", local_addr=None):
        if service.hostport.startswith("unix:"):
            path = service.hostport.removeprefix("unix:")
            reader, writer = await asyncio.open_unix_connection(path)
        else:
            reader, writer = await asyncio.open_connection(
                service.host, service.port, local_addr=local_addr
            )
        writers.append(writer)
        headers = wire.init_headers(host_port, "by hand")
        writer.write(wire.encode(wire.InitRequest(id=1, headers=headers)))
        await reader.readexactly(16)
        while not any(connection.ready for connection in inside(service).connections):
            await asyncio.sleep(0)

    yield shake
    for writer in writers:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def free_address():
    """An address of this machine on which nobody listens yet."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
        return f"{host}:{port}"


# -- who claims to be another -----------------------------------------------------------------


@pytest.mark.parametrize("known", [True, False], ids=["known peer", "hostport"])
async def test_who_claims_a_backends_address_gets_none_of_its_calls(
    tcp, claimant, free_address, known
):
    service = serve(tcp("service", hostport="127.0.0.1:0", known_peers=[free_address]))
    await claimant(free_address, service)
    hostport = None if known else free_address
    unreachable = errors.NoAvailablePeerError if known else errors.NetworkError

    with pytest.raises(unreachable, match=f"cannot connect to {free_address}"):
        await name_at(service, hostport, retry_limit=0)
    backend = serve(tcp("backend", hostport=free_address))
    assert [await name_at(service, hostport) for _ in range(20)] == ["backend"] * 20

    # Nor once the real one has gone and come back.
    await backend.close()
    with pytest.raises(unreachable):
        await name_at(service, hostport, retry_limit=0)
    serve(tcp("backend", hostport=free_address))
    assert [await name_at(service, hostport) for _ in range(20)] == ["backend"] * 20


async def test_with_tls_both_ways_it_is_the_same(tcp, claimant, free_address, tls):
    server, client = tls
    names = {"ssl_client": client, "server_name": "service.test"}
    service = serve(
        tcp(
            "service",
            hostport="127.0.0.1:0",
            known_peers=[free_address],
            ssl_server=server,
            **names,
        )
    )
    await claimant(free_address, service, **names)

    serve(tcp("backend", hostport=free_address, ssl_server=server))
    assert [await name_at(service) for _ in range(20)] == ["backend"] * 20
    assert [await name_at(service, free_address) for _ in range(20)] == ["backend"] * 20


async def test_a_claim_ends_no_penalty_and_joins_no_group(tcp, claimant, free_address):
    service = serve(tcp("service", hostport="127.0.0.1:0", known_peers=[free_address]))
    with pytest.raises(errors.NoAvailablePeerError):
        await name_at(service, retry_limit=0)
    peer = inside(service).peers_table.to_connect(free_address)
    penalised = peer.penalised_until

    await claimant(free_address, service)

    assert penalised > 0
    assert (peer.penalised_until, peer.connections) == (penalised, [])
    assert service.peers.hosts == [free_address]


async def test_a_claim_feeds_no_call_that_waits_for_a_connection(tcp, claimant):
    # Who accepts and says nothing: the call waits for its handshake meanwhile.
    silent = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{silent.getsockname()[1]}"
    service = serve(tcp("service", hostport="127.0.0.1:0", options=Options(handshake_timeout=0.5)))
    call = asyncio.ensure_future(name_at(service, address, timeout=5))
    while not inside(service).waiting:
        await asyncio.sleep(0)

    await claimant(address, service)

    assert not call.done()
    with pytest.raises(errors.NetworkError, match="handshake"):
        await call
    silent.close()


async def test_who_connects_from_a_known_peers_very_address_gets_none_of_its_calls(
    tcp, shake_hands, free_address
):
    service = serve(tcp("service", hostport="127.0.0.1:0", known_peers=[free_address]))
    host, port = free_address.split(":")
    await shake_hands(service, local_addr=(host, int(port)))

    assert free_address in inside(service).peers_table.callers
    with pytest.raises(errors.NoAvailablePeerError, match="cannot connect"):
        await name_at(service, retry_limit=0)


async def test_a_peer_becomes_known_without_the_connection_that_it_opened(tcp, claimant):
    service = serve(tcp("service", hostport="127.0.0.1:0"))
    _, address = await claimant("0.0.0.0:0", service)
    assert await name_at(service, address) == "claimant"

    service.peers.add(address)
    with pytest.raises(errors.NoAvailablePeerError, match="cannot connect"):
        await name_at(service, retry_limit=0)

    service.peers.remove(address)
    assert await name_at(service, address) == "claimant"


# -- calling back -----------------------------------------------------------------------------


async def test_callers_with_one_announced_address_are_each_called_back_by_their_sockets(
    tcp, claimant
):
    # Several processes behind one forwarded port, say, or two that both say 0.0.0.0:4040.
    service = serve(tcp("service", hostport="127.0.0.1:0"))
    one, address_of_one = await claimant("10.1.2.3:4040", service)
    two, address_of_two = await claimant("10.1.2.3:4040", service)
    for channel, name in ((one, "one"), (two, "two")):
        channel.raw.register("name", lambda request, name=name: name)

    assert await name_at(service, address_of_one) == "one"
    assert await name_at(service, address_of_two) == "two"
    assert len(inside(service).connections) == 2


async def test_a_caller_that_is_gone_cannot_be_called_back(tcp, claimant):
    service = serve(tcp("service", hostport="127.0.0.1:0"))
    channel, address = await claimant("10.1.2.3:4040", service)
    await channel.close()
    while inside(service).connections:
        await asyncio.sleep(0.001)

    assert len(inside(service).peers_table) == 0
    with pytest.raises(errors.NetworkError, match=f"cannot connect to {address}"):
        await name_at(service, address)


async def test_what_was_announced_is_told_beside_the_sockets_address(tcp, claimant):
    service = serve(tcp("service", hostport="127.0.0.1:0"))
    seen = []
    service.raw.register("see", lambda request: seen.append(request.transport))
    channel, address = await claimant("10.1.2.3:4040", service)
    await channel.raw("service", "see", hostport=service.hostport)

    assert (seen[0].peer, seen[0].announced) == (address, "10.1.2.3:4040")
    assert address.startswith("127.0.0.1:")


async def test_who_does_not_listen_announces_nothing(tcp):
    service = serve(tcp("service", hostport="127.0.0.1:0"))
    seen = []
    service.raw.register("see", lambda request: seen.append(request.transport.announced))
    await tcp("client").raw("service", "see", hostport=service.hostport)

    assert seen == [None]


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "[0::0]"])
async def test_an_unspecified_announced_host_is_the_sockets(tcp, shake_hands, host):
    service = serve(tcp("service", hostport="127.0.0.1:0", options=TRUSTING))
    await shake_hands(service, host_port=f"{host}:4040")

    (connection,) = inside(service).connections
    assert connection.announced == "127.0.0.1:4040"
    assert inside(service).peers_table.peers["127.0.0.1:4040"].connections == [connection]


async def test_on_a_unix_socket_an_unspecified_host_is_nobody(tcp, shake_hands, tmp_path):
    service = serve(tcp("service", hostport=f"unix:{tmp_path}/service", options=TRUSTING))
    await shake_hands(service, host_port="0.0.0.0:4040")

    (connection,) = inside(service).connections
    assert connection.announced is None
    assert inside(service).peers_table.peers == {}


async def test_a_peer_behind_a_forwarded_port_is_called_where_it_was_connected_to(tcp):
    backend = serve(tcp("backend", hostport="127.0.0.1:0"))

    async def forward(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", backend.port)

        async def copy(source, sink):
            while data := await source.read(65536):
                sink.write(data)
            sink.close()

        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    forwarder = await asyncio.start_server(forward, "127.0.0.1", 0)
    mapped = f"127.0.0.1:{forwarder.sockets[0].getsockname()[1]}"
    client = TChannel("client", known_peers=[mapped])

    assert await name_at(client) == "backend"
    assert await name_at(client, mapped) == "backend"
    (connection,) = inside(client).connections
    assert (connection.address, connection.announced) == (mapped, backend.hostport)
    with pytest.raises(errors.BadRequestError) as raised:
        await client.raw("any", "nothing", hostport=mapped)
    assert raised.value.peer == mapped

    await client.close()
    forwarder.close()
    await forwarder.wait_closed()


async def test_requests_are_served_on_connections_that_we_opened(tcp):
    # As Hyperbahn makes them: over the connection by which a service advertised itself.
    router = serve(tcp("router", hostport="127.0.0.1:0"))
    service = serve(tcp("service", hostport="127.0.0.1:0", known_peers=[router.hostport]))
    caller = (await service.raw("router", "who")).body.decode()

    assert await name_at(router, caller) == "service"
    assert len(inside(service).connections) == 1


# -- trusting what is announced ---------------------------------------------------------------


async def test_where_claims_are_trusted_the_connection_of_a_caller_is_shared(tcp):
    one = serve(tcp("one", hostport="127.0.0.1:0"))
    two = serve(tcp("two", hostport="127.0.0.1:0", options=TRUSTING))
    await name_at(one, two.hostport)

    assert await name_at(two, one.hostport) == "one"
    assert len(inside(one).connections) == len(inside(two).connections) == 1
    (connection,) = inside(two).connections
    assert await name_at(two, connection.address) == "one"


async def test_where_claims_are_trusted_who_cannot_be_connected_to_is_called(tcp, claimant):
    service = serve(
        tcp("service", hostport="127.0.0.1:0", options=TRUSTING, known_peers=["192.0.2.1:4040"])
    )
    channel, address = await claimant("192.0.2.1:4040", service)
    assert await name_at(service) == "claimant"
    channel.raw.register("name", lambda request: asyncio.sleep(60))
    late = asyncio.ensure_future(name_at(service))
    await asyncio.sleep(0.01)

    # What is told of it is the socket's address still.
    for connection in inside(channel).connections:
        connection.abort()
    with pytest.raises(errors.NetworkError, match=address) as raised:
        await late
    assert raised.value.peer == address
    assert inside(service).peers_table.to_connect("192.0.2.1:4040").connections == []


async def test_both_ends_listen_on_all_interfaces(tcp):
    one, two = serve(tcp("one")), serve(tcp("two"))
    for caller, called in ((one, two), (two, one), (one, two)):
        assert await name_at(caller, f"{local_ip()}:{called.port}") == called.name
        assert await name_at(caller, f"127.0.0.1:{called.port}") == called.name


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_trust_is_a_flag(value):
    with pytest.raises(TypeError, match="trust_announced_addresses must be True or False"):
        Options(trust_announced_addresses=value)


@pytest.mark.parametrize("right", [True, False])
async def test_with_tls_a_claim_needs_a_certificate_of_that_name(
    tcp, claimant, free_address, authority, tls, right
):
    server, client = tls
    service = serve(
        tcp(
            "service",
            hostport="127.0.0.1:0",
            ssl_server=server,
            ssl_client=client,
            options=TRUSTING,
        )
    )
    service.peers.add(free_address, "client.test" if right else "service.test")
    await claimant(free_address, service, ssl_client=client, server_name="service.test")

    if right:
        assert await name_at(service) == "claimant"
    else:
        with pytest.raises(errors.NoAvailablePeerError, match="cannot connect"):
            await name_at(service, retry_limit=0)


async def test_trust_is_refused_where_tls_asks_callers_for_nothing(tls, authority):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for ssl_server in (None, server):
        with pytest.raises(ValueError, match="asks callers for certificates"):
            TChannel("x", ssl_client=tls[1], ssl_server=ssl_server, options=TRUSTING)
    TChannel("x", ssl_client=tls[1], ssl_server=tls[0], options=TRUSTING)


@pytest.mark.parametrize(
    ("names", "name", "bears"),
    [
        ([("DNS", "a.test")], "A.test.", True),
        ([("DNS", "A.TEST")], "a.test", True),
        ([("DNS", "*.a.test")], "b.a.test", True),
        ([("DNS", "*.a.test")], "c.b.a.test", False),
        ([("DNS", "*.a.test")], "a.test", False),
        ([("DNS", "a.test")], "b.test", False),
        ([("DNS", "10.0.0.1")], "10.0.0.1", False),
        ([("IP Address", "10.0.0.1")], "10.0.0.1", True),
        ([("IP Address", "0:0:0:0:0:0:0:1")], "::1", True),
        ([("IP Address", "10.0.0.1")], "a.test", False),
        ([("URI", "spiffe://a.test/b")], "spiffe://a.test/b", True),
        ([("URI", "spiffe://a.test/b")], "spiffe://a.test/B", False),
        ([("URI", "spiffe://a.test/b")], "a.test", False),
        ([("DNS", "spiffe://a.test/b")], "spiffe://a.test/b", False),
    ],
)
def test_the_names_that_a_certificate_bears(names, name, bears):
    assert bears_name({"subjectAltName": tuple(names)}, name) is bears


@pytest.mark.parametrize("certificate", [None, {}, {"subject": ((("commonName", "a.test"),),)}])
def test_a_certificate_that_was_not_verified_bears_no_name(certificate):
    assert not bears_name(certificate, "a.test")
