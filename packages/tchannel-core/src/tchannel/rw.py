"""Readers and writers of bytes."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "tchannel_wire reads and writes frames and messages; other bytes are the business of"
    " the struct module",
)
