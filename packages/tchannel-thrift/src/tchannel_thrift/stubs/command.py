"""``python -m tchannel_thrift stubs``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..rw import ThriftError
from ..rw.loader import options_of
from .package import write_package, write_stubs


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of ``python -m tchannel_thrift``."""
    parser = commands.add_parser(
        "stubs",
        help="write type stubs for a Thrift file",
        description="Write a .pyi for the module of a Thrift file, and for those it includes.",
    )
    parser.add_argument("file", type=Path, help="the Thrift file")
    target = parser.add_mutually_exclusive_group()
    target.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT.pyi",
        help="where to write the stub (default: beside the Thrift file)",
    )
    target.add_argument(
        "--package",
        type=Path,
        metavar="DIR",
        help="write a package instead: modules that load the file and its includes, and stubs",
    )
    parser.add_argument(
        "--service",
        metavar="NAME",
        help="with --package: let the services make requests to this TChannel service",
    )
    parser.add_argument(
        "-I",
        "--include",
        action="append",
        default=[],
        dest="include_dirs",
        metavar="DIR",
        help="where included files are looked for, after the directory of the including file",
    )
    parser.add_argument(
        "--int-enum", action="store_true", help="enums are enum.IntEnum (default: plain ints)"
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--strict", action="store_true", help="accept only what thriftrw accepts")
    mode.add_argument(
        "--lenient",
        dest="strict",
        action="store_false",
        help="accept what the Apache compiler accepts (default)",
    )
    parser.set_defaults(run=run, strict=False, shown_as="tchannel_thrift")


def run(options: argparse.Namespace) -> int:
    """Write the stubs; returns the exit status."""
    if options.service is not None and options.package is None:
        sys.stderr.write(f"{options.shown_as}: --service needs --package\n")
        return 2
    try:
        how = options_of(
            strict=options.strict, include_dirs=options.include_dirs, int_enum=options.int_enum
        )
        if options.package is not None:
            written = write_package(
                options.file, options.package, options=how, service=options.service
            )
        else:
            written = write_stubs(options.file, options.output, options=how)
    except (OSError, UnicodeDecodeError, ThriftError) as error:
        sys.stderr.write(f"{options.shown_as}: {error}\n")
        return 1
    sys.stdout.writelines(f"{file}\n" for file in written)
    renamed = {source: file for file, source in written.items() if source is not None}
    for source, file in renamed.items():
        if file.stem != source.stem and file != options.output:
            sys.stderr.write(
                f"{options.shown_as}: {source.name} is the module {file.stem}: its own name is no name "
                "in Python, or is taken\n"
            )
    return 0
