"""Calls on bytes, and what is to be known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tchannel_wire as wire
from tchannel import TChannel
from tchannel.errors import TChannelError
from tchannel.event import EventType
from tchannel.lowlevel import OutgoingCall
from tchannel.retry import DEFAULT_RETRY_LIMIT

from .._terminal.failures import CallFailed, ToolError

__all__ = ["Answer", "Caller", "Facts", "Message", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call, and as whom.

    Attributes:
        service: Name of the service.
        peers: Addresses to call.
        caller: Caller name.
        timeout: Seconds for a call with its retries.
        shard_key: Shard key, or None.
        routing_delegate: Routing delegate, or None.
        routing_key: Routing key, or None.

    """

    service: str
    peers: tuple[str, ...]
    caller: str
    timeout: float
    shard_key: str | None = None
    routing_delegate: str | None = None
    routing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        scheme: Arg scheme.
        endpoint: arg1.
        arg2: Application headers.
        arg3: Body.

    """

    scheme: str
    endpoint: str
    arg2: bytes
    arg3: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """What is to be known of a call beside its answer.

    Attributes:
        peer: Address of the peer of the last attempt; "" if there was none.
        attempts: How often the call was tried.
        tracing: Its ids.
        headers: Transport headers of the request.
        checksum: Checksum type of the request; a response has the same (protocol, "Checksums").
        connected: Seconds until the request was sent first; None if it never was.
        seconds: Seconds until the end.

    """

    peer: str
    attempts: int
    tracing: wire.Tracing
    headers: Mapping[str, str]
    checksum: str
    connected: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        code: 0, or 1 for an application error.
        arg2: Application headers.
        arg3: Body.
        headers: Transport headers.

    """

    code: int
    arg2: bytes
    arg3: bytes
    headers: Mapping[str, str]


class Caller:
    """Makes calls to a target, one after the other or many at once.

    Args:
        channel: With the peers.
        target: Whom to call.

    Attributes:
        facts: Of the last call; None before there is one.
        ever_sent: Whether any request was sent so far.
        target: As given.

    """

    def __init__(self, channel: TChannel, target: Target) -> None:
        self.channel = channel
        self.facts: Facts | None = None
        self.ever_sent = False
        self.target = target
        self._sent_at: float | None = None
        channel.hooks.register(self._note_sent, EventType.before_send_request)

    def _note_sent(self, request: object) -> None:
        self.ever_sent = True
        if self._sent_at is None:
            self._sent_at = self.channel.clock.time()

    async def call(
        self,
        message: Message,
        *,
        retry_limit: int = DEFAULT_RETRY_LIMIT,
        service: str | None = None,
    ) -> Answer:
        """Make a call.

        Args:
            message: What to send.
            retry_limit: Attempts after the first; default 4, as the library has it.
            service: The service; default that of the target.

        Raises:
            CallFailed: No answer, or an error frame.
            ToolError: Something of it cannot be sent.

        """
        target = self.target
        clock = self.channel.clock
        begun = clock.time()
        self._sent_at = None
        # Nothing to choose: named, a single peer is called as it is, and retried all the same.
        hostport = target.peers[0] if len(target.peers) == 1 else None
        try:
            call = self.channel.call(
                message.scheme,
                target.service if service is None else service,
                message.endpoint,
                message.arg2,
                message.arg3,
                timeout=target.timeout,
                deadline=target.timeout,
                retry_limit=retry_limit,
                hostport=hostport,
                caller_name=target.caller,
                shard_key=target.shard_key,
                routing_delegate=target.routing_delegate,
                routing_key=target.routing_key,
            )
        except (TypeError, ValueError) as error:
            raise ToolError(str(error)) from None
        try:
            response = await call
        except TChannelError as error:
            raise CallFailed(error, sent=self._sent_at is not None) from error
        finally:
            if isinstance(call, OutgoingCall):
                self.facts = self._facts_of(call, begun)
        return Answer(
            response.status, response.headers, response.body, response.transport.to_dict()
        )

    def _facts_of(self, call: OutgoingCall, begun: float) -> Facts:
        return Facts(
            peer=call.peer.hostport if call.peer is not None else "",
            attempts=call.attempts,
            tracing=wire.Tracing.unpack(call.tracing),
            headers=call.prepared.headers,
            checksum=self.channel.options.checksum.name.lower(),
            connected=None if self._sent_at is None else self._sent_at - begun,
            seconds=self.channel.clock.time() - begun,
        )
