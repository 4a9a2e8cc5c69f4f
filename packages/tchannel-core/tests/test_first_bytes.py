"""What the first bytes of a connection tell."""

import ssl

import pytest

import tchannel_wire as wire
from tchannel._links.first_bytes import begins_tls, reason_of_failure


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
