"""Connections that many calls go over, each call as cheap as it can be made."""

from __future__ import annotations

import asyncio
import importlib
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, Final, TypeVar

from tchannel import PendingCall, Response, TChannel, errors
from tchannel.clock import Clock, TimerHandle

from .._terminal.failures import CallFailed, ExitCode, ToolError, code_name, one_line
from .advice import explain
from .calls import Message, Target
from .connecting import TLS, make_channel
from .health import HEALTH
from .load import OK, Load, LoadReport, Outcome

__all__ = ["APPLICATION", "Lines", "Request", "drive", "outcome_of", "run_fast"]

_Result = TypeVar("_Result")

APPLICATION: Final = Outcome(ExitCode.APPLICATION, "application error")
_NO_CONNECTION: Final = Outcome(errors.NETWORK_ERROR, "connection failed")

# Connections that are made at once.
_AT_ONCE: Final = 100


class _FineClock:
    """Time finer than that of uvloop's loop, which counts whole milliseconds."""

    time = staticmethod(time.perf_counter)

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> TimerHandle:
        """Call back once the time is ``when``, or up to a millisecond or two later."""
        return asyncio.get_running_loop().call_later(when - self.time(), callback, *args)


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may be made many times.

    Attributes:
        service: Name of the service.
        message: What is sent.
        shard_key: Shard key, or None.
        routing_delegate: Routing delegate, or None.
        routing_key: Routing key, or None.

    """

    service: str
    message: Message
    shard_key: str | None = None
    routing_delegate: str | None = None
    routing_key: str | None = None


class Lines:
    """Connections to the peers of a target, which calls take in turn.

    A channel has one connection to a peer, so each has a channel of its own.

    Args:
        target: Whom to call.
        tls: How to connect by TLS, or None for plain connections.
        count: How many connections; they are spread over the peers.

    Raises:
        ToolError: There are fewer than peers; or as `make_channel` has it.

    """

    def __init__(self, target: Target, tls: TLS | None, count: int) -> None:
        peers = target.peers
        if count < len(peers):
            raise ToolError(f"--connections {count} does not reach all of the {len(peers)} peers")
        self._target = target
        self._timeout = target.timeout
        self._channels = [
            make_channel(replace(target, peers=(peers[number % len(peers)],)), tls)
            for number in range(count)
        ]
        self._next = cycle(self._channels).__next__
        self.clock: Clock = _FineClock()
        """Time to measure calls by."""

    async def connect(self) -> None:
        """Make the connections: each peer is asked for its health, whatever it says to that.

        Raises:
            ToolError: A peer cannot be connected to, or the service has no name that can be sent.

        """
        health = Request(self._target.service, HEALTH)
        for start in range(0, len(self._channels), _AT_ONCE):
            channels = self._channels[start : start + _AT_ONCE]
            failures = await asyncio.gather(
                *(self._begin(channel, health) for channel in channels),
                return_exceptions=True,
            )
            for channel, failure in zip(channels, failures, strict=True):
                (hostport,) = channel.peers.hosts
                if channel.peers.add(hostport).connections:
                    continue
                if isinstance(failure, errors.TChannelError):
                    raise ToolError(
                        explain(CallFailed(failure, sent=False), self._target, hostport)
                    ) from None
                if isinstance(failure, BaseException):
                    raise failure

    def call(self, request: Request) -> asyncio.Future[Any]:
        """Begin a call over the next connection, without retries; ends as `outcome_of` reads it.

        Raises:
            ToolError: Something of it cannot be sent.

        """
        return self._begin(self._next(), request)

    def _begin(self, channel: TChannel, request: Request) -> PendingCall[Response[bytes, bytes]]:
        message = request.message
        try:
            # By place: so many keywords cost 0.4 µs.
            return channel.call(
                message.scheme,
                request.service,
                message.endpoint,
                message.arg2,
                message.arg3,
                self._timeout,
                None,
                0,  # a retry would hide a failure, and count as one slow call
                request.routing_delegate,
                None,
                request.shard_key,
                routing_key=request.routing_key,
            )
        except (TypeError, ValueError) as error:
            raise ToolError(
                one_line(f"{request.service} {message.endpoint} cannot be called: {error}")
            ) from None

    async def close(self) -> None:
        """Close the connections."""
        # Nothing is in flight any more that is worth waiting for.
        await asyncio.gather(*(channel.close(grace=0.1) for channel in self._channels))


def outcome_of(call: asyncio.Future[Response[bytes, bytes]]) -> Outcome:
    """Say how a call of `Lines` ended."""
    error = call.exception()
    if error is None:
        return APPLICATION if call.result().status else OK
    if not isinstance(error, errors.TChannelError):
        raise error
    if error.id is None and isinstance(error, errors.NetworkError | errors.NoAvailablePeerError):
        return _NO_CONNECTION  # which nobody has said in an error frame
    return Outcome(CallFailed(error, sent=True).exit_code, code_name(error.code))


async def drive(load: Load) -> tuple[LoadReport, bool]:
    """Run a load; Ctrl-C ends it early, a second one at once.

    Returns:
        What came of the calls, and whether it was interrupted.

    """
    loop = asyncio.get_running_loop()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        load.stop()
        # Whoever does not want to wait for the calls in flight interrupts again.
        loop.remove_signal_handler(signal.SIGINT)

    # Signals reach the main thread alone.
    heard = threading.current_thread() is threading.main_thread()
    if heard:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        return await load.run(), interrupted
    finally:
        if heard:
            loop.remove_signal_handler(signal.SIGINT)


def run_fast(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine as `asyncio.run` does, on uvloop where that is installed: it makes more calls."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ModuleNotFoundError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
