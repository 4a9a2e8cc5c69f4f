"""What waits for one receiver, and who is read no further because of it.

Relayed bytes for one receiver never exceed ``max_buffered``, however many send to it. A sender whose
next frame is for a full receiver keeps that frame and is not read from; and as long as anybody is slow,
all are read in small steps, so that what they keep is small as well.
"""

from __future__ import annotations

from typing import Protocol

import tchannel_wire as wire

__all__ = ["MIN_BUFFERED", "Backlog", "Limits", "Sender"]

MIN_BUFFERED = 128 * 1024
"""Two frames: with less, not even one could be passed on while another is being written."""

_READ = 256 * 1024


class Sender(Protocol):
    """Whoever can be told to wait."""

    def wait_for(self, backlog: Backlog) -> None:
        """Send nothing more until ``backlog`` has room."""

    def go_on(self, backlog: Backlog) -> None:
        """``backlog`` has room; it may be full again before this returns."""


class Limits:
    """How ``max_buffered`` is shared out.

    Args:
        max_buffered: Bytes that may wait for one receiver.

    """

    __slots__ = ("choked_at", "flush_at", "full_at", "low", "most", "queue_at", "read")

    def __init__(self, max_buffered: int) -> None:
        queue = max(wire.MAX_FRAME_SIZE, max_buffered // 4)
        self.most: int = max_buffered
        self.low: int = max_buffered // 4
        """What the operating system did not take at once: more than this is slow, less is not."""
        self.flush_at: int = max_buffered // 8
        """Bytes of one turn of the loop that are written without waiting for its end."""
        self.full_at: int = max_buffered - self.flush_at - queue
        """Bytes that were not taken from which on a receiver is full.

        A receiver that is not full has at most these and ``flush_at``; one frame more, or a whole
        queue, and it has ``max_buffered``.
        """
        self.choked_at: int = max_buffered - self.flush_at
        """Bytes, answers of the router's own included, from which on a peer is not read from."""
        self.queue_at: int = queue - wire.MAX_FRAME_SIZE
        """Bytes from which on a queue for a receiver that is being connected to is full."""
        self.read: int = min(_READ, max_buffered // 2)
        """Bytes of one read while nobody is slow."""


class Backlog:
    """The bytes for one receiver, and the senders that wait until there are fewer."""

    __slots__ = ("_waiting_senders", "full")

    def __init__(self) -> None:
        self.full: bool = False
        """Whether it takes no further frame."""
        # A dict, for its order: who came first goes on first.
        self._waiting_senders: dict[Sender, None] = {}

    def hold_back(self, sender: Sender) -> None:
        """Let ``sender`` wait until there is room."""
        self._waiting_senders[sender] = None
        sender.wait_for(self)

    def forget(self, sender: Sender) -> None:
        """Expect nothing more from ``sender``."""
        self._waiting_senders.pop(sender, None)

    def let_go_on(self) -> None:
        """Let those who wait go on, one after another, until it is full again."""
        for sender in list(self._waiting_senders):
            if self.full:
                return
            if sender in self._waiting_senders:
                del self._waiting_senders[sender]
                sender.go_on(self)
