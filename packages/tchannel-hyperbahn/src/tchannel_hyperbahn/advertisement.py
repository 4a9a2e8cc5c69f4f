"""One advertised name: the first advertisement, and the ones that keep it alive."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import Context
from logging import Logger

from tchannel import Response, errors
from tchannel.clock import Clock, sleep
from tchannel.lowlevel import logger, start_task

from .backoff import Backoff

__all__ = ["Advertisement"]

log: Logger = logger("tchannel.hyperbahn")

# How long one router may take to answer; another one is asked then. A living router takes 5 ms.
_ATTEMPT = 2.0
_SHORTEST_DELAY = 0.2
_LONGEST_DELAY = 10.0

Send = Callable[[str, float], Awaitable[Response]]
"""Advertises a name once, with a timeout in seconds."""


class Advertisement:
    """Advertises a name until it is stopped.

    The first advertisement is tried again and again until its time is over; if it does not succeed,
    that is the end. Afterwards nothing but `stop` ends it: failures are logged once per outage.

    Args:
        name: The service name.
        send: Advertises it once.
        loop: The channel's loop.
        clock: The channel's clock.
        timeout: Seconds for the first advertisement.
        period: Seconds between two advertisements.
        jitter: Seconds by which a period is at most longer or shorter.
        after: What has to end before: the same name being taken back.

    """

    def __init__(
        self,
        name: str,
        send: Send,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        timeout: float,
        period: float,
        jitter: float,
        after: asyncio.Future[Response | None] | None = None,
    ) -> None:
        self.name = name
        self.sent: bool = False
        """Whether a router may have accepted it, so that there is something to take back."""
        self._send = send
        self._clock = clock
        self._period = period
        self._jitter = jitter
        self._loop = loop
        self.first: asyncio.Future[Response] = loop.create_future()
        """Ends with the first answer, or with TimeoutError."""
        # In an empty context: it outlives the handler that it may have been started in.
        self._task = start_task(loop, self._run(timeout, after), Context())
        self.first.add_done_callback(self._first_done)

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs any more."""
        return self._task.done()

    def holds(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Say whether it is being advertised on ``loop``, or will be."""
        return self._loop is loop and not self._task.done() and not self.first.cancelled()

    def cancel(self) -> None:
        """Advertise no more; what runs of it ends in the next turns of the loop."""
        if self._loop is asyncio.get_running_loop():
            self._task.cancel()
        if not self._loop.is_closed() and not self.first.done():
            self._fail(errors.CanceledError(f"the advertisement of {self.name!r} was taken back"))

    async def stop(self) -> None:
        """Advertise no more; nothing runs afterwards."""
        self.cancel()
        if self._loop is asyncio.get_running_loop():
            await asyncio.wait([self._task])

    def _first_done(self, first: asyncio.Future[Response]) -> None:
        if first.cancelled():
            self._task.cancel()

    def _fail(self, error: Exception) -> None:
        self.first.set_exception(error)
        # Looked at once, so that a failure nobody waits for makes no "never retrieved" noise.
        self.first.exception()

    async def _run(self, timeout: float, after: asyncio.Future[Response | None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])
        try:
            answer = await self._advertise_first(timeout)
        except errors.TimeoutError as error:
            log.warning("%s", error)
            if not self.first.done():
                self._fail(error)
            return
        if not self.first.done():
            self.first.set_result(answer)
        await self._keep_advertising()

    async def _advertise_first(self, timeout: float) -> Response:
        clock = self._clock
        ends = clock.time() + timeout
        backoff = Backoff(_SHORTEST_DELAY, _LONGEST_DELAY)
        reason = "no router was found"
        while (left := ends - clock.time()) > 0:
            self.sent = True  # it may be accepted although nobody waits for the answer any more
            try:
                answer = await self._send(self.name, min(_ATTEMPT, left))
            except Exception as error:
                self.sent = False
                reason = str(error) or type(error).__name__
                log.debug("advertising %r failed: %s", self.name, reason)
            else:
                log.info("%r is advertised", self.name)
                return answer
            delay = min(backoff.next(), ends - clock.time())
            if delay > 0:
                await sleep(clock, delay)
        raise errors.TimeoutError(
            f"{self.name!r} could not be advertised within {timeout:g} s: {reason}"
        )

    async def _keep_advertising(self) -> None:
        clock = self._clock
        # Half a period at most, so that it is back well within one after an outage.
        backoff = Backoff(_SHORTEST_DELAY, min(_LONGEST_DELAY, self._period / 2))
        attempt = min(_ATTEMPT, self._period / 2)
        failed = False
        delay = self._next_period()
        while True:
            await sleep(clock, delay)
            try:
                await self._send(self.name, attempt)
            except Exception as error:
                if not failed:
                    failed = True
                    log.warning("%r could not be advertised again, trying on: %s", self.name, error)
                delay = backoff.next()
            else:
                if failed:
                    failed = False
                    log.warning("%r is advertised again", self.name)
                    backoff.reset()
                delay = self._next_period()

    def _next_period(self) -> float:
        return max(0.0, self._period + random.uniform(-self._jitter, self._jitter))
