"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from .._captures.calls import KEPT, Call, Event
from .._captures.filters import Choosing, add_filters, filter_of
from .._idl.interface import add_reading, find_file, load_file
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_note
from ..decode.bodies import Bodies
from ..decode.printing import Printer
from .serving import add_ends, ends_of, serve
from .watching import GuardedSaving, Watching

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  tchannel tap --listen 127.0.0.1:4041 --to 127.0.0.1:4040
  tchannel tap --listen 0.0.0.0:4041 --to backend:4040 --bodies -t keyvalue.thrift --slower-than 100ms
  tchannel tap --listen 127.0.0.1:4041 --to 127.0.0.1:4040 --save calls.pcapng
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``tchannel``."""
    parser = commands.add_parser(
        "tap",
        help="relay connections, and show the calls that pass",
        description="Relay connections to a service, byte by byte, and show the calls that pass as "
        "`tchannel decode` does. Tell the callers the address of the tap instead of the service's.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add_ends(add)
    add("--save", metavar="FILE", help="write what passes as a capture (pcapng)")
    add("--bodies", action="store_true", help="show headers and bodies too")
    add("-t", "--thrift", "--idl", metavar="FILE", help="Thrift file for the names of fields")
    add_reading(add)
    add_filters(add)
    add("--events", action="store_true", help="show handshakes, pings and what is odd as well")
    add("--json", action="store_true", help="an object on each line")
    add("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do what the options say until it is interrupted; returns the exit code.

    Raises:
        ToolError: An address is none, a file cannot be read or written, or nothing can be listened on.

    """
    listen, target = ends_of(options)
    choosing = Choosing(filter_of(options))
    interface = None
    if options.thrift is not None:
        path = find_file(options.thrift, options.service or "")
        interface = load_file(path, strict=options.strict, include_dirs=options.include_dirs)
    # Who gives the names of fields wants to see them.
    bodies = Bodies(interface) if options.bodies or interface is not None else None
    printer = Printer(bodies, as_json=options.json)

    def show(one: Call | Event) -> None:
        if isinstance(one, Event):
            if options.events:
                printer.event(one)
        elif choosing.takes(one):
            printer.call(one)

    keep = KEPT if printer.shows_bodies else 0
    with ExitStack() as stack:
        saving = None
        if options.save is not None:
            saving = GuardedSaving(_open(options.save), _tell(options.save))
            stack.callback(saving.close)
        look = Watching(show, keep=keep, saving=saving).look
        asyncio.run(serve("tchannel tap", look, listen, target))
    nothing = choosing.note()
    if nothing is not None:
        print_note("tchannel tap", nothing)
    return ExitCode.OK if saving is None or saving.failure is None else ExitCode.TOOL


def _open(path: str) -> BinaryIO:
    try:
        return Path(path).open("wb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolError(f"cannot write {path}: {reason}") from None


def _tell(path: str) -> Callable[[OSError], None]:
    def failed(error: OSError) -> None:
        print_note(
            "tchannel tap", f"cannot write {path}: {error.strerror}; nothing more is saved in it"
        )

    return failed
