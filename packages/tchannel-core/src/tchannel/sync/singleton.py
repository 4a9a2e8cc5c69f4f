"""One sync channel per thread, prepared once."""

from ..singleton import Singleton
from . import client

__all__ = ["TChannel"]


class TChannel(Singleton[client.TChannel]):
    """One `tchannel.sync.TChannel` per thread."""

    tchannel_cls = client.TChannel
