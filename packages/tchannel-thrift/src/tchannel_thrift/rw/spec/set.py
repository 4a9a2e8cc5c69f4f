"""Sets."""

from __future__ import annotations

from collections.abc import Collection

from ..wire import ttype
from .list import ListTypeSpec
from .memory import CONTAINERS, ENTRY, SCALARS


class SetTypeSpec(ListTypeSpec):
    """``set<value>``: on the wire a list with another type code.

    Args:
        vspec: Type of the elements. Elements that are not hashable in Python, such as lists, are
            frozen when they are read (see `tchannel_thrift.rw.spec.frozen`); a set of these can be
            written from a list as well.

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
    def surface(self) -> object:
        """What stands for the type in Python."""
        return set

    @property
    def memory(self) -> tuple[int, int]:
        """Bytes of memory of a set itself and of each element, as far as it is no object."""
        return CONTAINERS[self.ttype_code], ENTRY + SCALARS.get(self.vspec.ttype_code, 0)

    def made(self, elements: list[object]) -> set[object]:
        """The set of these elements, frozen where they are not hashable."""
        return set(elements if self.vspec.hashable else map(self.vspec.freeze, elements))

    def freeze(self, value: object) -> Collection[object]:
        """The value as a frozenset."""
        # What is in a set is hashable, and so frozen; what is in a list that stands for one is not.
        return frozenset(value if isinstance(value, (set, frozenset)) else super().freeze(value))
