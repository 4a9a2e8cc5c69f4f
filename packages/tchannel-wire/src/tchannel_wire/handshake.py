"""The handshake: what both ends say about themselves before the first call."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ._version import __version__
from .addresses import is_dotted_ipv4, parse_host_port
from .errors import ProtocolError
from .messages import PROTOCOL_VERSION, InitRequest, InitResponse

__all__ = [
    "EPHEMERAL_HOST_PORT",
    "HOST_PORT",
    "PROCESS_NAME",
    "RemotePeer",
    "check_init_request",
    "check_init_response",
    "init_headers",
    "request_host_port",
    "response_host_port",
]

HOST_PORT = "host_port"
PROCESS_NAME = "process_name"
MAX_INIT_HEADERS = 128
MAX_KEPT = 4096
"""Characters of a peer's init headers that are kept: a frame has 64 KiB, and connections stay long."""
EPHEMERAL_HOST_PORT = "0.0.0.0:0"
"""The address of one who does not listen."""


class RemotePeer:
    """What the peer said about itself in the handshake.

    Attributes:
        host_port: Where the peer listens; None if it does not, which peers write as ``''``, as
            anything that ends in ``:0``, or as something that is no address.
        process_name: A name for people.
        headers: The headers of the handshake, as received; of more than 4,096 characters, the two
            that are required, cut to a quarter of that each, and those others that fit whole.
        version: The protocol version that the peer named.

    """

    __slots__ = ("headers", "host_port", "process_name", "version")

    def __init__(self, version: int, headers: dict[str, str]) -> None:
        _, port = _address(headers[HOST_PORT])
        self.host_port: str | None = headers[HOST_PORT] if port else None
        self.process_name: str = headers[PROCESS_NAME]
        self.headers: dict[str, str] = headers
        self.version: int = version

    @property
    def is_ephemeral(self) -> bool:
        """Whether the peer does not listen and cannot be called over another connection."""
        return self.host_port is None

    def __repr__(self) -> str:
        return f"RemotePeer(host_port={self.host_port!r}, process_name={self.process_name!r})"


def request_host_port(host_port: str) -> str:
    """What to write as `host_port` in an init request.

    tchannel-node closes a connection whose opener names anything but a dotted IPv4 address, and
    tchannel-python falls silent on some; whoever listens elsewhere is better off as ephemeral.
    Nor does 0.0.0.0 or port 0 reach anybody: an advertisement from port 0 breaks Hyperbahn.
    """
    host, port = _address(host_port)
    if port == 0 or host == "0.0.0.0" or not is_dotted_ipv4(host):  # noqa: S104 - compared, not bound
        return EPHEMERAL_HOST_PORT
    return host_port


def response_host_port(host_port: str, *, unix_socket: bool = False) -> str:
    """What to write as `host_port` in an init response: who was reached has an address.

    Args:
        host_port: The address at which this end listens.
        unix_socket: Whether the connection is no TCP connection; any text is allowed then, and
            what is no address is written as ``0.0.0.0:0``.

    Raises:
        ValueError: `host_port` is no address, or has port 0, which tchannel-node refuses.

    """
    _, port = _address(host_port)
    if port:
        return host_port
    if unix_socket:
        return EPHEMERAL_HOST_PORT
    raise ValueError(
        f"host_port of an accepter must be the host:port at which it listens, not {host_port!r}"
    )


def init_headers(
    host_port: str, process_name: str, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The headers of an init request or response; `extra` adds to them and wins."""
    implementation = sys.implementation.name
    python = ".".join(map(str, sys.version_info[:3]))
    headers = {
        HOST_PORT: host_port,
        PROCESS_NAME: process_name,
        "tchannel_language": "python",
        "tchannel_language_version": f"{implementation}-{python}",
        "tchannel_version": __version__,
    }
    for key, value in (extra or {}).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"init header {key!r} must be a str with a str as its value")
        if key in (HOST_PORT, PROCESS_NAME):
            raise ValueError(f"init header {key!r} has an argument of its own")
        headers[key] = value
    return headers


def check_init_request(message: InitRequest) -> RemotePeer:
    """The peer that `message` comes from.

    Raises:
        ProtocolError: A version below 2, a required header is missing, or too many headers.

    """
    if message.version < PROTOCOL_VERSION:
        raise ProtocolError(f"protocol version {message.version} is below {PROTOCOL_VERSION}")
    return _remote(message)


def check_init_response(message: InitResponse, request_id: int) -> RemotePeer:
    """The peer that `message` comes from.

    Raises:
        ProtocolError: Another version than 2, another id than the request's, a required header is
            missing, or too many headers.

    """
    if message.version != PROTOCOL_VERSION:
        raise ProtocolError(f"protocol version {message.version} is not {PROTOCOL_VERSION}")
    if message.id != request_id:
        raise ProtocolError(f"init response has id {message.id}, the request had {request_id}")
    return _remote(message)


def _remote(message: InitRequest | InitResponse) -> RemotePeer:
    if len(message.headers) > MAX_INIT_HEADERS:
        raise ProtocolError(f"{len(message.headers)} init headers, at most {MAX_INIT_HEADERS}")
    for name in (HOST_PORT, PROCESS_NAME):
        if name not in message.headers:
            raise ProtocolError(f"init header {name!r} is missing")
    return RemotePeer(message.version, _kept(message.headers))


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, and of very long ones no more than `MAX_KEPT` characters."""
    if sum(len(key) + len(value) for key, value in headers.items()) <= MAX_KEPT:
        return {_shared(key): _shared(value) for key, value in headers.items()}
    kept = {name: headers[name][: MAX_KEPT // 4] for name in (HOST_PORT, PROCESS_NAME)}
    left = MAX_KEPT // 2 - len(HOST_PORT) - len(PROCESS_NAME)
    for key, value in headers.items():
        if key not in kept and len(key) + len(value) <= left:
            left -= len(key) + len(value)
            kept[_shared(key)] = _shared(value)
    return kept


def _address(text: str) -> tuple[str, int]:
    """Host and port; port 0, at which nobody can be reached, when `text` is no address."""
    try:
        return parse_host_port(text)
    except ValueError:
        return "", 0


_SHARED_LENGTH = 64
_SHARED_TEXTS = 256
_shared_texts: dict[str, str] = {}


def _shared(text: str) -> str:
    """The same str for equal texts: keys, versions and languages repeat, 500 bytes a connection."""
    if len(text) > _SHARED_LENGTH:
        return text
    if len(_shared_texts) >= _SHARED_TEXTS:
        _shared_texts.clear()
    return _shared_texts.setdefault(text, text)
