"""Lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import TypeSpec, wrong_type
from .container import check_element_types
from .memory import CONTAINERS, SCALARS, SLOT


class ListTypeSpec(TypeSpec):
    """``list<value>``.

    Args:
        vspec: Type of the elements.

    """

    __slots__ = ("_levels", "_parts", "vspec")

    def __init__(self, vspec: TypeSpec) -> None:
        self.vspec: TypeSpec = vspec
        self._parts = 1 + vspec.parts
        self._levels = 1 + vspec.levels

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return f"list<{self.vspec.name}>"

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.LIST

    @property
    def surface(self) -> object:
        """What stands for the type in Python."""
        return list

    @property
    def parts(self) -> int:
        """How many words the type has when it is written out."""
        return self._parts

    @property
    def levels(self) -> int:
        """How many levels of containers the type has."""
        return self._levels

    @property
    def memory(self) -> tuple[int, int]:
        """Bytes of memory of a list itself and of each element, as far as it is no object."""
        return CONTAINERS[self.ttype_code], SLOT + SCALARS.get(self.vspec.ttype_code, 0)

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return False

    # Any: here and below whether a value has elements is said by its methods, not by its class.
    def validate(self, value: Any) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
            wrong_type(value, self)
        validate = self.vspec.validate
        for element in value:
            validate(element)

    def admit(self, value: Any) -> None:
        """``validate``, except that of structs only the class is looked at."""
        if not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
            wrong_type(value, self)
        admit = self.vspec.admit
        for element in value:
            admit(element)

    def write_to(self, writer: BinaryWriter, value: Any) -> None:
        """Check and write a value."""
        if not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
            wrong_type(value, self)
        writer.write_list_begin(self.vspec.ttype_code, len(value))
        for element in value:
            self.vspec.write_to(writer, element)

    def read_from(self, reader: BinaryReader) -> object:
        """Read a value."""
        code, count = reader.read_list_begin()
        if count:
            check_element_types(self, (self.vspec.ttype_code,), (code,))
        if reader.budget is not None:
            own, each = self.memory
            reader.budget.take(1, own + count * each)
        read = self.vspec.read_from
        return self.made([read(reader) for _ in range(count)])

    def made(self, elements: list[object]) -> object:
        """The value that has these elements."""
        return elements

    def freeze(self, value: Any) -> Collection[object]:
        """The value as a tuple of frozen elements."""
        return tuple(map(self.vspec.freeze, value))

    def to_primitive(self, value: object) -> list[object]:
        """The value as nothing but primitives."""
        if not isinstance(value, Iterable):
            wrong_type(value, self)
        return [self.vspec.to_primitive(element) for element in value]

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        if not isinstance(value, Iterable):
            wrong_type(value, self)
        return self.made([self.vspec.from_primitive(element) for element in value])
