"""One channel per thread, prepared once."""

import threading
from typing import ClassVar, Generic, TypeVar

from .channel import TChannel as AsyncTChannel
from .errors import SingletonNotPreparedError

__all__ = ["TChannel"]

_ChannelT = TypeVar("_ChannelT")


class Singleton(Generic[_ChannelT]):
    """Keeps the arguments of a channel, and makes one channel of them for each thread."""

    tchannel_cls: type[_ChannelT]
    _arguments: ClassVar[tuple[tuple[object, ...], dict[str, object]] | None] = None
    _of_thread: ClassVar[threading.local] = threading.local()

    def __init_subclass__(cls) -> None:
        cls._of_thread = threading.local()

    # The arguments are those of the channel's class.
    @classmethod
    def prepare(cls, *args: object, **kwargs: object) -> None:
        """Keep the arguments for channels that `get_instance` will make."""
        cls._arguments = args, kwargs

    @classmethod
    def get_instance(cls) -> _ChannelT:
        """Return the channel of this thread; the first time it is made.

        Raises:
            SingletonNotPreparedError: `prepare` was not called, or undone by `reset`.

        """
        arguments = cls._arguments  # once: another thread may reset them
        if arguments is None:
            raise SingletonNotPreparedError("prepare must be called before get_instance")
        channel: _ChannelT | None = getattr(cls._of_thread, "channel", None)
        if channel is None:
            args, kwargs = arguments
            channel = cls._of_thread.channel = cls.tchannel_cls(*args, **kwargs)
        return channel

    @classmethod
    def reset(cls) -> None:
        """Undo `prepare`, and forget the channels of all threads; they are not closed."""
        cls._arguments = None
        cls._of_thread = threading.local()


class TChannel(Singleton[AsyncTChannel]):
    """One `tchannel.TChannel` per thread."""

    tchannel_cls = AsyncTChannel
