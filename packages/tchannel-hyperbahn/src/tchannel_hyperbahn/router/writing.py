"""The way out of one connection: frames that are written, and what happens when they are not taken."""

from __future__ import annotations

import asyncio
from contextvars import Context
from logging import Logger
from typing import TYPE_CHECKING

import tchannel_wire as wire
from tchannel.clock import TimerHandle
from tchannel.lowlevel import logger

from .backlog import Backlog, Sender

if TYPE_CHECKING:
    from .server import Router

__all__ = ["STALLED_AFTER", "FrameWriter"]

log: Logger = logger("tchannel.router")

STALLED_AFTER = 10.0
"""Seconds without taking a byte after which a connection that others wait for is closed.

It holds up whoever has a frame for it, and two services that stop reading while they cannot write
would wait for each other for ever.
"""
# Frames from this size on are not rewritten but sent in parts.
_LARGE = 8 * 1024


class FrameWriter(Backlog):
    """Writes frames to one peer.

    Args:
        router: Whose connection it is.

    """

    __slots__ = (
        "_context",
        "_flushing",
        "_handed_over",
        "_limits",
        "_loop",
        "_out",
        "_out_bytes",
        "_paused",
        "_router",
        "_stall_timer",
        "_taken",
        "closed",
        "transport",
    )

    # Declared again: a checker infers it anew where a method of this class sets it.
    full: bool
    transport: asyncio.Transport

    def __init__(self, router: Router) -> None:
        super().__init__()
        self.closed: bool = False
        self._router = router
        self._loop = router.loop
        self._limits = router.limits
        self._context = Context()
        self._out: list[bytes | memoryview] = []
        self._out_bytes = 0
        self._flushing = False
        self._paused = False
        self._handed_over = 0
        self._taken = 0
        self._stall_timer: TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written."""
        return self._out_bytes + self.transport.get_write_buffer_size()

    # -- frames -------------------------------------------------------------------------------

    def forward(self, frame: bytes, id: int) -> None:
        """Send a relayed frame under another id; only while there is room."""
        if self.closed:
            return
        if len(frame) < _LARGE:
            self._out.append(wire.replace_id(frame, id))
        else:
            # In parts: rewriting would copy 64 KiB twice more, a fifth of what relaying them costs.
            self._out += (frame[:4], id.to_bytes(4, "big"), memoryview(frame)[8:])
        self._out_bytes += len(frame)
        if self._out_bytes > self._limits.flush_at:
            self._write_out()
        elif not self._flushing:
            self._flush_soon()

    def write(self, frame: bytes) -> None:
        """Send a frame of the router's own."""
        if self.closed:
            return
        self._out.append(frame)
        self._out_bytes += len(frame)
        if self._out_bytes > self._limits.flush_at:
            self._write_out()
        elif not self._flushing:
            self._flush_soon()

    def _flush_soon(self) -> None:
        # One write for all that is forwarded within one turn of the loop: as in the channel, a write
        # for each frame would be most of the cost of a relayed call.
        self._flushing = True
        self._loop.call_soon(self._flush, context=self._context)

    def _flush(self) -> None:
        self._flushing = False
        self._write_out()

    def _write_out(self) -> None:
        out = self._out
        if out and not self.transport.is_closing():
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))
            self._handed_over += self._out_bytes
        out.clear()
        self._out_bytes = 0
        if self._paused:
            self._look_at_backlog()

    # -- when the peer is slow ----------------------------------------------------------------

    def pause_writing(self) -> None:
        """The peer does not take at once what is written."""
        self._paused = True
        self._router.slow.add(self)

    def resume_writing(self) -> None:
        """The peer has taken most of it."""
        self._paused = False
        self._router.slow.discard(self)
        self._stop_watching()
        self.full = False
        self.let_go_on()

    def hold_back(self, sender: Sender) -> None:
        """Let ``sender`` wait, but not for ever."""
        super().hold_back(sender)
        self._watch()

    def _look_at_backlog(self) -> None:
        size = self.transport.get_write_buffer_size()
        if size > self._limits.most:
            # Relayed frames never get here: these are cancels and errors of calls that ended.
            log.warning("%s does not read what it is sent: closed", self)
            self.abort()
        elif size > self._limits.full_at:
            self.full = True

    def _watch(self) -> None:
        if self._stall_timer is None:
            self._taken = self._handed_over - self.transport.get_write_buffer_size()
            clock = self._router.clock
            self._stall_timer = clock.call_at(clock.time() + STALLED_AFTER, self._look_for_progress)

    def _look_for_progress(self) -> None:
        self._stall_timer = None
        if not self._waiting_senders and not self.closed:
            return
        if self._handed_over - self.transport.get_write_buffer_size() == self._taken:
            log.warning("%s has not read for %g s, and others wait: closed", self, STALLED_AFTER)
            self.abort()
            for sender in self._waiting_senders:
                # It may have stopped reading because of this connection: one of two that wait for
                # each other has to go, not both.
                if isinstance(sender, FrameWriter) and sender._stall_timer is not None:
                    sender._stop_watching()
                    sender._watch()
        else:
            self._watch()

    def _stop_watching(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    # -- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        """Send what is to be sent, then close."""
        if not self.closed:
            self._write_out()
            if self.transport.get_write_buffer_size():
                self._watch()  # who reads nothing would keep it open for ever
            self.closed = True
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        self.closed = True
        self.transport.abort()

    def end_writing(self) -> None:
        """Let nobody wait any more: the connection is lost."""
        self.closed = True
        self._stop_watching()
        self._router.slow.discard(self)
        self._out.clear()
        self.full = False
        self.let_go_on()
