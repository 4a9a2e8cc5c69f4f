"""Enums."""

from __future__ import annotations

import numbers

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import TypeSpec, wrong_type
from .primitive import I32TypeSpec, check_range


class EnumTypeSpec(TypeSpec):
    """An enum: a set of named 32-bit integers. Values without a name are kept as they are.

    Args:
        name: Name of the enum.
        items: Value of each item by its name, in the order of the file.

    Attributes:
        items: As given.
        values_to_names: Names of each value, in the order of the file.
        surface: The generated class.
        members: The members of the class by value, where it is an IntEnum; otherwise None.

    """

    __slots__ = ("_name", "_surface", "items", "linked", "members", "values_to_names")

    def __init__(self, name: str, items: dict[str, int]) -> None:
        self._name = name
        self._surface: type | None = None
        self.linked: bool = True
        self.members: dict[int, int] | None = None
        self.items: dict[str, int] = items
        self.values_to_names: dict[int, list[str]] = {}
        for item, value in items.items():
            self.values_to_names.setdefault(value, []).append(item)

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return self._name

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.I32

    @property
    def surface(self) -> object:
        """What stands for the type in Python."""
        return self._surface

    @surface.setter
    def surface(self, surface: type) -> None:
        # Set once, by the code generator.
        self._surface = surface

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return True

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, (int, numbers.Integral)):
            wrong_type(value, self)
        check_range(value, 32)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if not isinstance(value, (int, numbers.Integral)):
            wrong_type(value, self)
        check_range(value, 32)
        writer.write_i32(value)

    def value_of(self, value: int) -> int:
        """A number as a value of the enum: its member, where enums are IntEnum and there is one."""
        return value if self.members is None else self.members.get(value, value)

    def read_from(self, reader: BinaryReader) -> int:
        """Read a value."""
        return self.value_of(reader.read_i32())

    def to_primitive(self, value: object) -> int:
        """The value as nothing but primitives."""
        return I32TypeSpec.to_primitive(value)

    def from_primitive(self, value: object) -> object:
        """The value; an item's name stands for its value."""
        if isinstance(value, str):
            value = self.items.get(value, value)
        return self.value_of(value) if isinstance(value, int) else value
