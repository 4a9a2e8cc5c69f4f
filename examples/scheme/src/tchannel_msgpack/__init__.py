"""MessagePack as an arg scheme: headers are strings by name, the body is what MessagePack can say.

An arg scheme is a class with a NAME. It is made with a channel and the place where handlers go, called
to make a call, and has `register`. What it is built on is `tchannel.lowlevel`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

import tchannel_wire as wire
from tchannel import PendingCall, Response, TChannel
from tchannel.errors import ReadError
from tchannel.lowlevel import Endpoint, Endpoints, Handler
from tchannel.status import OK

__all__ = ["MsgpackArgScheme"]


class MsgpackArgScheme:
    """Calls and handlers whose bodies are MessagePack."""

    NAME: ClassVar[str] = "msgpack"

    def __init__(self, channel: TChannel, endpoints: Endpoints) -> None:
        self._channel = channel
        self._endpoints = endpoints

    def __call__(
        self,
        service: str,
        endpoint: str,
        # MessagePack has no type that says more than this.
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> PendingCall[Response[Any, dict[str, str]]]:
        """Call an endpoint; `options` are those of every call: timeout, hostport, retry_on, ..."""
        arg2 = wire.encode_thrift_headers(headers or {})
        arg3 = msgspec.msgpack.encode(
            body
        )  # what cannot be said fails here, before anything is sent
        return self._channel.start_call(
            self.NAME, service, endpoint, arg2, arg3, _response, **options
        )

    def register(self, name: str) -> Callable[[Handler], Handler]:
        """Let a handler serve an endpoint; a decorator."""

        def add(handler: Handler) -> Handler:
            self._endpoints.add(name, Endpoint(self.NAME, handler, _request, _result))
            return handler

        return add


def _request(arg2: bytes, arg3: bytes) -> tuple[dict[str, str], Any]:
    # What it raises is answered as a bad request, and the handler does not run.
    return wire.decode_thrift_headers(arg2), msgspec.msgpack.decode(arg3)


def _result(result: Any) -> tuple[int, bytes, bytes]:
    response = result if isinstance(result, Response) else Response(result)
    headers = wire.encode_thrift_headers(response.headers or {})
    return response.status, headers, msgspec.msgpack.encode(response.body)


def _response(code: int, arg2: bytes, arg3: bytes, transport: Mapping[str, str]) -> Response:
    try:
        body, headers = msgspec.msgpack.decode(arg3), wire.decode_thrift_headers(arg2)
    except (msgspec.DecodeError, wire.ProtocolError) as error:
        raise ReadError(f"the answer is no MessagePack: {error}") from error
    return Response(body, headers, transport, 1 if code else OK)
