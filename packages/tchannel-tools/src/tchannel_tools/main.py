"""``tchannel``: one command for all the tools."""

# PYTHON_ARGCOMPLETE_OK

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import argcomplete
from argcomplete.shell_integration import shellcode

from ._terminal.exit_codes import exit_code_lines
from ._terminal.failures import ExitCode, ToolError
from ._terminal.output import print_note, print_text
from ._terminal.parsing import Commands, Parser, add_command, meant, unknown_option

__all__ = ["COMMANDS", "main", "make_parser"]

COMMANDS: Final[dict[str, str]] = {
    "call": "tcurl.arguments:add_parser",
    "list": "services.list:add_parser",
    "describe": "services.describe:add_parser",
    "health": "services.health:add_parser",
    "discover": "routing.command:add_discover",
    "routes": "routing.command:add_routes",
    "top": "top.command:add_parser",
    "doctor": "doctor.command:add_parser",
    "decode": "decode.command:add_parser",
    "load": "load.command:add_parser",
    "tap": "tap.command:add_parser",
    "record": "record.command:add_parser",
    "replay": "replay.command:add_parser",
    "wireshark": "wireshark.command:add_parser",
    "migrate": "migrate.command:add_parser",
    "context": "contexts.command:add_parser",
    "router": "development.command:add_router",
    "proxy": "development.command:add_proxy",
    "stubs": "development.command:add_stubs",
    "completion": "main:_add_completion",
    "help": "main:_add_help",
}
"""Each command with what adds it: a module is imported when its command, or all help, is wanted."""

_EPILOG: Final = """\
`tchannel help COMMAND` shows what a command takes, `tchannel help exit-codes` how they end.
Defaults and named contexts: `tchannel help context`. Completion for the shell:
  eval "$(tchannel completion bash)"        (or zsh, fish)
"""

_HELP: Final = """
tchannel help
tchannel help doctor
tchannel help exit-codes
tchannel help man | man -l -
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``tchannel``.

    Args:
        argv: The arguments; by default those of the process.

    Returns:
        The exit code.

    Raises:
        SystemExit: After ``--help`` and ``--version``.

    """
    given = list(sys.argv[1:] if argv is None else argv)
    known = bool(given) and given[0] in COMMANDS
    command = f"tchannel {given[0]}" if known else "tchannel"
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except ToolError as error:
        if "--debug" in given:
            traceback.print_exc()
        print_note(command, str(error))
        return ExitCode.TOOL
    except ImportError as error:
        return _without_core(given, command, error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Who reads the output has had enough; Python must not write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.TOOL
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        print_note(command, f"unexpected {type(error).__name__}: {error}; --debug shows more")
        return ExitCode.TOOL


def _without_core(given: Sequence[str], command: str, error: ImportError) -> int:
    """Say what is wrong with an installation in which something cannot be imported."""
    if command == "tchannel doctor" and "--local" in given:
        from .doctor.local import tell

        return tell(as_json="--json" in given)
    if "--debug" in given:
        traceback.print_exc()
    said = str(error).rstrip(".")
    print_note(command, f"{said}; `tchannel doctor --local` looks at the installation")
    return ExitCode.TOOL


def make_parser(names: Iterable[str] = COMMANDS) -> tuple[Parser, Commands[Parser]]:
    """Return the parser, and its commands.

    Args:
        names: The commands that it is to have; default all.

    """
    parser = Parser(
        prog="tchannel",
        description="Tools for TChannel services, whatever their language.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for name in names:
        module, _, function = COMMANDS[name].partition(":")
        add: Callable[[Commands[Parser]], None] = getattr(
            importlib.import_module(f".{module}", __package__), function
        )
        add(commands)
    return parser, commands


def _run(given: list[str]) -> int:
    if "_ARGCOMPLETE" in os.environ:
        argcomplete.autocomplete(make_parser()[0])
    if not given:
        make_parser()[0].print_help()
        return ExitCode.OK
    name = given[0]
    if name == "call" and "_ARGCOMPLETE" not in os.environ:
        # Service, endpoint and body may stand anywhere between its options.
        from .tcurl import main as tcurl

        return tcurl(given[1:], "tchannel call")
    if not name.startswith("-") and name not in COMMANDS:
        near = meant(name, COMMANDS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(COMMANDS)}"
        raise ToolError(f"there is no command {name!r}: {hint}")
    parser, commands = make_parser([name] if name in COMMANDS else COMMANDS)
    options, rest = _parse(parser, commands, given)
    if rest:
        if rest[0].startswith("-"):
            raise unknown_option(rest[0], commands.choices.get(name, parser), "--help")
        raise ToolError(f"{rest[0]!r} is one argument too many: see --help")
    logging.getLogger("tchannel").addHandler(
        logging.StreamHandler() if getattr(options, "debug", False) else logging.NullHandler()
    )
    code: int = options.run(options)
    return code


def _parse(
    parser: Parser, commands: Commands[Parser], given: list[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Parse; what stands in a place of its own may do so anywhere between the options."""
    try:
        return commands.choices[given[0]].parse_known_intermixed_args(given[1:])
    except (KeyError, TypeError):  # no command; or one with commands of its own
        return parser.parse_known_args(given)


def _add_completion(commands: Commands[Parser]) -> None:
    parser = add_command(
        commands,
        "completion",
        help="print what makes a shell complete",
        description="Print what makes a shell complete the commands and options of tchannel.",
        examples='eval "$(tchannel completion bash)"\ntchannel completion fish | source',
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> int:
    print_text(shellcode(["tchannel"], shell=options.shell))
    return ExitCode.OK


def _add_help(commands: Commands[Parser]) -> None:
    parser = add_command(
        commands,
        "help",
        help="show help for a command, or the exit codes",
        description="Show the help of a command, or the exit codes of all.",
        examples=_HELP,
    )
    parser.add_argument(
        "topic", metavar="TOPIC", nargs="?", help="a command, exit-codes, or man: the man page"
    )
    parser.set_defaults(run=_help)


def _help(options: argparse.Namespace) -> int:
    topics = [*COMMANDS, "exit-codes", "man"]
    if options.topic is None:
        make_parser()[0].print_help()
    elif options.topic == "exit-codes":
        print_text("\n".join(["Exit codes of all commands:", *exit_code_lines()]))
    elif options.topic == "man":
        from .pages.man import man
        from .pages.reading import read

        print_text(man(read(make_parser()[0])).rstrip("\n"))
    elif options.topic in COMMANDS:
        make_parser([options.topic])[1].choices[options.topic].print_help()
    else:
        near = meant(options.topic, topics)
        hint = f"did you mean {near}?" if near else f"there is help for {', '.join(topics)}"
        raise ToolError(f"there is no help for {options.topic!r}: {hint}")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
