"""Command-line tools for TChannel, whatever language the services are written in.

Each command is a package of its own: ``tcurl`` makes calls.
"""

from ._version import __version__

__all__ = ["__version__"]
