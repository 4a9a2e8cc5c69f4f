"""The commands as a whole."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from rich.table import Table

from tchannel import TChannel

from .._calling.connecting import make_channel
from .._calling.hosts import check_peers
from .._calling.options import Where, add_common, add_where, where_of
from .._terminal.failures import ExitCode, ToolError, one_line
from .._terminal.output import console, print_document, print_note, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .asking import RouterFailed, advertised_names, instances

__all__ = ["add_discover", "add_routes"]

_DISCOVER: Final = """
tchannel discover keyvalue --router 127.0.0.1:21300
tchannel discover keyvalue users -H /etc/hyperbahn/hosts.json --json
"""
_ROUTES: Final = """
tchannel routes --router 127.0.0.1:21300
tchannel routes --router 10.0.0.1:21300 --router 10.0.0.2:21300 --json
tchannel routes --context staging
"""

# Service -> instance -> the routers that know it there.
_Routes = dict[str, dict[str, list[str]]]


def add_discover(commands: Commands[Parser]) -> None:
    """Add ``discover``."""
    parser = add_command(
        commands,
        "discover",
        help="ask routers where services are",
        description="Ask routers, a Hyperbahn or the one for development, where services are, and "
        "print an address a line. The exit code is 4 (declined) when nobody serves one of them.",
        examples=_DISCOVER,
    )
    parser.add_argument("services", metavar="SERVICE", nargs="+", help="the names")
    _add_options(parser, _run_discover)


def add_routes(commands: Commands[Parser]) -> None:
    """Add ``routes``."""
    parser = add_command(
        commands,
        "routes",
        help="list who serves what, as routers have it",
        description="List the names that are advertised with routers, a Hyperbahn or the one for "
        "development, and where their instances are. A Hyperbahn tells of the names that this node "
        "of it has met: name several.",
        examples=_ROUTES,
    )
    _add_options(parser, _run_routes)


def _add_options(parser: Parser, run: Callable[[argparse.Namespace], int]) -> None:
    add_where(parser, routers="the router to ask; -p and -P mean the same here")
    add_common(parser)
    parser.set_defaults(run=run)


def _where(options: argparse.Namespace) -> tuple[Where, tuple[str, ...]]:
    # Whom an option or the context calls a router is asked, before mere peers.
    given = bool(options.peers or options.hostlist)
    where = where_of(options, required=False)
    routers = where.peers if given else where.routers or where.peers
    if not routers:
        raise ToolError("say which router to ask: --router HOST:PORT, or -P with a list of them")
    return where, tuple(check_peers(routers, "--router"))


def _run_discover(options: argparse.Namespace) -> int:
    services = list(dict.fromkeys(options.services))
    if not all(services):
        raise ToolError("a service needs a name")

    async def names(channel: TChannel, where: Where, router: str) -> list[str]:
        return services

    found, code = _ask(options, "tchannel discover", names)
    if options.json:
        print_document({name: sorted(found.get(name, {})) for name in services})
    for name in services:
        there = sorted(found.get(name, {}))
        if not options.json:
            for hostport in there:
                prefix = "" if len(services) == 1 else f"{one_line(name)}  "
                print_text(prefix + one_line(hostport))
        if not there and code == ExitCode.OK:
            print_note("tchannel discover", f"nobody has advertised {name!r}")
    if code == ExitCode.OK and not all(found.get(name) for name in services):
        return 4
    return code


def _run_routes(options: argparse.Namespace) -> int:
    found, code = _ask(options, "tchannel routes", advertised_names)
    if options.json:
        print_document(found)
        return code
    if code != ExitCode.OK and not found:
        return code
    if not found:
        print_note("tchannel routes", "nothing is advertised")
        return code
    table = Table(box=None, pad_edge=False)
    several = len({router for one in found.values() for at in one.values() for router in at}) > 1
    for title in ("service", "instance", *(["router"] if several else [])):
        table.add_column(title, overflow="fold")
    for name in sorted(found):
        for hostport, routers in sorted(found[name].items()) or [("", [])]:
            # One that does not listen is served over its own connection alone.
            cells = [one_line(name), one_line(hostport) or "(none that listens)"]
            table.add_row(*cells, *([", ".join(routers)] if several else []))
    console(120).print(table)
    return code


def _ask(
    options: argparse.Namespace,
    command: str,
    names: Callable[[TChannel, Where, str], Awaitable[list[str]]],
) -> tuple[_Routes, int]:
    where, routers = _where(options)
    return asyncio.run(_ask_all(command, where, routers, names))


async def _ask_all(
    command: str,
    where: Where,
    routers: tuple[str, ...],
    names: Callable[[TChannel, Where, str], Awaitable[list[str]]],
) -> tuple[_Routes, int]:
    """Ask each router; one that fails is told, and is the exit code where all fail."""
    found: _Routes = {}
    codes: list[int] = []
    channel = make_channel(where.target("hyperbahn"), where.tls)
    try:
        for router in routers:
            try:
                services = await names(channel, where, router)
                there = await instances(channel, where, router, services)
            except RouterFailed as failure:
                print_note(command, str(failure))
                codes.append(failure.exit_code)
                continue
            codes.append(ExitCode.OK)
            for service, hostports in there.items():
                at = found.setdefault(service, {})
                for hostport in hostports:
                    at.setdefault(hostport, []).append(router)
    finally:
        await channel.close(grace=0.1)
    return found, ExitCode.OK if ExitCode.OK in codes else max(codes)
