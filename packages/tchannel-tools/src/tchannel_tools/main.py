"""``tchannel``: one command for all the tools."""

# PYTHON_ARGCOMPLETE_OK

from __future__ import annotations

import argparse
import difflib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

import argcomplete
from argcomplete.shell_integration import shellcode

from ._terminal.failures import ExitCode, ToolError
from ._terminal.output import print_note, print_text
from ._version import __version__
from .decode.command import add_parser as add_decode
from .migrate.command import add_parser as add_migrate
from .tap.command import add_parser as add_tap
from .wireshark.command import add_parser as add_wireshark

__all__ = ["main"]

_EXIT_CODES = """\
exit codes:
  0 ok; 1 to 8 the code of the error frame (1 timeout, 2 cancelled, 3 busy, 4 declined, 5 unexpected
  error, 6 bad request, 7 network, 8 unhealthy); 124 not healthy; 125 wrong on this side, or no call
  was made; 126 application error or declared exception; 127 fatal protocol error; 130 interrupted

`tchannel COMMAND --help` shows what each command takes. Completion for the shell:
  eval "$(tchannel completion bash)"        (or zsh, fish)
"""

# What other programs do whole; they read their own arguments.
_FORWARDED = {
    "call": "call a service: all of tcurl",
    "list": "list the services and methods that a service tells: SERVICE -p HOST:PORT",
    "health": "ask a service for its health: SERVICE -p HOST:PORT",
    "router": "run a router for development",
    "proxy": "forward connections, with faults",
    "stubs": "write types for a Thrift file",
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and what may have been meant."""

    def error(self, message: str) -> NoReturn:
        raise ToolError(f"{message}; `{self.prog} --help` shows what there is")


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
    if given and given[0] in _FORWARDED:
        return _forward(given[0], given[1:])
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except ToolError as error:
        print_note("tchannel", str(error))
        return ExitCode.TOOL
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Who reads the output has had enough; Python must not write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.TOOL
    except Exception as error:
        if "--debug" in given:
            traceback.print_exc()
        print_note("tchannel", f"unexpected {type(error).__name__}: {error}; --debug shows more")
        return ExitCode.TOOL


def _run(given: list[str]) -> int:
    parser = _Parser(
        prog="tchannel",
        description="Tools for TChannel services, whatever their language.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tchannel-tools {__version__}")
    commands: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        metavar="COMMAND", parser_class=_Parser
    )
    for name, text in _FORWARDED.items():
        # Here for the help and for completion; `main` has forwarded it already.
        commands.add_parser(name, help=text, add_help=False)
    add_decode(commands)
    add_tap(commands)
    add_wireshark(commands)
    add_migrate(commands)
    completion = commands.add_parser("completion", help="print what makes a shell complete")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(run=_completion)
    argcomplete.autocomplete(parser)
    if not given:
        parser.print_help()
        return ExitCode.OK
    if not given[0].startswith("-") and given[0] not in commands.choices:
        near = difflib.get_close_matches(given[0], commands.choices, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(commands.choices)}"
        raise ToolError(f"there is no command {given[0]!r}: {meant}")
    options = parser.parse_args(given)
    logging.getLogger("tchannel").addHandler(
        logging.StreamHandler() if getattr(options, "debug", False) else logging.NullHandler()
    )
    code: int = options.run(options)
    return code


def _completion(options: argparse.Namespace) -> int:
    print_text(shellcode(["tchannel"], shell=options.shell))
    return ExitCode.OK


def _forward(name: str, arguments: list[str]) -> int:
    """Run the command that another program does whole."""
    if name in {"call", "list", "health"}:
        from .tcurl import main as tcurl

        return tcurl(arguments if name == "call" else [*arguments, f"--{name}"])
    command: Callable[[list[str]], int]
    if name == "router":
        from tchannel_hyperbahn.__main__ import main as command
    elif name == "proxy":
        from tchannel_testing.__main__ import main as command
    else:
        from tchannel_thrift.__main__ import main as command
    return command([name, *arguments])


if __name__ == "__main__":
    sys.exit(main())
