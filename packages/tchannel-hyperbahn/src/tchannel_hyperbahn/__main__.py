"""``python -m tchannel_hyperbahn router``: a router for development in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from typing import Any

from .router import Router

_DESCRIPTION = (
    "A router for development: services advertise themselves with it, and it forwards calls to them"
    " by name. It serves one machine; production runs Hyperbahn."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tchannel_hyperbahn")
    add_parser(parser.add_subparsers(required=True, metavar="command"))
    try:
        return run(parser.parse_args(arguments))
    except (OSError, ValueError) as error:
        print(f"tchannel_hyperbahn router: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace) -> int:
    """Run a router until it is interrupted; returns the exit code.

    Raises:
        OSError: Its address cannot be listened on.
        ValueError: An option makes no sense.

    """
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    router = Router(
        f"{options.host}:{options.port}",
        forget_after=options.forget_after,
        max_buffered=options.max_buffered,
        trust_announced_hosts=options.trust_announced_hosts,
    )
    asyncio.run(_serve(router))
    return 0


async def _serve(router: Router) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    async with router:
        print(f"listening on {router.hostport}", flush=True)
        await end.wait()


# Parsers of any class: `tchannel router` has one of its own.
def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``router`` to those of a program."""
    command = commands.add_parser("router", help="run a router", description=_DESCRIPTION)
    command.set_defaults(run=run)
    add = command.add_argument
    add("--port", type=int, default=21300, help="port to listen on, 0 for any (default 21300)")
    add("--host", default="127.0.0.1", help="IPv4 address to listen on (default 127.0.0.1)")
    add(
        "--forget-after",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="forget services that have not advertised for so long (default 300)",
    )
    add(
        "--max-buffered",
        type=int,
        default=1024 * 1024,
        metavar="BYTES",
        help="buffer so much for a connection at most, from 131072 (default 1048576)",
    )
    add(
        "--trust-announced-hosts",
        action="store_true",
        help="connect to whatever address a caller announces (default: on its own host only)",
    )
    add("--verbose", action="store_true", help="log more")


if __name__ == "__main__":
    sys.exit(main())
