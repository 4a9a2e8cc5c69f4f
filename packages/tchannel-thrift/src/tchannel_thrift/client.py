"""Clients whose methods are the functions of a Thrift service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypedDict

import tchannel_wire as wire

from .request import RequestBuilder, ThriftRequest
from .service import ThriftService, choose, services_in

if TYPE_CHECKING:
    from tchannel import Response, TChannel
    from tchannel.lowlevel import Trace

__all__ = ["client_for"]

# Transport headers that a caller may set, and the arguments of a call that set them.
_Argument: TypeAlias = Literal[
    "caller_name", "routing_delegate", "retry_on", "routing_key", "shard_key"
]
_ARGUMENTS: Final[dict[str, _Argument]] = {
    wire.CALLER_NAME: "caller_name",
    wire.ROUTING_DELEGATE: "routing_delegate",
    wire.RETRY_FLAGS: "retry_on",
    wire.ROUTING_KEY: "routing_key",
    wire.SHARD_KEY: "shard_key",
}


class _Options(TypedDict, total=False):
    """Arguments of every call of a client."""

    caller_name: str
    routing_delegate: str
    retry_on: str
    routing_key: str
    shard_key: str
    trace: Trace


class _Client:
    """A client of a Thrift service; subclassed by `client_for`, once for each service."""

    # Names begin with an underscore: the others belong to the IDL.
    _thrift_service: ClassVar[ThriftService]
    _service: ClassVar[str]

    def __init__(
        self,
        tchannel: TChannel,
        hostport: str | None = None,
        trace: Trace = False,
        protocol_headers: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(tchannel, type) or not hasattr(tchannel, "thrift"):
            raise TypeError(f"{type(self).__name__} takes a channel, not {tchannel!r:.200}")
        self._tchannel = tchannel
        self._requests = RequestBuilder(self._thrift_service, self._service, hostport)
        self._options = _call_options(protocol_headers)
        if trace:
            self._options["trace"] = trace

    # Any: the functions are those of the IDL, which checkers do not know.
    def __getattr__(self, name: str) -> Any:
        if not self._thrift_service.has(name):
            service = self._thrift_service.name
            # With these two Python adds the name that was probably meant.
            raise AttributeError(f"service {service} has no function {name!r}", name=name, obj=self)
        method = _caller(self._tchannel, getattr(self._requests, name), self._options)
        # Found without this function from now on.
        setattr(self, name, method)
        return method

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._thrift_service.method_names()})


def _caller(
    tchannel: TChannel, make_request: Callable[..., ThriftRequest], options: _Options
) -> Callable[..., asyncio.Future[object]]:
    def call(*args: object, **kwargs: object) -> asyncio.Future[object]:
        return _Result(tchannel.thrift(make_request(*args, **kwargs), **options))

    return call


class _Result(asyncio.Future[object]):
    """The body of a call's response; cancelling it cancels the call."""

    __slots__ = ("_call",)

    def __init__(self, call: asyncio.Future[Response]) -> None:
        super().__init__(loop=call.get_loop())
        self._call: asyncio.Future[Response] | None = call
        call.add_done_callback(self._take, context=Context())

    def cancel(self, msg: object | None = None) -> bool:
        """Cancel the call."""
        if self._call is not None:
            self._call.cancel(msg)
        return super().cancel(msg)

    def _take(self, call: asyncio.Future[Response]) -> None:
        self._call = None
        if self.done():
            return
        if call.cancelled():
            super().cancel()
            return
        error = call.exception()
        if error is None:
            self.set_result(call.result().body)
        else:
            self.set_exception(error)
            # Looked at once, so that an ignored call makes no "never retrieved" noise.
            self.exception()


def _call_options(protocol_headers: Mapping[str, str] | None) -> _Options:
    options: _Options = {}
    for key, value in (protocol_headers or {}).items():
        if key == wire.ARG_SCHEME and value == "thrift":
            continue
        if key not in _ARGUMENTS:
            raise ValueError(
                f"protocol_headers cannot set {key!r} to {value!r}; they set"
                f" {', '.join(sorted(_ARGUMENTS))}"
            )
        options[_ARGUMENTS[key]] = value
    return options


# Any: an instance has the functions of the IDL, which checkers do not know.
def client_for(
    service: str, service_module: object, thrift_service_name: str | None = None
) -> type[Any]:
    """Make the class of clients of a Thrift service.

    ::

        KeyValueClient = client_for("keyvalue-server", KeyValue)
        value = await KeyValueClient(channel).getValue("foo")

    The class is called with ``(tchannel, hostport=None, trace=False, protocol_headers=None)``: the
    channel, where to call, whether to trace the calls (False leaves it to the channel), and
    transport headers of the calls: ``cn`` (caller name), ``rd`` (routing delegate), ``re`` (retry
    flags), ``rk`` (routing key) and ``sk`` (shard key). Each function of the service is a method that
    returns a Future of the bare result, or of the declared exception. `tchannel.thrift_request_builder`
    lets each call have headers, a timeout and retries of its own.

    Args:
        service: Name of the service to call.
        service_module: The module that Apache's compiler made for the Thrift service; or a service,
            or a module, of `tchannel.thrift.load`, of the engine or of thriftrw.
        thrift_service_name: The name of the Thrift service: for an Apache module the one to put
            into the endpoints, if it differs from the module's; for others the service of the
            module.

    Raises:
        TypeError: ``service_module`` is none of these, or ``service`` is no str; or the class is
            called with something other than a channel.
        ValueError: There is no such Thrift service, or more than one; ``service`` is empty.

    """
    if not isinstance(service, str):
        raise TypeError(f"service must be a str, not {service!r}")
    if not service:
        raise ValueError("service must not be empty")
    thrift_service = choose(services_in(service_module), thrift_service_name)
    return type(
        f"{thrift_service.name}Client",
        (_Client,),
        {
            "__doc__": f"A client of the Thrift service {thrift_service.name} of {service!r}.",
            "_service": service,
            "_thrift_service": thrift_service,
        },
    )
