"""Command lines: what is wrong with one is told in a line, with what may have been meant."""

from __future__ import annotations

import argparse
import difflib
import textwrap
from collections.abc import Iterable
from typing import Any, NoReturn

from .._version import __version__
from .failures import ToolError

__all__ = ["Commands", "Parser", "add_command", "meant", "unknown_option"]

Commands = argparse._SubParsersAction  # argparse has no public name for it


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as a `ToolError`, and knows ``--version``.

    Args:
        kwargs: As `argparse.ArgumentParser` takes them.

    """

    # As argparse has them: its own signature is long, and grows.
    def __init__(self, **kwargs: Any) -> None:
        if "\n" not in (text := kwargs.get("description") or ""):
            # Examples are kept as they are, so argparse breaks no line of the description either.
            kwargs["description"] = textwrap.fill(text, 79)
        super().__init__(**kwargs)
        self.add_argument(
            "--version",
            action="version",
            version=f"tchannel-tools {__version__}",
            help="print the version",
        )

    def error(self, message: str) -> NoReturn:
        raise ToolError(f"{message}; `{self.prog} --help` shows what there is")


def add_command(
    commands: Commands[Parser], name: str, *, help: str, description: str, examples: str
) -> Parser:
    """Add a command to ``tchannel``.

    Args:
        commands: Where to.
        name: Its name.
        help: Its line among the commands.
        description: What it does.
        examples: Command lines, one each.

    """
    return commands.add_parser(
        name,
        help=help,
        description=description,
        epilog="examples:\n" + "".join(f"  {line}\n" for line in examples.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def meant(word: str, known: Iterable[str]) -> str | None:
    """Return what ``word`` was meant to be, if something comes close; None else."""
    near = difflib.get_close_matches(word, list(known), 1, 0.7)
    return near[0] if near else None


def unknown_option(argument: str, parser: argparse.ArgumentParser, see: str) -> ToolError:
    """Return the error for an option that a parser does not know.

    Args:
        argument: As given.
        parser: With the options that there are.
        see: Where they are told, for when none comes close.

    """
    option = argument.partition("=")[0]
    known = [one for action in parser._actions for one in action.option_strings]
    near = meant(option, known)
    hint = f"; did you mean {near}?" if near else f": see {see}"
    return ToolError(f"unknown option {option}{hint}")
