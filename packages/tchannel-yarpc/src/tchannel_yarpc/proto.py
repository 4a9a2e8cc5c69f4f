"""The proto encoding, by descriptors: needs the extra ``protobuf``, and no generated services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeVar, overload

from tchannel import Response
from tchannel.errors import BadRequestError
from tchannel.lowlevel import Endpoints

from .calls import CallOptions, YarpcCall, checked_options, start_call
from .extras import protobuf_hint
from .handlers import Body, Handler, Request, make_endpoint
from .messages import MessageCodec, describe_details
from .plain import response_decoder, whole

try:
    from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
except ImportError as _error:
    raise protobuf_hint(_error) from None

if TYPE_CHECKING:
    from typing import Unpack

    from google.protobuf.message import Message

    from tchannel import TChannel
    from tchannel.subchannel import SubChannel

__all__ = ["ProtoEncoding", "ProtoService"]

_HandlerT = TypeVar("_HandlerT", bound=Handler)
_HandlersT = TypeVar("_HandlersT")

_ENCODINGS = ("proto", "json")


def procedure_of(method: MethodDescriptor) -> str:
    """Return the procedure of a method: ``full.package.Service::Method``."""
    return f"{method.containing_service.full_name}::{method.name}"


def is_unary(method: MethodDescriptor) -> bool:
    """Say whether a method takes one message and gives one: nothing else goes over TChannel."""
    return not (method.client_streaming or method.server_streaming)


class ProtoEncoding:
    """Calls and handlers of protobuf services.

    Args:
        channel: Whose calls they are.
        endpoints: Where handlers go.

    """

    NAME: ClassVar[str] = "proto"

    __slots__ = ("_channel", "_endpoints")

    def __init__(self, channel: TChannel | SubChannel, endpoints: Endpoints) -> None:
        self._channel = channel
        self._endpoints = endpoints

    def __call__(
        self,
        descriptor: ServiceDescriptor,
        service: str,
        *,
        as_json: bool = False,
        **options: Unpack[CallOptions],
    ) -> ProtoService:
        """Return a client of a protobuf service.

        Args:
            descriptor: The protobuf service: ``pb2.DESCRIPTOR.services_by_name["Echo"]``.
            service: Name of the YARPC service to call.
            as_json: Send and receive JSON, which YARPC serves under the same names.
            **options: Defaults for its calls, as in `CallOptions`.

        Raises:
            TypeError: ``descriptor`` is none of a service, or an argument has a wrong type.

        """
        return ProtoService(
            self._channel, _checked(descriptor), service, checked_options(options), as_json=as_json
        )

    @overload
    def register(
        self, descriptor: ServiceDescriptor, handler: None = None, method: str | None = None
    ) -> Callable[[_HandlerT], _HandlerT]: ...

    @overload
    def register(
        self, descriptor: ServiceDescriptor, handler: _HandlersT, method: str | None = None
    ) -> _HandlersT: ...

    def register(
        self,
        descriptor: ServiceDescriptor,
        handler: object = None,
        method: str | None = None,
    ) -> object:
        """Register a handler of a method, or an object for all methods of a service.

        ::

            @yarpc.proto.register(ECHO)
            async def Say(request):
                return SayResponse(text=request.body.text)

            yarpc.proto.register(ECHO, EchoHandlers())

        Each is served in the encodings proto and json. What streams is answered as a bad request:
        TChannel carries no streams of messages.

        Args:
            descriptor: The protobuf service: ``pb2.DESCRIPTOR.services_by_name["Echo"]``.
            handler: The handler. It takes a `Request`, whose body is the message, and returns the
                answering message, a `tchannel.Response` around it to send headers, or an awaitable
                of these; it raises a `YarpcError`. An object that cannot be called is a service: its
                methods of the same names are the handlers.
            method: The method; by default the handler's name.

        Returns:
            The handler; without one, a decorator.

        Raises:
            TypeError: ``descriptor`` or ``handler`` is nothing of the kind.
            ValueError: There is no such method, it streams, or an object lacks one.

        """
        _checked(descriptor)
        if handler is None:
            if method is not None:
                _find(descriptor, method)
            return lambda function: self.register(descriptor, function, method)
        if isinstance(handler, type):
            raise TypeError(f"register takes a function or an object: write {handler.__name__}()")
        if callable(handler):
            name = method or getattr(handler, "__name__", None)
            if name is None:
                raise ValueError(f"handler {handler!r} has no name: say method=")
            self._add(_find(descriptor, name), handler)
        else:
            self._add_object(descriptor, handler)
        return handler

    def _add_object(self, descriptor: ServiceDescriptor, handlers: object) -> None:
        found = {
            method: getattr(handlers, method.name, None)
            for method in descriptor.methods
            if is_unary(method)
        }
        missing = [method.name for method, handler in found.items() if not callable(handler)]
        if missing:
            raise ValueError(
                f"{type(handlers).__name__} has no method for these of {descriptor.full_name}:"
                f" {', '.join(missing)}"
            )
        for method in descriptor.methods:
            self._add(method, found.get(method) or _refuse_streams)

    def _add(self, method: MethodDescriptor, handler: Handler) -> None:
        procedure = procedure_of(method)
        for encoding in _ENCODINGS:
            as_json = encoding == "json"
            body = Body(
                MessageCodec(method.input_type, as_json=as_json).decode,
                MessageCodec(method.output_type, as_json=as_json).encode,
                describe_details,
            )
            self._endpoints.add(
                procedure,
                make_endpoint(self._endpoints.service, encoding, procedure, body, handler),
            )


class ProtoService:
    """A client of a protobuf service: its methods are those of the service.

    ::

        echo = yarpc.proto(ECHO, "echo-server")
        response = await echo.Say(SayRequest(text="hello"), headers={"token": "t"})
        response.body.text

    Each takes a message, ``headers=`` and the options of `CallOptions`, and returns a Future of a
    `tchannel.Response` whose body is the answering message.
    """

    # Names begin with an underscore: the others belong to the service.
    def __init__(
        self,
        channel: TChannel | SubChannel,
        descriptor: ServiceDescriptor,
        service: str,
        options: CallOptions,
        *,
        as_json: bool,
    ) -> None:
        self._channel = channel
        self._descriptor = descriptor
        self._service = service
        self._options = options
        self._as_json = as_json

    def __getattr__(self, name: str) -> Callable[..., YarpcCall[Response]]:
        descriptor: ServiceDescriptor | None = self.__dict__.get("_descriptor")
        if descriptor is None or name not in descriptor.methods_by_name:
            # With these two Python adds the name that was probably meant.
            raise AttributeError(f"{self!r} has no method {name!r}", name=name, obj=self)
        method = descriptor.methods_by_name[name]
        if not is_unary(method):
            raise AttributeError(f"{name!r} streams, which TChannel cannot carry", name=name)
        call = self._caller(method)
        # Found without this function from now on.
        setattr(self, name, call)
        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._descriptor.methods_by_name})

    def __repr__(self) -> str:
        descriptor = self.__dict__.get("_descriptor")
        name = descriptor.full_name if descriptor is not None else "?"
        return f"<ProtoService {name} of {self.__dict__.get('_service')!r}>"

    def _caller(self, method: MethodDescriptor) -> Callable[..., YarpcCall[Response]]:
        encoding = "json" if self._as_json else "proto"
        encode = MessageCodec(method.input_type, as_json=self._as_json).encode
        decode = MessageCodec(method.output_type, as_json=self._as_json).decode
        procedure = procedure_of(method)
        response = response_decoder(encoding, self._service, decode)

        def call(
            message: Message,
            headers: Mapping[str, str] | None = None,
            **options: Unpack[CallOptions],
        ) -> YarpcCall[Response]:
            """Call the method; the call starts at once."""
            merged = self._options.copy()
            merged.update(options)
            return start_call(
                self._channel,
                encoding,
                self._service,
                procedure,
                headers,
                encode(message),
                response,
                whole,
                **merged,
            )

        call.__name__ = call.__qualname__ = method.name
        return call


def _refuse_streams(request: Request) -> None:
    raise BadRequestError("transport tchannel does not handle Streaming handlers")


def _checked(descriptor: object) -> ServiceDescriptor:
    if not isinstance(descriptor, ServiceDescriptor):
        raise TypeError(
            'a descriptor of a service is needed: pb2.DESCRIPTOR.services_by_name["Name"];'
            f" this is {descriptor!r:.200}"
        )
    return descriptor


def _find(descriptor: ServiceDescriptor, name: str) -> MethodDescriptor:
    method = descriptor.methods_by_name.get(name)
    if method is None:
        known = ", ".join(descriptor.methods_by_name) or "none"
        raise ValueError(f"{descriptor.full_name} has no method {name!r}; it has: {known}")
    if not is_unary(method):
        raise ValueError(f"{procedure_of(method)} streams, which TChannel cannot carry")
    return method
