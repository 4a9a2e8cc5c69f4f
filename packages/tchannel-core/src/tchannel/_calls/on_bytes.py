"""Calls on bytes, whatever the arg scheme: what a channel and its sub-channels have in common."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, Any, Literal, overload

import tchannel_wire as wire

from .._ground.timeouts import Timeout
from ..response import Response, bytes_response
from ..schemes.raw import to_bytes
from .pending import PendingCall
from .spans import Trace

if TYPE_CHECKING:
    from ..streaming import Body

__all__ = ["CallsOnBytes"]


class CallsOnBytes:
    """The part that makes calls on bytes."""

    @property
    def start_call(self) -> Callable[..., PendingCall[Any]]:  # Any: of what its `decode` makes
        """Starts a call: what the arg schemes call."""
        raise NotImplementedError  # each of the two classes knows how

    @overload
    def call(
        self,
        scheme: str,
        service: str,
        arg1: str,
        arg2: bytes | str | None = None,
        arg3: bytes | str | AsyncIterable[bytes] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[False] = False,
        routing_key: str | None = None,
    ) -> PendingCall[Response[bytes, bytes]]: ...

    @overload
    def call(
        self,
        scheme: str,
        service: str,
        arg1: str,
        arg2: bytes | str | None = None,
        arg3: bytes | str | AsyncIterable[bytes] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: Literal[True],
        routing_key: str | None = None,
    ) -> PendingCall[Response[Body, bytes]]: ...

    @overload
    def call(
        self,
        scheme: str,
        service: str,
        arg1: str,
        arg2: bytes | str | None = None,
        arg3: bytes | str | AsyncIterable[bytes] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: bool,
        routing_key: str | None = None,
    ) -> PendingCall[Response[bytes, bytes]] | PendingCall[Response[Body, bytes]]: ...

    def call(
        self,
        scheme: str,
        service: str,
        arg1: str,
        arg2: bytes | str | None = None,
        arg3: bytes | str | AsyncIterable[bytes] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        routing_delegate: str | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        tracing_span: wire.Tracing | None = None,
        trace: Trace | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        stream: bool = False,
        routing_key: str | None = None,
    ) -> PendingCall[Any]:
        """Make a call on bytes; usually one of the arg schemes is what you want.

        Args:
            scheme: Name of the arg scheme, sent as ``as``.
            service: Name of the service.
            arg1: The endpoint.
            arg2: The application headers, encoded; default empty.
            arg3: The body, encoded; default empty.
            timeout: Seconds for one attempt; default 30.
            retry_on: What to retry on, see `tchannel.retry`; default ``c``.
            retry_limit: Attempts after the first; default 4, with ``hostport`` 0.
            routing_delegate: The service that a router sends the call to instead.
            hostport: The peer to call, instead of one of those that the channel knows.
            shard_key: For routers and services that shard.
            tracing_span: The span that this call belongs under.
            trace: Whether to trace this call; by default what the channel does.
            caller_name: Who calls; by default the channel, or sub-channel, itself.
            deadline: Seconds for the whole call with its retries; default none.
            stream: Give the response's body as an async iterator, as it arrives.
            routing_key: The group of instances, a canary say, that a router may prefer.

        Returns:
            A Future of the Response, with headers and body as bytes.

        Raises:
            TypeError: An argument of a wrong type.
            ValueError: An argument that cannot be sent.
            TChannelError: (from the Future) whatever went wrong with the call.

        """
        if not isinstance(scheme, str):
            raise TypeError(f"scheme must be the name of an arg scheme, not {scheme!r}")
        return self.start_call(
            scheme,
            service,
            arg1,
            b"" if arg2 is None else to_bytes(arg2, "arg2"),
            arg3
            if isinstance(arg3, AsyncIterable)
            else b""
            if arg3 is None
            else to_bytes(arg3, "arg3"),
            bytes_response,
            timeout,
            retry_on,
            retry_limit,
            routing_delegate,
            hostport,
            shard_key,
            tracing_span,
            trace,
            caller_name,
            deadline,
            stream,
            routing_key,
        )
