"""``tchannel describe``: a type, a method or a service of an IDL, as the IDL has it."""

from __future__ import annotations

import argparse

from .._calling.asking import ask
from .._calling.calls import Caller
from .._calling.options import add_common, add_where, where_of
from .._calling.reflection import ask_interface
from .._idl.interface import Interface, find_file, load_file
from .._idl.listing import definitions, describe
from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_document, print_text
from .._terminal.parsing import Commands, Parser, add_command
from .list import add_thrift

__all__ = ["add_parser"]

_EXAMPLES = """
tchannel describe keyvalue -p 127.0.0.1:4040
tchannel describe keyvalue NotFoundError -p 127.0.0.1:4040
tchannel describe keyvalue KeyValue::getValue --router 127.0.0.1:21300
tchannel describe keyvalue KeyValue -t keyvalue.thrift --json
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "describe",
        help="show the types, methods and services of a service's IDL",
        description="Show a type, a method or a service as the IDL has it, which the service tells "
        "by its reflection (Meta::thriftIDL) or a file has. Without NAME: everything.",
        examples=_EXAMPLES,
    )
    parser.add_argument("service", metavar="SERVICE", help="its name")
    parser.add_argument("name", metavar="NAME", nargs="?", help="what to show")
    add_thrift(parser)
    add_where(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Show it; returns the exit code.

    Raises:
        ToolError: Something is wrong on this side, or nothing is told.

    """
    if options.thrift is not None:
        path = find_file(options.thrift, options.service)
        _print(options, load_file(path, strict=options.strict, include_dirs=options.include_dirs))
        return ExitCode.OK

    async def question(caller: Caller) -> int:
        _print(options, await ask_interface(caller, options.service, strict=options.strict))
        return ExitCode.OK

    return ask(
        "tchannel describe", where_of(options), options.service, question, debug=options.debug
    )


def _print(options: argparse.Namespace, interface: Interface) -> None:
    if options.name is None:
        found = definitions(interface)
        if not found:
            raise ToolError("the IDL has nothing in it")
    else:
        found = {options.name: describe(interface, options.name)}
    if options.json:
        print_document(found)
    else:
        print_text("\n\n".join(found.values()))
