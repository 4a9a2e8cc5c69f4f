"""Further services of one channel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ._serving.endpoints import Endpoints
from ._serving.health import add_health
from ._serving.registering import Registering

if TYPE_CHECKING:
    from .channel import TChannel

__all__ = ["SubChannel"]


class SubChannel(Registering):
    """A further service of a channel: handlers and a caller name of its own.

    Args:
        channel: the channel, whose connections and peers it shares.
        name: the service's name.

    """

    def __init__(self, channel: TChannel, name: str) -> None:
        self._channel = channel
        self.name = name
        self.endpoints = Endpoints(name)
        add_health(self.endpoints)
        super().__init__()

    def _channel_of_schemes(self) -> Any:
        return _Caller(self._channel, self.name)

    def call(self, *args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        """Make a call as `TChannel.call` does, under this sub-channel's name."""
        kwargs.setdefault("caller_name", self.name)
        return self._channel.call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<SubChannel {self.name} of {self._channel!r}>"


class _Caller:
    """The channel as the schemes of a sub-channel see it: calls carry the sub-channel's name."""

    __slots__ = ("_channel", "_name")

    def __init__(self, channel: TChannel, name: str) -> None:
        self._channel = channel
        self._name = name

    def start_call(self, *args: Any) -> asyncio.Future[Any]:
        # caller_name is the 15th argument; who gave one keeps it.
        if args[14] is None:
            args = (*args[:14], self._name, *args[15:])
        return self._channel.start_call(*args)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._channel, attribute)
