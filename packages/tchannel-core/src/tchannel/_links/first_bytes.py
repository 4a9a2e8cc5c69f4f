"""The first bytes of a connection: other protocols are told by them, instead of by a timeout."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

import tchannel_wire as wire

from .tls_names import bears_name, names_in

if TYPE_CHECKING:
    from .connection import Connection

__all__ = [
    "ENOUGH",
    "EXPECTS_TLS",
    "TLS_RECORD",
    "FirstBytes",
    "OtherProtocolError",
    "begins_tls",
    "misfits",
    "not_tls",
    "protocol_of",
    "reason_of_failure",
]

ENOUGH: Final = wire.HEADER_SIZE
"""Bytes by which every protocol is known; no frame has fewer."""

# The record of a handshake, SSL 3.0 to TLS 1.3. As a TChannel frame it would be one of 5,635 bytes, for
# the rest of which we would wait until the handshake's timeout.
TLS_RECORD = b"\x16\x03"
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

    Args:
        connection: the connection.
        uri: the name that the peer's certificate has to bear, where OpenSSL does not look for it.

    """

    def __init__(self, connection: Connection, uri: str | None = None) -> None:
        self._connection = connection
        self._first = b""
        self._uri = uri
        self.stranger: str | None = None
        """What is wrong with the peer's certificate."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the connection, unless the certificate is another's."""
        if self._uri is not None:
            certificate = transport.get_extra_info("peercert")
            if not bears_name(certificate, self._uri):
                names = ", ".join(name for _, name in names_in(certificate)) or "nobody"
                self.stranger = f"the peer's certificate is made out to {names}, not to {self._uri}"
                cast("asyncio.Transport", transport).abort()
                return
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
        if self.stranger is None:
            self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        if self.stranger is None:
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
        and data.startswith(TLS_RECORD)
        and data[5] == _CLIENT_HELLO
        and int.from_bytes(data[6:9], "big") == int.from_bytes(data[3:5], "big") - 4
    )


class OtherProtocolError(ConnectionError):
    """The other side speaks no TChannel."""


def not_tls(data: bytes) -> str:
    """Say what a stream is that does not begin as TLS."""
    protocol = protocol_of(data)
    return "the peer does not speak TLS" + ("" if protocol is None else f", but {protocol}")


EXPECTS_TLS: Final = wire.encode(
    wire.ErrorMessage(
        id=wire.NO_MESSAGE_ID,
        code=wire.ErrorCode.FATAL,
        description="TLS is expected here (ssl_client=)",
    )
)
"""What a caller without TLS is told."""


def misfits(error: BaseException) -> bool:
    """Say whether a connection failed in a way that another attempt would not change."""
    return isinstance(error, OtherProtocolError | ssl.SSLError) or (
        isinstance(error, wire.PeerError) and error.code == wire.ErrorCode.FATAL
    )


def reason_of_failure(error: BaseException, *, tls: bool, server: bool = False) -> str:
    """Say why a connection was not made, with or without TLS on this side, which may be the server's."""
    text = str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        plain = _reason_of_tls(error, server=server)
        return text if plain is None else f"{plain} ({text})"
    if tls and isinstance(error, ConnectionResetError | ConnectionAbortedError):
        # Of a server, too, that has no use for our certificate and does not say so; not of a caller
        # whose first bytes were those of TLS.
        perhaps = "it may refuse our certificate" if server else "it may not speak TLS"
        return f"closed by the peer in the TLS handshake: {perhaps} ({text})"
    if tls and isinstance(error, TimeoutError):
        return f"{text}: the peer may not speak TLS"
    if not tls and isinstance(error, wire.PeerError) and error.code == wire.ErrorCode.NETWORK:
        return f"{text}: the peer may expect TLS (ssl_client=)"
    return text


_EXPIRED = 10
_OTHER_HOST = frozenset({62, 63, 64})
"""Of a host, of a mail address, of an IP address: X509_V_ERR_*_MISMATCH."""


def _reason_of_tls(error: ssl.SSLError, *, server: bool) -> str | None:
    """Say in plain words what OpenSSL calls by names of its own; None for what is rare."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = getattr(error, "verify_code", None)
        if code == _EXPIRED:
            return "the peer's certificate has expired"
        if code in _OTHER_HOST:
            return "the peer's certificate is made out to another name"
        return "the peer's certificate is refused"
    reason = getattr(error, "reason", None) or ""  # none where it is not OpenSSL's
    if reason in _NO_TLS:
        return "the peer does not speak TLS"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "the peer shows no certificate, and ssl_server= demands one"
    if reason.endswith("ALERT_CERTIFICATE_REQUIRED"):
        return "the peer demands a certificate, and ssl_client= has none"
    if reason.endswith("ALERT_CERTIFICATE_EXPIRED"):
        return "the peer says that our certificate has expired"
    if reason.endswith(_REFUSALS):
        return "the peer refuses our certificate"
    if reason.endswith("ALERT_HANDSHAKE_FAILURE") and not server:
        return "the peer ends the TLS handshake: it may demand a certificate in ssl_client="
    return None


_REFUSALS = (
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_ACCESS_DENIED",
)
