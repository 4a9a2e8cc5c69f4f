"""The command line: what may stand there, and what it means."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from .._calling.calls import Target
from .._calling.connecting import TLS
from .._calling.load import LoadPlan
from .._calling.options import (
    DEFAULT_TIMEOUT,
    add_caller,
    add_context,
    add_peers,
    add_routers,
    add_timeout,
    add_tls,
    fill,
    peers_of,
    tls_of,
)
from .._idl.interface import add_reading
from .._terminal.exit_codes import exit_code_lines
from .._terminal.failures import ToolError
from .._terminal.parsing import Commands, Parser, unknown_option
from .._terminal.quantities import count, duration, rate
from .._values.bodies import Given
from .._values.forms import Form
from .._values.shon import hide_numbers, replace_shon, shown
from .._version import __version__

__all__ = ["EXAMPLES", "TCURL", "Arguments", "add_parser", "parse"]

TCURL: Final = "tcurl"
"""The name of the command, where it is not ``tchannel call``."""

DEFAULT_CONCURRENCY: Final = 10
DEFAULT_LOAD_TIME: Final = 30.0

_USAGE: Final = """\
tcurl [options] SERVICE ENDPOINT [BODY]
       tcurl [options] SERVICE --health
       tcurl [options] SERVICE (--list | --describe NAME)"""

_DESCRIPTION: Final = "Call a TChannel service; JSON in, JSON out."

EXAMPLES: Final = """\
examples:
  tcurl -p 127.0.0.1:4040 keyvalue-server KeyValue::getValue '{"key": "hello"}'
  tcurl -p 127.0.0.1:4040 keyvalue-server KeyValue::getValue [ --key hello ]
  tcurl -H hosts.json -t service.thrift keyvalue-server KeyValue::getValue -3 '{"key": "hello"}'
  tcurl -p 127.0.0.1:4040 keyvalue-server --list
  tcurl -p 127.0.0.1:4040 keyvalue-server --describe NotFoundError
  tcurl -p 127.0.0.1:4040 keyvalue-server --health
  tcurl -p 127.0.0.1:4040 keyvalue-server get -j -3 @body.json --timeout 2s
  tcurl -p 127.0.0.1:4040 keyvalue-server get --yaml 'key: hello' --headers '{"user": "me"}'
  tcurl -p 127.0.0.1:4040 keyvalue-server echo --raw 'any text'
  tcurl -p 127.0.0.1:4040 keyvalue-server get '{"key": "hello"}' --requests 1000 --rate 500
"""

# Options of the old tcurl.py of tchannel-python that are no options any more.
_REPLACED: Final = {
    "-d": "a body is given by -3, --body or in third place",
    "--rps": "calls a second are --rate",
    "--batch-size": "calls at once are --concurrency",
    "--profile": "write python -m cProfile -m tchannel_tools.tcurl",
    "-q": "redirect standard error instead: 2>/dev/null",
    "--quiet": "redirect standard error instead: 2>/dev/null",
    "--http": "the http scheme is not offered; --raw sends a body as it is",
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line.

    Attributes:
        command: What the user calls this command.
        target: Whom to call, and as whom; its service is "" where none is needed.
        endpoint: The endpoint; "" where none is needed.
        body: The body, or None.
        headers: The application headers, or None.
        scheme: ``"raw"``, ``"json"`` or ``"thrift"``.
        form: How to show the values of the answer.
        thrift: Thrift file or folder, or None.
        include_dirs: Where its includes are looked for, after their own folders.
        strict: Whether the Thrift file is read strictly.
        health: Whether to ask for the service's health.
        list: Whether to list services and methods.
        describe: Name of what to describe, or None.
        load: The calls of the load mode, or None for one call.
        tls: How to connect by TLS, or None for plain connections.
        verbose: Whether to say more.
        debug: Whether to show tracebacks.

    """

    command: str
    target: Target
    endpoint: str
    body: Given | None
    headers: Given | None
    scheme: str
    form: Form
    thrift: str | None
    include_dirs: tuple[str, ...]
    strict: bool
    health: bool
    list: bool
    describe: str | None
    load: LoadPlan | None
    tls: TLS | None
    verbose: bool
    debug: bool


def parse(argv: Sequence[str], command: str = TCURL) -> Arguments:
    """Read the command line.

    Args:
        argv: The arguments.
        command: What the user calls this command; but for ``tcurl`` it knows contexts.

    Raises:
        ToolError: It makes no sense; says why.
        SystemExit: ``--help`` or ``--version`` was asked for, and is printed.

    """
    parser = _make_parser(command)
    # Service, endpoint and body may stand anywhere between the options, which argparse's own
    # positionals cannot.
    options, rest = parser.parse_known_args(hide_numbers(replace_shon(argv)))
    places = [shown(place) for place in _places(rest, parser)]
    if command != TCURL:
        fill(options)
    service = _first(options.service, places)
    endpoint = ""
    body = shown(options.body)
    in_place = False
    if not (options.health or options.list or options.describe):
        endpoint = _first(options.endpoint, places)
        in_place = bool(places)
        body = places.pop(0) if places else body
        if not service or not endpoint:
            missing = "an endpoint" if service else "a service"
            raise ToolError(f"give {missing}: {command} SERVICE ENDPOINT [BODY], or see --help")
    elif not service and not options.thrift:
        raise ToolError(f"give a service: {command} SERVICE --list, say, or see --help")
    if places:
        raise ToolError(f"{places[0]!r} is one argument too many: see --help")
    # A file says by itself what it offers.
    needs_peers = not (options.thrift and (options.list or options.describe))
    return Arguments(
        command=command,
        target=Target(
            service=service,
            peers=peers_of(options, required=needs_peers),
            caller=_caller(command) if options.caller is None else options.caller,
            timeout=duration(options.timeout, "--timeout") if options.timeout else DEFAULT_TIMEOUT,
            shard_key=options.shard_key,
            routing_delegate=options.routing_delegate,
            routing_key=options.routing_key,
        ),
        endpoint=endpoint,
        body=_given("the body", body, options.body_file, options.yaml, word=in_place),
        headers=_given("the headers", shown(options.headers), None, options.yaml),
        scheme=_scheme(options, endpoint),
        form=Form(options.exact or options.i64 == "number", options.exact),
        thrift=options.thrift,
        include_dirs=tuple(options.include_dirs),
        strict=options.strict,
        health=options.health,
        list=options.list,
        describe=options.describe,
        load=_load_plan(options),
        tls=tls_of(options),
        verbose=options.verbose,
        debug=options.debug,
    )


# -- the parser -----------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ToolError(f"{message}: see --help")


class _Replaced(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> NoReturn:
        option = option_string or ""
        raise ToolError(f"{option} is no option any more: {_REPLACED[option]}")


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``, for its help; `parse` reads its arguments."""
    command = "tchannel call"
    parser = commands.add_parser(
        "call",
        help="call a service: all of tcurl",
        usage=_USAGE.replace(TCURL, command),
        description=_DESCRIPTION,
        epilog=EXAMPLES.replace(f" {TCURL} ", f" {command} "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_options(parser, command)


def _make_parser(command: str) -> argparse.ArgumentParser:
    if command != TCURL:
        commands = Parser(prog=command.split(maxsplit=1)[0]).add_subparsers(parser_class=Parser)
        add_parser(commands)
        return commands.choices["call"]
    parser = _Parser(
        prog=TCURL,
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog="\n".join((EXAMPLES, "exit codes:", *exit_code_lines())),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tcurl {__version__}")
    _add_options(parser, command)
    return parser


def _add_options(parser: argparse.ArgumentParser, command: str) -> None:
    call = parser.add_argument_group("the call")
    if command != TCURL:
        call.add_argument(
            "--scheme",
            choices=("json", "raw", "thrift"),
            help="the arg scheme; else thrift for an endpoint with ::, and json for others",
        )
    _add_call(call)
    _add_where(parser.add_argument_group("where to"), contexts=command != TCURL)
    _add_thrift(parser.add_argument_group("thrift"))
    _add_load(parser.add_argument_group("load: many calls instead of one"))
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show peer, headers, timing and tracing ids"
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and the log")
    for option in _REPLACED:
        parser.add_argument(option, action=_Replaced, nargs="?", help=argparse.SUPPRESS)


def _add_call(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("-s", "--service", metavar="NAME", help="the service, instead of the first place")
    add(
        *("-1", "--arg1", "--endpoint", "--method"),
        dest="endpoint",
        metavar="NAME",
        help="the endpoint, instead of the second place",
    )
    add(
        *("-2", "--arg2", "--head", "--headers"),
        dest="headers",
        metavar="JSON",
        help="application headers: JSON, @FILE, - for standard input; with --raw any text",
    )
    add(
        *("-3", "--arg3", "--body"),
        dest="body",
        metavar="JSON",
        help="the body, instead of the third place: JSON, @FILE or -; with --raw any text",
    )
    add("--body-file", metavar="FILE", help="a file with the body (- is standard input)")
    add("--yaml", action="store_true", help="body and headers are YAML; so are files named *.yaml")
    add("-r", "--raw", action="store_true", help="the raw scheme: bytes as they are")
    add("-j", "-J", "--json", action="store_true", help="the json scheme (the default)")
    add_timeout(add, "for the call with its retries")
    add_caller(add)
    add("--sk", "--shard-key", "--shardKey", dest="shard_key", metavar="KEY", help="shard key")
    add(
        *("--rd", "--routing-delegate"),
        dest="routing_delegate",
        metavar="NAME",
        help="the service that a router sends the call to instead",
    )
    add(
        *("--rk", "--routing-key"),
        dest="routing_key",
        metavar="KEY",
        help="the group of instances, a canary say, that a router may prefer",
    )
    add("--health", action="store_true", help="ask for the service's health")
    add(
        "--i64",
        choices=("buffer", "number"),
        default="buffer",
        help="show an i64 as a Buffer of its eight bytes (the default), or as a number",
    )
    add(
        "--exact",
        action="store_true",
        help="show what the service sent, where the form of tchannel-node's tool differs",
    )


def _add_where(group: argparse._ArgumentGroup, *, contexts: bool) -> None:
    add = group.add_argument
    add_peers(add)
    if contexts:
        add_routers(add)
        add_context(add)
    add_tls(add)


def _add_thrift(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        *("-t", "--thrift"),
        metavar="PATH",
        help="a Thrift file, or a folder with SERVICE.thrift; else the service is asked for its IDL",
    )
    add_reading(add)
    add("--list", action="store_true", help="list the Thrift services and their methods")
    add("--describe", metavar="NAME", help="show a type, a service or a method")


def _add_load(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--requests", metavar="N", help="so many calls")
    add("--rate", metavar="N", help="begin so many calls a second")
    add(
        "--concurrency",
        metavar="N",
        help=f"at most so many at once (default {DEFAULT_CONCURRENCY})",
    )
    add("--time", metavar="TIME", help="for so long: 500 (ms), 10s, 2m (default 30s)")
    add("--delay", metavar="TIME", help="wait so long after a call before the next")
    add(
        *("--format",),
        choices=("text", "json"),
        default="text",
        help="how to print the result (default text)",
    )


# -- what the options mean together ---------------------------------------------------------------


def _places(rest: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """Return the arguments that are no options; an option among them is unknown."""
    places: list[str] = []
    for position, argument in enumerate(rest):
        if argument == "--":
            places += rest[position + 1 :]
            break
        if argument.startswith("-") and argument != "-" and " " not in argument:
            raise unknown_option(argument, parser, "--help")
        places.append(argument)
    return places


def _first(option: str | None, places: list[str]) -> str:
    if option is not None:
        return option
    return places.pop(0) if places else ""


def _given(
    what: str, text: str | None, path: str | None, yaml: bool, *, word: bool = False
) -> Given | None:
    return None if text is None and path is None else Given(what, text, path, yaml, word)


def _caller(command: str) -> str:
    return command.split(maxsplit=1)[0]


def _scheme(options: argparse.Namespace, endpoint: str) -> str:
    if getattr(options, "scheme", None):  # of `tchannel call` alone
        return str(options.scheme)
    if options.raw:
        return "raw"
    if options.json:
        return "json"
    return "thrift" if options.thrift or options.health or "::" in endpoint else "json"


def _load_plan(options: argparse.Namespace) -> LoadPlan | None:
    given = (options.requests, options.rate, options.concurrency, options.time)
    if all(one is None for one in given):
        return None
    if options.list or options.describe:
        raise ToolError("--requests, --rate, --concurrency and --time are for calls")
    seconds = None if options.time is None else duration(options.time, "--time")
    if options.requests is None and not seconds:
        seconds = DEFAULT_LOAD_TIME
    return LoadPlan(
        requests=None if options.requests is None else count(options.requests, "--requests"),
        rate=None if options.rate is None else rate(options.rate, "--rate"),
        concurrency=(
            DEFAULT_CONCURRENCY
            if options.concurrency is None
            else count(options.concurrency, "--concurrency")
        ),
        seconds=seconds or None,
        delay=0.0 if options.delay is None else duration(options.delay, "--delay"),
        as_json=options.format == "json",
    )
