"""``python -m tchannel_thrift stubs``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..rw import ThriftError
from .package import PackageError, write_package, write_stubs


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
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--strict", action="store_true", help="accept only what thriftrw accepts")
    mode.add_argument(
        "--lenient",
        dest="strict",
        action="store_false",
        help="accept what the Apache compiler accepts (default)",
    )
    parser.set_defaults(run=run, strict=False)


def run(options: argparse.Namespace) -> int:
    """Write the stubs; returns the exit status."""
    if options.service is not None and options.package is None:
        sys.stderr.write("tchannel_thrift: --service needs --package\n")
        return 2
    try:
        if options.package is not None:
            written = write_package(
                options.file, options.package, strict=options.strict, service=options.service
            )
        else:
            target = options.output or options.file.with_suffix(".pyi")
            written = write_stubs(options.file, target, strict=options.strict)
    except (OSError, UnicodeDecodeError, ThriftError, PackageError) as error:
        sys.stderr.write(f"tchannel_thrift: {error}\n")
        return 1
    sys.stdout.writelines(f"{file}\n" for file in written)
    return 0
