"""Messages of the protocol."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "tchannel_wire has them, of the distribution tchannel-wire: CallRequest and its like,"
    " decode(frame) and encode(message)",
)
