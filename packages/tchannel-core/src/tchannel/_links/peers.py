"""Peers, and the choice among those that a channel knows.

Connected peers come first, the one with the fewest calls pending before the others, in turn among
equals. Peers lie in buckets by their pending calls, so that a choice costs the same with ten peers
and with ten thousand. A peer whose connect failed, or that answered busy or unhealthy, is chosen only
when no other can be, for a time that doubles from ``options.penalty_min`` to ``penalty_max`` with
jitter and ends at its first success.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

from .._ground.addresses import UNIX_PREFIX, parse_hostport
from .._ground.log_fields import log_fields
from .._ground.logs import logger
from .._ground.text import counted, shown
from ..event import EventType
from ..options import Options

if TYPE_CHECKING:
    from .._calls.waiting import Wait
    from .._inner_channel import InnerChannel
    from ..channel import TChannel
    from .connection import Connection

__all__ = ["Peer", "PeerGroup"]

log = logger("tchannel.peers")

# Addresses that the repr of a group has room for.
_SHOWN_PEERS = 5

# Where a peer lies in its group.
_NOWHERE, _CONNECTED, _UNCONNECTED, _PENALISED = range(4)


class Peer:
    """One address, its connections and the calls that it has to answer.

    Args:
        hostport: ``"host:port"``, ``"[v6]:port"`` or ``"unix:/path"``.
        server_name: the name in its TLS certificate; by default the channel's, else the host.

    """

    __slots__ = (
        "bucket",
        "connecting",
        "connections",
        "group",
        "hostport",
        "misfit",
        "penalised_until",
        "penalty",
        "pending",
        "place",
        "sent_before",
        "server_name",
        "waiters",
    )

    def __init__(self, hostport: str, server_name: str | None = None) -> None:
        self.hostport: str = hostport
        self.server_name: str | None = server_name
        self.misfit: str | None = None
        """Why it cannot be spoken to, until it can: by TLS, or its protocol."""
        self.connections: list[Connection] = []
        self.connecting: asyncio.Task[None] | None = None
        # A dict for its order: calls that wait for a connection go on in turn.
        self.waiters: dict[Wait, None] = {}
        self.pending: int = 0
        self.sent_before: int = 0
        """Attempts that were sent to it over connections that are closed."""
        self.penalty: float = 0.0
        self.penalised_until: float = 0.0
        self.group: PeerGroup | None = None
        self.place: int = _NOWHERE
        self.bucket: OrderedDict[Peer, None] | None = None

    @property
    def known(self) -> bool:
        """True for a peer that the channel was told of, False for one that just called us."""
        return self.group is not None

    def refile(self) -> None:
        """Move to the bucket of its pending calls; to be called when their number has changed."""
        bucket = self.bucket
        assert bucket is not None
        assert self.group is not None
        del bucket[self]
        self.group.put_in_bucket(self)

    def __repr__(self) -> str:
        words = [counted(len(self.connections), "connection"), f"{self.pending} pending"]
        if self.waiters:
            words.append(f"{len(self.waiters)} waiting for a connection")
        if self.connecting is not None:
            words.append("connecting")
        if self.penalised_until:
            words.append("chosen last")
        if self.misfit is not None:
            words.append(f"unfit: {shown(self.misfit)}")
        return f"<Peer {shown(self.hostport)}: {', '.join(words)}>"


class PeerGroup:
    """The peers that a channel knows; what peer sources keep up to date.

    Args:
        options: penalties and the number of connections.
        peer_of: gives the peer of an address.
        connect: begins to connect to a peer.
        forget: is told of a peer that is no longer known.

    """

    def __init__(
        self,
        options: Options,
        peer_of: Callable[[str], Peer],
        connect: Callable[[Peer], object],
        forget: Callable[[Peer], object],
    ) -> None:
        self.max_connections: int = int(options.peer_connections)
        """How many connections the group opens to spread its calls."""
        self._owner: InnerChannel | None = None
        """Whose peers they are: a source may make calls on it."""
        self._options = options
        self._peer_of = peer_of
        self._connect = connect
        self._forget = forget
        self.sole: Peer | None = None
        """The only peer that there is, if it is connected and in good standing."""
        self._peers: dict[str, Peer] = {}
        # Connected peers by pending calls; OrderedDict, because the first key of a plain dict
        # costs a walk over all that were deleted before it.
        self._buckets: list[OrderedDict[Peer, None]] = [OrderedDict()]
        self._lowest = 0
        self._connected = 0
        self._unconnected: OrderedDict[Peer, None] = OrderedDict()
        self._penalised: OrderedDict[Peer, None] = OrderedDict()
        self._releases: list[tuple[float, int, Peer]] = []
        self._sequence = 0
        self._expected: asyncio.Future[object] | None = None

    # -- what sources and users call ----------------------------------------------------------

    @property
    def hosts(self) -> list[str]:
        """The addresses of all known peers."""
        return list(self._peers)

    def __len__(self) -> int:
        return len(self._peers)

    def __contains__(self, hostport: object) -> bool:
        return hostport in self._peers

    def add(self, hostport: str, server_name: str | None = None) -> Peer:
        """Make an address known.

        Args:
            hostport: ``"host:port"``, ``"[v6]:port"`` or ``"unix:/path"``.
            server_name: the name in its TLS certificate; by default the channel's, else the host.

        Raises:
            ValueError: ``hostport`` is no address to connect to.

        """
        _, port = parse_hostport(hostport)
        if port == 0 and not hostport.startswith(UNIX_PREFIX):
            raise ValueError(f"a peer needs a port other than 0: {hostport!r}")
        peer = self._peers.get(hostport)
        if peer is None:
            peer = self._peers[hostport] = self._peer_of(hostport)
            peer.group = self
            self.file(peer)
        if server_name is not None:
            peer.server_name = server_name
        return peer

    def remove(self, hostport: str) -> None:
        """Forget an address; calls that it has already got are still answered."""
        peer = self._peers.pop(hostport, None)
        if peer is not None:
            self._take_out(peer)
            peer.group = None
            self._find_sole()
            self._forget(peer)

    def update(self, hostports: Iterable[str]) -> None:
        """Know exactly these addresses from now on.

        Raises:
            ValueError: one of them is no address; then nothing changes.

        """
        wanted = dict.fromkeys(hostports)
        for hostport in wanted:
            parse_hostport(hostport)
        for hostport in [known for known in self._peers if known not in wanted]:
            self.remove(hostport)
        fresh = [hostport for hostport in wanted if hostport not in self._peers]
        # Many clients with one list must not all begin with its first peer.
        random.shuffle(fresh)
        for hostport in fresh:
            self.add(hostport)

    def add_all(self, group: PeerGroup) -> None:
        """Know the peers of another group too, under the same addresses and server names."""
        self.max_connections = group.max_connections
        for hostport, peer in group._peers.items():
            self.add(hostport, peer.server_name)

    def belong_to(self, owner: InnerChannel) -> None:
        """Tell the hooks of ``owner`` what becomes of the peers."""
        self._owner = owner

    @property
    def channel(self) -> TChannel | None:
        """The channel whose peers they are; None for a group that stands for itself."""
        return None if self._owner is None else self._owner.public

    # Any: a Future of whatever; its type knows no "of object".
    def expecting(self, future: asyncio.Future[Any]) -> None:
        """Let calls that find no peer wait for ``future``, within their own timeouts.

        Until it is done, a peer that cannot be reached does not fail a call either: the call looks
        for a peer again until its timeout is over.
        """
        self._expected = future

    @property
    def expected(self) -> asyncio.Future[object] | None:
        """What calls that find no peer wait for, if anything."""
        if self._expected is not None and self._expected.done():
            self._expected = None
        return self._expected

    def __repr__(self) -> str:
        words = [f"{len(self._peers)} known", f"{self._connected} connected"]
        if self._penalised:
            words.append(f"{len(self._penalised)} chosen last")
        if self.expected is not None:
            words.append("more expected")
        some = [shown(hostport) for hostport in list(self._peers)[:_SHOWN_PEERS]]
        if len(self._peers) > _SHOWN_PEERS:
            some.append("...")
        whose = f" of {shown(self._owner.name)}" if self._owner is not None else ""
        return f"<PeerGroup{whose}: {', '.join(words)} [{', '.join(some)}]>"

    # -- the choice ---------------------------------------------------------------------------

    def choose(self, tried: Container[Peer], now: float) -> Peer | None:
        """Return the peer for the next call, or None when there is none that is not in ``tried``."""
        if self._releases:
            self._release_until(now)
        if self.sole is not None:
            return None if self.sole in tried else self.sole
        if self._connected:
            if self._unconnected and self._wants_more():
                self._connect(next(iter(self._unconnected)))
            peer = self._least_pending(tried)
            if peer is not None:
                return peer
        for peer in self._unconnected:
            if peer not in tried:
                return peer
        # Connected ones first here too: they need no new connection to find out more.
        for connected in (True, False):
            for peer in self._penalised:
                if bool(peer.connections) is connected and peer not in tried:
                    return peer
        return None

    def _least_pending(self, tried: Container[Peer]) -> Peer | None:
        buckets = self._buckets
        lowest = self._lowest
        while not buckets[lowest]:
            lowest += 1
        self._lowest = lowest
        for bucket in buckets[lowest:] if tried else (buckets[lowest],):
            for peer in bucket:
                if not tried or peer not in tried:
                    return peer
        return None

    def _wants_more(self) -> bool:
        if self._connected + len(self._penalised) >= self.max_connections:
            return False
        # One at a time: a start with many calls must not open many connections at once.
        return next(iter(self._unconnected)).connecting is None

    # -- where peers lie ----------------------------------------------------------------------

    def file(self, peer: Peer) -> None:
        """Put ``peer`` where it belongs after a connection came or went, or a penalty did."""
        self._take_out(peer)
        self._put_in(peer)
        self._find_sole()

    def _find_sole(self) -> None:
        former, self.sole = self.sole, None
        if len(self._peers) == 1:
            (peer,) = self._peers.values()
            if peer.place == _CONNECTED:
                self.sole = peer
                # Where there is no choice, pending calls need no order: 0.8 µs less per call.
                if peer.bucket is not None:
                    del peer.bucket[peer]
                    peer.bucket = None
        elif former is not None and former.place == _CONNECTED:
            self.put_in_bucket(former)

    def _put_in(self, peer: Peer) -> None:
        if peer.penalised_until:
            peer.place = _PENALISED
            self._penalised[peer] = None
        elif peer.connections:
            peer.place = _CONNECTED
            self._connected += 1
            self.put_in_bucket(peer)
        else:
            peer.place = _UNCONNECTED
            self._unconnected[peer] = None

    def put_in_bucket(self, peer: Peer) -> None:
        """Put a connected peer among those with as many pending calls."""
        pending = peer.pending
        buckets = self._buckets
        while pending >= len(buckets):
            buckets.append(OrderedDict())
        bucket = peer.bucket = buckets[pending]
        bucket[peer] = None
        if pending < self._lowest:
            self._lowest = pending

    def _take_out(self, peer: Peer) -> None:
        if peer.place == _CONNECTED:
            if peer.bucket is not None:
                del peer.bucket[peer]
                peer.bucket = None
            self._connected -= 1
            if not self._connected:
                self._lowest = 0
                del self._buckets[1:]
        elif peer.place == _UNCONNECTED:
            del self._unconnected[peer]
        elif peer.place == _PENALISED:
            del self._penalised[peer]
        peer.place = _NOWHERE

    # -- penalties ----------------------------------------------------------------------------

    def penalise(self, peer: Peer, now: float) -> None:
        """Choose ``peer`` last for a while."""
        if peer.penalised_until > now:
            return
        options = self._options
        peer.penalty = min(options.penalty_max, peer.penalty * 2 or options.penalty_min)
        peer.penalised_until = now + peer.penalty * random.uniform(0.75, 1.0)
        self._sequence += 1
        heapq.heappush(self._releases, (peer.penalised_until, self._sequence, peer))
        log.info(
            "%s is chosen last for %.1f s",
            peer.hostport,
            peer.penalised_until - now,
            extra=log_fields(peer.hostport),
        )
        self.file(peer)
        if self._owner is not None:
            events = self._owner.events
            if events.callbacks[EventType.on_peer_penalised]:
                left = peer.penalised_until - now
                events.fire(EventType.on_peer_penalised, peer.hostport, left)

    def forgive(self, peer: Peer) -> None:
        """End the penalty of a peer that answered."""
        penalised, peer.penalty = peer.penalty, 0.0
        if peer.penalised_until:
            peer.penalised_until = 0.0
            self.file(peer)
        if penalised and self._owner is not None:
            events = self._owner.events
            if events.callbacks[EventType.on_peer_forgiven]:
                events.fire(EventType.on_peer_forgiven, peer.hostport)

    def _release_until(self, now: float) -> None:
        releases = self._releases
        while releases and releases[0][0] <= now:
            until, _, peer = heapq.heappop(releases)
            # It may have been forgiven, removed or penalised anew meanwhile.
            if peer.penalised_until == until and peer.group is self:
                peer.penalised_until = 0.0
                self.file(peer)
