"""TLS on one side only: told by the first bytes, instead of by a timeout."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING

import tchannel_wire as wire

from .._ground.log_fields import log_fields

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["FirstBytes", "begins_tls", "reason_of_failure"]

log = logging.getLogger("tchannel.listener")

# The record of a handshake, SSL 3.0 to TLS 1.3. As a TChannel frame it would be one of 5,635 bytes, for
# the rest of which we would wait until the handshake's timeout.
_TLS_RECORD = b"\x16\x03"
_CLIENT_HELLO = 1
_HEADERS = 9  # of the record, and of the message within

# What OpenSSL calls bytes that are no TLS.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


class FirstBytes(asyncio.Protocol):
    """Stands before an accepted connection without TLS until its first bytes have come.

    A check on the connection itself would be made for all bytes that ever come.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the connection."""
        self._connection.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Leave the rest to the connection, or end it when its peer speaks TLS."""
        connection = self._connection
        connection.transport.set_protocol(connection)
        if begins_tls(data):
            log.warning(
                "%s speaks TLS, and %s does not: give it ssl_server=",
                connection.address,
                connection.channel.name,
                extra=log_fields(connection.address),
            )
            connection.close()
        else:
            connection.data_received(data)

    def eof_received(self) -> None:
        """Nothing came at all; the transport closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        """Tell the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        self._connection.resume_writing()


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
