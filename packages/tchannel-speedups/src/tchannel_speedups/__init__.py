"""Native ways of what is hottest in TChannel for Python.

Nothing need be done but to install it: the packages look for it when they are imported, and put the
native ways in place of their own. `active` says what runs where. With ``TCHANNEL_PURE=1`` in the
environment everything runs in Python.
"""

from ._version import __version__
from .parts import LAYOUTS, active, offer

__all__ = ["LAYOUTS", "__version__", "active", "offer"]
