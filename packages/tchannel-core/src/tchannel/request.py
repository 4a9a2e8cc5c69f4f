"""A call, as its handler sees it."""

from __future__ import annotations

from collections.abc import Mapping
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast

import tchannel_wire as wire

from ._ground.application_headers import decode_application_headers
from ._ground.generics import BodyT, HeadersT
from ._ground.text import quoted, shown_headers
from .tracing import TRACING_KEY_PREFIX

if TYPE_CHECKING:
    from .tls import Certificate

__all__ = ["OutgoingRequest", "Request", "TransportHeaders"]


class TransportHeaders:
    """Protocol-level headers of a request (protocol, "Transport headers").

    Args:
        caller_name: ``cn``: the name of the application that calls.
        claim_at_start: ``cas``: the other instance that got this request, when it starts.
        claim_at_finish: ``caf``: the same, when it finishes.
        failure_domain: ``fd``: a name for what fails together.
        retry_flags: ``re``: what the caller retries on (see ``tchannel.retry``).
        routing_delegate: ``rd``: the service that a router sends the call to instead.
        scheme: ``as``: the arg scheme; default ``"raw"``.
        speculative_exe: ``se``: how many times the request was sent speculatively.
        shard_key: ``sk``: which shard the request is for.
        routing_key: ``rk``: the group of instances that the request is for.

    """

    __slots__ = (
        "announced",
        "caller_name",
        "claim_at_finish",
        "claim_at_start",
        "failure_domain",
        "flags",
        "headers",
        "peer",
        "peer_certificate",
        "retry_flags",
        "routing_delegate",
        "routing_key",
        "scheme",
        "shard_key",
        "speculative_exe",
        "ttl_ms",
    )

    _KEYS: ClassVar[Mapping[str, str]] = {
        wire.CALLER_NAME: "caller_name",
        wire.CLAIM_AT_START: "claim_at_start",
        wire.CLAIM_AT_FINISH: "claim_at_finish",
        wire.FAILURE_DOMAIN: "failure_domain",
        wire.RETRY_FLAGS: "retry_flags",
        wire.ROUTING_DELEGATE: "routing_delegate",
        wire.ARG_SCHEME: "scheme",
        wire.SPECULATIVE_EXECUTION: "speculative_exe",
        wire.SHARD_KEY: "shard_key",
        wire.ROUTING_KEY: "routing_key",
    }

    flags: int
    """The flags of the call request: 1 more fragments followed, 2 streaming."""

    ttl_ms: int
    """Milliseconds within which the caller wants the answer, as received."""

    headers: dict[str, str]
    """All transport headers, unknown keys included."""

    peer: str | None
    """The address of the socket of the caller, or of the router in between.

    Given as ``hostport=``, it calls that very peer back over the connection that it opened.
    """

    announced: str | None
    """The address at which that peer says it listens, if it does: a claim, for people and routers.

    Given as ``hostport=``, it is connected to.
    """

    peer_certificate: Certificate | None
    """The caller's verified TLS certificate, as ``ssl.SSLSocket.getpeercert()`` gives it."""

    def __init__(
        self,
        caller_name: str | None = None,
        claim_at_start: str | None = None,
        claim_at_finish: str | None = None,
        failure_domain: str | None = None,
        retry_flags: str | None = None,
        routing_delegate: str | None = None,
        scheme: str | None = "raw",
        speculative_exe: str | None = None,
        shard_key: str | None = None,
        routing_key: str | None = None,
        *,
        flags: int = 0,
        ttl_ms: int = 0,
        headers: Mapping[str, str] | None = None,
        peer: str | None = None,
        announced: str | None = None,
        peer_certificate: Certificate | None = None,
    ) -> None:
        self.caller_name: str | None = caller_name
        self.claim_at_start: str | None = claim_at_start
        self.claim_at_finish: str | None = claim_at_finish
        self.failure_domain: str | None = failure_domain
        self.retry_flags: str | None = retry_flags
        self.routing_delegate: str | None = routing_delegate
        self.scheme: str | None = scheme
        self.speculative_exe: str | None = speculative_exe
        self.shard_key: str | None = shard_key
        self.routing_key: str | None = routing_key
        self.flags = flags
        self.ttl_ms = ttl_ms
        self.headers = dict(headers) if headers else {}
        self.peer = peer
        self.announced = announced
        self.peer_certificate = peer_certificate

    @property
    def ttl(self) -> int:
        """`ttl_ms`, under the name that the guide of tchannel-python has for it: milliseconds."""
        return self.ttl_ms

    @classmethod
    # Any: each of the others has a type of its own.
    def from_dict(cls, headers: Mapping[str, str], **fields: Any) -> TransportHeaders:
        """Make them of the headers on the wire; unknown keys stay in ``.headers``."""
        known: dict[str, Any] = {name: headers.get(key) for key, name in cls._KEYS.items()}
        return cls(**known, headers=headers, **fields)

    def to_dict(self) -> dict[str, str]:
        """Return them as on the wire."""
        known = {key: getattr(self, name) for key, name in self._KEYS.items()}
        return {**self.headers, **{key: value for key, value in known.items() if value}}

    def __repr__(self) -> str:
        return f"TransportHeaders({shown_headers(self.to_dict())})"


class Request(Generic[BodyT, HeadersT]):
    """A call, as its handler gets it.

    For type checkers it is generic: ``Request[bytes, bytes]`` has a body and headers of bytes; what is
    not said is Any.

    Args:
        body: The payload; its type depends on the scheme (bytes for raw).
        headers: Application headers; bytes for raw, else a mapping of str to str.
        transport: Protocol-level headers: ``caller_name``, ``shard_key`` and the like.
        endpoint: The endpoint that was called.
        service: The service that was called.
        timeout: Seconds within which the caller wants the answer.

    It may be copied and pickled, for a process pool say, unless its body is streamed; the copy knows
    nothing of the connection.

    """

    __slots__ = (
        *("_tracing_headers", "_transport", "body", "endpoint", "headers", "service", "timeout"),
    )

    if not TYPE_CHECKING:
        # That of Generic wants all arguments to be said.
        __class_getitem__ = classmethod(GenericAlias)

    body: BodyT
    headers: HeadersT

    def __init__(
        self,
        # As of a Response: what is not given is None, whatever its type is.
        body: BodyT = None,  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        headers: HeadersT = None,  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
        transport: TransportHeaders | None = None,
        endpoint: str | None = None,
        service: str | None = None,
        timeout: float | None = None,
    ) -> None:
        self.body = body
        self.headers = headers
        self._transport = transport
        self.endpoint = endpoint
        self.service = service
        self.timeout = timeout

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers."""
        if self._transport is None:
            self._transport = TransportHeaders()
        return self._transport

    @transport.setter
    def transport(self, value: TransportHeaders | None) -> None:
        self._transport = value

    @property
    def tracing_headers(self) -> dict[str, str]:
        """Application headers that carry tracing, by their names without ``$tracing$``.

        They are the caller's, and no part of `headers`: sent on or back they would name a stale parent.
        """
        try:
            return self._tracing_headers
        except AttributeError:  # the usual request has none, and sets none
            self._tracing_headers: dict[str, str] = {}
            return self._tracing_headers

    def take_tracing_headers(self) -> None:
        """Take those out of `headers`."""
        # Called for those headers that are a dict.
        headers = cast("dict[str, str]", self.headers)
        taken = {
            key.removeprefix(TRACING_KEY_PREFIX): headers.pop(key)
            for key in list(headers)
            if key.startswith(TRACING_KEY_PREFIX)
        }
        self._tracing_headers = taken

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and pickle as a plain request: without the connection, and what waits for the answer."""
        transport = self.transport
        fields = (self.body, self.headers, transport, self.endpoint, self.service, self.timeout)
        return Request, fields, (None, {"_tracing_headers": self.tracing_headers})

    def __repr__(self) -> str:
        service, endpoint = quoted(self.service), quoted(self.endpoint)
        return f"{type(self).__name__}(service={service}, endpoint={endpoint})"


class OutgoingRequest(Request):
    """A call that is made, as hooks and trace functions see it: the rest is made when looked at."""

    __slots__ = ("_arg2", "_headers", "_prepared", "_tracing")

    # Made and filled in by the call, which may have a thousand of them a second.
    if not TYPE_CHECKING:
        __init__ = object.__init__

    timeout: float
    _prepared: wire.PreparedCall
    _arg2: bytes
    _headers: dict[str, str] | bytes | None
    _tracing: bytes

    @property
    def headers(self) -> dict[str, str] | bytes:
        """The application headers, decoded when first looked at; bytes in a scheme that is not known.

        Bytes as well where they are not what the scheme says.
        """
        headers = self._headers
        if headers is None:
            scheme = self.transport.scheme
            named = scheme in {"json", "thrift"}
            decoded = decode_application_headers(scheme, self._arg2) if named else None
            headers = self._headers = self._arg2 if decoded is None else decoded
        return headers

    @property
    def tracing(self) -> wire.Tracing:
        """Span, parent and trace ids of the call."""
        return wire.Tracing.unpack(self._tracing)

    @property
    def endpoint(self) -> str:  # type: ignore[override]  # what is called is not changed
        """The endpoint that is called."""
        return self._prepared.arg1.decode()

    @property
    def service(self) -> str:  # type: ignore[override]  # what is called is not changed
        """The service that is called."""
        return self._prepared.service

    @property
    def transport(self) -> TransportHeaders:
        """Protocol-level headers, made when first looked at."""
        transport = self._transport
        if transport is None:
            transport = self._transport = TransportHeaders.from_dict(
                self._prepared.headers, ttl_ms=int(self.timeout * 1000)
            )
        return transport

    @transport.setter
    def transport(self, value: TransportHeaders | None) -> None:
        self._transport = value
