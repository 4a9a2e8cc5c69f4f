"""Containers of tchannel-python."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "heapq of the standard library does what tchannel.container.heap did",
)
