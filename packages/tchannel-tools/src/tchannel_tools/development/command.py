"""The commands of other distributions, as commands of ``tchannel``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from .._terminal.failures import ExitCode, ToolError
from .._terminal.parsing import Commands, Parser

__all__ = ["add_proxy", "add_router", "add_stubs"]


def add_router(commands: Commands[Parser]) -> None:
    """Add ``router``."""
    from tchannel_hyperbahn.__main__ import add_parser

    _add(commands, "router", add_parser)


def add_proxy(commands: Commands[Parser]) -> None:
    """Add ``proxy``."""
    from tchannel_testing.__main__ import add_parser

    _add(commands, "proxy", add_parser)


def add_stubs(commands: Commands[Parser]) -> None:
    """Add ``stubs``."""
    from tchannel_thrift.stubs.command import add_parser

    _add(commands, "stubs", add_parser)


# The parsers of others take any.
def _add(commands: Commands[Parser], name: str, add_parser: Callable[[Any], object]) -> None:
    add_parser(commands)
    parser = commands.choices[name]
    run: Callable[[argparse.Namespace], int] = parser.get_default("run")

    def run_here(options: argparse.Namespace) -> int:
        try:
            code = run(options)
        except (OSError, ValueError) as error:
            raise ToolError(str(error)) from None
        # Of their codes but 0 others know nothing: 1 here is a timeout.
        return ExitCode.TOOL if code else ExitCode.OK

    parser.set_defaults(run=run_here, shown_as=f"tchannel {name}")
