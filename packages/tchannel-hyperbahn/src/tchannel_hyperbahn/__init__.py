"""Hyperbahn for TChannel: advertise, discover, peer sources and a development router."""

from ._version import __version__

__all__ = ["__version__"]
