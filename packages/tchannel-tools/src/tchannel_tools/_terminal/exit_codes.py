"""The exit codes of all commands, in one table."""

from __future__ import annotations

from typing import Final

from .failures import ExitCode

__all__ = ["EXIT_CODES", "exit_code_lines"]

EXIT_CODES: Final[tuple[tuple[str, str], ...]] = (
    (f"{int(ExitCode.OK)}", "ok"),
    ("1", "timeout (1 to 8 are the codes of error frames)"),
    ("2", "cancelled"),
    ("3", "busy"),
    ("4", "declined"),
    ("5", "unexpected error"),
    ("6", "bad request"),
    ("7", "network error"),
    ("8", "unhealthy"),
    (
        f"{int(ExitCode.NOT_HEALTHY)}",
        "not healthy: the service says so of itself, or doctor found what is wrong with it",
    ),
    (
        f"{int(ExitCode.TOOL)}",
        "wrong on this side (arguments, files, addresses), or no call was made",
    ),
    (
        f"{int(ExitCode.APPLICATION)}",
        "application error or declared exception; migrate: to be changed; replay: answers differ",
    ),
    (f"{int(ExitCode.FATAL)}", "fatal protocol error"),
    (f"{int(ExitCode.INTERRUPTED)}", "interrupted (Ctrl-C)"),
)
"""Each code with what it says."""


def exit_code_lines() -> list[str]:
    """Return the table as lines of text."""
    return [f"  {code:>3}  {text}" for code, text in EXIT_CODES]
