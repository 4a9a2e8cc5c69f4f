"""The first bytes of a connection: other protocols are told by them, instead of by a timeout."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

import tchannel_wire as wire

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["ENOUGH", "FirstBytes", "begins_tls", "protocol_of", "reason_of_failure"]

ENOUGH: Final = wire.HEADER_SIZE
"""Bytes by which every protocol is known; no frame has fewer."""

# The record of a handshake, SSL 3.0 to TLS 1.3. As a TChannel frame it would be one of 5,635 bytes, for
# the rest of which we would wait until the handshake's timeout.
_TLS_RECORD = b"\x16\x03"
_TLS_ALERT = b"\x15\x03\x03\x00\x02"
_CLIENT_HELLO = 1
_HEADERS = 9  # of the record, and of the message within

# What OpenSSL calls bytes that are no TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})

# Where a TChannel frame has its type: the first one of a connection has one of these there (init
# request and response, error).
_TYPE = 2
_FIRST_TYPES = frozenset({wire.FrameType.INIT_REQUEST, wire.FrameType.INIT_RESPONSE, 0xFF})

_LEAST_SIZE = wire.HEADER_SIZE.to_bytes(2, "big")

_BEGINNINGS: Final[tuple[tuple[bytes, str], ...]] = (
    *(
        (method.encode() + b" ", "HTTP")
        for method in [
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "DELETE",
            "CONNECT",
            "OPTIONS",
            "TRACE",
            "PATCH",
        ]
    ),
    (b"HTTP/", "HTTP"),
    (b"PRI * HTTP/2", "HTTP/2"),
    (b"SSH-", "SSH"),
    (b"PROXY ", "PROXY"),
    (b"\r\n\r\n\0\r\nQUIT\n", "PROXY"),
    (b"+PONG", "Redis"),
    (b"-ERR ", "Redis"),
    (b"PING\r\n", "Redis"),
    (b"220 ", "SMTP or FTP"),
    (b"220-", "SMTP or FTP"),
    (b"\x80\x01\x00", "Thrift without TChannel"),
)

_SETTINGS = 4
"""The type of the frame by which an HTTP/2 server begins."""


class FirstBytes(asyncio.Protocol):
    """Stands before a connection until its first bytes have come.

    A check on the connection itself would be made for all bytes that ever come.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the connection."""
        self._connection.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Leave the rest to the connection, or end it when its peer speaks something else."""
        connection = self._connection
        connection.heard = True
        data = self._first = self._first + data
        protocol = protocol_of(data)
        if protocol is not None:
            connection.transport.set_protocol(connection)
            connection.speaks_otherwise(protocol)
        elif len(data) >= ENOUGH:
            connection.transport.set_protocol(connection)
            connection.data_received(data)

    def eof_received(self) -> None:
        """It was less than a frame."""
        self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        self._connection.resume_writing()


def protocol_of(data: bytes) -> str | None:
    """Return the name of the protocol that a stream begins with; None if it may be TChannel.

    No frame by which a TChannel connection begins is taken for something else.
    """
    if begins_tls(data) or data.startswith(_TLS_ALERT):
        return "TLS"
    if len(data) > _TYPE and data[_TYPE] in _FIRST_TYPES and data[:2] >= _LEAST_SIZE:
        return None
    for beginning, name in _BEGINNINGS:
        if data.startswith(beginning):
            return name
    if len(data) >= _HEADERS:
        if data[:1] == b"*" and data[1:2].isdigit() and b"\r\n$" in data:
            return "Redis"
        if (
            data[:2] == b"\0\0"
        ):  # a size, of more than the two bytes that a frame of ours has for it
            if data[3] == _SETTINGS and data[4:9] == bytes(5):
                return "HTTP/2"
            if data[4:7] == b"\x80\x01\x00" or data[4:5] == b"\x82":
                return "Thrift without TChannel"
            if _is_old_thrift(data):
                return "Thrift without TChannel"
    return None


def _is_old_thrift(data: bytes) -> bool:
    """Say whether a message of the old Binary protocol begins, with the name of what is called."""
    length = int.from_bytes(data[:4], "big")
    name = data[4 : 4 + length]
    return 0 < len(name) == length and name.isascii() and name.decode().isprintable()


def begins_tls(data: bytes) -> bool:
    """Say whether a stream begins with the ClientHello of TLS."""
    return (
        len(data) >= _HEADERS
        and data.startswith(_TLS_RECORD)
        and data[5] == _CLIENT_HELLO
        and int.from_bytes(data[6:9], "big") == int.from_bytes(data[3:5], "big") - 4
    )


def reason_of_failure(error: BaseException, *, tls: bool) -> str:
    """Say why a connection was not made, with or without TLS on this side."""
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return f"the peer does not speak TLS ({text})"
    if tls and isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return f"closed by the peer in the TLS handshake: it may not speak TLS ({text})"
    if tls and isinstance(error, TimeoutError):
        return f"{text}: the peer may not speak TLS"
    if not tls and isinstance(error, wire.PeerError) and error.code == wire.ErrorCode.NETWORK:
        return f"{text}: the peer may expect TLS (ssl_client=)"
    return text
