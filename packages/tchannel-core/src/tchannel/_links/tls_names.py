"""The names in TLS certificates: whether one was made out to a peer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TypeAlias, TypedDict, cast

__all__ = ["Certificate", "bears_name", "is_uri", "names_in"]


_Names: TypeAlias = tuple[tuple[tuple[str, str], ...], ...]


class Certificate(TypedDict, total=False):
    """A verified certificate, as `ssl.SSLSocket.getpeercert` gives it; empty without verification.

    All of it is text, but for the version. Times are as in ``"Nov 30 12:00:00 2026 GMT"``
    (`ssl.cert_time_to_seconds`). Names of subject and issuer are pairs in groups.
    """

    subject: _Names
    issuer: _Names
    version: int
    serialNumber: str
    notBefore: str
    notAfter: str
    subjectAltName: tuple[tuple[str, str], ...]
    """Kind (``"DNS"``, ``"IP Address"``, ``"URI"``) and text of each name that it was made out to."""
    OCSP: tuple[str, ...]
    caIssuers: tuple[str, ...]
    crlDistributionPoints: tuple[str, ...]


def is_uri(name: str) -> bool:
    """Say whether a name is a URI (``spiffe://example.org/backend``) rather than one of a host."""
    return "://" in name


def names_in(certificate: Mapping[str, object] | None) -> Iterator[tuple[str, str]]:
    """Give kind (``"DNS"``, ``"IP Address"``, ``"URI"``, …) and text of each name of a certificate.

    Args:
        certificate: as `ssl.SSLSocket.getpeercert` gives it; empty for one that was not verified.

    """
    names = (certificate or {}).get("subjectAltName", ())
    yield from cast("tuple[tuple[str, str], ...]", names)


def bears_name(certificate: Mapping[str, object] | None, name: str) -> bool:
    """Say whether a verified certificate bears ``name``: a host, an IP address or a URI.

    Hosts as RFC 6125 has it: whatever their case, and with ``*`` for the whole of the first label.
    URIs are compared as they are (SPIFFE ID, section 2). The common name does not count.
    """
    if is_uri(name):
        return ("URI", name) in names_in(certificate)
    address = _address(name)
    if address is not None:
        return any(
            kind == "IP Address" and _address(text) == address
            for kind, text in names_in(certificate)
        )
    host = name.rstrip(".").lower()
    wildcard = "*." + host.partition(".")[2]
    return any(
        kind == "DNS" and text.lower() in {host, wildcard} for kind, text in names_in(certificate)
    )


def _address(text: str) -> object:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
