"""Bodies of Apache structs."""

from .._ground.replaced import replaced

raise replaced(
    __name__,
    "channel.thrift reads and writes the bodies; tchannel_thrift.rw has dumps and loads"
    " of its own modules",
)
