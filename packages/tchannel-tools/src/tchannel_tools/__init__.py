"""Command-line tools for TChannel, whatever language the services are written in.

Each command is a package of its own, which has its options and says what it does: ``tcurl`` makes calls.
What commands share stands in the wings behind them, each on those after it: ``_calling`` makes calls,
``_idl`` and ``_values`` know Thrift interfaces and bodies, ``_terminal`` errors, exit codes and output.
"""

from ._version import __version__

__all__ = ["__version__"]
