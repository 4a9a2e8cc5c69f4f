"""Testing for TChannel: VCR, pytest plugin, doubles and a fault proxy."""

from ._version import __version__

__all__ = ["__version__"]
