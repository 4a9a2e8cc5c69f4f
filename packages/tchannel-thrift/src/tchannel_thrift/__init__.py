"""Thrift for TChannel: an engine that needs no compiler, and the Thrift arg scheme."""

from ._version import __version__

__all__ = ["__version__"]
