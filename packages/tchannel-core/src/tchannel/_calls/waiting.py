"""What an outgoing call waits for other than its answer.

A connection, a peer that reads, first peers, hooks, another attempt.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .. import errors
from .._sight.counting import outcome_of
from ..event import when_ended
from . import retries

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .._links.peers import Peer
    from ..clock import TimerHandle
    from .outgoing import OutgoingCall

__all__ = ["Wait"]


class Wait:
    """The part of a call that waits: made when it has to for the first time.

    One timer bounds whatever it waits for.
    """

    __slots__ = (
        "began",
        "call",
        "failure",
        "for_first",
        "hooks",
        "patience",
        "readable",
        "timer",
        "unreached",
    )

    def __init__(self, call: OutgoingCall) -> None:
        self.call: OutgoingCall = call
        self.began: float = call.channel.timers.clock.time()
        """When the call had to wait for the first time, by the channel's clock."""
        self.timer: TimerHandle | None = None
        """Runs while the call waits."""
        self.patience: float | None = None
        """Until when it waits while nothing is sent, by the channel's clock, whatever it waits for."""
        self.for_first: bool = False
        """Whether it waits for the first peers of its group, while some cannot be reached."""
        self.readable: asyncio.Future[None] | None = None
        """Ends once the peer reads again, while the call waits for that."""
        self.hooks: list[asyncio.Future[object]] | None = None
        """Hooks that an attempt waits for before it is sent; empty once they have ended."""
        self.unreached: int = 0
        """To how many peers no connection came about."""
        self.failure: errors.TChannelError | None = None
        """Why it did not, the last time."""

    # -- a connection -------------------------------------------------------------------------

    def for_connection(self, peer: Peer) -> None:
        """Go on once there is a connection to ``peer``, and let one be made."""
        channel = self.call.channel
        if not channel.state.connects:
            self.give_up()
            return
        peer.waiters[self] = None
        self._arm("no connection to %s in time", peer.hostport)
        channel.peers_table.connect(peer)

    def on_connected(self, connection: Connection) -> None:
        """The connection that this call waits for is there."""
        self.end()
        self.call.send_on(connection)

    def on_connect_failed(self, error: errors.TChannelError) -> None:
        """It did not come about."""
        self.end()
        self.unreached += 1
        self.failure = error
        if self._for_others(error):
            return
        call = self.call
        call.attempts += 1
        call.attempt_failed(error, retries.UNSENT)

    def unreachable(self, error: errors.TChannelError) -> errors.TChannelError:
        """Return what a call fails with in the end: who named no peer is told that there is none."""
        call = self.call
        if call.hostport is not None or not call.channel.state.connects:
            return error
        if self.unreached < max(call.attempts, 1):
            return error  # one was reached, or there is none to be reached
        instead = errors.NoAvailablePeerError(f"no known peer can be reached: {error.description}")
        instead.__cause__ = error
        return instead

    # -- a peer that reads --------------------------------------------------------------------

    def for_reader(self, connection: Connection) -> None:
        """Go on once the peer takes what it is sent."""
        self._arm("%s does not read what it is sent", connection.address)
        self.readable = connection.writable()
        self.readable.add_done_callback(self._reader_back)

    def _reader_back(self, readable: asyncio.Future[None]) -> None:
        if self.readable is readable:
            self.end()
            self.call.begin()

    # -- peers --------------------------------------------------------------------------------

    def for_peers(self) -> None:
        """There is none at all: go on with the first ones, or another answer of their source."""
        call = self.call
        channel = call.channel
        call.peer = None
        expected = channel.peers_table.group.expected
        if expected is not None and channel.state.connects:
            self._arm("no peer was found in time", "")
            expected.add_done_callback(self._peers_known)
        elif channel.has_running_source():
            error = errors.NoAvailablePeerError("the peer source has found no peer to call")
            call.attempts += 1
            call.attempt_failed(error, retries.REFUSED)
        else:
            # Nothing but the caller can bring one: another attempt would find none either.
            error = errors.NoAvailablePeerError(
                "no peer to call: give known_peers= to the channel or hostport= to the call, "
                "or advertise() the channel"
            )
            call.attempt_failed(error, retries.NEVER)

    def _peers_known(self, expected: asyncio.Future[object]) -> None:
        call = self.call
        if call.peer is not None and self in call.peer.waiters:
            return  # a connection is being made, and its end goes on with this call
        if self.timer is not None and not call.done():
            self.end()
            call.begin()

    def _for_others(self, error: errors.TChannelError) -> bool:
        """While a group expects its first peers, one that cannot be reached costs no attempt.

        It is asked again, about twice a second, until the call's own timeout is over.
        """
        call = self.call
        channel = call.channel
        expected = channel.peers_table.group.expected
        if expected is None or call.hostport is not None or not channel.state.connects:
            return False
        now = channel.timers.clock.time()
        if not self.for_first:
            self.for_first = True
            expected.add_done_callback(self._peers_known)
        patience = self._patience()
        if now >= patience:
            call.attempts += 1
            call.fail(self.unreachable(error))
            return True
        delay = channel.options.retry_delay_max * (0.25 + random.random() / 2)
        self._until(min(now + delay, patience), self._retry)
        return True

    # -- hooks that are coroutines -------------------------------------------------------------

    def for_hooks(self, hooks: list[asyncio.Future[object]]) -> None:
        """Make the attempt once the hooks have ended that are told of it."""
        self.hooks = hooks
        self._arm("hooks held the call up")
        when_ended(hooks, partial(self._let_go, hooks))

    def hooks_ended(self) -> bool:
        """Say whether the hooks have been told of this very attempt, and forget it."""
        ended = self.hooks is not None and not self.hooks
        self.hooks = None
        return ended

    def _let_go(self, hooks: list[asyncio.Future[object]]) -> None:
        # Unless its time was up before, or somebody has cancelled it.
        if self.hooks is hooks and not self.call.done():
            self.hooks = []
            self._retry()

    def for_outcome(self, hooks: list[asyncio.Future[object]], go_on: Callable[[], object]) -> None:
        """Let an outcome wait for the hooks that are told of it, but not beyond the call's time."""
        over = False

        def end() -> None:
            nonlocal over
            if not over:
                over = True
                self.end()
                if not self.call.done():
                    go_on()

        if not self.call.channel.state.connects:
            end()
            return
        self._until(self._end_of_time(), end)
        when_ended(hooks, end)

    def sent(self) -> None:
        """An attempt went out: what comes after it may wait anew."""
        self.patience = self.failure = None

    def exhausted(self) -> bool:
        """Say whether the call has waited for as long as its timeout without anything being sent."""
        patience = self.patience
        return patience is not None and self.call.channel.timers.clock.time() >= patience

    # -- another attempt ----------------------------------------------------------------------

    def for_retry(self, when: float) -> None:
        """Make the next attempt at that time, by the channel's clock."""
        self._until(when, self._retry)

    def _retry(self) -> None:
        self.end()
        try:
            self.call.begin()
        except Exception as error:
            # A timer has nobody to raise to: the caller is the one to hear of it.
            self.call.count_error(outcome_of(error), error)
            self.call.finish_with(error)

    # -- for those who look ---------------------------------------------------------------------

    def reason(self) -> str:
        """Say what the call waits for."""
        peer = self.call.peer
        if peer is None:
            return "peer"
        if self in peer.waiters:
            return "connection"
        if self.readable is not None:
            return "reader"
        return "hooks" if self.hooks else "retry"

    # -- the timer ----------------------------------------------------------------------------

    def _arm(self, message: str, *args: str) -> None:
        self._until(self._patience(), self._waited_too_long, message, *args)

    def _patience(self) -> float:
        # One for all waits of a kind: retries do not multiply a wait in which nothing is sent.
        if self.patience is None:
            self.patience = self._end_of_time()
        return self.patience

    def _end_of_time(self) -> float:
        call = self.call
        ends = call.channel.timers.clock.time() + call.timeout
        return ends if call.deadline is None else min(ends, call.deadline)

    def _until(self, when: float, callback: Callable[..., object], *args: str) -> None:
        channel = self.call.channel
        self.timer = channel.timers.clock.call_at(when, callback, *args)
        # So that a closing channel knows of it.
        channel.waiting[self] = None

    def end(self) -> None:
        """Wait no more, whatever it was for."""
        if self.timer is None:
            return
        self.timer.cancel()
        self.timer = None
        call = self.call
        if call.peer is not None:
            call.peer.waiters.pop(self, None)
        readable, self.readable = self.readable, None
        if readable is not None:
            # Else a peer that never reads gathers those of all the calls that gave up.
            readable.cancel()
        channel = call.channel
        channel.waiting.pop(self, None)
        if channel.state.ends:
            channel.notify()

    def give_up(self, why: str = "the channel is closed") -> None:
        """Fail a call that waits: nothing will come of it any more."""
        self.end()
        self.call.fail(errors.NetworkError(why))

    def _waited_too_long(self, message: str, *args: str) -> None:
        self.end()
        text = message % tuple(arg for arg in args if arg)
        call = self.call
        if call.peer is not None and not call.peer.connections:
            text += call.channel.peers_table.unserved(call.peer)
        # Over for good: timers of uvloop fire a fraction early.
        self.patience = -math.inf
        call.attempts += 1
        # Why nobody was reached says more than that the time is over.
        call.attempt_failed(self.failure or errors.TimeoutError(text), retries.UNSENT)
