"""The arg schemes of the sync channel: the calls of the async ones, without their handlers."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .._calls.spans import Trace
    from .._ground.timeouts import Timeout
    from ..response import Response
    from .client import TChannel

__all__ = ["JsonArgScheme", "RawArgScheme", "ThriftArgScheme", "refuse_register"]


def refuse_register(*_args: object, **_kwargs: object) -> NoReturn:
    """Say where handlers live.

    Raises:
        NotImplementedError: Always.

    """
    raise NotImplementedError(
        "tchannel.sync.TChannel only makes calls; register handlers on a tchannel.TChannel,"
        " which serves them in an event loop"
    )


class _Scheme:
    NAME: str

    # Any: the async scheme is the lead of this one; its type differs from scheme to scheme.
    def __init__(self, channel: TChannel, scheme: Any) -> None:
        self._submit = channel.submit
        self._scheme = scheme
        self.NAME = scheme.NAME

    # Registering is refused here, not inherited, so that nothing is ever registered by accident.
    @staticmethod
    def register(*_args: object, **_kwargs: object) -> NoReturn:
        """Say where handlers live; see `refuse_register`."""
        refuse_register()


class RawArgScheme(_Scheme):
    """Calls whose headers and body are bytes."""

    def __call__(
        self,
        service: str,
        endpoint: str,
        body: bytes | bytearray | memoryview | str | None = None,
        headers: bytes | bytearray | memoryview | str | Mapping[str, str] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        routing_key: str | None = None,
        string_headers: bool = False,
    ) -> Future[Response[bytes, bytes | dict[str, str]]]:
        """Make a raw call; arguments as of `tchannel.schemes.RawArgScheme`, without streams.

        Returns:
            A future of the response; cancelling it cancels the call.

        """
        return self._submit(
            self._scheme,
            service,
            endpoint,
            body,
            headers,
            timeout,
            retry_on,
            retry_limit,
            hostport,
            shard_key,
            trace,
            routing_delegate,
            caller_name,
            deadline=deadline,
            routing_key=routing_key,
            string_headers=string_headers,
        )


class JsonArgScheme(_Scheme):
    """Calls whose body is what JSON can say."""

    def __call__(
        self,
        service: str,
        endpoint: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        retry_on: str | None = None,
        retry_limit: int | None = None,
        hostport: str | None = None,
        shard_key: str | None = None,
        trace: Trace | None = None,
        routing_delegate: str | None = None,
        caller_name: str | None = None,
        *,
        deadline: Timeout = None,
        routing_key: str | None = None,
    ) -> Future[Response[Any, dict[str, str]]]:  # JSON has no type that says more
        """Make a JSON call; arguments as of `tchannel.schemes.JsonArgScheme`.

        Returns:
            A future of the response; cancelling it cancels the call.

        """
        return self._submit(
            self._scheme,
            service,
            endpoint,
            body,
            headers,
            timeout,
            retry_on,
            retry_limit,
            hostport,
            shard_key,
            trace,
            routing_delegate,
            caller_name,
            deadline=deadline,
            routing_key=routing_key,
        )


class ThriftArgScheme(_Scheme):
    """Calls of Thrift functions."""

    # What a request is, and its result, is known to tchannel-thrift alone.
    def __call__(self, request: object, *args: object, **kwargs: object) -> Future[Response]:
        """Make a Thrift call; arguments as of `tchannel.schemes.ThriftArgScheme`.

        Returns:
            A future of the response; cancelling it cancels the call.

        """
        return self._submit(self._scheme, request, *args, **kwargs)
