"""One sync channel per thread, prepared once."""

from typing import ClassVar

from ..singleton import Singleton
from . import client

__all__ = ["TChannel"]


class TChannel(Singleton[client.TChannel]):
    """One `tchannel.sync.TChannel` per thread."""

    tchannel_cls: ClassVar[type[client.TChannel]] = client.TChannel
