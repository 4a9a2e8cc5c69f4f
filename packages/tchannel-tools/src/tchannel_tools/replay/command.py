"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import tchannel_wire as wire
from tchannel import Response, errors

from .._calling.lines import Lines, Request, drive, outcome_of, run_fast
from .._calling.load import Load, LoadPlan, Outcome, make_histogram
from .._calling.options import Where, add_common, add_where, where_of
from .._captures.summary import percentile
from .._idl.interface import add_reading, find_file, load_file
from .._recordings.cassettes import is_cassette, read_cassette
from .._recordings.load_file import read_load_file
from .._recordings.recording import Recording, Reply
from .._terminal.failures import ExitCode, ToolError, one_line
from .._terminal.output import print_document, print_note, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .._terminal.progress import Progress
from .._terminal.quantities import count, rate
from ..decode.bodies import Bodies
from .comparing import Comparing

__all__ = ["add_parser"]

_COMMAND: Final = "tchannel replay"
_CONCURRENCY: Final = 10
_CONCURRENCY_IN_PACE: Final = 10_000
_SHOWN: Final = 20
_SHARES: Final = {"p50": 0.5, "p99": 0.99}

_EXAMPLES: Final = """
tchannel replay calls.jsonl -p 127.0.0.1:4040
tchannel replay calls.jsonl -p 127.0.0.1:4040 --speed 5 --ignore timestamp
tchannel replay calls.jsonl -p 127.0.0.1:4040 --speed max --concurrency 32 --endpoint get
tchannel replay tests/data/keyvalue.yaml -p 127.0.0.1:4040 --to-service keyvalue-next
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "replay",
        help="make recorded calls again, and compare the answers",
        description="Make the calls of a load file or a cassette again (see record), at the pace at "
        "which they were recorded, and compare the answers with those that were recorded. The exit "
        f"code is {ExitCode.APPLICATION:d} if any differs.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="a load file, or a cassette (*.yaml)")
    add(
        "--speed",
        metavar="N|max",
        default="1",
        help="so many times as fast as recorded; max: as fast as they are answered, as a cassette is",
    )
    add("--concurrency", metavar="N", help=f"at most so many at once (with max {_CONCURRENCY})")
    add("--connections", metavar="N", help="so many connections in all (default one to each peer)")
    add("--service", metavar="NAME", help="calls of this service alone")
    add("--endpoint", metavar="NAME", help="calls of this endpoint alone")
    add("--to-service", metavar="NAME", help="call this service instead of the recorded one")
    add(
        "--ignore",
        metavar="NAME",
        action="append",
        default=[],
        help="a field, at any depth, or header that may differ; may be given several times",
    )
    add("-t", "--thrift", "--idl", metavar="PATH", help="Thrift file for the names of fields")
    add_reading(add)
    add(
        "--differences",
        metavar="N",
        default=str(_SHOWN),
        help=f"show at most so many differences (default {_SHOWN})",
    )
    add_where(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code.

    Raises:
        ToolError: Something makes no sense, cannot be read, or cannot be connected to.

    """
    speed = None if options.speed == "max" else rate(options.speed, "--speed")
    shown = count(options.differences, "--differences")
    # Before anything is sent: whether the extra is installed is no business of the service's.
    make_histogram()
    where = where_of(options)
    interface = None
    if options.thrift is not None:
        path = find_file(options.thrift, options.service or "")
        interface = load_file(path, strict=options.strict, include_dirs=options.include_dirs)
    recordings = _read(options)
    dues = None
    if speed is not None and recordings[0].at is not None:
        first = recordings[0].at
        dues = [((one.at or 0.0) - first) / speed for one in recordings]
    concurrency = _CONCURRENCY if dues is None else _CONCURRENCY_IN_PACE
    if options.concurrency is not None:
        concurrency = count(options.concurrency, "--concurrency")
    connections = len(where.peers)
    if options.connections is not None:
        connections = count(options.connections, "--connections")
    replaying = _Replaying(
        recordings, Comparing(Bodies(interface), options.ignore), options.to_service
    )
    plan = LoadPlan(len(recordings), None, concurrency, None, 0.0, as_json=False)
    interrupted = run_fast(_replay(replaying, where, connections, plan, dues))
    if options.json:
        print_document(replaying.document(shown))
    else:
        print_text(replaying.text(shown))
    if interrupted:
        print_note(_COMMAND, "interrupted; this is what was replayed until then")
        return ExitCode.INTERRUPTED
    return ExitCode.APPLICATION if replaying.different else ExitCode.OK


def _read(options: argparse.Namespace) -> list[Recording]:
    reading = (read_cassette if is_cassette(options.file) else read_load_file)(options.file)
    everything = list(Progress(_COMMAND).watch(reading, "calls read"))
    chosen = [
        one
        for one in everything
        if options.service in {None, one.service}
        and options.endpoint in {None, one.message.endpoint}
    ]
    if not chosen:
        there = {f"{one.service} {one.message.endpoint}" for one in everything}
        raise ToolError(
            f"none of the {len(everything)} calls of {options.file} is chosen; there is"
            f" {', '.join(sorted(there)[:5])}{' and others' if len(there) > 5 else ''}"
        )
    # They are written as they end. A time that is missing is that of the one before.
    chosen.sort(key=lambda one: one.at or 0.0)
    return chosen


async def _replay(
    replaying: _Replaying,
    where: Where,
    connections: int,
    plan: LoadPlan,
    dues: list[float] | None,
) -> bool:
    """Make the calls; returns whether that was interrupted."""
    lines = Lines(where.target(replaying.first_service), where.tls, connections)
    progress = Progress(_COMMAND)
    try:
        await lines.connect()
        load = Load(
            plan,
            lambda: replaying.begin(lines),
            lines.clock,
            progress.show if progress.wanted else None,
            outcome=replaying.ended,
            dues=dues,
        )
        report, interrupted = await drive(load)
        replaying.seconds = report.seconds
        return interrupted
    finally:
        progress.clear()
        await lines.close()


@dataclass(slots=True)
class _Endpoint:
    """The calls of one endpoint.

    Attributes:
        calls: How many were replayed.
        different: How many were answered otherwise than recorded.
        uncompared: How many have no recorded reply.
        was: Recorded latencies, in seconds.
        now: Latencies of this time.

    """

    calls: int = 0
    different: int = 0
    uncompared: int = 0
    was: array[float] = field(default_factory=lambda: array("d"))
    now: array[float] = field(default_factory=lambda: array("d"))


class _Replaying:
    """Makes recorded calls in turn, and compares what comes of them."""

    def __init__(
        self, recordings: list[Recording], comparing: Comparing, to_service: str | None
    ) -> None:
        self._recordings: Iterator[tuple[int, Recording]] = iter(enumerate(recordings, 1))
        self._comparing = comparing
        self._to_service = to_service
        self._in_flight: dict[asyncio.Future[Any], tuple[int, Recording, float]] = {}
        self._endpoints: dict[tuple[str, str], _Endpoint] = {}
        self._differences: list[tuple[int, Recording, str]] = []
        self.first_service = to_service or recordings[0].service
        self.seconds = 0.0

    @property
    def different(self) -> int:
        """How many calls were answered otherwise than recorded."""
        return len(self._differences)

    def begin(self, lines: Lines) -> asyncio.Future[Any]:
        """Begin the next call."""
        number, one = next(self._recordings)
        call = lines.call(Request(self._to_service or one.service, one.message, *one.routing))
        self._in_flight[call] = number, one, time.perf_counter()
        return call

    def ended(self, call: asyncio.Future[Response[bytes, bytes]]) -> Outcome:
        """Compare what came of a call."""
        number, one, began = self._in_flight.pop(call)
        outcome = outcome_of(call)
        found = self._endpoints.setdefault((one.service, one.message.endpoint), _Endpoint())
        found.calls += 1
        found.now.append(time.perf_counter() - began)
        if one.latency is not None:
            found.was.append(one.latency)
        if one.reply is None:
            found.uncompared += 1
            return outcome
        difference = self._comparing.difference(one, _reply_of(call))
        if difference is not None:
            found.different += 1
            self._differences.append((number, one, difference))
        return outcome

    # -- what came of them ----------------------------------------------------------------------

    def document(self, shown: int) -> dict[str, object]:
        """The result as JSON, with so many differences."""
        endpoints = [
            {
                "service": service,
                "endpoint": endpoint,
                "calls": found.calls,
                "different": found.different,
                "uncompared": found.uncompared,
                "recorded_latency": _percentiles(found.was),
                "latency": _percentiles(found.now),
            }
            for (service, endpoint), found in self._endpoints.items()
        ]
        return {
            "calls": sum(found.calls for found in self._endpoints.values()),
            "different": self.different,
            "uncompared": sum(found.uncompared for found in self._endpoints.values()),
            "seconds": round(self.seconds, 6),
            "endpoints": endpoints,
            "differences": [
                {
                    "call": number,
                    "service": one.service,
                    "endpoint": one.message.endpoint,
                    "difference": difference,
                }
                for number, one, difference in sorted(self._differences, key=_number)[:shown]
            ],
        }

    def text(self, shown: int) -> str:
        """The result as lines, with so many differences."""
        total = [
            sum(getattr(found, name) for found in self._endpoints.values())
            for name in ("calls", "different", "uncompared")
        ]
        lines = [
            f"{total[0]} calls replayed in {self.seconds:.2f} s: "
            f"{total[0] - total[1] - total[2]} the same, {total[1]} different"
            + (f", {total[2]} without a recorded answer" if total[2] else "")
        ]
        for number, one, difference in sorted(self._differences, key=_number)[:shown]:
            name = one_line(f"{one.service} {one.message.endpoint}")
            lines.append(f"  call {number}: {name}: {difference}")
        if len(self._differences) > shown:
            lines.append(f"  and {len(self._differences) - shown} more: --differences shows more")
        lines.append(
            f"{'p50, p99 (ms)':<40}{'calls':>8}{'different':>11}{'recorded':>18}{'now':>18}"
        )
        for (service, endpoint), found in self._endpoints.items():
            name = one_line(f"{service} {endpoint}")
            lines.append(
                f"  {name:<38}{found.calls:>8}{found.different:>11}"
                f"{_shown_percentiles(found.was):>18}{_shown_percentiles(found.now):>18}"
            )
        return "\n".join(lines)


def _number(difference: tuple[int, Recording, str]) -> int:
    return difference[0]


def _percentiles(latencies: array[float]) -> dict[str, float | None]:
    ordered = sorted(latencies)
    return {name: percentile(ordered, share) for name, share in _SHARES.items()}


def _shown_percentiles(latencies: array[float]) -> str:
    return ", ".join(
        "-" if value is None else f"{value * 1000:.2f}"
        for value in _percentiles(latencies).values()
    )


def _reply_of(call: asyncio.Future[Response[bytes, bytes]]) -> Reply:
    error = call.exception()
    if error is None:
        answer = call.result()
        return Reply("application error" if answer.status else "ok", answer.headers, answer.body)
    assert isinstance(error, errors.TChannelError), "`outcome_of` raises all others"
    outcome = "no answer" if error.code is None else wire.error_name(error.code)
    return Reply(outcome, text=error.description or "")
