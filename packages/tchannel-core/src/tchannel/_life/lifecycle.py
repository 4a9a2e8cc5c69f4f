"""The life of a channel: the loop that it belongs to, a fork of its process, its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

from .._ground.process import drop_for_good
from .._ground.tasks import start_task
from .._ground.text import shown
from .._links.connection import Connection
from .._links.faults import Faults
from .._links.gate import Gate
from .._links.listener import Listener
from .._links.memory import ChannelMemory
from .._links.peer_table import PeerTable
from .._links.timers import Timers, timers_of
from .._serving.admission import Admission
from .._serving.queue import RequestQueue
from .._sight.counting import Counts
from .._sight.lag import LagMeter
from .._sight.recent import Recent
from ..clock import Clock
from ..event import EventType
from ..options import Options
from ..peer_sources import ListSource, PeerSource
from .closing import close_channel
from .loops import LoopGuard, current_loop, running_loop, wrong_thread
from .states import ChannelState, LifeInput, after

if TYPE_CHECKING:
    from .._calls.waiting import Wait
    from ..channel import TChannel
    from ..event import EventEmitter

__all__ = ["Lifecycle"]


class Lifecycle:
    """The part of a channel that ties it to a loop, and lets go of it again."""

    public: TChannel
    name: str
    options: Options
    events: EventEmitter
    faults: Faults

    def __init__(self, clock: Clock | None, source: PeerSource, peers_table: PeerTable) -> None:
        self.state: ChannelState = ChannelState.OPEN
        self._given_clock = clock
        self._closed: asyncio.Future[None] | None = None
        self._changed: list[asyncio.Future[None]] = []
        self.guard: LoopGuard | None = None
        self.close_callbacks: list[Callable[[], object]] = []
        self.listener: Listener | None = None
        self.connections: set[Connection] = set()
        # A dict for its order: calls that wait for a connection, a retry or the first peers.
        self.waiting: dict[Wait, None] = {}
        self.incoming_calls: int = 0
        self.unsent_bytes: int = 0
        self.made_at: float = time.monotonic()
        self.recent: Recent = Recent(self.options.recent_calls, self.options.slow_call)
        self.counts: Counts = Counts(
            self.options.max_stats_rows,
            self._has_endpoint,
            timed=self.options.latency_histograms,
        )
        self.lag: LagMeter = LagMeter()
        self.memory: ChannelMemory = ChannelMemory(self.options.incoming_memory, self.connections)
        self.peers_table: PeerTable = peers_table
        self._source = source
        self._source_running = False
        if TYPE_CHECKING:  # set by `_attach`, before anything uses them
            self.loop: asyncio.AbstractEventLoop
            self.timers: Timers
            self.queue: RequestQueue
            self.admission: Admission
            self.gate: Gate
        else:
            self.loop = None
            self.timers = None
            self.queue = None
            self.admission = None
            self.gate = None
        if isinstance(source, ListSource):
            # Known before the first call, so that mistakes in the list are the caller's at once.
            self.peers_table.group.update(source.peers)

    def limit_reached(self, name: str, limit: int) -> None:
        """Count that something was refused or closed because of a limit, and tell the hooks."""
        self.counts.limit_reached(name)
        if self.events.callbacks[EventType.on_limit_reached]:
            self.events.fire(EventType.on_limit_reached, name, limit)

    def handshake_failed(self, direction: str, address: str, reason: str) -> None:
        """Count that a connection did not come about, and tell the hooks."""
        self.counts.handshakes_failed[direction] += 1
        if self.events.callbacks[EventType.on_handshake_failed]:
            self.events.fire(EventType.on_handshake_failed, address, shown(reason))

    def _has_endpoint(self, service: str, endpoint: bytes) -> bool:
        raise NotImplementedError

    def step(self, input: LifeInput) -> None:
        """Go on to the next state.

        Raises:
            RuntimeError: There is no such step.

        """
        self.state = after(self.state, input)
        if self.admission is not None:
            self.admission.let_in(serves=self.state.serves)

    # -- the loop -----------------------------------------------------------------------------

    def use_loop(self) -> asyncio.AbstractEventLoop | None:
        """Make sure that this channel belongs to the loop that runs, and return that loop.

        Returns:
            The running loop; None when none runs, and the channel waits for its own to run.

        Raises:
            RuntimeError: its loop runs in another thread, or it is closed.

        """
        running = running_loop()
        loop = self.loop
        if running is not loop or loop is None:
            if loop is not None and loop.is_running():
                raise wrong_thread(self.name)
            if running is not None:
                self._attach(running)
            elif loop is None or loop.is_closed():
                self._attach(current_loop())
        return running

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.connections:
            # They belong to a loop that is over: nothing can be sent on them any more.
            drop_for_good(list(self.connections))
            self.connections.clear()
        self.stop_sources()
        self.peers_table.clear()
        self.waiting.clear()
        self._hold_nothing()
        self.step(LifeInput.LOOP_TAKEN)
        self.loop = loop
        self.timers = timers_of(loop, self._given_clock)
        self.queue = RequestQueue(loop, self.timers.time)
        self.admission = Admission(self.options, self.timers.time)
        self.admission.let_in(serves=self.state.serves)
        self.gate = Gate(self.options, self.connections, self.timers)
        self.guard = LoopGuard(loop, partial(self._loop_ends, loop))
        if self.listener is not None:
            self.listener.attach(loop)
        # A closed channel is only here to refuse a call.
        if not isinstance(self._source, ListSource) and not self.is_closed():
            self._source_running = True
            Context().run(self._source.start, self.peers_table.group, self.timers.clock)

    @property
    def incoming_bytes(self) -> int:
        """Bytes of incoming requests that are held now; `Options.incoming_memory` bounds them."""
        return self.memory.held

    def _hold_nothing(self) -> None:
        """What was held belonged to connections of another loop, or another process."""
        self.incoming_calls = self.unsent_bytes = 0
        self.memory = ChannelMemory(self.options.incoming_memory, self.connections)

    def _loop_ends(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop is about to close, and the channel is still open: let go of all that is on it."""
        if loop is not self.loop:
            return  # the channel went on in another one meanwhile
        # Until it goes on in another loop, nothing is connected or tried again.
        self.step(LifeInput.LOOP_ENDED)
        self.stop_sources()
        for wait in list(self.waiting):
            wait.give_up("its event loop has ended")
        for connection in list(self.connections):
            connection.abort()
        if self.listener is not None:
            self.listener.detach()
        self.lag.stop()
        self.faults.flush()

    def has_running_source(self) -> bool:
        """Say whether a peer source may still bring peers; a list that was given has done so."""
        return self._source_running

    def stop_sources(self) -> None:
        """End what keeps the peers up to date."""
        if self._source_running:
            self._source_running = False
            self._source.stop()

    def forked(self) -> None:
        """In the child of a fork: drop what belongs to the parent, without a word to anyone."""
        self.step(LifeInput.FORKED)
        self.counts.clear()
        self.recent.clear()
        self.made_at = time.monotonic()
        if self.loop is None:
            return
        drop_for_good(
            (
                self.loop,
                self.timers,
                self.guard,
                self._closed,
                self.queue,
                self.admission,
                self.gate,
                list(self.connections),
                self.peers_table,
            )
        )
        self.connections = set()
        self.faults.forget()
        self.lag.forget()
        self.waiting = {}
        self._hold_nothing()
        self._source_running = False
        self.peers_table = self.peers_table.renewed()
        self.guard = self._closed = None
        self._changed = []
        # As before the first use.
        self.loop = self.timers = None  # type: ignore[assignment]
        self.queue = self.admission = self.gate = None  # type: ignore[assignment]
        if self.listener is not None:
            self.listener.forget()

    # -- the end ------------------------------------------------------------------------------

    def close(self, within: float) -> asyncio.Future[None]:
        """Close it gracefully within so many seconds; see `TChannel.close`."""
        # Anew, if its loop ended before it was over.
        if self._closed is not None and not self._closed.cancelled():
            return asyncio.shield(self._closed)
        running = self.use_loop()
        loop = self.loop
        if self.state is ChannelState.CLOSED:  # by the parent of this process, or before a fork
            self._closed = loop.create_future()
            self._closed.set_result(None)
            return asyncio.shield(self._closed)
        self.step(LifeInput.CLOSE)
        if running is None and not self.connections:
            self._closed = loop.create_future()
            self._closed.set_result(None)
            self.guard = None
            self.step(LifeInput.NOTHING_LEFT)
            self.stop_sources()
            if self.listener is not None:
                self.listener.close()
        else:
            self._closed = start_task(loop, close_channel(self, within), Context())
        # A handler that waits for the end of its own channel is cancelled by it: shielded, because
        # that must not cancel the closing in turn.
        return asyncio.shield(self._closed)

    def is_closed(self) -> bool:
        """Say whether `close` was called."""
        return self.state.ends

    def outgoing_calls(self) -> int:
        """Return how many calls wait for their answers, or to be sent."""
        # A copy: a repr may ask in another thread.
        sent = sum(len(connection.wire.outbound) for connection in list(self.connections))
        return sent + len(self.waiting)

    def changed(self) -> asyncio.Future[None]:
        """Return a Future that ends at the next `notify`."""
        future = self.loop.create_future()
        self._changed.append(future)
        return future

    def notify(self) -> None:
        """Wake up whoever waits for calls and connections to end."""
        changed, self._changed = self._changed, []
        for future in changed:
            if not future.done():
                future.set_result(None)
