"""A recorded call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._calling.calls import Message
from .._captures.calls import Args, Call

__all__ = ["Recording", "Reply", "recorded"]

_ANSWERED = ("ok", "application error")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call.

    Attributes:
        outcome: ``ok``, ``application error``, or the name of the error frame's code.
        arg2: Application headers of the answer; empty with an error frame.
        arg3: Body of the answer; likewise.
        text: Text of the error frame.

    """

    outcome: str
    arg2: bytes = b""
    arg3: bytes = b""
    text: str = ""

    @property
    def answered(self) -> bool:
        """Whether it is an answer, not an error frame."""
        return self.outcome in _ANSWERED


@dataclass(frozen=True, slots=True)
class Recording:
    """A call with its reply.

    Attributes:
        service: Name of the service.
        message: What was sent.
        reply: What came of it; None where that is not known.
        at: Seconds after the first call of the recording; None where that is not known.
        latency: Seconds until its reply; None where that is not known.
        transport: Transport headers of the request.

    """

    service: str
    message: Message
    reply: Reply | None
    at: float | None = None
    latency: float | None = None
    transport: Mapping[str, str] = field(default_factory=dict)

    @property
    def routing(self) -> tuple[str | None, str | None, str | None]:
        """Shard key, routing delegate and routing key."""
        found = self.transport.get
        return found("sk"), found("rd"), found("rk")


def recorded(call: Call, start: float) -> Recording | str:
    """Return the recording of a captured call, or why there is none.

    Args:
        call: With args that were kept whole.
        start: When the recording began, in seconds since the epoch.

    """
    if not call.service:
        return "its beginning was not seen"
    if not _whole(call.request):
        return "its request is longer than what is kept, or was not seen to its end"
    reply = None
    if call.outcome in _ANSWERED:
        if call.response is None or not _whole(call.response):
            return "its answer is longer than what is kept, or was not seen to its end"
        _, arg2, arg3 = call.response.parts
        reply = Reply(call.outcome, arg2, arg3)
    elif call.outcome not in {"cancelled", "no answer"}:
        reply = Reply(call.outcome, text=call.text)
    _, arg2, arg3 = call.request.parts
    return Recording(
        call.service,
        Message(call.scheme, call.endpoint, arg2, arg3),
        reply,
        max(0.0, call.began - start),
        call.latency,
        call.headers,
    )


def _whole(args: Args) -> bool:
    return args.whole and args.sizes == [len(part) for part in args.parts]
