"""How peers are ranked."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "channel.peers chooses the one with the fewest calls pending; which peers there are"
    " is said by known_peers=, a list or a tchannel.peer_sources.PeerSource",
)
