"""A call whose streamed answer is on its way, and may be dropped by its caller."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import tchannel_wire as wire

from .._ground.log_fields import LogFields, log_fields

if TYPE_CHECKING:
    from .outgoing import OutgoingCall

__all__ = ["DroppableCall"]


class DroppableCall:
    """What a connection holds of such a call: the call itself only as long as somebody else does.

    An answer that nobody holds any more is read by nobody. Collected, its body cancels the call.
    """

    __slots__ = ("_call",)

    def __init__(self, call: OutgoingCall) -> None:
        self._call = weakref.ref(call)

    @property
    def call(self) -> OutgoingCall | None:
        """The call; None once it is dropped."""
        return self._call()

    @property
    def exchange(self) -> wire.OutboundCall | None:
        """The call's exchange; None once it is dropped."""
        call = self._call()
        return None if call is None else call.exchange

    def on_chunk(self, event: wire.ResponseChunk) -> None:
        """More of the answer."""
        call = self._call()
        if call is not None:
            call.on_chunk(event)

    def on_error(self, event: wire.ErrorReceived) -> None:
        """An error frame instead of the rest."""
        call = self._call()
        if call is not None:
            call.on_error(event)

    def on_expired(self) -> None:
        """The time is up."""
        call = self._call()
        if call is not None:
            call.on_expired()

    def on_bad_response(self, error: wire.WireError) -> None:
        """The rest is damaged."""
        call = self._call()
        if call is not None:
            call.on_bad_response(error)

    def on_connection_lost(self, written: bool, error: BaseException | None) -> None:
        """The connection ended."""
        call = self._call()
        if call is not None:
            call.on_connection_lost(written, error)

    def log_fields(self, message_id: int | None = None) -> LogFields:
        """Return what log records say of the call."""
        call = self._call()
        return log_fields(message_id=message_id) if call is None else call.log_fields(message_id)
