"""The graceful end of a channel, step by step."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from .._ground.current import saying_farewell
from .._ground.logs import logger
from .._ground.tasks import as_future
from ..errors import CanceledError
from ..event import EventType
from .states import LifeInput

if TYPE_CHECKING:
    from .._links.connection import Connection
    from .lifecycle import Lifecycle

__all__ = ["close_channel"]

log = logger("tchannel.closing")

# In seconds: how long peers may take to learn that we leave.
_DRAIN_PONG = 0.5

# What a connection gets for its last bytes once everything else is over.
_LAST_BYTES = 2.5


async def close_channel(channel: Lifecycle, grace: float) -> None:
    """End ``channel``: nothing of it is left afterwards, neither task nor socket nor timer.

    Our own calls are finished first, because node declines calls on a connection that was told to
    drain; then the peers are told, further calls are declined, and calls that are being served may
    finish within the grace. What is left at its end is aborted.
    """
    clock = channel.timers.clock
    ends = clock.time() + grace
    # What is called first may still make calls: others have to be told that this channel closes.
    saying_farewell.set(True)
    for callback in channel.close_callbacks:
        await _run(callback, ends - clock.time(), channel)
    saying_farewell.set(False)
    channel.stop_sources()
    if channel.listener is not None:
        channel.listener.close()
    await _until(channel, lambda: not channel.outgoing_calls(), ends)
    channel.step(LifeInput.OWN_CALLS_ENDED)
    if channel.events.callbacks[EventType.on_draining]:
        channel.events.fire(EventType.on_draining, channel.public)
    for connection in list(channel.connections):
        if connection.ready and not connection.closed:
            connection.start_draining()
    await _until_peers_know(channel, ends)
    await _until(channel, lambda: not channel.incoming_calls, ends)
    # Those whose handshake was done meanwhile; who did not answer is not waited for again.
    await _until_peers_know(channel, ends)
    channel.step(LifeInput.SERVED)
    for connection in list(channel.connections):
        if not connection.ready and not connection.opener:
            # Its handshake must not be done any more: a call would be sent at once, and be lost.
            connection.abort()
    await _end_arriving(channel)
    for wait in list(channel.waiting):
        wait.give_up()
    await channel.peers_table.stop_connecting()
    left = list(channel.connections)
    for connection in left:
        for request in list(connection.incoming.values()):
            # Not left to the end of the connection, which would look like a failure of the network.
            request.abandon(CanceledError("the server closed before the call was done"))
        connection.close()
    if left:
        await _until(channel, lambda: not channel.connections, clock.time() + _LAST_BYTES)
    for connection in list(channel.connections):
        connection.abort()
    await asyncio.gather(*[connection.lost for connection in left])
    hooks = list(channel.events.tasks)
    for hook in hooks:
        hook.cancel()
    await asyncio.gather(*hooks, return_exceptions=True)
    channel.faults.flush()
    channel.lag.stop()
    if channel.guard is not None:
        await channel.guard.release()
    channel.step(LifeInput.NOTHING_LEFT)


async def _until_peers_know(channel: Lifecycle, ends: float) -> None:
    """Wait for the pongs behind our notice that we leave, for half a second at most.

    What a peer sent before it knew is on its way, and would be lost with the socket: a peer that has
    answered the ping after the notice knows, and all of that has come and was declined.
    """
    heard = min(ends, channel.timers.time() + _DRAIN_PONG)
    await _until(channel, lambda: not any(map(_waits_for_pong, channel.connections)), heard)
    for connection in channel.connections:
        connection.drain_ping = None


def _waits_for_pong(connection: Connection) -> bool:
    return connection.drain_ping is not None and not connection.closed


async def _end_arriving(channel: Lifecycle) -> None:
    """See to connections that were accepted and are not made yet."""
    if channel.listener is not None:
        arriving = channel.listener.arriving
        # A turn for those that need no more; the others are TLS handshakes.
        await asyncio.sleep(0)
        for task in arriving:
            task.cancel()
        await asyncio.gather(*arriving, return_exceptions=True)


async def _run(callback: Callable[[], object], within: float, channel: Lifecycle) -> None:
    try:
        result = callback()
        if inspect.isawaitable(result):
            future = as_future(result)
            future.add_done_callback(lambda _: channel.notify())
            await _until(channel, future.done, channel.timers.time() + max(within, 0))
            if not future.done():
                future.cancel()
            await asyncio.gather(future, return_exceptions=True)
    except Exception:
        log.exception("%r failed while %s closes", callback, channel.name)


async def _until(channel: Lifecycle, condition: Callable[[], bool], ends: float) -> None:
    """Wait until ``condition()``, looked at whenever something ends, or until the time ``ends``."""
    over = ends <= channel.timers.time()

    def end() -> None:
        # Not by looking at the time again: uvloop's timers fire a fraction early.
        nonlocal over
        over = True
        channel.notify()

    timer = channel.timers.clock.call_at(ends, end)
    try:
        while not condition() and not over:
            await channel.changed()
    finally:
        timer.cancel()
