"""One direction of one proxied connection: bytes come in, suffer, and go out."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tchannel_wire import FrameBuffer

from .faults import Faults

if TYPE_CHECKING:
    from tchannel.clock import Clock, TimerHandle

#: How much may wait here before the sender is made to wait.
BUFFER_LIMIT: Final = 1 << 20
#: With a bandwidth, bytes leave in slices of this many seconds.
_SLICE: Final = 0.05


class _Mark:
    """Something in the queue that is not bytes: it happens behind the bytes before it."""

    __slots__ = ("act",)

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act


class Pipe:
    """Carries bytes from ``source`` to ``sink`` under the faults of its direction.

    :param clock: times delays.
    :param rng: draws jitter and corrupted bytes.
    :param cut: ends the connection (argument: with a reset?).
    :param seen: told how many bytes and frames came in.
    :param ended: told when the sink has been sent the source's end of file.
    """

    def __init__(
        self,
        faults: Faults,
        clock: "Clock",
        rng: random.Random,
        cut: Callable[[bool], None],
        seen: Callable[[int, int], None],
        ended: Callable[[], None],
    ) -> None:
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._cut = cut
        self._seen = seen
        self._ended = ended
        self.ended: bool = False
        self._loop = asyncio.get_running_loop()
        self._frames = FrameBuffer()
        # Of the frame that is not whole yet: how much has left, or else what is held back.
        self._forwarded = 0
        self._held = bytearray()
        self._joined: list[bytes] = []
        self._withheld: list[bytes] = []
        self._queue: deque[tuple[float, bytes | _Mark]] = deque()
        self._timer: TimerHandle | None = None
        self._spacing = False
        self._last_due = float("-inf")
        self._buffered = 0
        self._sent_bytes = 0
        self._sent_frames = 0
        self._lost = False
        self._cut_due = False
        self._sink_full = False
        self._reading = True
        self._swallow = False
        self._closed = False

    # What the ends of the connection tell

    def receive(self, data: bytes) -> None:
        """Take bytes that the source sent."""
        frames = self._frames.split(data)
        self._seen(len(data), len(frames))
        if self._closed or self._cut_due or self._swallow:
            return
        if self._faults.black_hole:
            self._lost = True
        elif self._faults.frame_aware:
            self._pass_frames(data, frames)
        else:
            self._emit(data)
            self._forwarded = self._frames.pending
        self.update_reading()

    def receive_eof(self) -> None:
        """The source will send no more: neither will we, behind what still waits."""
        if self._closed or self._cut_due or self._faults.black_hole or self._swallow:
            return
        self._flush_held()
        self._enqueue(_Mark(self._write_eof))

    def sink_full(self, full: bool) -> None:
        """The sink's buffer has filled up or emptied."""
        self._sink_full = full
        if not full:
            self._deliver()
        self.update_reading()

    def connected(self) -> None:
        """Both ends are there: send what came in meanwhile."""
        self._deliver()
        self.update_reading()

    # What the proxy tells

    def set_faults(self, faults: Faults) -> None:
        """Change the faults; limits count from here, and what they no longer hold back goes on."""
        old, self._faults = self._faults, faults
        self._sent_bytes = self._sent_frames = 0
        if old.pace != faults.pace:
            self._hasten()
        if old.black_hole and self._lost and not faults.black_hole:
            self._cut(True)
            return
        withheld, self._withheld = self._withheld, []
        for frame in withheld:
            self._pass_frame(frame)
        if faults.join is None or len(self._joined) >= faults.join:
            self._flush_joined()
        if not faults.frame_aware:
            self._flush_held()
        self._check_cut()
        self._deliver()

    def _hasten(self) -> None:
        """Bytes that wait leave when they were due, or earlier if the faults of now let them."""
        due = self._clock.time() + self._faults.latency
        bandwidth = self._faults.bandwidth
        for index, (old_due, item) in enumerate(self._queue):
            if bandwidth is not None and isinstance(item, bytes):
                due += len(item) / bandwidth
            self._last_due = min(old_due, due)
            self._queue[index] = (self._last_due, item)

    def swallow(self) -> None:
        """From now on read and drop everything: the other end is gone and nobody says so."""
        self._swallow = True
        self.close()
        self.update_reading()

    def close(self) -> None:
        """Drop what waits and forget the timer."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._buffered = 0

    # Frames

    def _pass_frames(self, data: bytes, frames: list[bytes]) -> None:
        self._held += data
        taken = 0
        for frame in frames:
            if self._forwarded:
                # The frame began before a fault asked for whole frames: its start has left.
                rest = frame[self._forwarded :]
                self._forwarded = 0
                taken += len(rest)
                self._emit(rest)
            else:
                taken += len(frame)
                self._pass_frame(frame)
        del self._held[:taken]
        if self._frames.error is not None:  # not TChannel: nothing to wait for
            self._flush_held()

    def _pass_frame(self, frame: bytes) -> None:
        faults = self._faults
        if faults.withhold is not None and faults.withhold(frame):
            self._withheld.append(frame)
            return
        if faults.rewrite is not None:
            frame = faults.rewrite(frame)
        if faults.join is not None:
            self._joined.append(frame)
            if len(self._joined) >= faults.join:
                self._flush_joined()
            return
        self._emit(frame, frames=1)

    def _flush_joined(self) -> None:
        joined, self._joined = self._joined, []
        if joined:
            self._emit(b"".join(joined), frames=len(joined))

    def _flush_held(self) -> None:
        self._flush_joined()
        if self._held:
            held = bytes(self._held)
            self._held.clear()
            self._emit(held)
            self._forwarded = self._frames.pending

    # Bytes

    def _emit(self, data: bytes, frames: int = 0) -> None:
        faults = self._faults
        if self._cut_due:
            return
        if faults.corrupt_rate:
            chance = self._rng.random
            data = bytes(b ^ 0xFF if chance() < faults.corrupt_rate else b for b in data)
        if faults.cut_after_bytes is not None:
            data = data[: faults.cut_after_bytes - self._sent_bytes]
        if data and not self._frames_done():
            self._sent_bytes += len(data)
            self._sent_frames += frames
            self._slice(data)
        self._check_cut()

    def _frames_done(self) -> bool:
        limit = self._faults.cut_after_frames
        return limit is not None and self._sent_frames >= limit

    def _check_cut(self) -> None:
        limit = self._faults.cut_after_bytes
        bytes_done = limit is not None and self._sent_bytes >= limit
        if (bytes_done or self._frames_done()) and not self._cut_due:
            self._cut_due = True
            with_reset = self._faults.cut_with_reset
            self._enqueue(_Mark(lambda: self._cut(with_reset)))

    def _slice(self, data: bytes) -> None:
        faults = self._faults
        size = len(data)
        if faults.split is not None:
            size = faults.split
        if faults.bandwidth is not None:
            size = min(size, max(1, int(faults.bandwidth * _SLICE)))
        for start in range(0, len(data), size):
            self._enqueue(data[start : start + size])

    def _enqueue(self, item: bytes | _Mark) -> None:
        faults = self._faults
        due = self._clock.time() + faults.latency
        if faults.jitter:
            due += self._rng.random() * faults.jitter
        due = max(due, self._last_due)
        if isinstance(item, bytes):
            self._buffered += len(item)
            if faults.bandwidth is not None:
                due += len(item) / faults.bandwidth
        self._last_due = due
        self._queue.append((due, item))
        if self._timer is None:
            self._deliver()

    def _deliver(self) -> None:
        """Send what is due; ask to be called again for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and self.sink is not None and not (self._sink_full or self._spacing):
            due, item = self._queue[0]
            if due > self._clock.time():
                self._timer = self._clock.call_at(due, self._deliver)
                break
            self._queue.popleft()
            if isinstance(item, _Mark):
                item.act()
                continue
            self._buffered -= len(item)
            if not self.sink.is_closing():
                self.sink.write(item)
            if self._faults.split is not None:
                # A reader in the same loop reads after the callbacks of a turn: two turns apart,
                # it sees each piece by itself.
                self._spacing = True
                self._loop.call_soon(self._loop.call_soon, self._end_spacing)
        self.update_reading()

    def _end_spacing(self) -> None:
        self._spacing = False
        if not self._closed:
            self._deliver()

    def _write_eof(self) -> None:
        if self.sink is not None and not self.sink.is_closing():
            with contextlib.suppress(OSError):  # it was reset, and is about to tell
                self.sink.write_eof()
        self.ended = True
        self._ended()

    def update_reading(self) -> None:
        """Read from the source, or let it wait."""
        full = self._buffered > BUFFER_LIMIT or self._sink_full
        wanted = self._swallow or not (self._faults.stall or full)
        if self.source is None or wanted == self._reading or self.source.is_closing():
            return
        self._reading = wanted
        if wanted:
            self.source.resume_reading()
        else:
            self.source.pause_reading()
