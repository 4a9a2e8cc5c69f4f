"""Commands: ``python -m tchannel_thrift stubs service.thrift``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .stubs.command import add_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tchannel_thrift", description="Tools for Thrift files."
    )
    add_parser(parser.add_subparsers(required=True, metavar="COMMAND"))
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
