"""The commands as a page of the documents."""

from __future__ import annotations

from collections.abc import Iterator

from .._terminal.exit_codes import EXIT_CODES
from .reading import Page

__all__ = ["markdown"]

_HEAD = """\
# The commands of `tchannel`

<!-- Written by `make pages` from what `--help` shows; do not edit. -->

`pip install tchannel-tools` or `pipx install tchannel-tools` bring them, `uvx tchannel-tools list` runs
one without. `tcurl` has a [page of its own](tcurl.md). Every command knows `--help` and `--version`.
Options that several commands have mean the same in all; what is left out is taken from the
[context](#tchannel-context) in use.
"""


def markdown(page: Page) -> str:
    """Return the page of all commands.

    Args:
        page: Of the parser of them all.

    """
    lines = [_HEAD.rstrip("\n"), "", "| command | does |", "|---|---|"]
    for part in page.parts:
        anchor = part.name.replace(" ", "-")
        lines.append(f"| [`{part.name}`](#{anchor}) | {_cell(part.short)} |")
    for part in page.parts:
        lines += ["", f"## `{part.name}`", "", *_command(part)]
    lines += [
        "",
        "## Exit codes",
        "",
        "The same of all commands.",
        "",
        "| code | says |",
        "|---|---|",
    ]
    lines += [f"| {code} | {_cell(text)} |" for code, text in EXIT_CODES]
    return "\n".join(lines) + "\n"


def _command(page: Page) -> Iterator[str]:
    yield from ["```text", *page.usage, "```"]
    if page.text:
        yield from ["", _escaped(page.text)]
    if page.groups:
        yield from ["", "| option | is |", "|---|---|"]
    for title, options in page.groups.items():
        if title and title != "options" and len(page.groups) > 1:
            yield f"| **{_cell(title)}** | |"
        for option in options:
            yield f"| `{_bars(option.spelled)}` | {_cell(option.text)} |"
    for part in page.parts:
        yield from ["", f"### `{part.name}`", "", _escaped(f"{part.short}."), "", *_command(part)]
    if page.examples:
        yield from ["", "```console", *[f"$ {line}" for line in page.examples], "```"]


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def _bars(text: str) -> str:
    return text.replace("|", "\\|")


def _cell(text: str) -> str:
    return _bars(_escaped(text))
