"""Serializers of tchannel-python, which arg schemes have inside now."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "each arg scheme reads and writes its own bodies and headers: channel.raw,"
    " channel.json and channel.thrift; a scheme of your own is written on"
    " tchannel.lowlevel (Endpoint, start_call)",
)
