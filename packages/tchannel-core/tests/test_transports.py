"""Real sockets: TCP, IPv6, Unix sockets, TLS; listening and connecting."""

import asyncio
import os
import socket
import ssl
import stat

import pytest

from tchannel import TChannel, errors
from tchannel.lowlevel import inside
from tchannel.net import local_ip
from tchannel.options import Options


def echo(channel):
    channel.raw.register("echo", lambda request: request.body)
    channel.listen()
    return channel


async def check(client, hostport, body=b"x" * 200_000):
    response = await client.raw("server", "echo", body, hostport=hostport)
    assert response.body == body


async def test_the_given_host_is_bound_exactly(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0"))

    assert server.host == "127.0.0.1"
    assert server.port > 0
    assert [s.getsockname()[0] for s in inside(server).listener._sockets] == ["127.0.0.1"]
    await check(tcp("client"), server.hostport)


@pytest.mark.parametrize("hostport", [None, "0.0.0.0:0", "[::]:0"])
async def test_without_a_host_all_interfaces_are_bound_and_a_routable_address_is_shown(
    tcp, hostport
):
    server = echo(tcp("server", hostport=hostport))

    assert server.host == local_ip()
    assert "0.0.0.0" not in server.hostport
    await check(tcp("client"), f"127.0.0.1:{server.port}")


async def test_the_handshake_says_a_routable_address(tcp):
    server = echo(tcp("server"))
    client = tcp("client")
    await check(client, f"127.0.0.1:{server.port}")

    (connection,) = inside(client).connections
    assert connection.wire.remote.host_port == f"{local_ip()}:{server.port}"
    assert connection.wire.remote.process_name == server.process_name


async def test_listening_is_idempotent_and_thread_safe(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    hostport = server.hostport
    server.listen()
    server.listen(server.port)

    assert server.hostport == hostport
    with pytest.raises(errors.AlreadyListeningError, match=str(server.port)):
        server.listen(server.port + 1)
    await asyncio.gather(*[asyncio.to_thread(server.listen) for _ in range(8)])
    assert server.hostport == hostport


async def test_listen_takes_a_port(tcp):
    # Nobody else takes ports of this address in the meantime.
    with socket.socket() as free:
        free.bind(("127.0.0.77", 0))
        port = free.getsockname()[1]
    server = tcp("server", hostport="127.0.0.77:0")
    server.listen(port)

    assert server.hostport == f"127.0.0.77:{port}"


async def test_listen_takes_a_port_of_every_interface(tcp):
    server = tcp("server")
    server.raw.register("echo", lambda request: request.body)
    server.listen(0)

    assert server.host == local_ip()
    await check(tcp("client"), f"127.0.0.1:{server.port}")
    await check(tcp("client"), server.hostport)


async def test_a_port_in_use_is_an_os_error_at_once(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    other = tcp("other", hostport=server.hostport)

    with pytest.raises(OSError, match="in use"):
        other.listen()
    assert not other.is_listening()


async def test_reuse_port_lets_two_channels_share_a_port(tcp):
    first = echo(tcp("server", hostport="127.0.0.1:0", reuse_port=True))
    second = echo(tcp("server", hostport=first.hostport, reuse_port=True))

    assert first.port == second.port
    await check(tcp("client"), first.hostport)


async def test_names_are_resolved(tcp):
    server = echo(tcp("server", hostport="localhost:0"))
    await check(tcp("client"), f"localhost:{server.port}")


async def test_a_name_that_does_not_resolve_is_a_network_error(tcp):
    client = tcp("client")
    with pytest.raises(errors.NetworkError, match=r"nosuchhost\.invalid:1"):
        await client.raw("server", "echo", hostport="nosuchhost.invalid:1")


@pytest.mark.skipif(
    not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here"
)
async def test_ipv6(tcp):
    server = echo(tcp("server", hostport="[::1]:0"))

    assert server.hostport.startswith("[::1]:")
    client = tcp("client")
    await check(client, server.hostport)
    (connection,) = inside(server).connections
    assert connection.wire.remote.host_port is None


async def test_unix_sockets(tcp, tmp_path):
    path = tmp_path / "service.sock"
    server = echo(tcp("server", hostport=f"unix:{path}"))
    seen = []
    server.raw.register("who", lambda request: seen.append(request.transport.peer))
    client = tcp("client", known_peers=[server.hostport])
    client.raw.register("back", lambda request: b"back")

    assert stat.S_ISSOCK(path.stat().st_mode)
    await check(client, server.hostport)
    await client.raw("server", "who")
    assert (await server.raw("client", "back", hostport=seen[0])).body == b"back"
    await server.close()
    assert not path.exists()


async def test_a_peer_that_never_shakes_hands_is_dropped(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0", options=Options(handshake_timeout=0.05)))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    assert await reader.read() == b""
    writer.close()
    assert inside(server).connections == set()


async def test_connecting_to_somebody_who_never_answers_ends_with_the_handshake_timeout(tcp):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    client = tcp("client", options=Options(handshake_timeout=0.05))

    with pytest.raises(errors.NetworkError, match="handshake"):
        await client.raw("server", "echo", hostport=f"127.0.0.1:{port}")
    listener.close()


async def test_garbage_costs_the_sender_its_connection_and_harms_no_other_call(tcp, caplog):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    client = tcp("client")
    await check(client, server.hostport)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    # As long as a frame that begins so says to be; of less the server would wait for the rest.
    garbage = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
    writer.write(garbage[: int.from_bytes(garbage[:2])])
    answer = await reader.read()
    writer.close()

    assert answer == b"" or answer[2] == 0xFF
    await check(client, server.hostport)
    ended = [record for record in caplog.records if "ended" in record.message]
    assert len(ended) == 1
    assert "127.0.0.1:" in ended[0].message


async def test_many_calls_before_the_first_connection_share_it(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    client = tcp("client")
    await asyncio.gather(*[check(client, server.hostport, b"y") for _ in range(50)])

    assert len(inside(client).connections) == len(inside(server).connections) == 1


async def test_both_sides_may_connect_at_once(tcp):
    one, two = echo(tcp("one", hostport="127.0.0.1:0")), echo(tcp("two", hostport="127.0.0.1:0"))

    await asyncio.gather(check(one, two.hostport), check(two, one.hostport))
    await asyncio.gather(check(one, two.hostport), check(two, one.hostport))
    # Each calls over the connection that it opened.
    assert len(inside(one).connections) == len(inside(two).connections) == 2


async def test_a_service_that_restarts_is_found_again(tcp):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    client = tcp("client")
    await check(client, server.hostport)
    hostport = server.hostport
    await server.close()
    again = echo(tcp("server", hostport=hostport))

    await client.raw("server", "echo", b"x", hostport=hostport, retry_limit=3)
    assert again.hostport == hostport


# -- TLS --------------------------------------------------------------------------------------


async def test_tls_both_ways_shows_the_callers_certificate(tcp, tls):
    server = echo(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    seen = []
    server.raw.register("who", lambda request: seen.append(request.transport.peer_certificate))
    client = tcp("client", ssl_client=tls[1], server_name="service.test")

    await check(client, server.hostport)
    await client.raw("server", "who", hostport=server.hostport)

    assert seen[0]["subject"] == ((("commonName", "client.test"),),)


async def test_a_server_name_may_be_given_per_peer(tcp, tls):
    server = echo(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    client = tcp("client", ssl_client=tls[1])
    client.peers.add(server.hostport, server_name="service.test")

    await check(client, None)


async def test_a_wrong_name_in_the_certificate_is_a_network_error(tcp, tls):
    server = echo(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    client = tcp("client", ssl_client=tls[1], server_name="other.test")

    with pytest.raises(errors.NetworkError, match=r"(?i)certificate|hostname"):
        await client.raw("server", "echo", hostport=server.hostport)


# Both sides hear of it at once: a timeout would end the call with another text.
async def test_a_client_without_tls_is_refused_by_a_server_with_it(tcp, tls, caplog):
    caplog.set_level("INFO", logger="tchannel")
    server = echo(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    client = tcp("client")

    with pytest.raises(errors.NetworkError, match="TLS is expected here"):
        await client.raw("server", "echo", hostport=server.hostport)
    (line,) = [one for one in caplog.records if "connection from" in one.getMessage()]
    assert "does not speak TLS" in line.getMessage()
    assert line.peer.startswith("127.0.0.1:")


async def test_a_client_with_tls_is_refused_by_a_server_without_it(tcp, tls, caplog):
    server = echo(tcp("server", hostport="127.0.0.1:0"))
    client = tcp("client", ssl_client=tls[1], server_name="service.test")

    with pytest.raises(errors.NetworkError, match=r"may not speak TLS \("):
        await client.raw("server", "echo", hostport=server.hostport)
    (line,) = [one for one in caplog.records if "connection from" in one.getMessage()]
    assert "speaks TLS, and server does not: give it ssl_server=" in line.getMessage()
    assert line.peer.startswith("127.0.0.1:")
    await check(tcp("plain"), server.hostport)


async def test_a_peer_without_tls_that_answers_something_else_is_named(tcp, tls):
    async def greet(reader, writer):
        writer.write(b"220 ready\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()

    other = await asyncio.start_server(greet, "127.0.0.1", 0)
    client = tcp("client", ssl_client=tls[1], server_name="service.test")
    port = other.sockets[0].getsockname()[1]

    with pytest.raises(errors.NetworkError, match="the peer does not speak TLS"):
        await client.raw("server", "echo", hostport=f"127.0.0.1:{port}")
    other.close()
    await other.wait_closed()


async def test_tls_over_a_unix_socket(tcp, tls, tmp_path):
    server = echo(tcp("server", hostport=f"unix:{tmp_path}/tls.sock", ssl_server=tls[0]))
    client = tcp("client", ssl_client=tls[1], server_name="service.test")

    await check(client, server.hostport)


async def test_a_peer_that_opens_tls_and_says_nothing_leaves_nothing_behind(tcp, tls):
    server = echo(
        tcp(
            "server",
            hostport="127.0.0.1:0",
            ssl_server=tls[0],
            options=Options(handshake_timeout=0.05),
        )
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "hostport", ["nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "::1:80:"]
)
def test_a_hostport_that_does_not_parse_is_refused_with_its_text(hostport):
    with pytest.raises(ValueError, match="address"):
        TChannel("server", hostport=hostport)


@pytest.mark.parametrize("name", ["", None])
def test_a_channel_needs_a_name(name):
    with pytest.raises(errors.ServiceNameIsRequiredError):
        TChannel(name)


async def test_the_unix_socket_of_another_server_is_not_taken_away(tcp, tmp_path):
    path = f"unix:{tmp_path}/taken.sock"
    first, second, client = echo(tcp("first", hostport=path)), tcp(hostport=path), tcp("client")
    first.listen()

    with pytest.raises(OSError, match="in use"):
        second.listen()
    assert (await client.raw("first", "echo", b"x", hostport=path)).body == b"x"


async def test_a_caller_on_a_unix_socket_that_is_gone_is_not_looked_up_as_a_name(tcp):
    server = tcp("server")

    with pytest.raises(errors.NetworkError, match="caller is gone"):
        await server.raw("client", "x", hostport="unix-peer-1234:0")


@pytest.mark.parametrize(
    ("argument", "protocol"),
    [("ssl_server", ssl.PROTOCOL_TLS_CLIENT), ("ssl_client", ssl.PROTOCOL_TLS_SERVER)],
)
def test_a_tls_context_for_the_other_side_is_refused_at_once(argument, protocol):
    with pytest.raises(ValueError, match=f"{argument}.*{protocol.name}"):
        TChannel("server", **{argument: ssl.SSLContext(protocol)})


@pytest.mark.parametrize(
    ("host", "settings", "with_tls"),
    [
        ("127.0.0.1:0", (), False),
        ("[::1]:0", (), False),
        ("127.0.0.1:0", ("ssl_server",), True),
        ("127.0.0.1:0", ("ssl_server", "ssl_permissive"), True),
        ("127.0.0.1:0", ("ssl_server", "ssl_permissive"), False),
    ],
    ids=["tcp", "ipv6", "tls", "permissive with TLS", "permissive without"],
)
async def test_accepted_connections_send_small_frames_at_once(tcp, tls, host, settings, with_tls):
    values = {"ssl_server": tls[0], "ssl_permissive": True}
    server = echo(tcp("server", hostport=host, **{name: values[name] for name in settings}))
    client = tcp("client", ssl_client=tls[1] if with_tls else None, server_name="service.test")
    await check(client, server.hostport)

    for channel in (client, server):
        (connection,) = inside(channel).connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
