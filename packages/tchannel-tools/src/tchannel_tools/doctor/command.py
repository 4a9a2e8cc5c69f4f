"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable

from tchannel.errors import TChannelError

from .._calling.calls import Caller
from .._calling.connecting import make_channel
from .._calling.hosts import check_peers
from .._calling.introspection import introspect
from .._calling.options import Where, add_common, add_where, where_of
from .._terminal.failures import CallFailed, ExitCode, ToolError
from .._terminal.output import print_document, print_note, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .findings import Finding, Verdict, print_finding, summary
from .local import tell
from .peer import Doctor
from .services import examine_router, examine_service

__all__ = ["add_parser"]

_COMMAND = "tchannel doctor"
_EXAMPLES = """
tchannel doctor 127.0.0.1:4040
tchannel doctor 127.0.0.1:4040 --service keyvalue --router 127.0.0.1:21300
tchannel doctor backend:4040 --tls --ca ca.pem
tchannel doctor 127.0.0.1:4040 --json
tchannel doctor --local
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "doctor",
        help="find out what is wrong with a peer, or with the installation",
        description="Try what goes wrong in practice between here and a peer of any language, and say "
        "what is wrong and how to mend it: name, connection, TLS, handshake, announced address, pings, "
        "checksums, time to live, fragments, draining; with --service health and reflection, with "
        "--router how a Hyperbahn sees it. Peers get a few small calls of Meta::health. The exit code "
        "is 0 when nothing is wrong, 124 when something is, and 125 when no TChannel peer is there.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add(
        "peer",
        metavar="HOST:PORT",
        nargs="*",
        help="the peers; default those of -p, or the context",
    )
    add("--service", metavar="NAME", help="a service of it; default what it tells, where it does")
    add("--local", action="store_true", help="look at what is installed here instead")
    add_where(parser, routers="how this router, a Hyperbahn, sees the service")
    add_common(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Examine; returns the exit code.

    Raises:
        ToolError: Nobody says whom to examine, or something of it makes no sense.

    """
    if options.local:
        if options.peer:
            raise ToolError("--local looks at the installation, and at no peer")
        return tell(as_json=options.json)
    given = [*options.peer, *options.peers]
    options.peers = check_peers(given, "the peer") if given else []
    # The routers alone are no peers here.
    routers, options.routers = options.routers, []
    where = where_of(options, required=False)
    routers = check_peers(routers or options.routers, "--router")
    peers = where.peers if given or not where.routers else ()
    if not peers and not routers:
        raise ToolError("say whom to examine: tchannel doctor HOST:PORT")
    return asyncio.run(_examine_all(options, where, peers, routers))


async def _examine_all(
    options: argparse.Namespace, where: Where, peers: Iterable[str], routers: Iterable[str]
) -> int:
    codes = []
    documents = []
    for peer in peers or [""]:
        findings: list[Finding] = []
        if peer and not options.json:
            print_text(f"{peer}:")
        doctor = Doctor(peer, where, options.service or "") if peer else None
        async for finding in _examine(options, where, doctor, peer, routers):
            findings.append(finding)
            if not options.json:
                print_finding(finding)
        codes.append(_code(findings, reached=doctor is None or doctor.reached))
        if options.json:
            documents.append({"peer": peer, "findings": [one.document() for one in findings]})
        else:
            print_note(_COMMAND, summary(findings))
    if options.json:
        print_document(documents)
    return max(codes, key=lambda code: (code != ExitCode.OK, code))


def _code(findings: Iterable[Finding], *, reached: bool) -> int:
    if any(one.verdict is Verdict.WRONG for one in findings):
        return ExitCode.NOT_HEALTHY if reached else ExitCode.TOOL
    return ExitCode.OK


async def _examine(
    options: argparse.Namespace,
    where: Where,
    doctor: Doctor | None,
    peer: str,
    routers: Iterable[str],
) -> AsyncIterator[Finding]:
    service = options.service or ""
    announced = ""
    if doctor is not None:
        if not service:
            service = doctor.service = await _told_service(peer, where)
        async for finding in doctor.examine():
            yield finding
        if doctor.reached:
            async for finding in examine_service(peer, where, service):
                yield finding
        announced = doctor.announced
    for router in routers:
        async for finding in examine_router(router, where, service, announced):
            yield finding


async def _told_service(peer: str, where: Where) -> str:
    """The service that a peer has, where it tells; "" else."""
    target = Where((peer,), (), where.tls, where.timeout, where.caller).target("tchannel")
    channel = make_channel(target, where.tls)
    try:
        state = (await introspect(Caller(channel, target))).state
    except (CallFailed, ToolError, TChannelError):
        return ""
    finally:
        await channel.close(grace=0.1)
    peer_told = state.get("localPeer")
    name = peer_told.get("serviceName") if isinstance(peer_told, dict) else None
    return name if isinstance(name, str) else ""
