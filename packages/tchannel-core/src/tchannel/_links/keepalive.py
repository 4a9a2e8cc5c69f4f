"""Finding out that a peer has vanished without a word: a machine lost its power, a network its way.

Theory of operation
-------------------

Nothing tells of it: the kernel repeats what was written for a quarter of an hour. So a connection that
we opened is pinged when it has been quiet for `Options.keepalive_idle`, and much sooner while a call
waits on it. That only means something of a peer that answers pings: tchannel-python and tchannel-java
do not, which one ping in the first quiet second tells (``LEARNING``).

A missing pong proves little. A handler that blocks its loop for 12 s answers no ping, and is honest: so
the connection is not ended, it is only taken out of the choice (``SILENT``), its peer is chosen last,
and calls in flight keep their own deadlines. Whatever comes of it puts it back. The kernel ends it, or
a second silent period in which no call waits.

A call that times out is a sign only if nothing at all came while it waited; of a peer that answers no
pings, or is not known to, only if nothing came for `Options.keepalive_grace` either; until then its peer
is merely chosen last.

tchannel-go ends a connection on which it is pinged while it drains, and does not tell that it drains.
It is not pinged while calls wait.

All connections of a channel are looked at by one timer: ten thousand cost 2 ms a second. With it those
that are idle are put to rest (`dormant.py`), where `Options.keepalive` is off too.
"""

from __future__ import annotations

import weakref
from enum import Enum
from typing import TYPE_CHECKING

from .._ground.log_fields import log_fields
from .._ground.logs import logger
from .dormant import Unclosed, rest

if TYPE_CHECKING:
    from .._inner_channel import InnerChannel
    from ..clock import TimerHandle
    from .connection import Connection
    from .peer_table import PeerTable

__all__ = ["TRANSITIONS", "Keepalive", "PingInput", "PingState", "after"]

log = logger("tchannel.connection")

# In seconds: how often connections are looked at, and how long a new one is quiet before it is pinged.
_LOOK_EVERY = 1.0
_FIRST_QUIET = 1.0

# In seconds: after how long a quiet a connection is put to rest, which costs 5 µs and as much to end.
_REST_AFTER = 2.0


class PingState(Enum):
    """What is known of the other side of a connection."""

    UNKNOWN = "not pinged yet"
    LEARNING = "pinged for the first time"
    ANSWERS = "known to answer pings"
    ASKED = "known to answer pings, and pinged"
    MUTE = "known to answer no pings"
    SILENT = "silent"


class PingInput(Enum):
    """What moves a connection from one of these states to another."""

    PING = "be pinged"
    PONG = "answer"
    LATE_FRAME = "send something, long after a ping, and no answer to it"
    NO_SIGN = "send nothing for too long after a ping"
    CALL_TIMED_OUT = "let a call time out without a sign"
    SIGN = "be heard again"


_UNKNOWN = PingState.UNKNOWN
_LEARNING = PingState.LEARNING
_ANSWERS = PingState.ANSWERS
_ASKED = PingState.ASKED
_MUTE = PingState.MUTE
_SILENT = PingState.SILENT

TRANSITIONS: dict[PingState, dict[PingInput, PingState]] = {
    _UNKNOWN: {
        PingInput.PING: _LEARNING,
        PingInput.PONG: _ANSWERS,
        PingInput.CALL_TIMED_OUT: _SILENT,
    },
    _LEARNING: {
        PingInput.PONG: _ANSWERS,
        PingInput.LATE_FRAME: _MUTE,
        PingInput.CALL_TIMED_OUT: _SILENT,
    },
    _ANSWERS: {
        PingInput.PING: _ASKED,
        PingInput.PONG: _ANSWERS,
        PingInput.CALL_TIMED_OUT: _SILENT,
    },
    _ASKED: {
        PingInput.PONG: _ANSWERS,
        PingInput.NO_SIGN: _SILENT,
        PingInput.CALL_TIMED_OUT: _SILENT,
    },
    _MUTE: {
        PingInput.PONG: _ANSWERS,
        PingInput.CALL_TIMED_OUT: _SILENT,
    },
    _SILENT: {
        PingInput.PING: _SILENT,
        PingInput.PONG: _ANSWERS,
        # Whether it answers pings is learnt anew.
        PingInput.SIGN: _UNKNOWN,
    },
}


def after(state: PingState, input: PingInput) -> PingState:
    """Return the state after ``input`` in ``state``.

    Raises:
        RuntimeError: The table has no such step.

    """
    try:
        return TRANSITIONS[state][input]
    except KeyError:
        raise RuntimeError(f"a peer that is {state.value} cannot {input.value}") from None


class _Watch:
    """What is known of one connection."""

    __slots__ = ("asked", "since", "state")

    def __init__(self, now: float) -> None:
        self.state = _UNKNOWN
        self.since = now
        """Since when it has been watched, or silent."""
        self.asked = now
        """When it was last pinged."""

    def step(self, input: PingInput) -> None:
        self.state = after(self.state, input)


class Keepalive:
    """Looks after the connections of a channel, all with one timer.

    Args:
        channel: whose connections they are.
        table: takes those that are silent out of the choice, and back.

    """

    __slots__ = ("__weakref__", "_channel", "_table", "_timer", "_unclosed", "_watched")

    def __init__(self, channel: InnerChannel, table: PeerTable) -> None:
        self._channel = channel
        self._table = table
        self._unclosed = Unclosed(channel.name)
        self._timer: TimerHandle | None = None
        self._watched: dict[Connection, _Watch] = {}

    # -- what connections tell ----------------------------------------------------------------

    def watch(self, connection: Connection) -> None:
        """Look after a connection from now on."""
        self._watch(connection)

    def _watch(self, connection: Connection) -> _Watch:
        watch = self._watched.get(connection)
        if watch is None:
            watch = self._watched[connection] = _Watch(connection.timers.time())
            if self._timer is None:
                self._look_later()
        return watch

    def forget(self, connection: Connection) -> None:
        """It is over."""
        self._watched.pop(connection, None)
        if not self._watched:
            self.stop()

    def stop(self) -> None:
        """Look after nothing any more."""
        self._watched.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def drop(self) -> None:
        """Forget what belongs to a loop that is over, without a word to it."""
        self._watched.clear()
        self._timer = None

    def answers_pings(self, connection: Connection) -> bool:
        """Say whether it may be waited for a pong: False for a peer that is known to send none."""
        watch = self._watched.get(connection)
        if watch is None:
            return True
        if watch.state is _LEARNING:
            return connection.timers.time() - watch.asked < self._channel.options.keepalive_grace
        return watch.state not in {_MUTE, _SILENT}

    def pong(self, connection: Connection) -> None:
        """A pong has come."""
        watch = self._watched.get(connection)
        if watch is not None:
            was_silent = watch.state is _SILENT
            watch.step(PingInput.PONG)
            if was_silent:
                self._table.heard_again(connection)

    def call_timed_out(self, connection: Connection) -> None:
        """A call has timed out, and nothing at all came while it waited."""
        options = self._channel.options
        if not options.keepalive or connection.closed or not connection.opener:
            return  # a caller can be called back over its own connection alone
        watch = self._watch(connection)
        if watch.state is _SILENT:
            return
        quiet = connection.timers.time() - connection.last_heard
        if watch.state in {_ANSWERS, _ASKED} or quiet >= options.keepalive_grace:
            asks = watch.state is _ANSWERS
            self._silent(connection, watch, PingInput.CALL_TIMED_OUT, "a call timed out")
            if asks and self._may_ping(connection):
                # Its handler may just be slow: then this brings it back at once.
                self._ping(connection, watch)
        else:
            # Too little to give the connection up, enough to try others first.
            self._table.penalise(connection)

    # -- looking ------------------------------------------------------------------------------

    def _look_later(self) -> None:
        clock = self._channel.timers.clock
        # A channel that nobody holds any more is not kept alive by its timer.
        self._timer = clock.call_at(clock.time() + _LOOK_EVERY, _look, weakref.ref(self))

    def look(self) -> None:
        """Look at each connection: is it time to ping it, has it answered?"""
        self._timer = None
        now = self._channel.timers.time()
        looks = self._channel.options.keepalive
        for connection, watch in list(self._watched.items()):
            if looks:
                self._look_at(connection, watch, now)
            if (
                not connection.dormant
                and now - connection.last_heard >= _REST_AFTER
                and connection.idle
                and not connection.closed
                and not self._channel.serves_others()
            ):
                rest(connection, self._unclosed)
        if self._watched:
            self._look_later()

    def _look_at(self, connection: Connection, watch: _Watch, now: float) -> None:
        options = self._channel.options
        quiet = now - connection.last_heard
        state = watch.state
        if state is _UNKNOWN:
            if quiet >= _FIRST_QUIET or now - watch.since >= options.keepalive_period:
                self._ping(connection, watch)
        elif state is _LEARNING:
            if connection.last_heard - watch.asked >= options.keepalive_grace:
                watch.step(PingInput.LATE_FRAME)
        elif state is _ANSWERS:
            waits = bool(connection.wire.outbound)
            if quiet >= (options.keepalive_period if waits else options.keepalive_idle):
                self._ping(connection, watch)
        elif state is _ASKED:
            if min(now - watch.asked, quiet) >= options.keepalive_grace:
                self._silent(connection, watch, PingInput.NO_SIGN, "it answers no ping")
        elif state is _SILENT:
            if connection.last_heard > watch.since:
                watch.step(PingInput.SIGN)
                self._table.heard_again(connection)
            elif (
                now - watch.since >= options.keepalive_period + options.keepalive_grace
                and not connection.wire.outbound
                and not connection.incoming
            ):
                log.info(
                    "%s was silent for %.0f s: its connection is closed",
                    connection.address,
                    quiet,
                    extra=log_fields(connection.address),
                )
                connection.abort()

    def _may_ping(self, connection: Connection) -> bool:
        if connection.peer_draining or not connection.ready or connection.closed:
            return False
        remote = connection.wire.remote
        go = remote is not None and remote.headers.get("tchannel_language") == "go"
        return not (go and connection.wire.outbound)

    def _ping(self, connection: Connection, watch: _Watch) -> None:
        if self._may_ping(connection):
            watch.step(PingInput.PING)
            watch.asked = connection.timers.time()
            connection.wire.ping(watch.asked)
            connection.flush_soon()

    def _silent(self, connection: Connection, watch: _Watch, input: PingInput, why: str) -> None:
        watch.step(input)
        watch.since = now = connection.timers.time()
        log.warning(
            "%s is silent (%s, and nothing came for %.1f s): calls go over another connection",
            connection.address,
            why,
            now - connection.last_heard,
            extra=log_fields(connection.address),
        )
        self._table.silent(connection)


def _look(keepalive: weakref.ref[Keepalive]) -> None:
    alive = keepalive()
    if alive is not None:
        alive.look()
