"""Requests: calls of Thrift functions that wait to be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from .method import Method, refuse_oneway
from .service import ThriftService, choose, services_in

__all__ = ["RequestBuilder", "ThriftRequest", "thrift_request_builder"]


if TYPE_CHECKING:
    # Checkers bring it along; typing has defaults from 3.13 on. Without a stub, what a function returns
    # is known to the IDL alone: its attributes are those of Any.
    from typing_extensions import TypeVar

    ResultT_co = TypeVar("ResultT_co", default=Any, covariant=True)
else:
    from typing import TypeVar

    ResultT_co = TypeVar("ResultT_co", covariant=True)


class ThriftRequest(Generic[ResultT_co]):
    """A call of a Thrift function, to be given to ``channel.thrift``.

    For type checkers it is generic in what the function returns, as the stubs of an IDL file say it.

    Args:
        service: Name of the TChannel service to call; None where only ``hostport`` is known, with
            which no call can be made.
        method: The function.
        call_args: Its arguments, an object that its Thrift module made.
        hostport: Where to call, instead of one of the peers that the channel knows.

    Attributes:
        service: As given.
        method: As given.
        call_args: As given.
        hostport: As given.

    """

    __slots__ = ("call_args", "hostport", "method", "service")

    # The arguments' class belongs to the user's Thrift module.
    def __init__(
        self, service: str | None, method: Method, call_args: object, hostport: str | None = None
    ) -> None:
        self.service: str | None = service
        self.method: Method = method
        self.call_args: object = call_args
        self.hostport: str | None = hostport

    @property
    def endpoint(self) -> str:
        """The endpoint: ``Service::function``."""
        return self.method.endpoint

    def require_service(self) -> str:
        """Return the service to call.

        Raises:
            ValueError: None is known: the request was made with a ``hostport`` alone.

        """
        if self.service is None:
            raise no_service(self.endpoint)
        return self.service

    @property
    def result_type(self) -> object:
        """The class of the function's result in the Thrift module."""
        return self.method.codec.result_type

    def __repr__(self) -> str:
        return f"ThriftRequest({self.service!r}, {self.endpoint!r}, {self.call_args!r:.200})"


class RequestBuilder:
    """A Thrift service whose functions make requests: ``builder.getValue("foo")``.

    It is made by `thrift_request_builder`, and by `tchannel.thrift.load` for each service of a file.
    It can be registered on a channel as the service itself. Unless Apache's compiler made the
    service, it has ``service_spec`` and its functions have ``name``, ``request``, ``response`` and
    ``spec``, as those of the engine's modules.

    Args:
        thrift_service: The service.
        service: Name of the TChannel service to call; without one, no request can be made.
        hostport: Where to call, instead of one of the peers that the channel knows.

    """

    # All names begin with an underscore: the others belong to the IDL.
    def __init__(
        self, thrift_service: ThriftService, service: str | None, hostport: str | None = None
    ) -> None:
        self._thrift_service = thrift_service
        self._service = service
        self._hostport = hostport

    # Any: the functions are those of the IDL, which checkers know by its stub alone.
    def __getattr__(self, name: str) -> Any:
        thrift_service: ThriftService | None = self.__dict__.get("_thrift_service")
        if thrift_service is None or not thrift_service.has(name):
            if thrift_service is not None and name == "service_spec" and thrift_service.spec:
                return thrift_service.spec
            # With these two Python adds the name that was probably meant.
            raise AttributeError(f"{self!r} has no function {name!r}", name=name, obj=self)
        if thrift_service.is_oneway(name):
            maker: Callable[..., ThriftRequest] = _oneway_refuser(thrift_service.name, name)
        else:
            maker = _request_maker(thrift_service.method(name), self._service, self._hostport)
        surface = thrift_service.surface(name)
        if surface is not None:
            # What the function of the engine's own module has.
            vars(maker).update(
                name=surface.name,
                request=surface.request,
                response=surface.response,
                spec=surface.spec,
            )
        # Found without this function from now on.
        setattr(self, name, maker)
        return maker

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._thrift_service.method_names()})

    def __repr__(self) -> str:
        thrift_service = self.__dict__.get("_thrift_service")
        name = thrift_service.name if thrift_service is not None else "?"
        return f"<RequestBuilder of {name} for service {self.__dict__.get('_service')!r}>"


def _request_maker(
    method: Method, service: str | None, hostport: str | None
) -> Callable[..., ThriftRequest]:
    new_args = method.codec.new_args

    def make_request(*args: object, **kwargs: object) -> ThriftRequest:
        """Make a request of the function's arguments, checked against the IDL."""
        if not service and not hostport:
            raise no_service(method.endpoint)
        return ThriftRequest(service or None, method, new_args(*args, **kwargs), hostport)

    make_request.__name__ = make_request.__qualname__ = method.name
    return make_request


def no_service(endpoint: str) -> ValueError:
    """Return the error for a call of nobody."""
    name = endpoint.partition("::")[0]
    return ValueError(
        f'{endpoint}: no service to call is known; give service="..." where {name} is loaded'
    )


def _oneway_refuser(service: str, name: str) -> Callable[..., NoReturn]:
    # By the call rather than the look at it: tools look at every attribute of an object.
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise refuse_oneway(service, name)

    return refuse


def thrift_request_builder(
    service: str,
    thrift_module: object,
    hostport: str | None = None,
    thrift_class_name: str | None = None,
) -> RequestBuilder:
    """Provide TChannel compatibility with Thrift modules: functions that make requests.

    ::

        KeyValueClient = thrift_request_builder(
            service="keyvalue-server",
            thrift_module=KeyValue,
        )
        response = await channel.thrift(KeyValueClient.getValue("foo"))

    Args:
        service: Name of the service to call.
        thrift_module: The module that Apache's compiler made for the Thrift service; or a service,
            or a module, of `tchannel.thrift.load`, of the engine or of thriftrw.
        hostport: Where to call, instead of one of the peers that the channel knows.
        thrift_class_name: The name of the Thrift service: for an Apache module the one to put into
            the endpoints, if it differs from the module's; for others the service of the module.

    Returns:
        A `RequestBuilder`. Its functions raise TypeError and ValueError for arguments that do not
        fit, and OneWayNotSupportedError for oneway functions.

    Raises:
        TypeError: ``thrift_module`` is none of these, or ``service`` is no str.
        ValueError: There is no such Thrift service, or more than one; ``service`` is empty.

    """
    if not isinstance(service, str):
        raise TypeError(f"service must be a str, not {service!r}")
    if not service:
        raise ValueError("service must not be empty")
    return RequestBuilder(choose(services_in(thrift_module), thrift_class_name), service, hostport)
