"""Typedefs."""

from __future__ import annotations

from ..protocol.binary import BinaryReader, BinaryWriter
from .base import TypeSpec


class TypedefTypeSpec(TypeSpec):
    """Another name for a type.

    Linking puts the target in its place, so that no other spec refers to one.

    Args:
        name: The new name.
        target_spec: The type that it stands for.

    """

    __slots__ = ("_name", "target_spec")

    def __init__(self, name: str, target_spec: TypeSpec) -> None:
        self._name = name
        self.target_spec: TypeSpec = target_spec

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return self._name

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return self.target_spec.ttype_code

    @property
    def surface(self) -> object:
        """What stands for the type in Python."""
        return self.target_spec.surface

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return self.target_spec.hashable

    def link(self, scope: object = None) -> TypeSpec:
        """The target."""
        return self.target_spec

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        self.target_spec.validate(value)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        self.target_spec.write_to(writer, value)

    def read_from(self, reader: BinaryReader) -> object:
        """Read a value."""
        return self.target_spec.read_from(reader)

    def to_primitive(self, value: object) -> object:
        """The value as nothing but primitives."""
        return self.target_spec.to_primitive(value)

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        return self.target_spec.from_primitive(value)
