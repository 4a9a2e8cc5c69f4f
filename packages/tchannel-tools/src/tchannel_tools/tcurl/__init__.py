"""tcurl: calls to TChannel services from the command line, with JSON in and JSON out.

The command is ``tcurl``, or ``python -m tchannel_tools.tcurl``; `main` is the same as a function.
Options, output and exit codes are those of tchannel-node's tool of the same name.
"""

from .command import main

__all__ = ["main"]
