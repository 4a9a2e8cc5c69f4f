"""How a channel makes itself known to Hyperbahn; the work is done by tchannel-hyperbahn."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from .._ground.optional import install_hint
from .._ground.timeouts import Timeout

if TYPE_CHECKING:
    from ..response import Response

__all__ = ["Advertising"]


class Advertising:
    """The part of a channel that advertises it."""

    def advertise(
        self,
        routers: Iterable[str] | None = None,
        name: str | None = None,
        timeout: Timeout = None,
        router_file: str | os.PathLike[str] | None = None,
        jitter: float | None = None,
        **kwargs: object,
    ) -> asyncio.Future[Response]:
        """Advertise with Hyperbahn, and call by service name through its routers.

        Args:
            routers: Addresses of routers, ``"host:port"``.
            name: What to advertise; by default the channel's name.
            timeout: Seconds for the first advertisement to succeed; default 30.
            router_file: A JSON file with a list of routers, instead of ``routers``.
            jitter: Seconds by which re-advertisements vary.
            **kwargs: see ``tchannel_hyperbahn.advertise``.

        Returns:
            A Future of the first answer.

        Raises:
            ModuleNotFoundError: tchannel-hyperbahn is not installed; says how to install it.
            TimeoutError: (from the Future) nobody answered in time.

        """
        first: asyncio.Future[Response] = _hyperbahn().advertise(
            self, routers, name, timeout, router_file=router_file, jitter=jitter, **kwargs
        )
        return first

    def unadvertise(self, name: str | None = None) -> asyncio.Future[object]:
        """Take the advertisement back.

        Args:
            name: What was advertised; by default everything.

        """
        taken_back: asyncio.Future[object] = _hyperbahn().unadvertise(self, name)
        return taken_back


def _hyperbahn() -> ModuleType:
    try:
        import tchannel_hyperbahn
    except ImportError as error:
        raise install_hint(error, needs="tchannel_hyperbahn", dist="tchannel-hyperbahn") from None
    return tchannel_hyperbahn
