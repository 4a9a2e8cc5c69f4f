"""Calls out of frames: each request with its answer, on every connection of a capture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import tchannel_wire as wire

from .packets import Segment
from .streams import Direction

__all__ = ["KEPT", "Args", "Call", "Calls", "Event"]

KEPT: Final = 64 * 1024
"""Bytes of one arg that are kept to be shown; the rest is counted."""

_ANSWERS = (wire.CallResponse, wire.CallResponseContinue)
_REQUESTS = (wire.CallRequest, wire.CallRequestContinue)


class Args:
    """The args of one message, gathered from the chunks of its frames.

    Attributes:
        parts: arg1, arg2 and arg3, as much of each as is kept.
        sizes: how long each is.
        whole: whether the last frame was seen.

    """

    __slots__ = ("_at", "_keep", "frames", "parts", "sizes", "whole")

    def __init__(self, *, keep: int) -> None:
        self.parts: list[bytes] = [b"", b"", b""]
        self.sizes: list[int] = [0, 0, 0]
        self.whole: bool = False
        self.frames: int = 0
        self._at = 0
        self._keep = keep

    def feed(self, message: wire.CallRequest | wire.CallResponse | _Continue) -> None:
        """Take the chunks of the next frame."""
        self.frames += 1
        for index, chunk in enumerate(message.chunks):
            if index:
                self._at = min(self._at + 1, 2)
            at = self._at
            self.sizes[at] += len(chunk)
            keep = KEPT if at == 0 else self._keep
            if len(self.parts[at]) < keep:
                self.parts[at] += bytes(chunk[: keep - len(self.parts[at])])
        self.whole = not message.more


_Continue = wire.CallRequestContinue | wire.CallResponseContinue


@dataclass(slots=True)
class Call:
    """One call of a capture, with what came of it.

    Attributes:
        caller: Address of who called, ``host:port``.
        callee: Address of who was called.
        id: The message id.
        began: When the first frame of the request was captured, in seconds since the epoch.
        ended: When the last frame of the answer was captured; None while there is none.
        service: The service that was called; "" where the request was not captured.
        endpoint: arg1 as text.
        scheme: The arg scheme, ``as``.
        headers: The transport headers of the request.
        ttl_ms: Milliseconds that the caller gave it.
        request: The args of the request.
        response: The args of the answer; None without one.
        outcome: ``ok``, ``application error``, the name of the error frame's code, ``cancelled``, or
            ``no answer``.
        text: The text of the error frame, or the reason of the cancelling.
        cancelled: Whether the caller cancelled it.

    """

    caller: str
    callee: str
    id: int
    began: float
    request: Args
    ended: float | None = None
    service: str = ""
    endpoint: str = ""
    scheme: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    ttl_ms: int = 0
    response: Args | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    outcome: str = "no answer"
    text: str = ""
    cancelled: bool = False

    @property
    def latency(self) -> float | None:
        """Seconds from the first frame of the request to the last one of the answer."""
        return None if self.ended is None else self.ended - self.began

    @property
    def ok(self) -> bool:
        """Whether it was answered without any error."""
        return self.outcome == "ok"


@dataclass(slots=True)
class Event:
    """Something of a connection that is no call.

    Attributes:
        time: When it was captured, in seconds since the epoch.
        source: Who sent it, ``host:port``.
        target: Who got it.
        text: What it is.

    """

    time: float
    source: str
    target: str
    text: str


class _Connection:
    """Both directions of one connection, and the calls in flight on it."""

    __slots__ = ("directions", "ends", "open")

    def __init__(self, one: str, other: str) -> None:
        self.ends = (one, other)
        self.directions = {one: Direction(), other: Direction()}
        self.open: dict[tuple[str, int], Call] = {}


class Calls:
    """Puts the calls of a capture together, on all its connections.

    Args:
        keep: Bytes of headers, and of bodies, that are kept of each call; all are counted.

    Attributes:
        frames: how many were read.

    """

    def __init__(self, *, keep: int = KEPT) -> None:
        self._keep = keep
        self._connections: dict[tuple[str, str], _Connection] = {}
        self.frames = 0

    # -- packets --------------------------------------------------------------------------------

    def take(self, segment: Segment) -> Iterator[Call | Event]:
        """Take the next segment; gives the calls that ended with it, and events."""
        source, target = segment.source, segment.target
        key = (source, target) if source < target else (target, source)
        connection = self._connections.get(key)
        if connection is None:
            connection = self._connections[key] = _Connection(*key)
        if segment.syn and segment.acknowledged < 0 and connection.open:
            # The ports are used again: what was in flight on the old connection gets no answer.
            yield from self._abandon(connection)
        back = connection.directions[target]
        if segment.acknowledged >= 0:
            for frame in back.acknowledged(segment.acknowledged):
                yield from self._frame(connection, segment.time, target, source, frame)
        there = connection.directions[source]
        for frame in there.take(segment):
            yield from self._frame(connection, segment.time, source, target, frame)
        if segment.reset:
            yield from self._abandon(connection)

    def finish(self, time: float) -> Iterator[Call | Event]:
        """The capture is over: what is still in flight got no answer in it."""
        for connection in self._connections.values():
            one, other = connection.ends
            for source, target in ((one, other), (other, one)):
                for frame in connection.directions[source].finish():
                    yield from self._frame(connection, time, source, target, frame)
            yield from self._abandon(connection)

    def forget(self, one: str, other: str) -> Iterator[Call]:
        """A connection is over: what is in flight on it gets no answer, and it is kept no more."""
        connection = self._connections.pop((min(one, other), max(one, other)), None)
        if connection is not None:
            yield from self._abandon(connection)

    def _abandon(self, connection: _Connection) -> Iterator[Call]:
        calls, connection.open = list(connection.open.values()), {}
        yield from calls

    # -- what the streams were like -------------------------------------------------------------

    def directions(self) -> Iterator[tuple[str, str, Direction]]:
        """Give source, target and stream of each direction that carried frames or tried to."""
        for connection in self._connections.values():
            one, other = connection.ends
            yield one, other, connection.directions[one]
            yield other, one, connection.directions[other]

    @property
    def foreign(self) -> int:
        """How many connections carried another protocol."""
        return sum(
            all(one.foreign for one in connection.directions.values())
            for connection in self._connections.values()
        )

    @property
    def connections(self) -> int:
        """How many connections there are, those of other protocols among them."""
        return len(self._connections)

    # -- frames ---------------------------------------------------------------------------------

    def _frame(
        self, connection: _Connection, time: float, source: str, target: str, frame: bytes
    ) -> Iterator[Call | Event]:
        self.frames += 1
        try:
            message = wire.decode(frame)
        except wire.WireError as error:
            yield Event(time, source, target, f"a frame that makes no sense: {error}")
            return
        if isinstance(message, _REQUESTS):
            self._request(connection, time, source, target, message)
        elif isinstance(message, _ANSWERS):
            yield from self._answer(connection, time, source, target, message)
        elif isinstance(message, wire.ErrorMessage):
            yield from self._error(connection, time, source, target, message)
        elif isinstance(message, wire.Cancel):
            call = connection.open.get((source, message.id))
            if call is not None:
                call.cancelled, call.text = True, message.why
                call.outcome = "cancelled"
            else:
                yield Event(time, source, target, f"cancel of {message.id}, which is not in flight")
        else:
            yield Event(time, source, target, _tell(message))

    def _request(
        self,
        connection: _Connection,
        time: float,
        source: str,
        target: str,
        message: wire.CallRequest | wire.CallRequestContinue,
    ) -> None:
        call = connection.open.get((source, message.id))
        if isinstance(message, wire.CallRequest) or call is None:
            call = connection.open[source, message.id] = Call(
                source, target, message.id, time, Args(keep=self._keep)
            )
        if isinstance(message, wire.CallRequest):
            call.service, call.headers, call.ttl_ms = (
                message.service,
                message.headers,
                message.ttl_ms,
            )
            call.scheme = message.headers.get(wire.ARG_SCHEME, "")
        call.request.feed(message)
        if call.request.frames == 1 and isinstance(message, wire.CallRequest):
            call.endpoint = call.request.parts[0].decode("utf-8", "replace")

    def _answer(
        self,
        connection: _Connection,
        time: float,
        source: str,
        target: str,
        message: wire.CallResponse | wire.CallResponseContinue,
    ) -> Iterator[Call | Event]:
        call = connection.open.get((target, message.id))
        if call is None:
            if isinstance(message, wire.CallResponse):
                yield Event(
                    time, source, target, f"answer to {message.id}, whose call was not seen"
                )
            return
        if call.response is None:
            call.response = Args(keep=self._keep)
        if isinstance(message, wire.CallResponse):
            call.response_headers = message.headers
            if not call.cancelled:
                call.outcome = "application error" if message.code else "ok"
        call.response.feed(message)
        if call.response.whole:
            call.ended = time
            del connection.open[target, message.id]
            yield call

    def _error(
        self,
        connection: _Connection,
        time: float,
        source: str,
        target: str,
        message: wire.ErrorMessage,
    ) -> Iterator[Call | Event]:
        call = connection.open.pop((target, message.id), None)
        name = wire.error_name(message.code)
        if call is None:
            yield Event(time, source, target, f"error {name}: {message.description}")
            return
        call.ended, call.outcome, call.text = time, name, message.description
        yield call


def _tell(message: wire.Message) -> str:
    if isinstance(message, wire.InitRequest | wire.InitResponse):
        kind = "init request" if isinstance(message, wire.InitRequest) else "init response"
        said = message.headers
        return f"{kind} of {said.get('process_name', '?')}, {said.get('host_port', '?')}"
    return {
        wire.PingRequest: "ping",
        wire.PingResponse: "pong",
        wire.Claim: "claim",
    }.get(type(message), type(message).__name__)
