"""Bytes of memory that values take: estimates for CPython on 64-bit machines."""

from __future__ import annotations

from typing import Final

from ..wire import ttype

OBJECT: Final = 32
"""An instance without its attributes."""

POINTER: Final = 8

ENTRY: Final = 110
"""An element's place in a set or dict that has just grown."""

SLOT: Final = 9
"""An element's place in a list."""

CONTAINERS: Final = {ttype.LIST: 56, ttype.SET: 216, ttype.MAP: 232}
"""Containers without their elements."""

SCALARS: Final = {
    ttype.DOUBLE: 24,
    ttype.I16: 32,
    ttype.I32: 32,
    ttype.I64: 32,
    ttype.BINARY: 56,
    ttype.UUID: 104,
}
"""Values that are no containers; bools and bytes exist once, and structs are counted one by one."""
