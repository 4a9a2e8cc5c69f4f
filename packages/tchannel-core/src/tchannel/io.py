"""Buffers of tchannel-python."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "io.BytesIO of the standard library does what it did",
)
