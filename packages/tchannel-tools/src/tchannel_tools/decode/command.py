"""The command as a whole."""

from __future__ import annotations

import argparse
import io
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from rich.table import Table

from .._calling.options import add_where, where_of
from .._calling.reflection import fetch_interface
from .._captures.calls import KEPT, Call, Calls, Event
from .._captures.filters import Choosing, Filter, add_filters, filter_of
from .._captures.packets import Segment, is_capture, segments
from .._captures.summary import Summary, percentile
from .._idl.interface import Interface, add_reading, find_file, load_file
from .._terminal.failures import ExitCode, ToolError, one_line
from .._terminal.output import console, print_json_line, print_note
from .._terminal.progress import Progress
from .bodies import Bodies
from .printing import Printer

__all__ = ["add_parser"]

_EXAMPLES = """\
examples:
  tchannel decode calls.pcap
  tchannel decode calls.pcapng --service keyvalue --slower-than 100ms
  tchannel decode calls.pcap --bodies -t keyvalue.thrift
  tchannel decode calls.pcap --peer 127.0.0.1:4040      (asked for the IDL of Thrift bodies)
  tchannel decode calls.pcap --summary
  tcpdump -i any -w - port 4040 | tchannel decode - --json
  tchannel decode 0010d0...          (frames as hex digits; a file of them; a raw stream)
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``tchannel``."""
    parser = commands.add_parser(
        "decode",
        help="show the calls of a packet capture, or frames",
        description="Show the calls of a capture (pcap, pcapng): each with its answer, how long it took "
        "and how it ended. Captures are made by tcpdump or Wireshark.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "source",
        metavar="FILE|HEX|-",
        help="a capture; a file or digits of hex; - for standard input",
    )
    add("--summary", action="store_true", help="a line for each endpoint instead of each call")
    add("--bodies", action="store_true", help="show headers and bodies too")
    add("-t", "--thrift", "--idl", metavar="FILE", help="Thrift file for the names of fields")
    add_reading(add)
    add_filters(add)
    add("--address", metavar="HOST[:PORT]", help="calls to or from this address alone")
    add("--events", action="store_true", help="show handshakes, pings and what is odd as well")
    add("--json", action="store_true", help="an object on each line")
    add("--debug", action="store_true", help="show tracebacks")
    add_where(parser, title="whom to ask for the IDL of Thrift bodies (Meta::thriftIDL)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code.

    Raises:
        ToolError: Something cannot be read.

    """
    chosen = filter_of(options, options.address)
    interface = None
    if options.thrift is not None:
        path = find_file(options.thrift, options.service or "")
        interface = load_file(path, strict=options.strict, include_dirs=options.include_dirs)
    with _open(options.source) as file:
        if file is None:
            return _frames(options)
        first = file.read(4)
        if not is_capture(first):
            return _frames(options, first + file.read())
        name = "standard input" if options.source == "-" else options.source
        return Decoding(options, chosen, Bodies(interface or _asking(options))).decode(
            segments(_Rewound(first, file), name)  # type: ignore[arg-type]  # has what is used
        )


def _asking(options: argparse.Namespace) -> Callable[[str], Interface | None] | None:
    """Return what asks the peer for the IDL of a service; None where there is none to be asked."""
    if not (options.peers or options.hostlist or options.routers):
        return None
    where = where_of(options)

    def ask(service: str) -> Interface | None:
        try:
            return fetch_interface(where.target(service), where.tls, strict=options.strict)
        except ToolError as error:
            # Its calls are shown all the same, and others may tell theirs.
            _note(f"{error}; its fields are shown by their numbers")
            return None

    return ask


class _Rewound:
    """A file whose first bytes were read already; standard input cannot be wound back."""

    def __init__(self, first: bytes, file: BinaryIO) -> None:
        self._first = first
        self._read = io.BytesIO(first)
        self._file = file
        self._header = b""

    def read(self, size: int) -> bytes:
        data = self._read.read(size)
        if len(data) < size:
            data += self._file.read(size - len(data))
        if len(self._header) < 1024:
            self._header += data
        return data

    def seek(self, position: int) -> None:
        # dpkt tries one format, goes back to the beginning and tries the other.
        assert position == 0
        self._read = io.BytesIO(self._header)
        self._header = b""


class _Opened:
    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file

    def __enter__(self) -> BinaryIO | None:
        return self._file

    def __exit__(self, *error: object) -> None:
        if self._file is not None and self._file is not sys.stdin.buffer:
            self._file.close()


def _open(source: str) -> _Opened:
    if source == "-":
        return _Opened(sys.stdin.buffer)
    try:
        return _Opened(Path(source).open("rb"))
    except FileNotFoundError:
        if not _is_hex(source):
            raise ToolError(f"there is no file {source!r}, and these are no hex digits") from None
        return _Opened(None)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolError(f"cannot read {source!r}: {reason}") from None


def _is_hex(text: str) -> bool:
    digits = "".join(text.split())
    return bool(digits) and all(digit in "0123456789abcdefABCDEFx,:#" for digit in digits)


def _frames(options: argparse.Namespace, standard_input: bytes | None = None) -> int:
    """Print frames that come without packets: ``python -m tchannel_wire decode`` does it."""
    source = options.source
    for name in _FOR_CALLS:
        if getattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise ToolError(
                f"{option} is for captures: {source} is none, and frames are shown one by one"
            )
    sys.stdout.flush()
    done = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-m", "tchannel_wire", "decode", source],
        input=standard_input if source == "-" else None,
        check=False,
    )
    if not done.returncode or done.returncode == ExitCode.INTERRUPTED:
        return done.returncode
    # It has said where. Its other exit codes are those of error frames here.
    raise ToolError(f"{source} is no capture, nor frames up to its end")


# The options that choose calls, or say how they are shown.
_FOR_CALLS = (
    *("summary", "bodies", "thrift", "service", "endpoint", "outcome", "slower_than"),
    *("address", "events", "json"),
)


class Decoding:
    """One run over a capture."""

    def __init__(self, options: argparse.Namespace, chosen: Filter, bodies: Bodies) -> None:
        self._options = options
        self._choosing = Choosing(chosen)
        # Who says where the names of fields are wants to see them.
        shown = bool(options.bodies or options.thrift or options.peers or options.routers)
        self._printer = Printer(bodies if shown else None, as_json=options.json)
        self._calls = Calls(keep=KEPT if shown and not options.summary else 0)
        self._summary = Summary()
        self._damage: ToolError | None = None
        self._progress = Progress("tchannel decode", beside_output=not options.summary)

    def decode(self, packets: Iterator[Segment]) -> int:
        """Read it to its end, show what was asked for, and tell what was odd."""
        last = 0.0
        for found in itertools.chain(self._read(packets), [None]):
            if found is None:
                break
            last = found.time
            if self._printer.began is None:
                self._printer.began = found.time
            for one in self._calls.take(found):
                self._show(one)
        for one in self._calls.finish(last):
            self._show(one)
        if self._options.summary:
            self._print_summary()
        self._tell()
        if self._damage is not None:
            raise self._damage
        return ExitCode.OK

    def _read(self, packets: Iterator[Segment]) -> Iterator[Segment]:
        try:
            yield from self._progress.watch(packets, "packets read")
        except ToolError as damage:
            self._damage = damage  # what came before is shown first

    def _show(self, one: Call | Event) -> None:
        if isinstance(one, Event):
            if self._options.events:
                self._printer.event(one)
        elif self._choosing.takes(one):
            if self._options.summary:
                self._summary.add(one)
            else:
                self._printer.call(one)

    # -- a line for each endpoint ---------------------------------------------------------------

    def _print_summary(self) -> None:
        rows = []
        for (service, endpoint), found in sorted(
            self._summary.endpoints.items(), key=lambda item: -item[1].calls
        ):
            latencies = sorted(found.latencies)
            shares = {name: percentile(latencies, share) for name, share in _SHARES.items()}
            rows.append((service, endpoint, found, shares, latencies[-1] if latencies else None))
        if self._options.json:
            for service, endpoint, found, shares, longest in rows:
                print_json_line(
                    {
                        "service": service,
                        "endpoint": endpoint,
                        "calls": found.calls,
                        "outcomes": dict(found.outcomes),
                        "latency": {**shares, "max": longest},
                        "request_bytes": found.request_bytes,
                        "response_bytes": found.response_bytes,
                    }
                )
            return
        table = Table(box=None, pad_edge=False)
        for name in ("service", "endpoint"):
            table.add_column(name, overflow="fold")
        for name in ("calls", "not ok", *_SHARES, "max"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("ended otherwise", overflow="fold")
        for service, endpoint, found, shares, longest in rows:
            others = ", ".join(
                f"{count} {one_line(name)}"
                for name, count in found.outcomes.most_common()
                if name != "ok"
            )
            table.add_row(
                one_line(service) or "?",
                one_line(endpoint) or "?",
                str(found.calls),
                str(found.failed),
                *[_milliseconds(value) for value in (*shares.values(), longest)],
                others,
            )
        console(200).print(table)

    # -- what was odd ---------------------------------------------------------------------------

    def _tell(self) -> None:
        for source, target, stream in self._calls.directions():
            if stream.lost:
                _note(f"{source} -> {target}: {stream.lost} bytes are not in the capture")
            if stream.problem:
                _note(f"{source} -> {target}: {stream.problem}")
        if self._calls.foreign:
            _note(f"{self._calls.foreign} connections carry another protocol")
        if not self._calls.frames:
            _note("no frame was found")
        nothing = self._choosing.note()
        if nothing is not None:
            _note(nothing)


_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def _note(text: str) -> None:
    print_note("tchannel decode", text)


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value * 1000:.2f} ms"
