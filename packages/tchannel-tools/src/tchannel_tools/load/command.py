"""The command as a whole."""

from __future__ import annotations

import argparse
import asyncio
import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final

from tchannel import Response
from tchannel.errors import TChannelError

from .._calling.calls import Target
from .._calling.connecting import TLS
from .._calling.lines import Lines, Request, drive, outcome_of, run_fast
from .._calling.load import OK, Load, LoadPlan, LoadReport, Outcome, make_histogram
from .._calling.messages import make_call
from .._calling.options import add_common, add_where, where_of
from .._calling.reflection import fetch_interface
from .._idl.interface import Interface, add_reading, find_file, load_file
from .._recordings.load_file import read_load_file
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_document, print_note, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .._terminal.progress import Progress
from .._terminal.quantities import count, duration, rate
from .._values.bodies import Given
from .._values.templates import Template, read_rows
from .comparing import Comparison, check_writable, read_report, write_report

__all__ = ["add_parser"]

_CONCURRENCY: Final = 10
_CONCURRENCY_AT_A_RATE: Final = 10_000
_DURATION: Final = 30.0
# Later than this, and the load was not the one that was asked for.
_LATE: Final = 0.01

_EXAMPLES: Final = """
tchannel load -p 127.0.0.1:4040 keyvalue get '{"key": "hello"}' --duration 10s
tchannel load -p 127.0.0.1:4040 keyvalue get '{"key": "hello"}' --rate 2000 --ramp 5s --duration 1m
tchannel load -p 127.0.0.1:4040 keyvalue get '{"key": "${key}"}' --data keys.csv --connections 4
tchannel load -p 127.0.0.1:4040 keyvalue KeyValue::getValue -t keyvalue.thrift -3 '{"key": "hello"}'
tchannel load -p 127.0.0.1:4040 keyvalue echo --raw hi --calls 100000 --concurrency 32 -o now.json
tchannel load -p 127.0.0.1:4040 --from calls.jsonl --rate 500
tchannel load --compare before.json now.json
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "load",
        help="make many calls to a service, and measure them",
        description="Make many calls to a service, and measure them. With --rate calls begin when "
        "they are due, whether or not earlier ones are answered, and latency counts from there; "
        "without it, each of --concurrency places makes one call after the other. No call is retried.",
        examples=_EXAMPLES,
    )
    add = parser.add_argument
    add("service", metavar="SERVICE", nargs="?", help="the service")
    add("endpoint", metavar="ENDPOINT", nargs="?", help="the endpoint; one with :: is Thrift's")
    add("in_place", metavar="BODY", nargs="?", help="the body, as -3 takes it")
    _add_what(parser.add_argument_group("what to call").add_argument)
    _add_how_much(parser.add_argument_group("how much").add_argument)
    add_where(parser)
    add("-o", "--output", metavar="FILE", help="write the result into a file as well, as JSON")
    add(
        "--compare",
        nargs="+",
        metavar="FILE",
        help="compare with an earlier result (of -o); with two files nothing is called",
    )
    add_common(parser)
    parser.set_defaults(run=run)


def _add_what(add: Any) -> None:
    add(
        *("-2", "--headers"),
        metavar="JSON",
        help="application headers: JSON, @FILE, - for standard input; with --raw any text",
    )
    add("-3", "--body", metavar="JSON", help="the body: the same")
    add("--yaml", action="store_true", help="body and headers are YAML")
    add("-r", "--raw", dest="scheme", action="store_const", const="raw", help="the raw scheme")
    add("--scheme", choices=("raw", "json", "thrift"), help="the arg scheme (default json)")
    add(
        "-t",
        "--thrift",
        metavar="PATH",
        help="a Thrift file; else the service is asked for its IDL",
    )
    add_reading(add)
    add(
        "--data",
        metavar="FILE",
        help="rows (CSV with names, or JSON lines) that fill ${name} in body and headers, in turn",
    )
    add("--from", dest="recorded", metavar="FILE", help="the calls of a load file, in turn")
    add("--sk", "--shard-key", dest="shard_key", metavar="KEY", help="shard key")
    add(
        "--rd",
        "--routing-delegate",
        dest="routing_delegate",
        metavar="NAME",
        help="routing delegate",
    )
    add("--rk", "--routing-key", dest="routing_key", metavar="KEY", help="routing key")


def _add_how_much(add: Any) -> None:
    add("--calls", metavar="N", help="so many calls")
    add("--duration", metavar="TIME", help="for so long: 500 (ms), 10s, 2m (default 30s)")
    add("--rate", metavar="N", help="begin so many calls a second, however long answers take")
    add(
        "--concurrency",
        metavar="N",
        help=f"at most so many calls at once (default {_CONCURRENCY}, with --rate "
        f"{_CONCURRENCY_AT_A_RATE})",
    )
    add("--connections", metavar="N", help="so many connections in all (default one to each peer)")
    add("--ramp", metavar="TIME", help="grow to the full load over this time")


@dataclass(frozen=True, slots=True)
class _Run:
    """What is to be done.

    Attributes:
        target: Whom to call.
        tls: How to connect.
        plan: How many calls.
        connections: Over how many connections.
        requests: What is called, in turn.

    """

    target: Target
    tls: TLS | None
    plan: LoadPlan
    connections: int
    requests: list[Request]


def run(options: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code.

    Raises:
        ToolError: Something makes no sense, cannot be read, or cannot be connected to.

    """
    compared = options.compare or []
    if len(compared) > 2:
        raise ToolError("--compare takes one earlier result, or two to be compared with each other")
    reports = [read_report(path) for path in compared]
    if len(reports) == 2:
        if options.service is not None:
            raise ToolError("--compare of two results calls nothing: leave the service out")
        _show(Comparison(*reports), options)
        return ExitCode.OK
    # Before anything is sent: whether the extra is installed is no business of the service's.
    make_histogram()
    where = where_of(options)
    if options.output is not None:
        check_writable(options.output)
    if options.recorded is None and (not options.service or not options.endpoint):
        missing = "an endpoint" if options.service else "a service"
        raise ToolError(f"give {missing}: tchannel load SERVICE ENDPOINT [BODY], or see --help")
    target = Target(
        options.service or "",
        where.peers,
        where.caller,
        where.timeout,
        options.shard_key,
        options.routing_delegate,
        options.routing_key,
    )
    requests = _requests(options, target, where.tls)
    if not target.service:
        target = replace(target, service=requests[0].service)
    connections = len(target.peers)
    if options.connections is not None:
        connections = count(options.connections, "--connections")
    todo = _Run(target, where.tls, _plan(options), connections, requests)
    outcomes = _Outcomes()
    report, interrupted, cpu = run_fast(_measure(todo, outcomes))
    document = {
        **_settings(options, todo),
        **report.document(),
        "late_ms": round(report.late * 1000, 3),
        "cpu_seconds": round(cpu, 6),
        "histogram_us": report.histogram,
    }
    if options.output is not None:
        write_report(options.output, document)
    if reports:
        _show(Comparison(reports[0], document), options)
    elif options.json:
        print_document(document)
    else:
        print_text(report.text())
    for outcome, said in outcomes.said.items():
        print_note("tchannel load", f"the first {outcome.name}: {said}")
    _tell(report, todo, cpu)
    if interrupted:
        print_note("tchannel load", "interrupted; this is what was measured until then")
        return ExitCode.INTERRUPTED
    return report.exit_code


def _plan(options: argparse.Namespace) -> LoadPlan:
    per_second = None if options.rate is None else rate(options.rate, "--rate")
    concurrency = _CONCURRENCY if per_second is None else _CONCURRENCY_AT_A_RATE
    if options.concurrency is not None:
        concurrency = count(options.concurrency, "--concurrency")
    seconds = None if options.duration is None else duration(options.duration, "--duration")
    if seconds == 0:
        raise ToolError("--duration is more than 0")
    if seconds is None and options.calls is None:
        seconds = _DURATION
    ramp = 0.0 if options.ramp is None else duration(options.ramp, "--ramp")
    if seconds is not None and ramp > seconds:
        raise ToolError(f"--ramp {options.ramp} is longer than it all takes ({seconds:g} s)")
    calls = None if options.calls is None else count(options.calls, "--calls")
    return LoadPlan(calls, per_second, concurrency, seconds, 0.0, options.json, ramp)


# -- what is called -------------------------------------------------------------------------------


def _requests(options: argparse.Namespace, target: Target, tls: TLS | None) -> list[Request]:
    keys = (target.shard_key, target.routing_delegate, target.routing_key)
    progress = Progress("tchannel load")
    if options.recorded is not None:
        if options.endpoint or options.data:
            raise ToolError("--from says what to call: no endpoint, no body, no --data beside it")
        return [
            Request(
                target.service or one.service,
                one.message,
                *(given or recorded for given, recorded in zip(keys, one.routing, strict=True)),
            )
            for one in progress.watch(read_load_file(options.recorded), "calls read")
        ]
    scheme = options.scheme
    if scheme is None:
        scheme = "thrift" if options.thrift or "::" in options.endpoint else "json"
    interface = None
    if scheme == "thrift":
        interface = _interface(options, target, tls)
    if options.in_place is not None and options.body is not None:
        raise ToolError("the body is given twice: in third place and by -3")
    texts = (options.headers, options.in_place if options.body is None else options.body)
    headers, body = (
        None if text is None else Given(f"the {what}", text, None, options.yaml)
        for what, text in zip(("headers", "body"), texts, strict=True)
    )
    warnings: dict[str, None] = {}
    requests = []
    for one_headers, one_body in progress.watch(
        _filled(options, headers, body, raw=scheme == "raw"), "rows read"
    ):
        call = make_call(scheme, options.endpoint, one_headers, one_body, interface)
        warnings |= dict.fromkeys(call.warnings)
        requests.append(Request(target.service, call.message, *keys))
    for warning in list(warnings)[:10]:
        print_note("tchannel load", warning)
    return requests


def _filled(
    options: argparse.Namespace, headers: Given | None, body: Given | None, *, raw: bool
) -> Iterator[tuple[Given | None, Given | None]]:
    if options.data is None:
        yield headers, body
        return
    templates = [None if one is None else Template(one, raw=raw) for one in (headers, body)]
    for row in read_rows(options.data):
        filled = [None if one is None else one.fill(row) for one in templates]
        yield filled[0], filled[1]


def _interface(options: argparse.Namespace, target: Target, tls: TLS | None) -> Interface:
    if options.thrift is not None:
        path = find_file(options.thrift, target.service)
        return load_file(path, strict=options.strict, include_dirs=options.include_dirs)
    return fetch_interface(target, tls, strict=options.strict)


# -- the calls ------------------------------------------------------------------------------------


class _Outcomes:
    """Says how calls ended, and keeps what was said of the first failure of each kind."""

    def __init__(self) -> None:
        self.said: dict[Outcome, str] = {}

    def of(self, call: asyncio.Future[Response[bytes, bytes]]) -> Outcome:
        """As `outcome_of` has it."""
        outcome = outcome_of(call)
        if outcome is not OK and outcome not in self.said:
            error = call.exception()
            if isinstance(error, TChannelError):
                self.said[outcome] = error.description or type(error).__name__
        return outcome


async def _measure(todo: _Run, outcomes: _Outcomes) -> tuple[LoadReport, bool, float]:
    """Make the calls; returns what came of them, whether it was interrupted, and CPU seconds."""
    lines = Lines(todo.target, todo.tls, todo.connections)
    progress = Progress("tchannel load")
    try:
        await lines.connect()
        following = cycle(todo.requests).__next__
        load = Load(
            todo.plan,
            lambda: lines.call(following()),
            lines.clock,
            progress.show if progress.wanted else None,
            outcome=outcomes.of,
        )
        before = _cpu()
        report, interrupted = await drive(load)
        return report, interrupted, _cpu() - before
    finally:
        progress.clear()
        await lines.close()


def _cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


# -- what came of them ----------------------------------------------------------------------------


def _settings(options: argparse.Namespace, todo: _Run) -> dict[str, object]:
    plan, first = todo.plan, todo.requests[0]
    return {
        "service": todo.target.service,
        "endpoint": first.message.endpoint if options.recorded is None else None,
        "scheme": first.message.scheme if options.recorded is None else None,
        "peers": list(todo.target.peers),
        "connections": todo.connections,
        "concurrency": plan.concurrency,
        "asked_rate": plan.rate,
        "ramp": plan.ramp,
    }


def _show(comparison: Comparison, options: argparse.Namespace) -> None:
    if options.json:
        print_document(comparison.document())
    else:
        print_text(comparison.text())


def _tell(report: LoadReport, todo: _Run, cpu: float) -> None:
    if not report.calls:
        print_note("tchannel load", "no call was made")
    if report.late > _LATE:
        reason = "the machine is busy"
        if report.crowded:
            reason = f"at most {todo.plan.concurrency} are made at once, as --concurrency says"
        elif cpu > 0.9 * report.seconds:
            reason = "this process had no more CPU to give"
        print_note(
            "tchannel load",
            f"calls began up to {report.late * 1000:.0f} ms after they were due: {reason};"
            " latency counts from when they were due",
        )
