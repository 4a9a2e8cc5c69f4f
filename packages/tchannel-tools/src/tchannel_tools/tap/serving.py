"""A relay that runs until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable
from typing import Any

from tchannel.lowlevel import UNIX_PREFIX, parse_hostport

from .._terminal.failures import ToolError, one_line
from .._terminal.output import print_note
from .relay import Passed, Relay

__all__ = ["add_ends", "ends_of", "serve"]


# `add_argument` of a parser, or of a group of its options.
def add_ends(add: Callable[..., Any], *, required: bool = True) -> None:
    """Add ``--listen`` and ``--to``."""
    add(
        "--listen",
        required=required,
        metavar="HOST:PORT",
        help="where callers connect to; port 0: any",
    )
    add("--to", required=required, metavar="HOST:PORT", help="the service")


def ends_of(options: argparse.Namespace) -> tuple[str, str]:
    """Return where to listen, and where to connect to.

    Raises:
        ToolError: One of them is no address of TCP.

    """
    return _address(options.listen, "--listen"), _address(options.to, "--to")


def _address(hostport: str, option: str) -> str:
    try:
        host, _ = parse_hostport(hostport)
    except ValueError as error:
        raise ToolError(f"{option}: {error}") from None
    if host.startswith(UNIX_PREFIX):
        raise ToolError(f"{option}: TCP connections are relayed, not {hostport!r}")
    return hostport


async def serve(command: str, look: Callable[[Passed], object], listen: str, target: str) -> None:
    """Relay until SIGINT or SIGTERM.

    Args:
        command: What the notes to the user begin with.
        look: Told of everything that passes.
        listen: Where to listen.
        target: Where to connect to.

    Raises:
        ToolError: It cannot be listened on.
        BrokenPipeError: Nobody reads what `look` prints any more.

    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    told: set[str] = set()

    def failed(error: OSError) -> None:
        print_note(command, f"cannot connect to {target}: {error.strerror or error}")

    def mistaken(error: Exception) -> None:
        if isinstance(error, BrokenPipeError):
            if not end.done():
                end.set_exception(error)
            return
        # What passes goes on; the same mistake is told once.
        shown = one_line(f"{type(error).__name__}: {error}")
        if shown not in told:
            told.add(shown)
            print_note(command, f"something that passed could not be shown: {shown}")

    def stop() -> None:
        if not end.done():
            end.set_result(None)

    relay = Relay(target, look, failed, mistaken)
    try:
        hostport = await relay.start(listen)
    except OSError as error:
        raise ToolError(f"cannot listen on {listen}: {error.strerror or error}") from None
    print_note(command, f"listening on {hostport}, for {target}; Ctrl-C ends it")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await end
    finally:
        await relay.close()
