"""Type codes of the Thrift Binary Protocol (Apache's ``thrift-binary-protocol.md``)."""

from __future__ import annotations

from typing import Final

STOP: Final = 0
"""Ends the fields of a struct; not a type."""
BOOL: Final = 2
BYTE: Final = 3
DOUBLE: Final = 4
I16: Final = 6
I32: Final = 8
I64: Final = 10
BINARY: Final = 11
"""Both ``string`` and ``binary``."""
STRUCT: Final = 12
"""Structs, unions and exceptions."""
MAP: Final = 13
SET: Final = 14
LIST: Final = 15
UUID: Final = 16
"""Sixteen raw bytes; newer than thriftrw, read and written only where the IDL says ``uuid``."""

FIXED_SIZES: Final = {
    BOOL: 1,
    BYTE: 1,
    DOUBLE: 8,
    I16: 2,
    I32: 4,
    I64: 8,
    UUID: 16,
}
"""Bytes that a value takes, for the types whose values all take the same."""

MINIMUM_SIZES: Final = FIXED_SIZES | {BINARY: 4, STRUCT: 1, MAP: 6, SET: 5, LIST: 5}
"""Fewest bytes that a value of each type takes: what bounds the count that a container claims."""

NESTING: Final = frozenset((STRUCT, MAP, SET, LIST))
"""The types whose values contain others."""

_NAMES = {
    BOOL: "bool",
    BYTE: "byte",
    DOUBLE: "double",
    I16: "i16",
    I32: "i32",
    I64: "i64",
    BINARY: "binary",
    STRUCT: "struct",
    MAP: "map",
    SET: "set",
    LIST: "list",
    UUID: "uuid",
}


def name_of(code: int) -> str:
    """The IDL's word for a type code, or ``type 0x..`` for an unknown one."""
    return _NAMES.get(code) or f"type 0x{code:02x}"
