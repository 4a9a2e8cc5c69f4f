"""The command as a whole."""

from __future__ import annotations

import argparse
import difflib
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .._terminal.failures import ExitCode, ToolError, one_line
from .._terminal.output import print_json_line, print_note, print_text
from .._terminal.progress import Progress
from .fix import fix
from .requirements import NAMES, scan_requirements
from .rules import Finding
from .scan import scan

__all__ = ["add_parser", "findings_in"]

_SKIPPED = frozenset(
    {".git", ".hg", ".tox", ".venv", "venv", "node_modules", "__pycache__", "build"}
)

_EXAMPLES = """\
examples:
  tchannel migrate src/
  tchannel migrate . --json > findings
  tchannel migrate src/ --fix --diff       (shows what --fix would change)
  tchannel migrate src/ --fix

The exit code is 126 when something needs a change, 0 when nothing does.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``tchannel``."""
    parser = commands.add_parser(
        "migrate",
        help="find what code written for tchannel-python or thriftrw has to change",
        description="Report every place of a code base written for tchannel-python 0.16 to 2.1 or "
        "thriftrw that needs a change, or a look, with the reason.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="files and folders")
    add("--fix", action="store_true", help="make the mechanical changes (extra `migrate`)")
    add("--diff", action="store_true", help="with --fix: show the changes instead of making them")
    add("--changes", action="store_true", help="leave out what needs but a look")
    add("--json", action="store_true", help="an object on each line")
    add("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Report, or rewrite; returns the exit code.

    Raises:
        ToolError: A path is not there, or a file cannot be read or written.

    """
    if options.diff and not options.fix:
        raise ToolError("--diff goes with --fix")
    # Each once, also where a path is inside another.
    found = {file.resolve(): file for path in options.paths for file in _files(Path(path))}
    files = list(found.values())
    if options.fix:
        _fix(files, show=options.diff)
        if options.diff:
            return ExitCode.OK
    findings: list[Finding] = []
    for file in Progress("tchannel migrate", beside_output=True).watch(files, "files read"):
        findings += findings_in(file)
    if options.changes:
        findings = [one for one in findings if one.rule.level == "change"]
    for one in findings:
        _print(one, as_json=options.json)
    if not options.json:
        counts = Counter(one.rule.level for one in findings)
        print_note(
            "tchannel migrate",
            f"{len(files)} files: {counts['change']} places to change, {counts['look']} to look at",
        )
    return (
        ExitCode.APPLICATION if any(one.rule.level == "change" for one in findings) else ExitCode.OK
    )


def findings_in(file: Path) -> list[Finding]:
    """Return what the rules find in a file: of code, or of requirements.

    Raises:
        ToolError: It cannot be read.

    """
    text, name = _read(file), str(file)
    if file.suffix != ".py":
        return scan_requirements(text, name)
    return scan(text, name) + (scan_requirements(text, name) if file.name == "setup.py" else [])


def _print(one: Finding, *, as_json: bool) -> None:
    if as_json:
        print_json_line(
            {
                "path": one.path,
                "line": one.line,
                "column": one.column,
                "rule": one.rule.name,
                "level": one.rule.level,
                "what": one.what,
                "text": one.rule.text,
                "link": one.rule.link,
            }
        )
    else:
        print_text(
            f"{one.path}:{one.line}:{one.column}: {one.rule.level} [{one.rule.name}] "
            f"{one_line(one.what)}: {one.rule.text} ({one.rule.link})"
        )


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_dir():
                if child.name not in _SKIPPED and not child.is_symlink():
                    yield from _files(child)
            elif child.suffix == ".py" or child.name in NAMES or _is_requirements(child.name):
                yield child
    else:
        raise ToolError(f"there is no {path}")


def _is_requirements(name: str) -> bool:
    return name.startswith("requirements") and name.endswith((".txt", ".in"))


def _read(file: Path) -> str:
    try:
        if file.suffix == ".py":
            with tokenize.open(file) as source:
                return source.read()
        return file.read_text(encoding="utf-8")
    except (SyntaxError, UnicodeDecodeError):
        return file.read_text(encoding="latin-1")
    except OSError as error:
        raise ToolError(f"cannot read {file}: {error.strerror}") from None


def _fix(files: list[Path], *, show: bool) -> None:
    for file in files:
        if file.suffix != ".py":
            continue
        text = _read(file)
        if not scan(text, str(file)):
            continue
        try:
            fixed = fix(text, str(file))
        except ToolError as error:
            if "libcst" in str(error):
                raise
            print_note("tchannel migrate", str(error))
            continue
        if fixed == text:
            continue
        if show:
            lines = difflib.unified_diff(
                text.splitlines(keepends=True),
                fixed.splitlines(keepends=True),
                str(file),
                str(file),
            )
            sys.stdout.writelines(lines)
            continue
        try:
            file.write_text(fixed, encoding="utf-8")
        except OSError as error:
            raise ToolError(f"cannot write {file}: {error.strerror}") from None
        print_note("tchannel migrate", f"{file} is rewritten")
