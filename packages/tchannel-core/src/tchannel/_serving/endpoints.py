"""What can be called: handlers by endpoint, for a channel and for each of its sub-channels."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from copy import copy
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import tchannel_wire as wire

from ..authorization import Check, check_of
from ..errors import BadRequestError

if TYPE_CHECKING:
    from .._sight.counting import IncomingRow
    from ..request import Request

__all__ = ["Endpoint", "Endpoints", "Handler", "NoEndpoints", "must_take_a_request"]

Handler: TypeAlias = "Callable[[Request], object]"
"""Takes the request; returns the body, a Response, an awaitable of either, or an async generator."""

DecodeRequest: TypeAlias = Callable[[bytes, bytes], tuple[object, object]]
# Any: each scheme says what its handlers may return.
EncodeResult: TypeAlias = Callable[[Any], tuple[int, bytes, "bytes | AsyncIterator[bytes]"]]
EncodeError: TypeAlias = Callable[[BaseException], tuple[int, bytes, bytes] | None]
EncodeFailure: TypeAlias = Callable[[Exception, str], tuple[int, bytes, bytes]]


def must_take_a_request(handler: Callable[..., object]) -> None:
    """Find out when a handler is registered, and not at each call, that it cannot be called.

    A method that is registered where its class is made is no method yet, and wants `self` as well.

    Raises:
        TypeError: It is a function or a method that cannot be called with one argument.

    """
    # What others make, and what a decorator says of another function, need not be what a call does.
    if not isinstance(handler, FunctionType | MethodType) or hasattr(handler, "__signature__"):
        return
    try:
        signature = inspect.signature(handler, follow_wrapped=False)
    except Exception:
        # From 3.14 on annotations are run for it, and may name what is imported for checkers alone.
        return
    try:
        signature.bind(None)
    except TypeError:
        raise TypeError(
            f"handler {handler.__qualname__} must take one argument, the request, but takes {signature}"
        ) from None


# Health and version; the endpoints of introspection are those of a service of their own.
_OF_EVERY_CHANNEL: Final = b"Meta::"


class Endpoint:
    """A handler with the scheme it speaks.

    Args:
        scheme: the arg scheme, or None to take every call (a fallback).
        handler: the handler.
        decode: makes ``(headers, body)`` of ``arg2, arg3``; None passes the bytes on. Whatever it
            raises is answered as bad request, and the handler does not run.
        encode: makes ``(code, arg2, arg3)`` of the handler's result.
        encode_error: makes the same of an exception that the interface declares, or gives None. A
            TChannelError that it raises is the error frame to send.
        encode_failure: makes the same of any other exception but a TChannelError, after it was
            logged, and of the text that callers may be told of it; by default the caller gets an
            error frame with that text.
        stream: whether the body is handed over as it arrives.

    Raises:
        TypeError: ``handler`` is a function that cannot be called with one argument, the request.

    """

    __slots__ = (
        "_added",
        "_headers",
        "authorize",
        "block",
        "coroutine",
        "decode",
        "encode",
        "encode_error",
        "encode_failure",
        "handler",
        "headers",
        "rows",
        "scheme",
        "stream",
        "task_name",
    )

    def __init__(
        self,
        scheme: str | None,
        handler: Handler,
        decode: DecodeRequest | None,
        encode: EncodeResult,
        encode_error: EncodeError | None = None,
        *,
        stream: bool = False,
        encode_failure: EncodeFailure | None = None,
    ) -> None:
        must_take_a_request(handler)
        self.scheme: str | None = scheme
        self.handler: Handler = handler
        self.authorize: Check | None = check_of(handler)
        """What says whether a call may reach the handler."""
        self.coroutine: bool = inspect.iscoroutinefunction(handler)
        """Whether a call of the handler runs none of its code yet; others may do so as well."""
        self.decode: DecodeRequest | None = decode
        self.encode: EncodeResult = encode
        self.encode_error: EncodeError | None = encode_error
        self.encode_failure: EncodeFailure | None = encode_failure
        self.stream: bool = stream
        self.headers: dict[str, str] = {wire.ARG_SCHEME: scheme} if scheme is not None else {}
        """The transport headers of a response; empty where they depend on the request."""
        self._headers: dict[str, bytes] = {}
        self.rows: dict[str, IncomingRow] = {}
        """Where its calls are counted, by their callers."""
        self._added = False
        self.task_name: str = "handler"
        """What tasks of the handler are called; made once, it is cheaper than one that is numbered."""
        self.block: bytes = self.header_block(scheme) if scheme is not None else b""
        """The same, encoded."""

    def header_block(self, scheme: str) -> bytes:
        """Return the encoded transport headers of a response: ``as`` alone, always present.

        Node and java refuse or drop an answer without it (peer behaviour, C5).
        """
        block = self._headers.get(scheme)
        if block is None:
            if len(self._headers) > 100:  # a fallback takes any scheme that callers make up
                self._headers.clear()
            block = self._headers[scheme] = wire.encode_headers({wire.ARG_SCHEME: scheme})
        return block


class Endpoints:
    """Handlers by endpoint; one name may serve several arg schemes.

    Args:
        service: the name of the service.
        meta: where the ``Meta::`` endpoints are to be found as well: every server answers them
            under the service name ``tchannel`` too (protocol, "Arg schemes").

    """

    __slots__ = ("_further", "_meta", "by_name", "fallback", "service")

    def __init__(self, service: str, meta: Endpoints | None = None) -> None:
        self.service: str = service
        self._meta = meta
        self.fallback: Endpoint | None = None
        # Public and keyed by the bytes of arg1: neither a call nor a decoding to find a handler.
        self.by_name: dict[bytes, Endpoint] = {}
        # Those whose name serves another scheme already: most names serve one, and are found above.
        self._further: dict[tuple[bytes, str], Endpoint] = {}

    def add(self, name: str | bytes, endpoint: Endpoint) -> None:
        """Let ``endpoint`` serve the calls of ``name`` in its scheme, instead of an earlier one."""
        key = name.encode() if isinstance(name, str) else name
        if endpoint._added:
            endpoint = copy(endpoint)  # for another name, service or channel: counted by itself
            endpoint.rows = {}
        endpoint._added = True
        endpoint.task_name = f"{self.service} {key.decode(errors='replace')}"
        first = self.by_name.get(key)
        if first is None or first.scheme == endpoint.scheme or endpoint.scheme is None:
            self.by_name[key] = endpoint
        else:
            self._further[key, endpoint.scheme] = endpoint
        if self._meta is not None and key.startswith(b"Meta::"):
            self._meta.add(key, endpoint)

    def has_handlers(self) -> bool:
        """Say whether anything is served but what every channel answers."""
        return self.fallback is not None or not all(
            name.startswith(_OF_EVERY_CHANNEL) for name in self.by_name
        )

    def names(self) -> list[str]:
        """Return the names of all endpoints."""
        return [name.decode(errors="replace") for name in self.by_name]

    def get(self, name: bytes, scheme: str) -> Endpoint | None:
        """Return what serves ``name`` in that scheme, or else in another one; None without either."""
        endpoint = self.by_name.get(name)
        if endpoint is not None and endpoint.scheme != scheme:
            return self._further.get((name, scheme), endpoint)
        return endpoint

    def find(self, name: bytes, scheme: str) -> Endpoint:
        """Return the endpoint for a call.

        Raises:
            BadRequestError: there is none (whatever the scheme), or it speaks another scheme.

        """
        endpoint = self.get(name, scheme)
        if endpoint is None:
            if self.fallback is None:
                raise BadRequestError(f"Endpoint '{name.decode(errors='replace')}' is not defined")
            return self.fallback
        if endpoint.scheme != scheme and endpoint.scheme is not None:
            spoken = [endpoint.scheme, *(other for key, other in self._further if key == name)]
            raise BadRequestError(
                f"Server expected a {' or '.join(map(repr, spoken))} but request is '{scheme}'"
            )
        return endpoint


class NoEndpoints(Endpoints):
    """What serves the names of services that a channel does not know, where it knows all of its own."""

    __slots__ = ()

    def find(self, name: bytes, scheme: str) -> Endpoint:
        """Find nothing.

        Raises:
            BadRequestError: always.

        """
        raise BadRequestError("unknown service")
