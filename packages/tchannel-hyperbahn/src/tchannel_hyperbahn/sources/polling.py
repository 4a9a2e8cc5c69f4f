"""What all sources share that ask somebody again and again."""

from __future__ import annotations

import asyncio
import math
import random
from contextvars import Context
from logging import Logger

from tchannel import TChannel
from tchannel.clock import Clock, sleep
from tchannel.lowlevel import PeerGroup, inside, logger, start_task

from ..backoff import Backoff

__all__ = ["PollingSource"]

log: Logger = logger("tchannel.peer_sources")

_SHORTEST_DELAY = 0.5
# A period varies by this part of itself, so that many clients do not ask at the same time.
_JITTER = 0.1


class PollingSource:
    """A source that asks once in a period, sooner after a failure.

    A failure leaves the peers as they are and is logged once, until an answer comes again. Calls
    that find no peer wait for the first answer, within their own timeouts.

    Args:
        period: Seconds between two answers.

    Raises:
        TypeError: ``period`` is no number.
        ValueError: ``period`` is not above 0.

    """

    def __init__(self, period: float) -> None:
        if isinstance(period, bool) or not isinstance(period, int | float):
            raise TypeError(f"period must be a number of seconds, not {period!r}")
        if not (math.isfinite(period) and period > 0):
            raise ValueError(f"period must be above 0, not {period!r}")
        self.period: float = float(period)
        self._task: asyncio.Task[None] | None = None
        self._answered: asyncio.Future[None] | None = None
        self._channel: TChannel | None = None

    async def ask(self, group: PeerGroup) -> list[str] | None:
        """Return the peers there are now, or None if they are the same as before.

        Any exception means that this is not known.
        """
        raise NotImplementedError

    def apply(self, group: PeerGroup, hostports: list[str]) -> None:
        """Make the peers known."""
        group.update(hostports)

    def start(self, group: PeerGroup, clock: Clock) -> None:
        """Ask now, and again and again; called by the channel.

        Raises:
            ValueError: It keeps the peers of another channel already.

        """
        if self._channel is not None and self._channel is not group.channel:
            raise ValueError(f"{self} belongs to {self._channel}: give each channel its own source")
        self._channel = group.channel
        channel = group.channel
        loop = asyncio.get_running_loop() if channel is None else inside(channel).loop
        answered = self._answered = loop.create_future()
        group.expecting(answered)
        self._task = start_task(loop, self._run(group, clock, answered), Context())

    def stop(self) -> None:
        """Ask no more; called by the channel when it closes."""
        task, self._task = self._task, None
        answered, self._answered = self._answered, None
        if task is not None and not task.get_loop().is_closed():
            task.cancel()
            if answered is not None and not answered.done():
                answered.set_result(None)

    async def _run(self, group: PeerGroup, clock: Clock, answered: asyncio.Future[None]) -> None:
        backoff = Backoff(min(_SHORTEST_DELAY, self.period), self.period)
        failed = False
        while True:
            try:
                hostports = await self.ask(group)
                if hostports is not None:
                    self.apply(group, hostports)
            except Exception as error:
                if not failed:
                    failed = True
                    log.warning("%s: keeping the %d peers known: %s", self, len(group), error)
                delay = backoff.next()
            else:
                if failed:
                    failed = False
                    log.warning("%s answers again: %d peers", self, len(group))
                    backoff.reset()
                if not answered.done():
                    answered.set_result(None)
                delay = self.period * random.uniform(1 - _JITTER, 1 + _JITTER)
            await sleep(clock, delay)
