"""Further services of one channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .endpoints import Endpoint, Endpoints
from .fallback import FALLBACK, Fallback
from .meta import add_health
from .schemes import find_scheme
from .schemes.json import JsonArgScheme
from .schemes.raw import RawArgScheme
from .service import marked_methods

if TYPE_CHECKING:
    from .channel import TChannel

__all__ = ["Registering", "SubChannel"]


class Registering:
    """What a channel and its sub-channels share: schemes, and handlers by endpoint."""

    FALLBACK: Fallback = FALLBACK
    """Registered as an endpoint, it takes the calls that no other handler takes, as raw bytes."""

    fallback: Fallback = FALLBACK
    """The same; the name that 0.14 had."""

    endpoints: Endpoints

    def __init__(self) -> None:
        channel = self._channel_of_schemes()
        self.raw: RawArgScheme = RawArgScheme(channel, self.endpoints)
        self.json: JsonArgScheme = JsonArgScheme(channel, self.endpoints)
        self._schemes: dict[str, Any] = {"raw": self.raw, "json": self.json}

    def _channel_of_schemes(self) -> TChannel:
        raise NotImplementedError  # each of the two classes below knows its channel

    if TYPE_CHECKING:
        from tchannel_thrift import ThriftArgScheme

        thrift: ThriftArgScheme
    else:

        @property
        def thrift(self) -> Any:
            """The Thrift arg scheme.

            Raises:
                ModuleNotFoundError: tchannel-thrift is not installed; says how to install it.

            """
            return self.scheme("thrift")

    def scheme(self, name: str) -> Any:
        """Return this channel's arg scheme of that name.

        Raises:
            ModuleNotFoundError: it belongs to a layer that is not installed.
            ValueError: nobody knows such a scheme.

        """
        scheme = self._schemes.get(name)
        if scheme is None:
            scheme = find_scheme(name)(self._channel_of_schemes(), self.endpoints)
            self._schemes[name] = scheme
        return scheme

    def register(
        self,
        scheme: Any,
        endpoint: str | Fallback | None = None,
        handler: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Register a handler; a decorator when ``handler`` is left out.

        Args:
            scheme: name of the arg scheme. `FALLBACK` here takes every call that no other handler
                takes. A Thrift service or module here is ``thrift.register(scheme)``.
            endpoint: by default the handler's name.
            handler: takes the request, returns the answer.
            **kwargs: what the scheme's ``register`` takes besides.

        Returns:
            The handler, or a decorator.

        """
        if scheme is FALLBACK:
            if handler is None:
                return self.raw.register(FALLBACK)
            return self.raw.register(FALLBACK, handler)
        if isinstance(scheme, str):
            return self.scheme(scheme).register(endpoint, handler, **kwargs)
        if hasattr(scheme, "NAME") and hasattr(scheme, "register"):
            return scheme.register(endpoint, handler, **kwargs)
        if handler is not None:
            kwargs["handler"] = handler
        if endpoint is not None:
            kwargs["method"] = endpoint
        return self.scheme("thrift").register(scheme, **kwargs)

    def register_service(self, service: object) -> None:
        """Register every marked method of an object, see `tchannel.service`.

        Raises:
            TypeError: ``service`` is a class.
            ValueError: no method of it is marked.

        """
        found = False
        for scheme, endpoint, method, options in marked_methods(service):
            self.scheme(scheme).register(endpoint, method, **options)
            found = True
        if not found:
            raise ValueError(f"no method of {service!r} is marked as an endpoint")

    def add_endpoint(self, name: str | bytes, endpoint: Endpoint) -> None:
        """Let ``endpoint`` serve the calls of ``name``: what schemes register with."""
        self.endpoints.add(name, endpoint)


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
