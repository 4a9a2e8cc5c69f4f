"""The enum function of tchannel-python."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "enum.Enum of the standard library does what it did",
)
