"""The incoming call that the running handler serves.

The context holds the call, not a number: a task that outlives its handler must not see a deadline
that is no longer of any concern, so the call bounds nested calls only until it is answered.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._serving.incoming import IncomingRequest

__all__ = ["current_call", "saying_farewell"]

current_call: ContextVar[IncomingRequest | None] = ContextVar("tchannel.current_call", default=None)

saying_farewell: ContextVar[bool] = ContextVar("tchannel.saying_farewell", default=False)
"""True in what `TChannel.on_close` runs: it may make calls although the channel closes."""
