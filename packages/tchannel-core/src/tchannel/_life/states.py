"""Every state of a channel, and every step from one to another.

Theory of operation
-------------------

A channel is ``OPEN`` from its making, before any loop runs, until `TChannel.close` is called. When its
loop ends before that it is ``SUSPENDED``: nothing is connected or tried again until it goes on in
another loop, which may be never.

Closing takes its steps in order. ``WINDING_DOWN``: new calls are refused, those under way come to
their end, and what has to be told to others is told. ``DRAINING``: the peers know that this channel
leaves; what they still ask is declined, and what is being served may finish. ``CLOSING``: what is left
is ended. ``CLOSED``: nothing is left, neither task nor socket nor timer.

A loop that ends in the middle of this takes the rest of the way with it: the channel is ``CLOSING``,
and a further ``close()`` begins anew, in another loop. The child of a fork has nothing to finish of
what its parent was closing.

**A pair that is not in the table is a mistake of this library**, and raises. "Draining" is what we do;
that a peer leaves is called ``peer_draining``.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["TRANSITIONS", "ChannelState", "LifeInput", "after"]


class ChannelState(Enum):
    """Where a channel is in its life, and what it does there."""

    OPEN = ("open", True, True, False)
    SUSPENDED = ("suspended", False, True, False)
    WINDING_DOWN = ("winding down", True, True, True)
    DRAINING = ("draining", True, False, True)
    CLOSING = ("closing", False, False, True)
    CLOSED = ("closed", False, False, True)

    def __init__(self, text: str, connects: bool, serves: bool, ends: bool) -> None:
        self.text = text
        """The state in words."""
        self.connects = connects
        """Whether connections are made and attempts repeated."""
        self.serves = serves
        """Whether calls of peers are taken; else they are declined."""
        self.ends = ends
        """Whether `close` was called: no new calls, and somebody waits for the end of the others."""


class LifeInput(Enum):
    """What moves a channel from one state to another."""

    LOOP_TAKEN = "go on in a loop"
    LOOP_ENDED = "lose its loop"
    FORKED = "be the child of a fork"
    CLOSE = "close"
    OWN_CALLS_ENDED = "drain"
    SERVED = "end what is left"
    NOTHING_LEFT = "be closed"


_OPEN = ChannelState.OPEN
_SUSPENDED = ChannelState.SUSPENDED
_WINDING_DOWN = ChannelState.WINDING_DOWN
_DRAINING = ChannelState.DRAINING
_CLOSING = ChannelState.CLOSING
_CLOSED = ChannelState.CLOSED

TRANSITIONS: dict[ChannelState, dict[LifeInput, ChannelState]] = {
    _OPEN: {
        LifeInput.LOOP_TAKEN: _OPEN,
        LifeInput.LOOP_ENDED: _SUSPENDED,
        LifeInput.FORKED: _OPEN,
        LifeInput.CLOSE: _WINDING_DOWN,
    },
    _SUSPENDED: {
        LifeInput.LOOP_TAKEN: _OPEN,
        LifeInput.FORKED: _OPEN,
        LifeInput.CLOSE: _WINDING_DOWN,
    },
    _WINDING_DOWN: {
        LifeInput.LOOP_TAKEN: _WINDING_DOWN,
        LifeInput.LOOP_ENDED: _CLOSING,
        LifeInput.FORKED: _CLOSED,
        LifeInput.CLOSE: _WINDING_DOWN,
        LifeInput.OWN_CALLS_ENDED: _DRAINING,
        # Without a running loop nothing is in flight, and there is nobody to tell.
        LifeInput.NOTHING_LEFT: _CLOSED,
    },
    _DRAINING: {
        LifeInput.LOOP_TAKEN: _DRAINING,
        LifeInput.LOOP_ENDED: _CLOSING,
        LifeInput.FORKED: _CLOSED,
        LifeInput.CLOSE: _WINDING_DOWN,
        LifeInput.SERVED: _CLOSING,
    },
    _CLOSING: {
        LifeInput.LOOP_TAKEN: _CLOSING,
        LifeInput.LOOP_ENDED: _CLOSING,
        LifeInput.FORKED: _CLOSED,
        LifeInput.CLOSE: _WINDING_DOWN,
        # The loop told of its end and ran on all the same.
        LifeInput.OWN_CALLS_ENDED: _CLOSING,
        LifeInput.SERVED: _CLOSING,
        LifeInput.NOTHING_LEFT: _CLOSED,
    },
    _CLOSED: {
        LifeInput.LOOP_TAKEN: _CLOSED,
        LifeInput.LOOP_ENDED: _CLOSED,
        LifeInput.FORKED: _CLOSED,
        # A child that goes on with its parent's loop goes on with its closing too.
        LifeInput.OWN_CALLS_ENDED: _CLOSED,
        LifeInput.SERVED: _CLOSED,
        LifeInput.NOTHING_LEFT: _CLOSED,
    },
}


def after(state: ChannelState, input: LifeInput) -> ChannelState:
    """Return the state after ``input`` in ``state``.

    Raises:
        RuntimeError: The table has no such step.

    """
    try:
        return TRANSITIONS[state][input]
    except KeyError:
        raise RuntimeError(f"a channel cannot {input.value} while it is {state.text}") from None
