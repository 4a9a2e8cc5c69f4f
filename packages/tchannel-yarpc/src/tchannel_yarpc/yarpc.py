"""YARPC on a channel: its encodings."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from tchannel import TChannel
from tchannel.subchannel import SubChannel

from .calls import CallOptions, checked_options
from .plain import JsonEncoding, RawEncoding

if TYPE_CHECKING:
    from typing import Unpack

    # Not installed for most: then the type is nobody's.
    from grpc.aio import Channel  # type: ignore[import-untyped]

    from .proto import ProtoEncoding
    from .thrift import ThriftEncoding

__all__ = ["Yarpc"]


class Yarpc:
    """Calls services of YARPC, and serves as one of them.

    ::

        yarpc = Yarpc(channel)

        @yarpc.json.register
        async def get(request):
            if request.body["key"] not in values:
                raise NotFoundError("no such key")
            return {"value": values[request.body["key"]]}

        response = await yarpc.json("keyvalue", "get", {"key": "a"}, timeout=1)

    It adds nothing to the channel but the handlers that are registered with it, and may be made as
    often as one likes. Handlers of other schemes may be beside it, under the same names.

    Args:
        channel: Makes the calls, and serves the handlers under its name; or a sub-channel of one.

    Raises:
        TypeError: ``channel`` is no channel.

    """

    def __init__(self, channel: TChannel | SubChannel) -> None:
        if not isinstance(channel, TChannel | SubChannel):
            raise TypeError(
                f"Yarpc takes a tchannel.TChannel or a sub-channel of one, not {channel!r:.200}"
            )
        self.channel: TChannel | SubChannel = channel
        self.raw: RawEncoding = RawEncoding(channel, channel.endpoints)
        self.json: JsonEncoding = JsonEncoding(channel, channel.endpoints)

    @cached_property
    def thrift(self) -> ThriftEncoding:
        """Calls and handlers of Thrift functions.

        Raises:
            ModuleNotFoundError: The extra ``thrift`` is not installed; says how to install it.

        """
        from .thrift import ThriftEncoding

        return ThriftEncoding(self.channel, self.channel.endpoints)

    @cached_property
    def proto(self) -> ProtoEncoding:
        """Calls and handlers of protobuf services.

        Raises:
            ModuleNotFoundError: The extra ``protobuf`` is not installed; says how to install it.

        """
        from .proto import ProtoEncoding

        return ProtoEncoding(self.channel, self.channel.endpoints)

    def grpc_channel(self, service: str, **options: Unpack[CallOptions]) -> Channel:
        """Return a channel for stubs that grpcio-tools generated: ``EchoStub(channel)``.

        It is a `GrpcChannel`, and has the type of grpc's own, for typed stubs to take it.

        Args:
            service: Name of the YARPC service to call.
            **options: Defaults for its calls, as in `CallOptions`.

        """
        from .grpc import GrpcChannel

        return cast("Channel", GrpcChannel(self.channel, service, checked_options(options)))

    def __repr__(self) -> str:
        return f"<Yarpc of {self.channel!r}>"
