"""Where to call: addresses and host lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tchannel.lowlevel import UNIX_PREFIX, parse_hostport

from .._terminal.failures import ToolError

__all__ = ["check_peers", "read_host_list"]


def check_peers(peers: Iterable[object], what: str) -> list[str]:
    """Return the addresses, each once, if they are addresses to connect to.

    Raises:
        ToolError: One of them is none; names it.

    """
    checked: dict[str, None] = {}
    for peer in peers:
        if not isinstance(peer, str):
            raise ToolError(f"{what} holds {peer!r}, which is no 'host:port'")
        try:
            _, port = parse_hostport(peer)
        except ValueError as error:
            raise ToolError(f"{what}: {_with_new_spelling(peer, str(error))}") from None
        if not port and not peer.startswith(UNIX_PREFIX):
            raise ToolError(f"{what}: nobody listens on port 0, as in {peer!r}")
        checked[peer] = None
    return list(checked)


def _with_new_spelling(peer: str, reason: str) -> str:
    if "://" in peer:
        return reason
    address, slash, endpoint = peer.partition("/")
    if slash and ":" in address and not peer.startswith(UNIX_PREFIX):
        # tcurl.py of tchannel-python 0.16 took the endpoint along with the address.
        return f"{peer!r} names an endpoint as well: write -p {address} SERVICE {endpoint}"
    return reason


def read_host_list(given: str) -> Sequence[str]:
    """Return the addresses of a host list: JSON text, or the path of a file of JSON.

    Raises:
        ToolError: It cannot be read, is no JSON array, is empty, or holds what is no address.

    """
    text, what = given, "the host list"
    if given.lstrip()[:1] not in {"[", "{"}:
        what = f"the host list {given}"
        try:
            with open(given, encoding="utf-8") as file:
                text = file.read()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ToolError(f"cannot read {what}: {reason}") from None
    try:
        hosts = json.loads(text)
    except json.JSONDecodeError as error:
        raise ToolError(
            f"{what} is no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise ToolError(f"{what} is no JSON array of 'host:port'") from None
    if not isinstance(hosts, list):
        hint = "; application headers are given by --headers" if isinstance(hosts, dict) else ""
        raise ToolError(f"{what} is no JSON array of 'host:port'{hint}")
    peers = check_peers(hosts, what)
    if not peers:
        raise ToolError(f"{what} is empty")
    return peers
