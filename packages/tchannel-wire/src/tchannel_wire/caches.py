"""A cache for the parts of frames that repeat from call to call."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["MAX_BLOCK_SIZE", "MAX_ENTRIES", "BlockCache"]

_Value = TypeVar("_Value")

MAX_ENTRIES = 1024
MAX_BLOCK_SIZE = 512


class BlockCache(dict[bytes, _Value]):
    """What blocks of bytes mean, so that each is decoded or encoded once.

    Bounded twice, against peers that never repeat one: by the number of entries, and by the size
    of a block that is worth keeping.
    """

    __slots__ = ()

    def keep(self, block: bytes, value: _Value) -> None:
        """Remember what `block` means, unless it is large; a full cache begins anew."""
        if len(block) <= MAX_BLOCK_SIZE:
            if len(self) >= MAX_ENTRIES:
                self.clear()
            self[block] = value
