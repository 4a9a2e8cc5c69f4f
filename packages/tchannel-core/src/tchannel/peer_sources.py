"""Where a channel learns which peers there are.

``known_peers=`` takes a list of ``"host:port"`` or a source: a list that never changes is the plainest
one; files, DNS and Hyperbahn are in ``tchannel.hyperbahn``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ._links.peers import PeerGroup
    from .clock import Clock

__all__ = ["ListSource", "PeerSource"]


@runtime_checkable
class PeerSource(Protocol):
    """Keeps a group of peers up to date."""

    def start(self, group: PeerGroup, clock: Clock) -> None:
        """Begin; called when the channel is first used, and again when it goes on in another loop.

        The loop is ``group.channel.loop``; it need not run yet.
        Call ``group.update(hostports)`` now or later, as often as the answer changes. A source that
        fails keeps the last good answer and says so in the log. It may say
        ``group.expecting(future)`` so that early calls wait for its first answer.
        """

    def stop(self) -> None:
        """End; called when the channel closes or leaves its loop, which may be closed by then.

        Leaves no task, timer or socket.
        """


class ListSource:
    """Peers that never change.

    Args:
        peers: ``"host:port"`` each.

    """

    def __init__(self, peers: Iterable[str]) -> None:
        self.peers: list[str] = list(peers)

    def start(self, group: PeerGroup, clock: Clock) -> None:
        """Tell the group its peers."""
        group.update(self.peers)

    def stop(self) -> None:
        """Nothing runs."""
