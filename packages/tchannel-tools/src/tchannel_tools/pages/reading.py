"""What a parser says, without argparse's own layout, which differs from one Python to the next."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Option", "Page", "read"]

# In every page alike, or told once for all.
_LEFT_OUT = frozenset({"-h", "--help", "--version"})


@dataclass(frozen=True, slots=True)
class Option:
    """An option, or an argument in a place of its own.

    Attributes:
        spelled: As it is written, with what follows it.
        text: What it does.

    """

    spelled: str
    text: str


@dataclass(slots=True)
class Page:
    """A command.

    Attributes:
        name: As it is typed: ``tchannel list``.
        short: Its line among the commands.
        usage: How it is written, one way a line.
        text: What it does.
        groups: Its options by the titles of their groups; places have the title "".
        examples: Lines.
        parts: Its own commands.

    """

    name: str
    short: str
    usage: list[str]
    text: str
    groups: dict[str, list[Option]] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    parts: list[Page] = field(default_factory=list)


def read(parser: argparse.ArgumentParser, short: str = "") -> Page:
    """Return the page of a parser, and of the commands within it."""
    page = Page(parser.prog, short, _usage(parser), " ".join((parser.description or "").split()))
    for group in parser._action_groups:
        for action in group._group_actions:
            if isinstance(action, argparse._SubParsersAction):
                for pseudo in action._choices_actions:
                    page.parts.append(read(action.choices[pseudo.dest], _help(pseudo)))
            elif action.help is not argparse.SUPPRESS and not _LEFT_OUT & {*action.option_strings}:
                title = "" if not action.option_strings else group.title or ""
                page.groups.setdefault(title, []).append(Option(_spelled(action), _help(action)))
    page.examples = list(_examples(parser.epilog or ""))
    return page


def _help(action: argparse.Action) -> str:
    return " ".join((action.help or "").replace("%%", "%").split())


def _argument(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return action.dest.upper()


def _spelled(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    argument = _argument(action)
    if action.nargs == "+" or action.nargs == "*":
        argument += " ..."
    return f"{names} {argument}".strip()


def _usage(parser: argparse.ArgumentParser) -> list[str]:
    if parser.usage is not None:
        return [line.strip() for line in parser.usage.splitlines()]
    words = [parser.prog, "[options]"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words.append(f"{action.metavar or 'COMMAND'} ...")
        elif not action.option_strings:
            place = _argument(action)
            words.append(
                {"?": f"[{place}]", "*": f"[{place} ...]", "+": f"{place} ..."}.get(
                    str(action.nargs), place
                )
            )
        elif action.required:
            words.append(_spelled(action))
    return [" ".join(words)]


def _examples(epilog: str) -> Iterator[str]:
    """The lines below "examples:", up to the next head or to what is no example."""
    lines = iter(epilog.splitlines())
    for line in lines:
        if line.strip() == "examples:":
            break
    for line in lines:
        if not line.startswith("  "):
            return
        yield line.strip()
