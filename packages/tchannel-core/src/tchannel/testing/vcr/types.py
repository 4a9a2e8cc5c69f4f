"""Structs of the recording proxy."""

from ..._ground.replaced import replaced

raise replaced(
    __name__,
    "tchannel.testing.vcr has Request, Response and Interaction",
)
