"""The command as a whole."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .._calling.options import (
    add_caller,
    add_common,
    add_peers,
    add_routers,
    add_timeout,
    add_tls,
    context_names,
    peers_of,
    tls_of,
)
from .._settings.file import KEYS, Settings, absolute, read_settings, write_settings
from .._terminal.failures import ExitCode, ToolError, quoted
from .._terminal.output import print_document, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .._terminal.quantities import duration

__all__ = ["add_parser"]

_EXAMPLES = """
tchannel context add staging --router 10.0.0.1:21300 --router 10.0.0.2:21300 --timeout 2s
tchannel context add local -p 127.0.0.1:4040 --use
tchannel context use staging
tchannel context list
tchannel context show staging --json
tchannel call keyvalue get '{"key": "hello"}' --context local
"""
_FILE = (
    " They are kept in $XDG_CONFIG_HOME/tchannel/config.toml (~/.config without that variable;"
    " TCHANNEL_CONFIG names another file), as tables [contexts.NAME] of peers, hostlist, routers, tls,"
    " ca, cert, key, server_name, insecure, timeout, caller; [defaults] has the same for all."
    " TCHANNEL_CONTEXT names the one in use for a shell; an option goes before them all."
)


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "context",
        help="set down where to call, by name",
        description="Contexts say by name where to call, as whom and how, so that commands need not."
        + _FILE,
        examples=_EXAMPLES,
    )
    actions = parser.add_subparsers(metavar="ACTION", parser_class=Parser, required=True)
    add = actions.add_parser("add", help="make or replace a context", allow_abbrev=False)
    add.add_argument("name", metavar="NAME", help="its name")
    add.add_argument("--use", action="store_true", help="use it from now on")
    where = add.add_argument_group("what it says").add_argument
    add_peers(where)
    add_routers(where)
    add_timeout(where)
    add_caller(where)
    add_tls(where)
    add.set_defaults(run=_add)
    use = actions.add_parser("use", help="use a context from now on", allow_abbrev=False)
    _complete(use.add_argument("name", metavar="NAME", nargs="?", help="its name; without: none"))
    use.set_defaults(run=_use)
    listing = actions.add_parser("list", help="list the contexts", allow_abbrev=False)
    listing.set_defaults(run=_list)
    show = actions.add_parser("show", help="show a context", allow_abbrev=False)
    _complete(
        show.add_argument(
            "name", metavar="NAME", nargs="?", help="its name; default the one in use"
        )
    )
    show.set_defaults(run=_show)
    remove = actions.add_parser("remove", help="remove a context", allow_abbrev=False)
    _complete(remove.add_argument("name", metavar="NAME", help="its name"))
    remove.set_defaults(run=_remove)
    for action in (add, use, listing, show, remove):
        add_common(action)


# argcomplete looks for an attribute that argparse knows nothing of.
def _complete(name: Any) -> None:
    name.completer = context_names


def _add(options: argparse.Namespace) -> int:
    settings = read_settings()
    if not options.name or not options.name.isprintable():
        raise ToolError(f"a context needs a name of printable text, not {options.name!r}")
    # What makes no sense is told now, not when it is used.
    peers_of(options, required=False)
    tls_of(options)
    if options.timeout:
        duration(options.timeout, "--timeout")
    said = {key: getattr(options, key) for key in KEYS}
    settings.contexts[options.name] = {
        key: absolute(key, value, Path.cwd())
        for key, value in said.items()
        if value not in (None, [])
    }
    if not settings.contexts[options.name]:
        raise ToolError("say what the context is to say: -p HOST:PORT, say, or --router HOST:PORT")
    if options.use:
        settings.use = options.name
    write_settings(settings)
    return _tell(options, settings, options.name, "is written")


def _use(options: argparse.Namespace) -> int:
    settings = read_settings()
    if options.name is not None:
        settings.context(options.name)
    settings.use = options.name
    write_settings(settings)
    return _tell(options, settings, options.name, "is in use")


def _remove(options: argparse.Namespace) -> int:
    settings = read_settings()
    settings.context(options.name)
    del settings.contexts[options.name]
    if settings.use == options.name:
        settings.use = None
    write_settings(settings)
    return _tell(options, settings, options.name, "is gone")


def _tell(options: argparse.Namespace, settings: Settings, name: str | None, what: str) -> int:
    if options.json:
        print_document({"file": str(settings.path), "use": settings.use})
    elif name is None:
        print_text("no context is in use")
    else:
        print_text(f"context {quoted(name)} {what}: {settings.path}")
    return ExitCode.OK


def _list(options: argparse.Namespace) -> int:
    settings = read_settings()
    in_use = settings.in_use()
    if options.json:
        print_document(
            {"file": str(settings.path), "use": in_use, "contexts": list(settings.contexts)}
        )
        return ExitCode.OK
    if not settings.contexts:
        print_text(f"no contexts in {settings.path}")
    for name, context in settings.contexts.items():
        where = context.get("peers") or context.get("hostlist") or context.get("routers") or ""
        shown = ", ".join(where) if isinstance(where, list) else str(where)
        print_text(f"{'*' if name == in_use else ' '} {name}  {shown}")
    return ExitCode.OK


def _show(options: argparse.Namespace) -> int:
    settings = read_settings()
    name = options.name or settings.in_use()
    if name is None and not settings.defaults:
        raise ToolError("no context is in use: name one, or `tchannel context use NAME`")
    values = settings.values(name)
    if options.json:
        print_document({"file": str(settings.path), "name": name, "values": values})
        return ExitCode.OK
    print_text(f"{name or 'defaults'} ({settings.path})")
    for key, value in values.items():
        print_text(f"  {key} = {', '.join(value) if isinstance(value, list) else value}")
    return ExitCode.OK
