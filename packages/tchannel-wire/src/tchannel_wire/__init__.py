"""TChannel frames, messages, checksums and a sans-IO connection, without dependencies."""

from ._version import __version__

__all__ = ["__version__"]
