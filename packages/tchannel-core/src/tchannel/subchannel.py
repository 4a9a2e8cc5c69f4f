"""Further services of one channel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from ._calls.calling import Calling
from ._calls.on_bytes import CallsOnBytes
from ._calls.pending import PendingCall
from ._ground.text import shown
from ._serving.endpoints import Endpoints
from ._serving.meta import add_meta
from ._serving.registering import Registering

if TYPE_CHECKING:
    from .channel import TChannel

__all__ = ["SubChannel"]

# Where the arg schemes, which pass all of them by position, put `caller_name`.
_CALLER_NAME: Final = Calling.start_call.__code__.co_varnames.index("caller_name") - 1


class SubChannel(CallsOnBytes, Registering):
    """A further service of a channel: handlers and a caller name of its own.

    Args:
        channel: the channel, whose connections and peers it shares.
        name: the service's name.

    """

    def __init__(self, channel: TChannel, name: str) -> None:
        self._channel = channel
        self.name = name
        endpoints = Endpoints(name)
        add_meta(endpoints, channel.options.meta_endpoints)
        Registering.__init__(self, endpoints)

    def _channel_of_schemes(self) -> TChannel:
        return cast("TChannel", _Caller(self))

    @property
    def start_call(self) -> Callable[..., PendingCall[Any]]:  # of whatever the scheme decodes
        """Starts a call as `TChannel.start_call` does, under this sub-channel's name."""
        return partial(_start_call, self._channel.start_call, self.name)

    @property
    def channel(self) -> TChannel:
        """The channel that it is a service of."""
        return self._channel

    def __repr__(self) -> str:
        return f"<SubChannel {shown(self.name)} of {self._channel!r}>"


class _Caller:
    """The channel as the schemes of a sub-channel see it: calls carry the sub-channel's name."""

    __slots__ = ("_channel", "start_call")

    def __init__(self, subchannel: SubChannel) -> None:
        self._channel = subchannel._channel  # noqa: SLF001  # a part of it
        self.start_call = subchannel.start_call

    def __getattr__(self, attribute: str) -> object:
        return getattr(self._channel, attribute)


# Any: the arguments of the real one.
def _start_call(
    start_call: Callable[..., PendingCall[Any]], caller_name: str, *args: Any, **kwargs: Any
) -> PendingCall[Any]:
    if len(args) <= _CALLER_NAME:
        if kwargs.get("caller_name") is None:
            kwargs["caller_name"] = caller_name
    elif args[_CALLER_NAME] is None:  # who gave one keeps it
        args = (*args[:_CALLER_NAME], caller_name, *args[_CALLER_NAME + 1 :])
    return start_call(*args, **kwargs)
