"""The part of a connection that keeps memory bounded when one side is slower than the other."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING

import tchannel_wire

from .._ground.log_fields import log_fields
from .._ground.logs import logger

if TYPE_CHECKING:
    from .._inner_channel import InnerChannel
    from .._serving.incoming import IncomingRequest
    from ..clock import TimerHandle
    from .timers import Timers

__all__ = ["BackPressure"]

log = logger("tchannel.connection")

# Why reading may be paused; reading goes on when no reason is left.
HOLD_STREAM = 1
HOLD_WRITES = 2
HOLD_STREAMS = 4
HOLD_TURN = 8

_READ_PER_TURN = 512 * 1024
"""Bytes that a connection may read in one turn of the loop: uvloop reads up to 8 MiB in one."""

_LONG_SHARE = 0.002
"""Seconds that one read may take before those who wait for the loop come before the rest of it."""

_FEW_BYTES = 64 * 1024
"""Of answers that wait: a connection with fewer is not to blame for what the channel holds."""


class BackPressure(asyncio.Protocol):
    """Writes what is to be sent once per turn of the loop, and says who has to wait.

    New calls wait while more than ``options.write_buffer`` bytes wait to be sent. Of a peer that does
    not read its answers nothing more is read once they are as many; a peer that takes none of them for
    ``options.stall_timeout`` is closed. Two that are not read by each other would wait for ever.
    """

    __slots__ = (
        "__weakref__",
        "_bodies_held",
        "_bytes_this_turn",
        "_context",
        "_holds",
        "_reads_on",
        "_replied",
        "_stalled",
        "_streamed",
        "_taken_up_to",
        "_unsent",
        "bytes_received",
        "bytes_sent",
        "channel",
        "closed",
        "flushing",
        "last_heard",
        "line",
        "loop",
        "parked",
        "paused",
        "paused_at",
        "slow",
        "transport",
        "turn_ends",
        "waiting",
        "wire",
    )

    address: str
    timers: Timers
    transport: asyncio.Transport
    wire: tchannel_wire.Connection

    def __init__(self, channel: InnerChannel) -> None:
        self.channel: InnerChannel = channel
        self.loop: asyncio.AbstractEventLoop = channel.loop
        self.closed: bool = False
        self.flushing: bool = False
        self.paused: bool = False
        """Whether the transport takes nothing more for now."""
        self.paused_at: float = 0.0
        """Since when, by the channel's clock."""
        self.bytes_received: int = 0
        self.bytes_sent: int = 0
        self.slow: bool = False
        """Whether new calls have to look if they may go: it is paused, or much waits to be sent."""
        # A dict for its order: they go on in turn.
        self.waiting: dict[asyncio.Future[None], None] = {}
        self._context = Context()
        self._bodies_held = 0
        self._holds = 0
        self._replied = 0
        self._stalled: TimerHandle | None = None
        self._streamed = 0
        self._taken_up_to = 0
        self._unsent = 0
        self._bytes_this_turn = 0
        self._reads_on: bool = False
        """Whether `_read_on` is called in the next turn of the loop."""
        self.last_heard: float = 0.0
        """When bytes came last, in the channel's time."""
        self.turn_ends: float = 0.0
        """Until when handlers of what was read in this turn may begin, the others queue; 0: all do."""
        self.line: deque[IncomingRequest] | None = None
        """Its requests that wait for their turn; made when first needed."""
        self.parked: bool = False
        """Whether its line waits for answers to be read."""

    # -- writing ------------------------------------------------------------------------------

    def flush_soon(self) -> None:
        """Write what is to be sent at the end of this turn of the loop."""
        if not self.flushing:
            self.flushing = True
            self.loop.call_soon(self._flush, context=self._context)

    def _flush(self) -> None:
        self.flushing = False
        # The transport may be closed by now, and says so only in the log.
        if self.paused or self.transport.is_closing():
            return
        data = self.wire.data_to_send()
        if data:
            self.bytes_sent += len(data)
            self.transport.write(data)
            # Much is written on until the transport is full: only then is it known that the peer
            # does not read, and one read may have asked for hundreds of MiB of answers.
            while data and not self.paused and self.congested and not self.transport.is_closing():
                data = self.wire.data_to_send()
                self.bytes_sent += len(data)
                self.transport.write(data)
            if self.wire.has_data and not self.paused:
                self.flush_soon()
        self.slow = self.paused
        if self.waiting and not self.paused and not self.wire.has_data:
            self._wake_writers()

    def pause_writing(self) -> None:
        """The peer reads slower than we write: keep the rest of the frames here."""
        self.paused = self.slow = True
        self.paused_at = self.timers.time()
        self._replied = self.wire.replied
        if not self.wire.outbound:
            # All of it is answers; with calls of ours among it, only what is answered from now on.
            self.count_unsent(self.wire.buffered - self._unsent)

    def resume_writing(self) -> None:
        """Go on writing."""
        self.paused = False
        self._taken_up_to = -1
        self._flush()
        self._count_afresh()
        if not self.paused:
            self.release(HOLD_WRITES)
            self.stop_watching()
            self._wake_writers()

    @property
    def congested(self) -> bool:
        """True when new calls have to wait until the peer has read some of what it got."""
        return self.wire.buffered > self.channel.options.write_buffer

    def writable(self) -> asyncio.Future[None]:
        """Return a Future that ends once the peer reads again, or is gone."""
        future: asyncio.Future[None] = self.loop.create_future()
        if (self.paused or self.wire.has_data) and not self.closed:
            self.waiting[future] = None
            future.add_done_callback(self._waits_no_more, context=self._context)
            self.flush_soon()
        else:
            future.set_result(None)
        return future

    def _waits_no_more(self, future: asyncio.Future[None]) -> None:
        self.waiting.pop(future, None)

    def _wake_writers(self) -> None:
        waiting, self.waiting = self.waiting, {}
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _count_afresh(self) -> None:
        """Learn what is left of the answers that waited, now that some may have left."""
        unsent = min(self._unsent, self.wire.buffered) if self.paused else 0
        self.channel.unsent_bytes += unsent - self._unsent
        self._unsent = unsent

    def count_unsent(self, size: int) -> None:
        """Count an answer that waits to be sent; beyond the limit nothing more is read or served."""
        self._unsent += size
        self.channel.unsent_bytes += size
        if self._unsent > self.channel.options.write_buffer:
            self.turn_ends = 0.0
            self.hold(HOLD_WRITES)
            if self._stalled is None:
                self._watch()

    def holds_answers(self) -> bool:
        """Say whether so many answers wait to be read by the peer that nothing more is served."""
        if self._holds & HOLD_WRITES:
            return True
        if not self._unsent or self.channel.unsent_bytes <= self.channel.options.unsent_memory:
            return False
        self.hold(HOLD_WRITES)
        if self._stalled is None:
            self._watch()
        return True

    def takes_answer(self, size: int) -> bool:
        """Count an answer to a peer that does not read; False if those of all peers are too many."""
        channel = self.channel
        if (
            channel.unsent_bytes + size > channel.options.unsent_memory
            and self._unsent + size > _FEW_BYTES
        ):
            return False
        self.count_unsent(size)
        return True

    def write_at_once(self) -> None:
        """Much was answered within one turn of the loop: see now whether the peer reads."""
        flushing = self.flushing
        self._flush()
        self.flushing = self.flushing or flushing

    def _count_replies(self) -> None:
        """Pongs and refusals are answers as well: nobody may make us keep any number of them."""
        replied = self.wire.replied
        self.count_unsent(replied - self._replied)
        self._replied = replied

    def _watch(self) -> None:
        # While it is held, nothing is added to what the transport has.
        self._taken_up_to = self.transport.get_write_buffer_size()
        timers = self.timers
        self._stalled = timers.clock.call_at(
            timers.time() + self.channel.options.stall_timeout, self._look_again
        )

    def _look_again(self) -> None:
        self._stalled = None
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() != self._taken_up_to:
            self._watch()
            return
        log.warning(
            "%s has taken none of the %d bytes for it in %g s: its connection is closed",
            self.address,
            self.wire.buffered + self._taken_up_to,
            self.channel.options.stall_timeout,
            extra=log_fields(self.address),
        )
        self.transport.abort()

    def stop_watching(self) -> None:
        """Forget when the peer last took something: it takes everything again, or it is gone."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def forget_bytes(self) -> None:
        """The connection is gone, and what waited on it as well."""
        self.channel.unsent_bytes -= self._unsent
        self._unsent = 0
        self.channel.memory.forget(self)
        self.channel.queue.forget(self)

    # -- reading ------------------------------------------------------------------------------

    def hold(self, reason: int) -> None:
        """Stop reading for ``reason``."""
        if not self._holds and not self.transport.is_closing():
            self.transport.pause_reading()
        self._holds |= reason

    def release(self, reason: int) -> None:
        """Read on, unless there is another reason not to."""
        if self._holds & reason:
            self._holds &= ~reason
            if reason == HOLD_WRITES:
                self.channel.queue.unpark(self)
            if not self._holds:
                if not self.transport.is_closing():
                    self.transport.resume_reading()
            elif self._holds == HOLD_TURN:
                self._read_on_soon()

    def _count_read(self, size: int) -> None:
        """Count a large read: there may be more of them in this turn of the loop."""
        if not self._bytes_this_turn:
            self.loop.call_soon(self._turn_over, context=self._context)
        self._bytes_this_turn += size
        if self._bytes_this_turn >= _READ_PER_TURN:
            self.hold_for_turn()

    def _turn_over(self) -> None:
        self._bytes_this_turn = 0

    def hold_for_turn(self) -> None:
        """Read and look at nothing more in this turn of the loop: others have theirs."""
        if not self._holds & HOLD_TURN:
            self.hold(HOLD_TURN)
            if self._holds == HOLD_TURN:
                self._read_on_soon()

    def _read_on_soon(self) -> None:
        """Go on in the next turn of the loop; once, however many reasons to hold came and went."""
        if not self._reads_on:
            self._reads_on = True
            # What is scheduled now runs before the sockets that have become readable meanwhile. If this
            # share was a long one (a checksum in plain Python), they go first: nobody waits for two.
            long = self.timers.time() - self.last_heard > _LONG_SHARE
            then = self._after_others if long else self._read_on
            self.loop.call_soon(then, context=self._context)

    def _after_others(self) -> None:
        self.loop.call_soon(self._read_on, context=self._context)

    def _read_on(self) -> None:
        raise NotImplementedError

    def hold_for_body(self) -> None:
        """One more streamed body has more bytes than its reader takes."""
        self._bodies_held += 1
        self.hold(HOLD_STREAM)

    def release_body(self) -> None:
        """One body fewer."""
        self._bodies_held -= 1
        if not self._bodies_held:
            self.release(HOLD_STREAM)

    def count_streamed(self, size: int) -> None:
        """Count what the streamed bodies keep that still arrive: many small ones are much as well."""
        self._streamed += size
        options = self.channel.options
        if self._streamed > options.wire.reassembly_memory:
            self.hold(HOLD_STREAMS)
        elif self._streamed <= options.wire.reassembly_memory // 2:
            self.release_streams()

    def count_streamed_request(self, size: int) -> None:
        """The same for the body of a request, which counts for the whole channel as well."""
        memory = self.channel.memory
        memory.held += size
        self.count_streamed(size)
        if size < 0:
            memory.read_on()
        elif memory.held > memory.limit:
            self.hold(HOLD_STREAMS)
            memory.hold_back(self)

    def release_streams(self) -> None:
        """There is room again for streamed bodies."""
        self.release(HOLD_STREAMS)
