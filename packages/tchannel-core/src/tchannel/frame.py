"""Frames of the protocol."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "tchannel_wire has them, of the distribution tchannel-wire: tchannel_wire.Frame",
)
