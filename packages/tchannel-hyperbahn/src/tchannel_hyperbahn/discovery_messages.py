"""The Thrift messages of ``Hyperbahn::discover``, by the Thrift engine when that is installed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

__all__ = [
    "DiscoveryUnavailableError",
    "InvalidServiceName",
    "NoPeersAvailable",
    "answer_discovery",
    "check_extra",
    "is_ipv4",
    "read_discovery",
    "write_query",
]

_HINT = "discovery needs tchannel-thrift: pip install tchannel-hyperbahn[discover]"


class DiscoveryUnavailableError(ImportError):
    """The Thrift engine is not installed."""


class _DiscoveryError(Exception):
    """What the two exceptions of `Hyperbahn::discover` share.

    Args:
        message: The router's text.
        service: The name that was asked for.

    """

    def __init__(self, message: str, service: str) -> None:
        super().__init__(message)
        self.message = message
        self.service = service


class NoPeersAvailable(_DiscoveryError):
    """Nobody serves the name."""


class InvalidServiceName(_DiscoveryError):
    """The name cannot be that of a service."""


@cache
def _idl() -> tuple[Any, Any]:
    """The engine, and the module of hyperbahn.thrift; untyped, because it is made at run time."""
    try:
        from tchannel_thrift import rw
    except ModuleNotFoundError as error:
        if error.name != "tchannel_thrift":
            raise
        raise DiscoveryUnavailableError(_HINT) from None
    with as_file(files("tchannel_hyperbahn") / "idl" / "hyperbahn.thrift") as path:
        return rw, rw.load(str(path))


def check_extra() -> None:
    """Make sure that the engine is there.

    Raises:
        DiscoveryUnavailableError: It is not installed; says how to install it.

    """
    _idl()


def write_query(service: str) -> bytes:
    """The arguments of ``discover``."""
    _, idl = _idl()
    request = idl.Hyperbahn.discover.request
    encoded: bytes = idl.dumps(request(query=idl.DiscoveryQuery(serviceName=service)))
    return encoded


def read_discovery(answer: bytes) -> list[str]:
    """The addresses in the result of ``discover``.

    Raises:
        NoPeersAvailable: The router says so.
        InvalidServiceName: The router says so.
        ValueError: The bytes are no such result.

    """
    rw, idl = _idl()
    try:
        result = idl.loads(idl.Hyperbahn.discover.response, answer)
    # TypeError: bytes that are Thrift, but lack what must be there.
    except (rw.ThriftError, TypeError) as error:
        raise ValueError(f"the answer is no result of discover: {error}") from None
    for declared, ours in (
        (result.noPeersAvailable, NoPeersAvailable),
        (result.invalidServiceName, InvalidServiceName),
    ):
        if declared is not None:
            raise ours(declared.message, declared.serviceName)
    # i32 is signed, an address is not; a port beyond 65535 is nobody's.
    return [
        f"{ipaddress.IPv4Address(peer.ip.ipv4 & 0xFFFFFFFF)}:{peer.port}"
        for peer in result.success.peers
        if peer.ip.ipv4 is not None and 0 < peer.port <= 0xFFFF
    ]


def answer_discovery(query: bytes, find: Callable[[str], Sequence[str]]) -> tuple[int, bytes]:
    """Code and body of a router's answer.

    Args:
        query: The arguments of ``discover``.
        find: Gives the addresses of a service's instances.

    Raises:
        ValueError: The bytes are no such arguments.

    """
    rw, idl = _idl()
    function = idl.Hyperbahn.discover
    try:
        service: str = idl.loads(function.request, query).query.serviceName
    # TypeError: bytes that are Thrift, but lack what must be there.
    except (rw.ThriftError, TypeError) as error:
        raise ValueError(f"the arguments of discover make no sense: {error}") from None
    hosts = find(service)
    if hosts:
        peers = [
            idl.ServicePeer(ip=idl.IpAddress(ipv4=_signed(host)), port=int(port))
            for host, _, port in (hostport.rpartition(":") for hostport in hosts)
        ]
        return 0, idl.dumps(function.response(success=idl.DiscoveryResult(peers=peers)))
    if service:
        message = f"no peer available for {service}"
        unavailable = idl.NoPeersAvailable(message=message, serviceName=service)
        return 1, idl.dumps(function.response(noPeersAvailable=unavailable))
    invalid = idl.InvalidServiceName(message="invalid service name: ''", serviceName=service)
    return 1, idl.dumps(function.response(invalidServiceName=invalid))


def is_ipv4(hostport: str) -> bool:
    """Whether a result of ``discover`` can hold an address: it has no room for others."""
    try:
        ipaddress.IPv4Address(hostport.rpartition(":")[0])
    except ValueError:
        return False
    return True


def _signed(address: str) -> int:
    return int.from_bytes(ipaddress.IPv4Address(address).packed, "big", signed=True)
