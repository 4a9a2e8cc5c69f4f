"""What a channel does with Hyperbahn: its routers, and the names that it advertises with them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextvars import Context
from logging import Logger

from tchannel import Response, TChannel, errors
from tchannel.clock import sleep
from tchannel.lowlevel import drop_for_good, inside, logger, saying_farewell, start_task

from .advertisement import Advertisement
from .host_list import HostListFile
from .reachable import check_reachable
from .routers import Routers

__all__ = ["Advertiser"]

log: Logger = logger("tchannel.hyperbahn")

HYPERBAHN = "hyperbahn"
# For the taking back: the router that has the advertisement answers within milliseconds.
_UNADVERTISE_TIMEOUT = 1.0
_HANDSHAKE_POLL = 0.01


class Advertiser:
    """The advertisements of one channel.

    Args:
        channel: whose names are advertised.

    """

    def __init__(self, channel: TChannel) -> None:
        self._channel = channel
        self._advertisements: dict[str, Advertisement] = {}
        # What is being taken back: the same name is advertised again only after that.
        self._leaving: dict[str, asyncio.Task[Response | None]] = {}
        self.routers: Routers = Routers(channel)
        channel.on_close(self.close)

    def use_routers(self, routers: Iterable[str], file: HostListFile | None) -> None:
        """Call through these routers from now on, and advertise with them.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file holds no host list; or no router is known at all.

        """
        if file is not None:
            self.routers.watch(file)
        self.routers.add(routers)
        group = self._channel.peers
        if not self.routers.order and group.expected is None:
            raise ValueError(
                "no router is known: give routers=['host:port', ...] or router_file='...'"
            )

    def advertise(
        self, name: str, *, timeout: float, period: float, jitter: float
    ) -> asyncio.Future[Response]:
        """Advertise ``name``; the same Future when it is being advertised already.

        Raises:
            OSError: The channel cannot listen.
            ValueError: It listens where nobody reaches it.

        """
        channel = self._channel
        known = self._advertisements.get(name)
        if known is not None and known.holds(inside(channel).loop):
            return known.first
        if known is not None and not known.ended:
            # Of a loop that is over, or of the parent of this process: not ours to end any more.
            drop_for_good(known)
        if not channel.is_listening():
            channel.listen()
        check_reachable(channel, self.routers.order)
        advertisement = self._advertisements[name] = Advertisement(
            name,
            self._advertise_once,
            loop=inside(channel).loop,
            clock=channel.clock,
            timeout=timeout,
            period=period,
            jitter=jitter,
            after=self._leaving_on(inside(channel).loop).get(name),
        )
        channel.peers.expecting(advertisement.first)
        return advertisement.first

    def unadvertise(self, name: str | None) -> asyncio.Future[Response | None]:
        """Take one name back, or all.

        Raises:
            ValueError: ``name`` was never advertised.

        """
        if name is not None and name not in self._advertisements:
            raise ValueError(f"name {name!r} is not advertised")
        # At once, so that the same name may be advertised anew in the same turn of the loop.
        leaving = self._drop(list(self._advertisements) if name is None else [name])
        # Part of the farewell already, should the channel close before it is done.
        context = Context()
        context.run(saying_farewell.set, True)
        taken_back = start_task(inside(self._channel).loop, self._take_back(leaving), context)
        taken_back.add_done_callback(_look_at)
        self._leaving = {
            **self._leaving_on(inside(self._channel).loop),
            **{advertisement.name: taken_back for advertisement in leaving},
        }
        return taken_back

    def close(self) -> Coroutine[None, None, None]:
        """Take everything back: the channel closes. Returns what waits for the routers' answer."""
        leaving = self._drop(list(self._advertisements))
        for advertisement in leaving:
            # At once: without any grace, what is returned does not get to begin.
            advertisement.cancel()
        return self._say_farewell(leaving)

    async def _say_farewell(self, leaving: list[Advertisement]) -> None:
        under_way = set(self._leaving_on(asyncio.get_running_loop()).values())
        try:
            await self._take_back(leaving)
        except errors.TChannelError as error:
            # The routers will forget the names by themselves.
            log.info("nothing was unadvertised while closing: %s", error)
        if under_way:
            await asyncio.wait(under_way)

    def _drop(self, names: list[str]) -> list[Advertisement]:
        return [self._advertisements.pop(name) for name in names]

    def _leaving_on(
        self, loop: asyncio.AbstractEventLoop
    ) -> dict[str, asyncio.Task[Response | None]]:
        return {
            name: task
            for name, task in self._leaving.items()
            if task.get_loop() is loop and not task.done()
        }

    async def _take_back(self, leaving: list[Advertisement]) -> Response | None:
        advertised: list[str] = []
        for advertisement in leaving:
            await advertisement.stop()
            if advertisement.sent:
                advertised.append(advertisement.name)
        if not advertised:
            return None
        failure: errors.TChannelError | None = None
        # Two routers at most: with both of them gone there is nobody who would need to know.
        for _ in range(2):
            try:
                return await self._call_router("unad", advertised, _UNADVERTISE_TIMEOUT)
            except errors.TChannelError as error:
                failure = error
        assert failure is not None
        raise failure

    async def _advertise_once(self, name: str, timeout: float) -> Response:
        self.routers.refresh()
        return await self._call_router("ad", [name], timeout)

    async def _call_router(self, endpoint: str, names: list[str], timeout: float) -> Response:
        """Ask the router that did best lately; it comes last from now on if it fails.

        Raises:
            TChannelError: The call failed, the router refused, or its answer makes no sense.

        """
        order = self.routers.order
        if not order:
            raise errors.NoAvailablePeerError("no router is known yet")
        router = order[0]
        try:
            await self._renew_connections(router)
            response = await self._channel.json(
                HYPERBAHN,
                endpoint,
                {"services": [{"serviceName": name, "cost": 0} for name in names]},
                timeout=timeout,
                hostport=router,
            )
            _check_answer(router, response)
        except Exception:
            self.routers.demote(router)
            raise
        return response

    async def _renew_connections(self, router: str) -> None:
        """See to it that the connection to ``router`` says where this channel listens."""
        channel = self._channel
        table = inside(channel).peers_table
        peer = table.get(router)
        while not table.renew(peer):
            await sleep(channel.clock, _HANDSHAKE_POLL)


def _check_answer(router: str, response: Response) -> None:
    body = response.body
    if response.status != 0:
        raise errors.UnexpectedError(f"router {router} refused: {_short(body)}")
    if not isinstance(body, dict):
        raise errors.ReadError(f"router {router} answered nonsense: {_short(body)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _look_at(future: asyncio.Future[Response | None]) -> None:
    if not future.cancelled():
        future.exception()
