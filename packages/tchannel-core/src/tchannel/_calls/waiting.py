"""What an outgoing call waits for other than its answer: a connection, a reader, peers, a retry."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import errors
from . import retries
from .call_state import CallState

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .._links.peers import Peer

__all__ = ["WaitingCall"]


class WaitingCall(CallState):
    """A call between its attempts: one timer bounds whatever it waits for."""

    if TYPE_CHECKING:  # how it goes on: see `OutgoingCall`

        def begin(self) -> None:
            """Make the next attempt."""

        def _send(self, connection: Connection) -> None: ...
        def _attempt_failed(self, error: errors.TChannelError, kind: str) -> None: ...

    else:
        __slots__ = ()

    # -- a connection -------------------------------------------------------------------------

    def _wait_for_connection(self, peer: Peer) -> None:
        if self.channel.closing:
            self.give_up()
            return
        peer.waiters[self] = None
        self._arm("no connection to %s in time", peer.hostport)
        self.channel.peers_table.connect(peer)

    def on_connected(self, connection: Connection) -> None:
        """The connection that this call waits for is there."""
        self._disarm()
        self._send(connection)

    def on_connect_failed(self, error: errors.TChannelError) -> None:
        """It did not come about."""
        self._disarm()
        if self._waits_for_others(error):
            return
        self.attempts += 1
        self._attempt_failed(error, retries.UNSENT)

    # -- a peer that reads --------------------------------------------------------------------

    def _wait_for_reader(self, connection: Connection) -> None:
        self._arm("%s does not read what it is sent", connection.address)
        self.readable = connection.writable()
        self.readable.add_done_callback(self._reader_back)

    def _reader_back(self, readable: asyncio.Future[None]) -> None:
        if self.readable is readable:
            self._disarm()
            self.begin()

    # -- peers --------------------------------------------------------------------------------

    def _no_peer(self) -> None:
        """There is none at all: wait for the first ones, or for another answer of their source."""
        channel = self.channel
        self.peer = None
        expected = channel.peers.expected
        if expected is not None and not channel.closing:
            self._arm("no peer was found in time", "")
            expected.add_done_callback(self._peers_known)
        elif channel.has_running_source():
            error = errors.NoAvailablePeerError("the peer source has found no peer to call")
            self.attempts += 1
            self._attempt_failed(error, retries.REFUSED)
        else:
            # Nothing but the caller can bring one: another attempt would find none either.
            error = errors.NoAvailablePeerError(
                "no peer to call: give known_peers= to the channel or hostport= to the call, "
                "or advertise() the channel"
            )
            self._attempt_failed(error, retries.NEVER)

    def _peers_known(self, expected: asyncio.Future[Any]) -> None:
        if self.peer is not None and self in self.peer.waiters:
            return  # a connection is being made, and its end goes on with this call
        if self.timer is not None and not self.done():
            self._disarm()
            self.begin()

    def _waits_for_others(self, error: errors.TChannelError) -> bool:
        """While a group expects its first peers, one that cannot be reached costs no attempt.

        It is asked again, about twice a second, until the call's own timeout is over.
        """
        expected = self.channel.peers.expected
        if expected is None or self.hostport is not None or self.channel.closing:
            return False
        clock = self.channel.timers.clock
        now = clock.time()
        if self.patience is None:
            self.patience = now + self.timeout
            if self.deadline is not None:
                self.patience = min(self.patience, self.deadline)
            expected.add_done_callback(self._peers_known)
        if now >= self.patience:
            self.attempts += 1
            self._fail(error)
            return True
        delay = self.channel.options.retry_delay_max * (0.25 + random.random() / 2)
        self._wait_until(min(now + delay, self.patience), self._retry)
        return True

    # -- another attempt ----------------------------------------------------------------------

    def _retry(self) -> None:
        self._disarm()
        try:
            self.begin()
        except Exception as error:
            # A timer has nobody to raise to: the caller is the one to hear of it.
            self._finish_with(error)

    # -- the timer ----------------------------------------------------------------------------

    def _arm(self, message: str, *args: str) -> None:
        clock = self.channel.timers.clock
        now = clock.time()
        ends = now + self.timeout
        if self.deadline is not None:
            ends = min(ends, self.deadline)
        self._wait_until(ends, self._waited_too_long, message, *args)

    def _wait_until(self, when: float, callback: Callable[..., object], *args: str) -> None:
        channel = self.channel
        self.timer = channel.timers.clock.call_at(when, callback, *args)
        # So that a closing channel knows of it.
        channel.waiting[self] = None

    def _disarm(self) -> None:
        """Wait no more, whatever it was for."""
        if self.timer is None:
            return
        self.timer.cancel()
        self.timer = None
        if self.peer is not None:
            self.peer.waiters.pop(self, None)
        readable, self.readable = self.readable, None
        if readable is not None:
            # Else a peer that never reads gathers those of all the calls that gave up.
            readable.cancel()
        channel = self.channel
        channel.waiting.pop(self, None)
        if channel.winding_down:
            channel.notify()

    def give_up(self, why: str = "the channel is closed") -> None:
        """Fail a call that waits: nothing will come of it any more."""
        self._disarm()
        self._fail(errors.NetworkError(why))

    def _waited_too_long(self, message: str, *args: str) -> None:
        self._disarm()
        text = message % tuple(arg for arg in args if arg)
        # Nothing was sent, so another attempt is safe.
        self.attempts += 1
        self._attempt_failed(errors.TimeoutError(text), retries.UNSENT)
