"""What stands in for a channel of gRPC: stubs that grpcio-tools generated run on it unchanged.

Nothing here needs grpc itself; the generated modules import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tchannel import Response
from tchannel.lowlevel import Timeout

from .calls import CallOptions, YarpcCall, start_call
from .errors import UnimplementedError
from .plain import response_decoder

if TYPE_CHECKING:
    from typing import NoReturn

    from tchannel import TChannel
    from tchannel.subchannel import SubChannel

__all__ = ["GrpcChannel", "UnaryUnary"]

_T = TypeVar("_T")
_RequestT = TypeVar("_RequestT")


class GrpcChannel:
    """A channel for generated stubs: ``EchoStub(yarpc.grpc_channel("echo-server"))``.

    The stubs' calls are awaited, as those of ``grpc.aio``; their errors are `YarpcError`. Methods that
    stream are there, and raise UnimplementedError when they are called.

    Args:
        channel: Whose calls they are.
        service: Name of the YARPC service to call.
        options: Defaults for the calls.

    """

    def __init__(self, channel: TChannel | SubChannel, service: str, options: CallOptions) -> None:
        self._channel = channel
        self._service = service
        self._options = options

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[_RequestT], bytes],
        response_deserializer: Callable[[bytes], _T],
        _registered_method: bool | None = False,
    ) -> UnaryUnary[_RequestT, _T]:
        """Return what calls a method: ``/package.Service/Method``."""
        return UnaryUnary(
            self._channel,
            self._service,
            "::".join(method.strip("/").rsplit("/", 1)),
            request_serializer,
            response_deserializer,
            self._options,
        )

    def unary_stream(
        self, method: str, *_args: object, **_kwargs: object
    ) -> Callable[..., NoReturn]:
        """Return what refuses to call a method that streams."""
        return _refuser(method)

    stream_unary = unary_stream
    stream_stream = unary_stream


class UnaryUnary(Generic[_RequestT, _T]):
    """Calls one method of a service: generic in its request and in its answer."""

    __slots__ = ("_channel", "_deserialize", "_options", "_procedure", "_serialize", "_service")

    def __init__(
        self,
        channel: TChannel | SubChannel,
        service: str,
        procedure: str,
        serialize: Callable[[_RequestT], bytes],
        deserialize: Callable[[bytes], _T],
        options: CallOptions,
    ) -> None:
        self._channel = channel
        self._service = service
        self._procedure = procedure
        self._serialize = serialize
        self._deserialize = deserialize
        self._options = options

    # The three last are gRPC's.
    def __call__(
        self,
        request: _RequestT,
        *,
        timeout: Timeout = None,
        metadata: Iterable[tuple[str, str]] | None = None,
        credentials: object = None,
        wait_for_ready: bool | None = None,
        compression: object = None,
    ) -> YarpcCall[_T]:
        """Call the method; the call starts at once.

        Args:
            request: The message.
            timeout: Seconds; default that of the channel, or else 30.
            metadata: Application headers.
            credentials: Not possible here: TChannel's connections have theirs, its calls have none.
            wait_for_ready: Without meaning here.
            compression: Without meaning here.

        Returns:
            A Future of the answering message.

        Raises:
            TypeError: The request cannot be serialized, or an argument has a wrong type.
            ValueError: Metadata that are not str to str, or credentials.
            YarpcError: (from the Future) whatever went wrong with the call.

        """
        if credentials is not None:
            raise ValueError("calls over TChannel carry no credentials: use headers, or TLS")
        options = self._options.copy()
        if timeout is not None:
            options["timeout"] = timeout
        return start_call(
            self._channel,
            "proto",
            self._service,
            self._procedure,
            None if metadata is None else dict(metadata),
            self._serialize(request),
            response_decoder("proto", self._service, self._deserialize),
            _body_of,
            **options,
        )


# The message's type is known to the deserializer.
def _body_of(response: Response) -> Any:
    return response.body


def _refuser(method: str) -> Callable[..., NoReturn]:
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise UnimplementedError(f"{method} streams, which TChannel cannot carry")

    return refuse
