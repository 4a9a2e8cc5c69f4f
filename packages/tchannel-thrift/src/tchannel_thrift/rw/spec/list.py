"""Lists."""

from __future__ import annotations

from typing import Any

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import TypeSpec, wrong_type
from .container import check_element_types


class ListTypeSpec(TypeSpec):
    """``list<value>``.

    Args:
        vspec: Type of the elements.

    """

    __slots__ = ("vspec",)

    def __init__(self, vspec: TypeSpec) -> None:
        self.vspec: TypeSpec = vspec

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return f"list<{self.vspec.name}>"

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.LIST

    @property
    def surface(self) -> Any:
        """What stands for the type in Python."""
        return list

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return False

    def validate(self, value: Any) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
            wrong_type(value, self)
        validate = self.vspec.validate
        for element in value:
            validate(element)

    def write_to(self, writer: BinaryWriter, value: Any) -> None:
        """Check and write a value."""
        if not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
            wrong_type(value, self)
        writer.write_list_begin(self.vspec.ttype_code, len(value))
        for element in value:
            self.vspec.write_to(writer, element)

    def read_from(self, reader: BinaryReader) -> Any:
        """Read a value."""
        code, count = reader.read_list_begin()
        if count:
            check_element_types(self, (self.vspec.ttype_code,), (code,))
        read = self.vspec.read_from
        return self.surface([read(reader) for _ in range(count)])

    def to_primitive(self, value: Any) -> list[Any]:
        """The value as nothing but primitives."""
        return [self.vspec.to_primitive(element) for element in value]

    def from_primitive(self, value: Any) -> Any:
        """The value that primitives stand for."""
        return self.surface([self.vspec.from_primitive(element) for element in value])
