"""Mappings as they are written: the order is that of the bytes they come from."""

from typing import Any

__all__ = ["Pairs"]


class Pairs(list[tuple[Any, Any]]):
    """Keys and values, written as a mapping of this order; a key may be of any kind."""
