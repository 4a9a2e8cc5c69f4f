"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from tchannel.lowlevel import UNIX_PREFIX, parse_hostport

from .._captures.calls import Call, Event
from .._captures.filters import Filter, add_filters, filter_of
from .._captures.passing import Passing
from .._captures.saving import Saving
from .._idl.interface import add_reading, find_file, load_file
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_note
from ..decode.bodies import Bodies
from ..decode.printing import Printer
from .relay import Passed, Relay

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
    add(
        "--listen", required=True, metavar="HOST:PORT", help="where callers connect to; port 0: any"
    )
    add("--to", required=True, metavar="HOST:PORT", help="the service")
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
    listen = _address(options.listen, "--listen")
    target = _address(options.to, "--to")
    chosen = filter_of(options)
    interface = None
    if options.thrift is not None:
        path = find_file(options.thrift, options.service or "")
        interface = load_file(path, strict=options.strict, include_dirs=options.include_dirs)
    bodies = Bodies(interface) if options.bodies else None
    printer = Printer(bodies, as_json=options.json)
    if options.save is None:
        return asyncio.run(
            _serve(Tap(printer, chosen, None, events=options.events), listen, target)
        )
    try:
        with Path(options.save).open("wb") as file:
            tap = Tap(printer, chosen, Saving(file), events=options.events)
            return asyncio.run(_serve(tap, listen, target))
    except OSError as error:
        raise ToolError(f"cannot write {options.save}: {error.strerror}") from None


def _address(hostport: str, option: str) -> str:
    try:
        host, _ = parse_hostport(hostport)
    except ValueError as error:
        raise ToolError(f"{option}: {error}") from None
    if host.startswith(UNIX_PREFIX):
        raise ToolError(f"{option}: a tap relays TCP connections, not {hostport!r}")
    return hostport


class Tap:
    """Shows and saves what passes."""

    def __init__(
        self, printer: Printer, chosen: Filter, saving: Saving | None, *, events: bool
    ) -> None:
        self._printer = printer
        self._chosen = chosen
        self._saving = saving
        self._events = events
        self._passing = Passing(keep=printer.shows_bodies)
        self._ended: set[tuple[str, str]] = set()

    def look(self, passed: Passed) -> None:
        """Take what passed."""
        now = time.time()
        ends = passed.source, passed.target
        if passed.begins:
            segments = self._passing.begin(now, *ends)
        elif passed.ends:
            segments = [self._passing.end(now, *ends)]
        else:
            segments = [self._passing.data(now, *ends, passed.data)]
        for segment in segments:
            if self._saving is not None:
                self._saving.write(segment)
            self._show(self._passing.take(segment))
        if passed.ends:
            self._ended.add(ends)
            if ends[::-1] in self._ended:
                self._ended -= {ends, ends[::-1]}
                self._show(self._passing.forget(*ends))

    def _show(self, found: Iterable[Call | Event]) -> None:
        for one in found:
            if isinstance(one, Event):
                if self._events:
                    self._printer.event(one)
            elif self._chosen.takes(one):
                self._printer.call(one)


async def _serve(tap: Tap, listen: str, target: str) -> int:
    def failed(error: OSError) -> None:
        print_note("tchannel tap", f"cannot connect to {target}: {error.strerror or error}")

    relay = Relay(target, tap.look, failed)
    try:
        hostport = await relay.start(listen)
    except OSError as error:
        raise ToolError(f"cannot listen on {listen}: {error.strerror or error}") from None
    print_note("tchannel tap", f"listening on {hostport}, for {target}; Ctrl-C ends it")
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    try:
        await end.wait()
    finally:
        await relay.close()
    return ExitCode.OK
