"""Whom the page answers: the ``Host`` of a request, which a name that was made to point here gives away.

A page of another site may have its own name resolve to 127.0.0.1 (DNS rebinding), and its scripts then
read what the browser believes to be that site's own. The ``Host`` that the browser sends is still the
name, so only names that belong here are answered. An address proves itself: a browser that was given one
asked no DNS.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

__all__ = ["host_of", "is_allowed"]

_ALWAYS: Final = frozenset({"localhost"})


def host_of(header: str) -> str:
    """Return the host that a ``Host`` header names, in small letters, without port and brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if ":" in text else text


def is_allowed(header: str | None, names: Collection[str]) -> bool:
    """Say whether a request with that ``Host`` is for this page.

    Args:
        header: As it came; None where there was none.
        names: Names that belong here, in small letters, besides ``localhost`` and addresses.

    """
    if header is None:
        return False
    host = host_of(header)
    if host in _ALWAYS or host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
