"""``listen(sock=...)``: sockets that a supervisor has opened."""

import os
import socket

import pytest

from tchannel import TChannel
from tchannel.errors import AlreadyListeningError
from tchannel.lowlevel import inside


@pytest.fixture
def listening(tmp_path):
    """A function that opens a listening socket of a family; what a test leaves open is closed."""
    opened = []

    def open_one(family, address):
        sock = socket.socket(family)
        opened.append(sock)
        sock.bind(str(tmp_path / address) if family == socket.AF_UNIX else address)
        sock.listen()
        return sock

    yield open_one
    for sock in opened:
        sock.close()


def serve(sock):
    channel = TChannel("server")

    @channel.raw.register
    def echo(request):
        return request.body

    channel.listen(sock=sock)
    return channel


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 0)),
        (socket.AF_INET, ("", 0)),
        (socket.AF_INET6, ("::1", 0)),
        (socket.AF_UNIX, "socket"),
    ],
)
async def test_calls_to_its_address_arrive_and_it_is_closed_with_the_channel(
    listening, family, address
):
    sock = listening(family, address)
    async with serve(sock) as server, TChannel("client") as client:
        response = await client.raw("server", "echo", b"there", hostport=server.hostport)

        assert response.body == b"there"
        assert "0.0.0.0" not in server.hostport
    assert sock.fileno() == -1


async def test_connections_that_it_accepts_send_small_frames_at_once(listening):
    sock = listening(socket.AF_INET, ("127.0.0.1", 0))
    async with serve(sock) as server, TChannel("client") as client:
        await client.raw("server", "echo", hostport=server.hostport)

        (connection,) = inside(server).connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_path_that_is_not_ours_stays(listening, tmp_path):
    async with serve(listening(socket.AF_UNIX, "socket")):
        pass

    assert os.path.exists(tmp_path / "socket")


async def test_an_abstract_address_has_a_name_that_can_be_read(listening):
    sock = socket.socket(socket.AF_UNIX)
    with sock:
        sock.bind(f"\0tchannel-{os.getpid()}")
        sock.listen()
        async with serve(sock) as server:
            assert server.hostport == f"unix:@tchannel-{os.getpid()}"


async def test_a_connection_that_waited_before_the_channel_was_there_is_served(listening):
    sock = listening(socket.AF_INET, ("127.0.0.1", 0))
    host, port = sock.getsockname()
    async with TChannel("client") as client:
        call = client.raw("server", "echo", b"early", hostport=f"{host}:{port}")
        async with serve(sock):
            assert (await call).body == b"early"


async def test_the_same_socket_again_changes_nothing(listening):
    sock = listening(socket.AF_INET, ("127.0.0.1", 0))
    async with serve(sock) as server:
        server.listen(sock=sock)
        server.listen()

        assert server.is_listening()


class TestRefused:
    async def test_another_socket_than_the_one_it_listens_on(self, listening):
        async with serve(listening(socket.AF_INET, ("127.0.0.1", 0))) as server:
            with pytest.raises(AlreadyListeningError, match="not on that socket"):
                server.listen(sock=listening(socket.AF_INET, ("127.0.0.1", 0)))

    @pytest.mark.parametrize(
        ("made_with", "called_with"), [({"hostport": "127.0.0.1:0"}, {}), ({}, {"port": 4040})]
    )
    async def test_an_address_besides(self, listening, made_with, called_with):
        async with TChannel("server", **made_with) as server:
            with pytest.raises(ValueError, match="no hostport= and no port besides"):
                server.listen(sock=listening(socket.AF_INET, ("127.0.0.1", 0)), **called_with)
            assert not server.is_listening()

    async def test_what_is_no_socket(self):
        async with TChannel("server") as server:
            with pytest.raises(TypeError, match="sock must be a socket, not int"):
                server.listen(sock=3)

    @pytest.mark.parametrize(
        ("family", "type", "what"),
        [
            (socket.AF_INET, socket.SOCK_DGRAM, "one for streams, not SOCK_DGRAM"),
            (socket.AF_INET, socket.SOCK_STREAM, "listen already"),
            (socket.AF_NETLINK, socket.SOCK_RAW, "one of IP or Unix, not of AF_NETLINK"),
        ],
    )
    async def test_a_socket_on_which_nobody_can_call(self, family, type, what):
        async with TChannel("server") as server:
            with socket.socket(family, type) as sock, pytest.raises(ValueError, match=what):
                server.listen(sock=sock)
