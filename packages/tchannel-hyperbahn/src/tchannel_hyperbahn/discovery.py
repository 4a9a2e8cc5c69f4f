"""Asking Hyperbahn where a service is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import tchannel_wire as wire
from tchannel import Response, TChannel, errors
from tchannel.lowlevel import Timeout, inside, seconds, start_task

from .advertiser import HYPERBAHN
from .discovery_messages import read_discovery, write_query
from .host_list import check_hosts

__all__ = ["discover"]

_NO_HEADERS = wire.encode_thrift_headers({})


def discover(
    channel: TChannel,
    service: str,
    routers: Iterable[str] | None = None,
    *,
    affine: bool = False,
    timeout: Timeout = None,
) -> asyncio.Future[list[str]]:
    """Ask Hyperbahn for the instances of a service. Needs ``tchannel-hyperbahn[discover]``.

    Args:
        channel: What to ask with.
        service: The name that the instances have advertised.
        routers: Addresses of routers, asked in random order until one answers; by default one of
            the peers that the channel knows, as for any call.
        affine: Ask for those that the router itself is connected to
            (``Hyperbahn::discoverAffine``); default all.
        timeout: Seconds for one router; default that of the channel.

    Returns:
        A Future of the addresses, ``"host:port"`` each.

    Raises:
        TypeError: An argument of a wrong type.
        ValueError: ``routers`` is empty or holds what is no address.
        ImportError: tchannel-thrift is not installed; says how to install it.
        NoPeersAvailable: (from the Future) nobody has advertised the name.
        InvalidServiceName: (from the Future) Hyperbahn does not take it for a name.
        ReadError: (from the Future) the answer makes no sense.
        TChannelError: (from the Future) whatever else went wrong with the call.

    """
    if not isinstance(service, str):
        raise TypeError(f"service must be a str, not {service!r}")
    hosts: list[str | None] = [None]
    if routers is not None:
        hosts = list(check_hosts(routers, "routers"))
        random.shuffle(hosts)
    within = seconds(timeout, channel.options.default_timeout)
    query = write_query(service)
    endpoint = "Hyperbahn::discoverAffine" if affine else "Hyperbahn::discover"
    channel.use_loop()
    found = start_task(inside(channel).loop, _ask(channel, hosts, endpoint, query, within))
    found.add_done_callback(_look_at)
    return found


async def _ask(
    channel: TChannel, hosts: list[str | None], endpoint: str, query: bytes, timeout: float
) -> list[str]:
    failure: errors.TChannelError | None = None
    for host in hosts:
        try:
            response: Response = await channel.call(
                "thrift", HYPERBAHN, endpoint, _NO_HEADERS, query, timeout, hostport=host
            )
            try:
                return read_discovery(response.body)
            except ValueError as error:
                raise errors.ReadError(
                    f"{host or 'the router'} answered nonsense: {error}"
                ) from None
        except errors.TChannelError as error:
            failure = error
    assert failure is not None
    raise failure


def _look_at(future: asyncio.Future[list[str]]) -> None:
    if not future.cancelled():
        future.exception()
