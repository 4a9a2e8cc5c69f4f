"""What the first bytes of a connection tell."""

import asyncio
import contextlib
import logging
import socket
import ssl
import struct

import pytest

import tchannel_wire as wire
from tchannel import errors
from tchannel._links.first_bytes import begins_tls, protocol_of, reason_of_failure
from tchannel.lowlevel import inside
from tchannel.options import Options


def client_hello():
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_a_client_hello_begins_tls():
    assert begins_tls(client_hello())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        client_hello()[:8],
        # Frames of the size that the first two bytes of TLS would be.
        bytes.fromhex("1603 01 00 00000001 0000000000000000 0002"),
        bytes.fromhex("1603 01 00 01000001 0000000000000000 0002"),
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_anything_else_does_not(data):
    assert not begins_tls(data)


@pytest.mark.parametrize(
    ("error", "tls", "text"),
    [
        (ConnectionRefusedError("refused"), True, "refused"),
        (ConnectionResetError("reset"), False, "reset"),
        (ConnectionResetError("reset"), True, "may not speak TLS (reset)"),
        (TimeoutError("too long"), True, "too long: the peer may not speak TLS"),
        (TimeoutError("too long"), False, "too long"),
        (wire.PeerError(wire.ErrorCode.NETWORK, "ended"), False, "may expect TLS (ssl_client=)"),
        (wire.PeerError(wire.ErrorCode.BUSY, "no"), False, "busy: no"),
        (OSError(), False, "OSError"),
    ],
)
def test_a_failure_says_what_tls_has_to_do_with_it(error, tls, text):
    assert reason_of_failure(error, tls=tls).endswith(text)


def sized(data):
    return struct.pack(">I", len(data)) + data


STRICT_THRIFT = struct.pack(">I", 0x80010001) + sized(b"ping") + bytes([0, 0, 0, 1, 0])

OTHERS = {
    "HTTP": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP ": b"OPTIONS * HTTP/1.1\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    "SSH": b"SSH-2.0-OpenSSH_9.0\r\n",
    "Redis": b"*1\r\n$4\r\nPING\r\n",
    "Redis ": b"PING\r\n",
    "PROXY": b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 2000\r\n",
    "PROXY ": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
    "TLS": client_hello(),
    "Thrift without TChannel": STRICT_THRIFT,
    "Thrift without TChannel ": sized(STRICT_THRIFT),
    "Thrift without TChannel  ": sized(STRICT_THRIFT + bytes(256)),
    "Thrift without TChannel   ": sized(b"ping") + bytes([1, 0, 0, 0, 1, 0]),
    "Thrift without TChannel    ": sized(b"\x82\x21\x01\x04ping\0"),
}

ANSWERS = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "HTTP/2": bytes([0, 0, 18, 4, 0, 0, 0, 0, 0]) + bytes(18),
    "SSH": b"SSH-2.0-x\r\n",
    "Redis": b"-ERR unknown command\r\n",
    "SMTP or FTP": b"220 ready\r\n",
    "TLS": bytes([0x15, 3, 3, 0, 2, 2, 70]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_protocols_are_known_by_their_first_bytes(name):
    assert protocol_of(OTHERS[name]) == name.strip()


FRAMES = (
    wire.encode(wire.InitRequest(id=1, headers=wire.init_headers("0.0.0.0:0", "p"))),
    wire.encode(wire.InitResponse(id=1, headers=wire.init_headers("1.2.3.4:5", "p"))),
    wire.encode(wire.ErrorMessage(id=1, code=wire.ErrorCode.BUSY, description="busy")),
)


def test_no_first_frame_is_taken_for_another_protocol():
    for frame in FRAMES:
        assert all(protocol_of(frame[:end]) is None for end in range(len(frame) + 1))
    for size in range(16, 65536):
        for type in (1, 2, 0xFF):
            assert protocol_of(struct.pack(">HBx", size, type) + b"\0\0\0\1" + bytes(8)) is None


@pytest.mark.parametrize("name", OTHERS)
async def test_who_speaks_something_else_is_told_so_at_once_and_closed(tcp, caplog, name):
    server = tcp(hostport="127.0.0.1:0")
    server.listen()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    # In pieces, as it may come.
    with contextlib.suppress(ConnectionError, RuntimeError):  # closed while it is sent
        for start in range(0, len(OTHERS[name]), 5):
            writer.write(OTHERS[name][start : start + 5])
            await asyncio.sleep(0)
        await reader.read()
    writer.close()

    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("tchannel")]
    text = {
        "TLS": "the peer speaks TLS, and server does not: give it ssl_server=",
        "PROXY": "a load balancer speaks the PROXY protocol: turn that off for this port",
    }.get(name.strip(), f"the peer speaks {name.strip()}, not TChannel")
    assert text in line
    assert line.startswith("connection from 127.0.0.1:")


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_call_to_who_speaks_something_else_says_so(tcp, name):
    async def answer(reader, writer):
        writer.write(ANSWERS[name])
        await reader.read()
        writer.close()

    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"127.0.0.1:{other.sockets[0].getsockname()[1]}"
    text = "the peer speaks TLS, and this channel does not: give it ssl_client="

    with pytest.raises(errors.NetworkError) as raised:
        await tcp("client").raw("any", "thing", hostport=address)
    assert raised.value.description == f"cannot connect to {address}: " + (
        text if name == "TLS" else f"the peer speaks {name}, not TChannel"
    )
    other.close()
    await other.wait_closed()


# -- who says nothing -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["closed", "reset"])
@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "tls"])
async def test_a_health_check_that_connects_and_closes_is_no_warning(
    tcp, caplog, tls, kind, with_tls
):
    caplog.set_level(logging.DEBUG, logger="tchannel")
    server = tcp(hostport="127.0.0.1:0", ssl_server=tls[0] if with_tls else None)
    server.listen()
    for _ in range(3):
        probe = socket.create_connection((server.host, server.port))
        if kind == "reset":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        probe.close()
    while len(caplog.records) < 4:
        await asyncio.sleep(0.001)

    listens, *probes = caplog.records
    assert "listens on" in listens.getMessage()
    assert {record.levelname for record in probes} == {"DEBUG"}
    # Of a socket that was reset, too, the address is known.
    assert all(record.peer.startswith("127.0.0.1:") for record in probes)
    assert all(" from 127.0.0.1:" in record.getMessage() for record in probes)


async def test_who_connects_and_says_nothing_is_closed_without_a_warning(tcp, caplog):
    server = tcp(hostport="127.0.0.1:0", options=Options(handshake_timeout=0.05))
    server.listen()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    await reader.read()
    writer.close()

    assert caplog.records == []


async def test_half_a_frame_is_a_warning(tcp, caplog):
    server = tcp(hostport="127.0.0.1:0")
    server.listen()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"\0\x20")
    writer.write_eof()
    await reader.read()
    writer.close()
    while inside(server).connections:
        await asyncio.sleep(0)

    (record,) = caplog.records
    assert record.levelname == "WARNING"
