"""The Thrift arg scheme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar, overload

from tchannel.event import EventType
from tchannel.lowlevel import Endpoint, start_watched

from .handlers import ServiceOf
from .headers import NO_HEADERS, encode_headers
from .meta_endpoints import MetaEndpoints
from .method import Method, refuse_oneway
from .request import RequestBuilder, ThriftRequest
from .service import ThriftService, choose, services_in

if TYPE_CHECKING:
    from types import ModuleType

    from tchannel import PendingCall, Response, TChannel
    from tchannel.lowlevel import Endpoints, Handler, Timeout, Trace
    from tchannel.subchannel import SubChannel

__all__ = ["ThriftArgScheme", "register"]

_HandlerT = TypeVar("_HandlerT", bound=Callable[..., object])
_HandlersT = TypeVar("_HandlersT")
_ResultT = TypeVar("_ResultT")

_BEFORE_HEADERS = EventType.before_serialize_request_headers


class ThriftArgScheme:
    """Handler registration and serialization for Thrift.

    To register a Thrift handler::

        @channel.thrift.register(KeyValue)
        def getValue(request):
            return values[request.body.key]

    To call a remote service, with a request of `thrift_request_builder` or of `load`::

        response = await channel.thrift(KeyValueClient.getValue("foo"))

    Args:
        channel: Whose calls they are.
        endpoints: Where handlers go; by default the channel's own.

    """

    NAME: ClassVar[str] = "thrift"

    __slots__ = ("_channel", "_endpoints", "_meta", "_start_call")

    def __init__(self, channel: TChannel, endpoints: Endpoints | None = None) -> None:
        self._channel = channel
        self._start_call = channel.start_call
        self._endpoints = endpoints if endpoints is not None else channel.endpoints
        self._meta = MetaEndpoints(
            self._endpoints, idl="thriftIDL" in channel.options.meta_endpoints
        )

    @overload
    def __call__(
        self,
        request: ThriftRequest[_ResultT],
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        hostport: str | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        routing_key: str | None = None,
    ) -> PendingCall[Response[_ResultT, dict[str, str]]]: ...

    # A Thrift module, too: the user's document shows the decorator `@channel.thrift(Module)`.
    @overload
    def __call__(
        self, request: RequestBuilder | ModuleType | type[object]
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    def __call__(
        self,
        request: ThriftRequest[object] | RequestBuilder | ModuleType | type[object],
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        hostport: str | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        routing_key: str | None = None,
    ) -> object:
        """Call a Thrift function; the call starts at once.

        Args:
            request: A `ThriftRequest`: what a function of a `RequestBuilder` returns. With a Thrift
                service or module instead, this is `register`.
            headers: Application headers, str to str.
            timeout: Seconds for one attempt; default 30.
            retry_on: What to retry on, see `tchannel.retry`; default ``c``.
            retry_limit: Attempts after the first; default 4, with ``hostport`` 0.
            shard_key: For routers and services that shard.
            trace: Whether to trace this call; by default what the channel does.
            hostport: The peer to call, instead of the request's, or of one of those that the channel
                knows.
            routing_delegate: The service that a router sends the call to instead.
            caller_name: Who calls; by default the channel's name.
            deadline: Seconds for the whole call with its retries; default none.
            routing_key: The group of instances, a canary say, that a router may prefer.

        Returns:
            A Future of the Response; its body is what the function returns, None for void.

        Raises:
            TypeError: ``request`` is no request, or holds a value of a wrong type: the message names
                struct and field.
            ValueError: Headers that are not str to str, a value that is out of range, or a request that
                names no service.
            Exception: (from the Future) the declared exception that the handler raised.
            ValueExpectedError: (from the Future) the answer lacks the value.
            ReadError: (from the Future) the answer cannot be decoded; UndeclaredExceptionError, if
                it is an exception that the IDL does not declare.
            TChannelError: (from the Future) whatever else went wrong with the call.

        """
        if not isinstance(request, ThriftRequest):
            options = (headers, timeout, retry_on, retry_limit, shard_key, trace, hostport)
            others = (routing_delegate, caller_name, deadline, routing_key)
            return self._register_called(request, (*options, *others))
        method = request.method
        service = request.service or request.require_service()
        start_call = self._start_call
        if self._channel.hooks.event_emitter.callbacks[_BEFORE_HEADERS]:
            start_call = partial(start_watched, self._channel, headers, encode_headers)
            headers = None
        return start_call(
            "thrift",
            service,
            method.endpoint,
            encode_headers(headers) if headers is not None else NO_HEADERS,
            method.codec.dump_args(request.call_args),
            method.decode_response,
            timeout,
            retry_on,
            retry_limit,
            routing_delegate,
            hostport if hostport is not None else request.hostport,
            shard_key,
            None,
            trace,
            caller_name,
            deadline,
            False,
            routing_key,
        )

    # Whatever somebody took for a request; the decorator of `register` is none of the call's types.
    def _register_called(self, thrift_module: object, options: tuple[object, ...]) -> object:
        """Do what the document's other way to write `register` means."""
        if any(option is not None for option in options) or not _is_thrift_module(thrift_module):
            raise TypeError(
                "channel.thrift takes a request, made by calling a function of a service of"
                " tchannel.thrift.load or of thrift_request_builder, such as"
                " KeyValue.getValue(...); or, as a decorator of a handler, nothing but a Thrift"
                f" service or module; this is {thrift_module!r:.200}"
            )
        return self.register(thrift_module)

    @overload
    def register(
        self,
        thrift_module: object,
        handler: None = None,
        method: str | None = None,
        service: str | None = None,
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(
        self,
        thrift_module: object,
        handler: _HandlerT,
        method: str | None = None,
        service: str | None = None,
        *,
        module: object = None,
    ) -> _HandlerT: ...

    # A service of a stub says what its handlers have to be.
    @overload
    def register(self, thrift_module: ServiceOf[_HandlersT], handler: _HandlersT) -> _HandlersT: ...

    @overload
    def register(
        self,
        thrift_module: ModuleType | RequestBuilder,
        handler: _HandlersT,
        *,
        service: str | None = None,
    ) -> _HandlersT: ...

    def register(
        self,
        thrift_module: object,
        handler: object = None,
        method: str | None = None,
        service: str | None = None,
        *,
        module: object = None,
    ) -> object:
        """Register a handler for a function of a Thrift service, or an object for all of them.

        ::

            @channel.thrift.register(KeyValue)
            def getValue(request): ...

            @channel.thrift.register(KeyValue, method="getValue")
            def find(request): ...

            channel.thrift.register(KeyValue, handler=find, method="getValue")
            channel.thrift.register(KeyValue, KeyValueHandlers())

        Args:
            thrift_module: A service or a module of `load`, of the engine, of thriftrw or of Apache's
                compiler.
            handler: The handler. It takes the request, whose body has the arguments as attributes,
                and returns the result, a dict where the IDL has a struct, a Response around either
                to send headers, or an awaitable of these. An object that cannot be called is a
                service: its methods of the functions' names are the handlers.
            method: The function; by default the handler's name.
            service: The service, where a module has several; the name that an Apache module's
                service has in the endpoints, if it is not the module's.
            module: The Thrift module, where ``thrift_module`` is the name of a function: what
                ``@tchannel.service.endpoint("thrift", module=KeyValue)`` passes.

        Returns:
            The handler itself; without one, a decorator.

        Raises:
            TypeError: ``thrift_module`` or ``handler`` is nothing of the kind.
            ValueError: There is no such service or function, or it is not clear which is meant, or
                an object lacks a handler for a function.
            OneWayNotSupportedError: The function is oneway.

        """
        return self._register(thrift_module, handler, method, service, module)

    def _register(
        self,
        thrift_module: object,
        handler: object,
        method: str | None,
        service: str | None,
        module: object = None,
    ) -> object:
        if isinstance(thrift_module, str):
            if module is None:
                raise TypeError(
                    f"the handler of {thrift_module!r} needs its Thrift module: register(module), or"
                    ' @tchannel.service.endpoint("thrift", module=...)'
                )
            method = method or thrift_module
            thrift_module = module
        services = services_in(thrift_module)
        if handler is None:
            if service is not None or method is not None:
                self._check(choose(services, service, method), method)
            return lambda function: self._add(services, function, method, service)
        if not callable(handler):
            self._add_object(choose(services, service), handler)
            return handler
        return self._add(services, handler, method, service)

    def _check(self, thrift_service: ThriftService, method: str | None) -> None:
        """Refuse a function that cannot be served where it is named, before there is a handler."""
        if method is not None:
            thrift_service.method(method)

    def _add(
        self,
        services: list[ThriftService],
        handler: Handler,
        method: str | None,
        service: str | None,
    ) -> Handler:
        if not callable(handler):
            raise TypeError(f"handler must be callable, not {handler!r}")
        if isinstance(handler, type) and method is None:
            raise TypeError(f"register takes a function or an object: write {handler.__name__}()")
        name = method or getattr(handler, "__name__", None)
        if name is None:
            raise ValueError(f"handler {handler!r} has no name: say method=")
        self._add_handler(choose(services, service, name), name, handler)
        return handler

    def _add_object(self, thrift_service: ThriftService, handlers: object) -> None:
        names = thrift_service.method_names()
        found = {name: getattr(handlers, name, None) for name in names}
        missing = [
            name
            for name, handler in found.items()
            if not callable(handler) and not thrift_service.is_oneway(name)
        ]
        if missing:
            raise ValueError(
                f"{type(handlers).__name__} has no method for these functions of"
                f" {thrift_service.name}: {', '.join(missing)}"
            )
        for name, handler in found.items():
            if handler is not None and thrift_service.is_oneway(name):
                raise refuse_oneway(thrift_service.name, name)
        for name, handler in found.items():
            if handler is not None:
                self._add_handler(thrift_service, name, handler)

    def _add_handler(self, thrift_service: ThriftService, name: str, handler: Handler) -> None:
        method = thrift_service.method(name)
        self._endpoints.add(method.endpoint, self.make_endpoint(method, handler))
        self._meta.served(thrift_service)

    def make_endpoint(self, method: Method, handler: Handler) -> Endpoint:
        """Return what serves the calls of a function: where conventions on top of Thrift come in."""
        return Endpoint(
            self.NAME,
            handler,
            method.decode_request,
            method.encode_result,
            method.encode_error,
        )


def _is_thrift_module(thrift_module: object) -> bool:
    try:
        services_in(thrift_module)
    except TypeError:
        return False
    except ValueError:
        return True  # but without services, which `register` says
    return True


@overload
def register(
    channel: TChannel | SubChannel,
    thrift_module: object,
    handler: None = None,
    method: str | None = None,
    service: str | None = None,
) -> Callable[[_HandlerT], _HandlerT]: ...


@overload
def register(
    channel: TChannel | SubChannel,
    thrift_module: object,
    handler: _HandlerT,
    method: str | None = None,
    service: str | None = None,
) -> _HandlerT: ...


@overload
def register(
    channel: TChannel | SubChannel, thrift_module: ServiceOf[_HandlersT], handler: _HandlersT
) -> _HandlersT: ...


@overload
def register(
    channel: TChannel | SubChannel,
    thrift_module: ModuleType | RequestBuilder,
    handler: _HandlersT,
    *,
    service: str | None = None,
) -> _HandlersT: ...


def register(
    channel: TChannel | SubChannel,
    thrift_module: object,
    handler: object = None,
    method: str | None = None,
    service: str | None = None,
) -> object:
    """Register a handler on a channel: `ThriftArgScheme.register` as a function.

    Args:
        channel: The channel, or a sub-channel of it.
        thrift_module: As there.
        handler: As there.
        method: As there.
        service: As there.

    Returns:
        The handler; without one, a decorator.

    Raises:
        TypeError, ValueError, OneWayNotSupportedError: As there.

    """
    return channel.thrift._register(thrift_module, handler, method, service)
