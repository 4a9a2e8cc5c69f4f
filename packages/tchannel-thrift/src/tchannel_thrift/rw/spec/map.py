"""Maps."""

from __future__ import annotations

from typing import Any

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import TypeSpec, wrong_type
from .container import check_element_types


class MapTypeSpec(TypeSpec):
    """``map<key, value>``.

    Args:
        kspec: Type of the keys.
        vspec: Type of the values.

    """

    __slots__ = ("kspec", "vspec")

    def __init__(self, kspec: TypeSpec, vspec: TypeSpec) -> None:
        self.kspec: TypeSpec = kspec
        self.vspec: TypeSpec = vspec

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return f"map<{self.kspec.name}, {self.vspec.name}>"

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.MAP

    @property
    def surface(self) -> Any:
        """What stands for the type in Python."""
        return dict

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return False

    def _check(self, value: Any) -> None:
        if not all(hasattr(value, name) for name in ("__getitem__", "__len__", "items")):
            wrong_type(value, self)

    def validate(self, value: Any) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        self._check(value)
        for key, item in value.items():
            self.kspec.validate(key)
            self.vspec.validate(item)

    def write_to(self, writer: BinaryWriter, value: Any) -> None:
        """Check and write a value."""
        self._check(value)
        writer.write_map_begin(self.kspec.ttype_code, self.vspec.ttype_code, len(value))
        for key, item in value.items():
            self.kspec.write_to(writer, key)
            self.vspec.write_to(writer, item)

    def read_from(self, reader: BinaryReader) -> dict[Any, Any]:
        """Read a value."""
        key_code, value_code, count = reader.read_map_begin()
        if count:
            expected = (self.kspec.ttype_code, self.vspec.ttype_code)
            check_element_types(self, expected, (key_code, value_code))
        read_key = self.kspec.read_from
        read_value = self.vspec.read_from
        return {read_key(reader): read_value(reader) for _ in range(count)}

    def to_primitive(self, value: Any) -> dict[Any, Any]:
        """The value as nothing but primitives."""
        key = self.kspec.to_primitive
        item = self.vspec.to_primitive
        return {key(k): item(v) for k, v in value.items()}

    def from_primitive(self, value: Any) -> dict[Any, Any]:
        """The value that primitives stand for."""
        key = self.kspec.from_primitive
        item = self.vspec.from_primitive
        return {key(k): item(v) for k, v in value.items()}
