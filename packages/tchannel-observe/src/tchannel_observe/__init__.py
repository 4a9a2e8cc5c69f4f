"""Sight of services that speak TChannel: traces, metrics, and a live page.

What is here needs extras, and is imported by its module. Importing this package loads none of them.
"""

from ._version import __version__

__all__ = ["__version__"]
