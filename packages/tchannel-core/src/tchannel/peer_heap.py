"""The heap of peers."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "the peers of a channel are channel.peers, which chooses the one with the fewest calls pending",
)
