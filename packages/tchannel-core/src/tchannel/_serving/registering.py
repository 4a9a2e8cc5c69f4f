"""Registering handlers: what a channel and its sub-channels have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from ..schemes import find_scheme
from ..schemes.json import JsonArgScheme
from ..schemes.raw import RawArgScheme
from ..service import marked_methods
from .endpoints import Endpoint, Endpoints
from .fallback import FALLBACK, Fallback

if TYPE_CHECKING:
    from ..channel import TChannel

__all__ = ["Registering"]

_HandlerT = TypeVar("_HandlerT", bound=Callable[..., object])


_SCHEMES: Final = frozenset({"raw", "json", "thrift"})


def _must_come_first(scheme: str, endpoint: object) -> None:
    if isinstance(endpoint, str) and endpoint in _SCHEMES and scheme not in _SCHEMES:
        raise TypeError(
            "register takes the scheme first, since 0.16: write "
            f"register({endpoint!r}, {scheme!r}, ...)"
        )


class Registering:
    """What a channel and its sub-channels share: schemes, and handlers by endpoint."""

    FALLBACK: Fallback = FALLBACK
    """Registered as an endpoint, it takes the calls that no other handler takes, as raw bytes."""

    fallback: Fallback = FALLBACK
    """The same; the name that 0.14 had."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        channel = self._channel_of_schemes()
        self.raw: RawArgScheme = RawArgScheme(channel, self.endpoints)
        self.json: JsonArgScheme = JsonArgScheme(channel, self.endpoints)
        self._schemes: dict[str, object] = {"raw": self.raw, "json": self.json}

    @property
    def endpoints(self) -> Endpoints:
        """The handlers, by endpoint."""
        return self._endpoints

    def _channel_of_schemes(self) -> TChannel:
        raise NotImplementedError  # each of the two classes below knows its channel

    if TYPE_CHECKING:
        from tchannel_thrift import ThriftArgScheme

        thrift: ThriftArgScheme
    else:

        @property
        def thrift(self) -> object:
            """The Thrift arg scheme.

            Raises:
                ModuleNotFoundError: tchannel-thrift is not installed; says how to install it.

            """
            return self.scheme("thrift")

    # Any: a scheme of any package; each has methods of its own.
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

    @overload
    def register(
        self,
        scheme: object,
        endpoint: str | Fallback | None = None,
        handler: None = None,
        **kwargs: object,
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(
        self,
        scheme: object,
        endpoint: str | Fallback | None,
        handler: _HandlerT,
        **kwargs: object,
    ) -> _HandlerT: ...

    @overload
    def register(
        self, scheme: object, endpoint: _HandlerT, handler: None = None, **kwargs: object
    ) -> _HandlerT: ...

    # Any: to pyright, what has `register` by hasattr has none. Users see the overloads.
    def register(
        self,
        scheme: Any,
        endpoint: str | Fallback | Callable[..., object] | None = None,
        handler: Callable[..., object] | None = None,
        **kwargs: object,
    ) -> object:
        """Register a handler; a decorator when ``handler`` is left out.

        Args:
            scheme: name of the arg scheme. `FALLBACK` here takes every call that no other handler
                takes. A Thrift service or module here is ``thrift.register(scheme)``.
            endpoint: by default the handler's name; the handler itself may stand here.
            handler: takes the request, returns the answer.
            **kwargs: what the scheme's ``register`` takes besides.

        Returns:
            The handler, or a decorator.

        """
        if handler is None and callable(endpoint):
            endpoint, handler = None, endpoint
        if scheme is FALLBACK:
            if handler is None:
                return self.raw.register(FALLBACK)
            return self.raw.register(FALLBACK, handler)
        if isinstance(scheme, str):
            _must_come_first(scheme, endpoint)
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
