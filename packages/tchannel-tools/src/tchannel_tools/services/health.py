"""``tchannel health``: how a service is."""

from __future__ import annotations

import argparse

from .._calling.asking import ask
from .._calling.calls import Caller
from .._calling.health import HEALTH, read_health
from .._calling.options import add_common, add_where, where_of
from .._terminal.failures import ExitCode, one_line
from .._terminal.output import print_document, print_text
from .._terminal.parsing import Commands, Parser, add_command

__all__ = ["add_parser"]

_EXAMPLES = """
tchannel health keyvalue -p 127.0.0.1:4040
tchannel health keyvalue --router 127.0.0.1:21300 --timeout 500ms
tchannel health keyvalue -p 127.0.0.1:4040 --json
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "health",
        help="ask a service for its health",
        description="Ask a service for its health, by Meta::health, which services of every "
        "language have. The exit code is 0 when it is healthy, and 124 when it says it is not.",
        examples=_EXAMPLES,
    )
    parser.add_argument("service", metavar="SERVICE", help="its name")
    add_where(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask, and say what it says; returns the exit code.

    Raises:
        ToolError: Something is wrong on this side, or the answer makes no sense.

    """

    async def question(caller: Caller) -> int:
        healthy, said = read_health(await caller.call(HEALTH))
        if options.json:
            peer = "" if caller.facts is None else caller.facts.peer
            print_document({"ok": healthy, "message": said, "peer": peer})
        else:
            print_text("OK" if healthy else "NOT OK")
            if said and not healthy:
                print_text(one_line(said))
        return ExitCode.OK if healthy else ExitCode.NOT_HEALTHY

    return ask("tchannel health", where_of(options), options.service, question, debug=options.debug)
