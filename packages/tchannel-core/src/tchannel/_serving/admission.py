"""Which calls are let in: limits of calls in flight, of the channel, a connection, a caller's host.

Below the lowest of them nothing is looked at. What a host has in flight, and how long calls take, is
counted by the dict that holds a connection's calls, which only counts where the options ask for it: so
the small call pays for neither.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from .._ground.addresses import UNIX_CALLER, UNIX_PREFIX, parse_hostport
from ..errors import BusyError, DeclinedError, TChannelError
from .gradient import GradientLimit

if TYPE_CHECKING:
    from .._links.connection import Connection
    from ..options import Options
    from .incoming import IncomingRequest

__all__ = ["Admission", "host_of"]

_UNIX: Final = "unix"


class _Host:
    """The calls in flight of all connections of one host."""

    __slots__ = ("__weakref__", "calls")

    def __init__(self) -> None:
        self.calls: int = 0


class _CountedCalls(dict[int, "IncomingRequest"]):
    """A connection's calls in flight by id, which count for its host and are measured."""

    __slots__ = ("_admission", "host")

    def __init__(self, admission: Admission, host: _Host) -> None:
        super().__init__()
        self._admission = admission
        self.host: _Host = host

    def __setitem__(self, id: int, request: IncomingRequest) -> None:
        if id not in self:
            self.host.calls += 1
        super().__setitem__(id, request)

    def pop(self, id: int, default: object = None) -> Any:  # Any: as dict.pop is typed
        request = super().pop(id, None)
        if request is None:
            return default
        self.host.calls -= 1
        self._admission.ended(request)
        return request


class Admission:
    """Lets calls in, or says why not.

    Args:
        options: the limits.
        time: tells the channel's time.

    Attributes:
        free: calls of the channel in flight below which every call is let in, without a look; 0 where
            none is let in any more.

    """

    __slots__ = ("_gradient", "_hosts", "_not_run", "_options", "_serves", "_time", "free")

    def __init__(self, options: Options, time: Callable[[], float]) -> None:
        self._options = options
        self._time = time
        settings = options.adaptive_concurrency
        self._gradient = GradientLimit(settings, options.max_calls) if settings else None
        # One for all connections of a host, and gone with the last of them.
        self._hosts: WeakValueDictionary[str, _Host] = WeakValueDictionary()
        self._not_run: IncomingRequest | None = None
        self._serves = True
        self.free: int = 0
        self._look_anew()

    @property
    def limit(self) -> int:
        """How many calls of the channel may be in flight now."""
        return self._options.max_calls if self._gradient is None else self._gradient.limit

    @property
    def limit_of_host(self) -> int:
        """How many of them those of one host may be."""
        share = self._options.caller_share
        return self.limit if share is None else max(1, int(self.limit * share))

    def let_in(self, *, serves: bool) -> None:
        """Let calls in, or none from now on: the channel drains."""
        self._serves = serves
        self._look_anew()

    def _look_anew(self) -> None:
        least = min(self.limit, self.limit_of_host, self._options.max_calls_per_connection)
        self.free = least if self._serves else 0

    def calls_of(self, connection: Connection) -> dict[int, IncomingRequest]:
        """Return what is to hold the calls in flight of a connection."""
        if self._gradient is None and self._options.caller_share is None:
            return {}
        host = host_of(connection.address)
        counted = self._hosts.get(host)
        if counted is None:
            counted = self._hosts[host] = _Host()
        return _CountedCalls(self, counted)

    def objection(self, connection: Connection) -> TChannelError | None:
        """Return why one more call of ``connection`` is not let in; None if it is."""
        if not self._serves:
            return DeclinedError("draining: the channel is closing")
        calls = connection.incoming
        channel = connection.channel
        most = self._options.max_calls_per_connection
        if len(calls) >= most:
            channel.limit_reached("max_calls_per_connection", most)
            return BusyError("too many calls in flight on this connection")
        if channel.incoming_calls >= self.limit:
            channel.limit_reached("max_calls", self.limit)
            return BusyError("too many calls in flight")
        if isinstance(calls, _CountedCalls) and calls.host.calls >= self.limit_of_host:
            channel.limit_reached("caller_share", self.limit_of_host)
            return BusyError("too many calls in flight of this caller's host")
        return None

    def refused(self, request: IncomingRequest) -> None:
        """Learn nothing from the time of a request that is about to be refused unserved."""
        self._not_run = request

    def ended(self, request: IncomingRequest) -> None:
        """Learn from a call that is over how long it took."""
        if self._gradient is None:
            return
        if request is self._not_run:
            self._not_run = None
            return
        now = self._time()
        if request.cancelled and now < request.deadline:
            return  # given up by its caller: that says nothing of us
        self._gradient.sample(
            now - request.received_at, request.connection.channel.incoming_calls, now
        )
        self._look_anew()


def host_of(address: str) -> str:
    """Return what stands for all callers of one host, by the address of a socket.

    Of IPv6 that is the network of 64 bits, in which a host may have any number of addresses (RFC 8981).
    All callers over Unix sockets are of one host: this one.
    """
    if address.startswith((UNIX_PREFIX, UNIX_CALLER)):
        return _UNIX
    host = parse_hostport(address)[0]
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host  # a name that we connected to
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip), 64), strict=False))
