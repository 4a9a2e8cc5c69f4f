"""Deprecations of tchannel-python."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "warnings.warn(text, DeprecationWarning, stacklevel=2) of the standard library does"
    " what it did",
)
