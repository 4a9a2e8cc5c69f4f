"""Sets."""

from __future__ import annotations

from typing import Any

from ..wire import ttype
from .list import ListTypeSpec


class SetTypeSpec(ListTypeSpec):
    """``set<value>``: on the wire a list with another type code.

    Args:
        vspec: Type of the elements. Reading a set whose elements are not hashable in Python, such
            as lists, is a TypeError; writing one from a list works.

    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return f"set<{self.vspec.name}>"

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.SET

    @property
    def surface(self) -> Any:
        """What stands for the type in Python."""
        return set
