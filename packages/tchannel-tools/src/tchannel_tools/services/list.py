"""``tchannel list``: what a service offers."""

from __future__ import annotations

import argparse

from .._calling.asking import ask
from .._calling.calls import Caller
from .._calling.introspection import Introspection, introspect
from .._calling.options import add_common, add_where, where_of
from .._calling.reflection import ask_interface
from .._idl.interface import Interface, add_reading, find_file, load_file
from .._idl.listing import list_services, services_document
from .._terminal.failures import CallFailed, ExitCode, ToolError, one_line
from .._terminal.output import print_document, print_note, print_text
from .._terminal.parsing import Commands, Parser, add_command

__all__ = ["add_parser", "add_thrift"]

_COMMAND = "tchannel list"
_EXAMPLES = """
tchannel list keyvalue -p 127.0.0.1:4040
tchannel list keyvalue --router 127.0.0.1:21300 --json
tchannel list -p 127.0.0.1:4040
tchannel list -t keyvalue.thrift
"""


def add_parser(commands: Commands[Parser]) -> None:
    """Add the command to ``tchannel``."""
    parser = add_command(
        commands,
        "list",
        help="list what a service offers, or the services of a process",
        description="List the methods of a service by its reflection (Meta::thriftIDL), and what "
        "else it serves where the process tells (_gometa_introspect). Without SERVICE: the services "
        "of the process. Who serves a name, a router knows: see discover and routes.",
        examples=_EXAMPLES,
    )
    parser.add_argument("service", metavar="SERVICE", nargs="?", help="its name")
    add_thrift(parser)
    add_where(parser)
    add_common(parser)
    parser.set_defaults(run=run)


def add_thrift(parser: argparse.ArgumentParser) -> None:
    """Add the options for an IDL from a file."""
    add = parser.add_argument_group("thrift").add_argument
    add(
        *("-t", "--thrift"),
        metavar="PATH",
        help="a Thrift file, or a folder with SERVICE.thrift; else the service is asked for its IDL",
    )
    add_reading(add)


def run(options: argparse.Namespace) -> int:
    """List; returns the exit code.

    Raises:
        ToolError: Something is wrong on this side, or nothing is told.

    """
    if options.thrift is not None:
        path = find_file(options.thrift, options.service or "")
        interface = load_file(path, strict=options.strict, include_dirs=options.include_dirs)
        _print(options, interface, [])
        return ExitCode.OK
    where = where_of(options)
    service = options.service

    async def services(caller: Caller) -> int:
        told = await introspect(caller)
        if options.json:
            print_document({"services": told.endpoints()})
            return ExitCode.OK
        for name, endpoints in sorted(told.endpoints().items()):
            print_text(f"{one_line(name)}  {_count(endpoints)}")
        return ExitCode.OK

    async def methods(caller: Caller) -> int:
        interface: Interface | None = None
        try:
            interface = await ask_interface(caller, service, strict=options.strict)
        except ToolError as error:
            told = await _introspect_or_none(caller)
            endpoints = [] if told is None else told.endpoints().get(service, [])
            if not endpoints:
                raise
            print_note(_COMMAND, str(error))
        else:
            told = await _introspect_or_none(caller)
            endpoints = [] if told is None else told.endpoints().get(service, [])
        known = {} if interface is None else interface.endpoints()
        _print(options, interface, [one for one in endpoints if one not in known])
        return ExitCode.OK

    if service is None:
        return ask(_COMMAND, where, "tchannel", services, debug=options.debug)
    return ask(_COMMAND, where, service, methods, debug=options.debug)


async def _introspect_or_none(caller: Caller) -> Introspection | None:
    try:
        return await introspect(caller)
    except (CallFailed, ToolError):
        return None  # few tell


def _count(endpoints: list[str]) -> str:
    return f"{len(endpoints)} endpoint{'' if len(endpoints) == 1 else 's'}"


def _print(options: argparse.Namespace, interface: Interface | None, others: list[str]) -> None:
    if options.json:
        document = {"services": {}} if interface is None else services_document(interface)
        print_document(document | {"endpoints": others})
        return
    if interface is not None:
        print_text(list_services(interface))
    if others:
        if interface is not None:
            print_text("")
        print_text("without an IDL:")
        for name in others:
            print_text(f"  {one_line(name)}")
