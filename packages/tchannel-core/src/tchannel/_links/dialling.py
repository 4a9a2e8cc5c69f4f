"""Connecting a TCP socket to a host that may have several addresses, of which some are dead.

The addresses are tried in turn, both families by turns, each a quarter of a second after the one before
or as soon as that has failed; the first to answer wins (RFC 8305, "Happy Eyeballs"). asyncio can do the
same, uvloop cannot. While none answers, more attempts follow, one a second: the kernel asks again after
1, 3 and 7 s only, so that a network that is back would be noticed seconds late.
"""

from __future__ import annotations

import asyncio

# Not left to the first look-up: a child forked in the middle of that import waits for it for ever.
import encodings.idna  # noqa: F401
import errno
import itertools
import os
import socket
from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

from .._ground.addresses import format_hostport
from .._ground.tasks import start_task
from .sockets import send_at_once

__all__ = ["open_socket"]

_Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
_AddressInfo: TypeAlias = tuple[socket.AddressFamily, _Address]
"""The family and the address, as the socket takes it."""

# In seconds. The first is what RFC 8305 recommends.
_NEXT_AFTER = 0.25
_AGAIN_AFTER = 1.0

# Attempts to one address that may wait at once; the oldest has to go then.
_AT_ONCE = 3


async def open_socket(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Return a socket that is connected to ``host``; the caller bounds how long it takes.

    Raises:
        OSError: The host has no address, or none that can be connected to; says why for each.

    """
    addresses = _in_turn(await _resolve(loop, host, port))
    race = _Race(loop)
    try:
        for address in addresses:
            race.start(*address)
            if await race.first_to_end(_NEXT_AFTER) and race.winner is not None:
                return race.winner
        again = itertools.cycle(addresses)
        while race.attempts:
            if not await race.first_to_end(_AGAIN_AFTER):
                if len(race.attempts) >= _AT_ONCE * len(addresses):
                    race.cancel_oldest()
                race.start(*next(again))
            elif race.winner is not None:
                return race.winner
    finally:
        await race.end()
    raise _failure(host, race.failures)


class _Race:
    """Attempts to connect, of which one may win."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # A dict for its order.
        self.attempts: dict[asyncio.Task[socket.socket], None] = {}
        self.failures: list[BaseException] = []
        self.winner: socket.socket | None = None
        self._loop = loop

    def start(self, family: socket.AddressFamily, address: _Address) -> None:
        """Try one more address."""
        self.attempts[start_task(self._loop, _attempt(self._loop, family, address))] = None

    def cancel_oldest(self) -> None:
        """Make room for another attempt."""
        next(iter(self.attempts)).cancel()

    async def first_to_end(self, within: float) -> bool:
        """Wait for an attempt to end, and say whether one did."""
        done, _ = await asyncio.wait(self.attempts, timeout=within, return_when="FIRST_COMPLETED")
        for task in done:
            failure = None if task.cancelled() else task.exception()
            if task.cancelled() or failure is not None or self.winner is None:
                del self.attempts[task]
            if failure is not None:
                self.failures.append(failure)
            elif not task.cancelled() and self.winner is None:
                self.winner = task.result()
        return bool(done)

    async def end(self) -> None:
        """Leave no socket behind of those that did not win."""
        for task in self.attempts:
            task.cancel()
        for result in await asyncio.gather(*self.attempts, return_exceptions=True):
            if isinstance(result, socket.socket):
                result.close()


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[_AddressInfo]:
    found: Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, _Address]]
    try:
        # Without the resolver's thread, where the host is an address.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        found = await _look_up(loop, host, port)
    if not found:
        raise OSError(f"{host} has no address")
    return [(family, address) for family, _, _, _, address in found]


async def _look_up(
    loop: asyncio.AbstractEventLoop, host: str, port: int
) -> Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, _Address]]:
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _in_turn(addresses: Iterable[_AddressInfo]) -> list[_AddressInfo]:
    """Return them with the families by turns, beginning with the first one's."""
    by_family: dict[int, list[_AddressInfo]] = {}
    for info in dict.fromkeys(addresses):
        by_family.setdefault(info[0], []).append(info)
    turns = itertools.zip_longest(*by_family.values())
    return [info for turn in turns for info in turn if info is not None]


async def _attempt(
    loop: asyncio.AbstractEventLoop, family: socket.AddressFamily, address: _Address
) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        send_at_once(connecting)
        await _connect(loop, connecting, address)
    except BaseException:
        connecting.close()
        raise
    return connecting


async def _connect(loop: asyncio.AbstractEventLoop, sock: socket.socket, address: _Address) -> None:
    # Not by uvloop's sock_connect: it resolves what is resolved already in threads of libuv, without
    # which a forked child crashes at its exit.
    result = sock.connect_ex(address)
    if result == errno.EINPROGRESS:
        writable = loop.create_future()
        loop.add_writer(sock, _wake, writable)
        try:
            await writable
        finally:
            loop.remove_writer(sock)
        result = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if result:
        host, port = cast("tuple[str, int]", address[:2])
        raise OSError(result, f"{os.strerror(result)}: {format_hostport(host, port)}")


def _wake(writable: asyncio.Future[None]) -> None:
    if not writable.done():
        writable.set_result(None)


def _failure(host: str, failures: list[BaseException]) -> BaseException:
    texts = dict.fromkeys(str(failure) for failure in failures)
    if len(texts) == 1:
        return failures[0]
    return OSError(f"none of the addresses of {host} answers: {'; '.join(texts)}")
