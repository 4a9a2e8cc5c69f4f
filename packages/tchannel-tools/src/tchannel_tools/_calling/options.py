"""The options that mean the same in every command: where to call, as whom, how long, by TLS."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .._settings.file import KEYS, WHERE, read_settings
from .._terminal.failures import ToolError
from .._terminal.quantities import duration
from .calls import Target
from .connecting import TLS
from .hosts import check_peers, read_host_list

__all__ = [
    "DEFAULT_TIMEOUT",
    "Where",
    "add_caller",
    "add_common",
    "add_context",
    "add_peers",
    "add_routers",
    "add_timeout",
    "add_tls",
    "add_where",
    "context_names",
    "fill",
    "peers_of",
    "tls_of",
    "where_of",
]

DEFAULT_TIMEOUT: Final = 5.0

# `add_argument` of a parser, or of a group of its options.
Add = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Where:
    """Where to call, as whom, how long.

    Attributes:
        peers: Addresses to call.
        routers: Addresses of routers, where they were named as such.
        tls: How to connect by TLS; None for plain connections.
        timeout: Seconds.
        caller: Caller name.

    """

    peers: tuple[str, ...]
    routers: tuple[str, ...]
    tls: TLS | None
    timeout: float
    caller: str

    def target(self, service: str) -> Target:
        """Return the target that a service is here."""
        return Target(service, self.peers, self.caller, self.timeout)


def add_peers(add: Add) -> None:
    """Add ``-p`` and ``-P``."""
    add(
        *("-p", "--peer", "--host"),
        dest="peers",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="where to call (or unix:/path); may be given several times",
    )
    add(
        *("-P", "--peerlist", "-H", "--hostlist"),
        dest="hostlist",
        metavar="LIST",
        help="a JSON array of host:port, or the path of a file with one",
    )


def add_routers(add: Add, text: str = "call through this router, a Hyperbahn") -> None:
    """Add ``--router``.

    Args:
        add: Where to.
        text: What it is for.

    """
    add(
        "--router",
        dest="routers",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help=f"{text}; may be given several times",
    )


def add_tls(add: Add) -> None:
    """Add ``--tls`` and what says whom to trust, and as whom to connect."""
    add("--tls", action="store_true", default=None, help="connect by TLS; so do the following")
    add("--no-tls", action="store_false", dest="tls", help="connect plainly, whatever the context")
    add("--ca", metavar="FILE", help="trust these certificates instead of the system's")
    add("--cert", metavar="FILE", help="the own certificate")
    add("--key", metavar="FILE", help="its key, unless --cert has it too")
    add("--server-name", metavar="NAME", help="the name in the peer's certificate")
    add("--insecure", action="store_true", default=None, help="trust any certificate")


def add_timeout(add: Add, text: str = "for each call") -> None:
    """Add ``--timeout``.

    Args:
        add: Where to.
        text: What it bounds.

    """
    add(
        "--timeout",
        metavar="TIME",
        help=f"{text}: 500 or 500ms, 1.5s, 2m (default {DEFAULT_TIMEOUT:g}s)",
    )


def add_caller(add: Add) -> None:
    """Add ``--cn``."""
    add("--cn", "--caller", dest="caller", metavar="NAME", help="caller name")


def add_context(add: Add) -> None:
    """Add ``--context``."""
    action = add(
        "--context", metavar="NAME", help="take what is left out from this context: see context"
    )
    action.completer = context_names


def context_names(**_: object) -> list[str]:
    """Return the names of the contexts, for the shell to complete."""
    try:
        return list(read_settings().contexts)
    except ToolError:
        return []


def add_common(parser: argparse.ArgumentParser, *, json: str = "print JSON, for machines") -> None:
    """Add ``--json`` and ``--debug``."""
    parser.add_argument("--json", action="store_true", help=json)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and the log")


def add_where(
    parser: argparse.ArgumentParser,
    *,
    title: str = "where to",
    routers: str = "call through this router, a Hyperbahn",
    timeout: str = "for each call",
) -> None:
    """Add all the options of this module.

    Args:
        parser: Where to.
        title: What the group of most of them is called.
        routers: What ``--router`` is for.
        timeout: What ``--timeout`` bounds.

    """
    add = parser.add_argument_group(title).add_argument
    add_peers(add)
    add_routers(add, routers)
    add_context(add)
    add_timeout(add, timeout)
    add_caller(add)
    add_tls(parser.add_argument_group("TLS").add_argument)


def fill(options: argparse.Namespace) -> None:
    """Take what the command line leaves out from the context in use, and from the defaults.

    Raises:
        ToolError: The configuration file is wrong, or there is no such context.

    """
    values = read_settings().values(options.context)
    if any(getattr(options, key, None) for key in WHERE):
        values = {key: value for key, value in values.items() if key not in WHERE}
    for key in KEYS:
        if key in values and getattr(options, key, "not taken") in (None, []):
            setattr(options, key, values[key])


def where_of(options: argparse.Namespace, *, required: bool = True) -> Where:
    """Return what the options say, and the context where they say nothing.

    Args:
        options: Of a parser with `add_where`.
        required: Whether there must be a peer.

    Raises:
        ToolError: Something makes no sense, or nothing says where to call.

    """
    fill(options)
    return Where(
        peers=peers_of(options, required=required),
        routers=tuple(check_peers(options.routers, "--router")),
        tls=tls_of(options),
        timeout=duration(options.timeout, "--timeout") if options.timeout else DEFAULT_TIMEOUT,
        caller="tchannel" if options.caller is None else options.caller,
    )


def peers_of(options: argparse.Namespace, *, required: bool) -> tuple[str, ...]:
    """Return where to call: the peers, or those of the list, or the routers.

    Raises:
        ToolError: One of them is no address, or there is none and there must be.

    """
    # As in the Node tool a peer goes before a list.
    if options.peers:
        return tuple(check_peers(options.peers, "-p"))
    if options.hostlist is not None:
        return tuple(read_host_list(options.hostlist))
    if getattr(options, "routers", None):
        return tuple(check_peers(options.routers, "--router"))
    if required:
        raise ToolError("say where to call: -p HOST:PORT, or -P with a list of them")
    return ()


def tls_of(options: argparse.Namespace) -> TLS | None:
    """Return how to connect by TLS; None for plain connections.

    Raises:
        ToolError: A key without a certificate.

    """
    if options.tls is False:
        return None
    if options.key and not options.cert:
        raise ToolError("--key needs --cert, the certificate that it belongs to")
    wanted = (options.ca, options.cert, options.server_name)
    if not (options.tls or options.insecure or any(wanted)):
        return None
    return TLS(options.ca, options.cert, options.key, options.server_name, bool(options.insecure))
