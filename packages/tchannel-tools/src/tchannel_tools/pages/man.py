"""The commands as a man page (man(7))."""

from __future__ import annotations

from collections.abc import Iterator

from .._terminal.exit_codes import EXIT_CODES
from .reading import Page

__all__ = ["man"]


def man(page: Page) -> str:
    """Return the man page of all commands. It names no version and no date: it changes with its text.

    Args:
        page: Of the parser of them all.

    """
    lines = [
        '.\\" Written by `make pages` from what --help shows; do not edit.',
        '.TH TCHANNEL 1 "" "tchannel-tools" "User Commands"',
        ".SH NAME",
        f"tchannel \\- {_text(page.text.rstrip('.'))}",
        ".SH SYNOPSIS",
        *_verbatim([*page.usage, "tcurl [options] SERVICE ENDPOINT [BODY]"]),
        ".SH DESCRIPTION",
        "One command for TChannel services, whatever their language. Options that several commands",
        "have mean the same in all. Every command knows",
        ".BR \\-\\-help ,",
        "which shows what this page has of it.",
        ".SH COMMANDS",
    ]
    for part in page.parts:
        lines += _command(part, ".SS")
    lines.append(".SH EXIT STATUS")
    for code, text in EXIT_CODES:
        lines += [".TP", f".B {code}", _text(text)]
    lines += [
        ".SH FILES",
        ".TP",
        ".I ~/.config/tchannel/config.toml",
        _text(
            "Contexts and defaults; $XDG_CONFIG_HOME stands for ~/.config where it is set, and "
            "TCHANNEL_CONFIG names another file."
        ),
        ".SH ENVIRONMENT",
        ".TP",
        ".B TCHANNEL_CONTEXT",
        "The context in use, whatever the file says.",
        ".TP",
        ".B TCHANNEL_CONFIG",
        "The configuration file.",
        ".SH SEE ALSO",
        ".BR tcpdump (1),",
        ".BR tshark (1)",
    ]
    return "\n".join(lines) + "\n"


def _command(page: Page, head: str) -> Iterator[str]:
    yield f"{head} {_text(page.name)}"
    yield _text(f"{page.short[:1].upper()}{page.short[1:]}.")
    yield from _verbatim(page.usage)
    if page.text:
        yield from [".PP", _text(page.text)]
    for title, options in page.groups.items():
        if title and title != "options" and len(page.groups) > 1:
            yield from [".PP", f"{_text(title[:1].upper() + title[1:])}:"]
        for option in options:
            yield from [".TP", f".B {_text(option.spelled)}", _text(option.text)]
    for part in page.parts:
        yield from _command(part, ".SS")
    if page.examples:
        yield from [".PP", "Examples:", *_verbatim(page.examples)]


def _verbatim(lines: list[str]) -> Iterator[str]:
    yield from [".PP", ".nf", ".RS", *map(_text, lines), ".RE", ".fi"]


def _text(text: str) -> str:
    """Text as roff takes it: a minus is no hyphen, and no line begins as a request."""
    # "'" and "`" would become typographic quotes, which no shell understands.
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{text}" if text[:1] == "." else text
