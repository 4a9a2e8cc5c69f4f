"""``channel.advertise()`` and ``channel.unadvertise()``: what they take, and what they refuse."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterable
from weakref import ReferenceType, WeakKeyDictionary, ref

from tchannel import Response, TChannel
from tchannel.lowlevel import Timeout, inside, seconds

from .advertiser import Advertiser
from .host_list import HostListFile, check_hosts

__all__ = ["advertise", "unadvertise"]

DEFAULT_TIMEOUT = 30.0
DEFAULT_PERIOD = 60.0
DEFAULT_JITTER = 5.0
DEFAULT_ROUTER_CONNECTIONS = 5
# What the service field of a call can hold.
_LONGEST_NAME = 255

# A channel keeps its advertiser alive, by what is to be done when it closes; not the other way round.
_advertisers: WeakKeyDictionary[TChannel, ReferenceType[Advertiser]] = WeakKeyDictionary()


def advertise(
    channel: TChannel,
    routers: Iterable[str] | None = None,
    name: str | None = None,
    timeout: Timeout = None,
    *,
    router_file: str | os.PathLike[str] | None = None,
    jitter: float | None = None,
    period: float | None = None,
    router_connections: int | None = None,
    **unknown: object,
) -> asyncio.Future[Response]:
    """Advertise ``channel`` with Hyperbahn, and let its calls by service name go through the routers.

    The channel listens from now on if it did not. Its calls may be made at once: until the first
    router answers they wait, each within its own timeout. The advertisement is repeated until
    `unadvertise` or ``channel.close()``; a failure of a later one is logged, once per outage.

    Args:
        channel: The channel.
        routers: Addresses of routers, ``"host:port"``; by default those used before, or the peers
            that the channel knows.
        name: What to advertise, at most 255 bytes; default the channel's name. A channel may
            advertise several names.
        timeout: Seconds for the first advertisement, tried until then with exponential back-off;
            default 30. It has no meaning for the later ones.
        router_file: A JSON file with a list of routers, instead of ``routers``; its changes count
            from the next advertisement on.
        jitter: Seconds by which a period is longer or shorter, at random; default 5, but at most a
            tenth of the period.
        period: Seconds between advertisements; default 60. Hyperbahn forgets a service after 5
            minutes without any.
        router_connections: How many routers to be connected to at most; default 5. Calls go to the
            one with the fewest calls pending.
        **unknown: None is known.

    Returns:
        A Future of the first answer, a Response with Hyperbahn's ``{"connectionCount": n}``. The
        same one when called again, unless it has failed.

    Raises:
        TypeError: An argument of a wrong type, or ``router=``.
        ValueError: An empty name, no routers, an address that is none; or the channel listens where
            nobody can reach it.
        OSError: ``router_file`` cannot be read, or the channel cannot listen.
        RuntimeError: The channel is closed, or belongs to a loop of another thread.
        TimeoutError: (from the Future) no router accepted it in time. Nothing is repeated then.

    """
    _refuse_unknown(unknown)
    if routers is not None and router_file is not None:
        raise ValueError("give routers or router_file, not both")
    name = _check_name(channel.name if name is None else name)
    hosts = [] if routers is None else check_hosts(routers, "routers")
    file = None if router_file is None else HostListFile(_check_path(router_file))
    within = seconds(timeout, DEFAULT_TIMEOUT)
    every = DEFAULT_PERIOD if period is None else _check_period(period)
    varying = min(DEFAULT_JITTER, every / 10) if jitter is None else _check_jitter(jitter, every)
    connections = (
        DEFAULT_ROUTER_CONNECTIONS
        if router_connections is None
        else _check_connections(router_connections)
    )
    if channel.is_closed():
        raise RuntimeError(f"channel {channel.name} is closed")
    channel.use_loop()
    advertiser = _advertiser_of(channel)
    if advertiser is None:
        advertiser = Advertiser(channel)
        _advertisers[channel] = ref(advertiser)
    advertiser.use_routers(hosts, file)
    channel.peers.max_connections = connections
    return advertiser.advertise(name, timeout=within, period=every, jitter=varying)


def unadvertise(channel: TChannel, name: str | None = None) -> asyncio.Future[Response | None]:
    """Take an advertisement back: the routers send no more calls, and it is not repeated.

    Args:
        channel: The channel.
        name: What was advertised; by default everything.

    Returns:
        A Future of the router's answer; None if nothing had been accepted yet.

    Raises:
        ValueError: ``name`` is not advertised.
        RuntimeError: The channel belongs to a loop of another thread.
        TChannelError: (from the Future) no router could be told. They forget the name within 5
            minutes, because it is not repeated in any case.

    """
    channel.use_loop()
    advertiser = _advertiser_of(channel)
    if advertiser is None:
        if name is not None:
            raise ValueError(f"name {name!r} is not advertised")
        nothing: asyncio.Future[Response | None] = inside(channel).loop.create_future()
        nothing.set_result(None)
        return nothing
    return advertiser.unadvertise(name)


def _advertiser_of(channel: TChannel) -> Advertiser | None:
    known = _advertisers.get(channel)
    return None if known is None else known()


def _refuse_unknown(unknown: dict[str, object]) -> None:
    if "router" in unknown:
        raise TypeError("advertise() has no argument 'router': write routers=['host:port', ...]")
    if unknown:
        raise TypeError(f"advertise() got an unexpected argument {next(iter(unknown))!r}")


def _check_name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {name!r}")
    if not name:
        raise ValueError("name must not be empty")
    if len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"name must be at most {_LONGEST_NAME} bytes, not {len(name.encode())}")
    return name


def _check_path(path: object) -> str | os.PathLike[str]:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"router_file must be a path, not {path!r}")
    return path


def _check_number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{name} must be a number of seconds, not {value!r}")
    return float(value)


def _check_period(period: object) -> float:
    every = _check_number("period", period)
    if every <= 0:
        raise ValueError(f"period must be above 0, not {period!r}")
    return every


def _check_jitter(jitter: object, period: float) -> float:
    varying = _check_number("jitter", jitter)
    if not 0 <= varying <= period:
        raise ValueError(f"jitter must be between 0 and the period, {period:g} s, not {jitter!r}")
    return varying


def _check_connections(connections: object) -> int:
    if isinstance(connections, bool) or not isinstance(connections, int):
        raise TypeError(f"router_connections must be an int, not {connections!r}")
    if connections < 1:
        raise ValueError(f"router_connections must be at least 1, not {connections}")
    return connections
