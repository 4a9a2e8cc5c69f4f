"""Maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import TypeSpec, wrong_type
from .container import check_element_types
from .frozen import FrozenMap
from .memory import CONTAINERS, ENTRY, SCALARS


def _is_map(value: object) -> TypeGuard[Mapping[object, object]]:
    return all(hasattr(value, name) for name in ("__getitem__", "__len__", "items"))


class MapTypeSpec(TypeSpec):
    """``map<key, value>``.

    Args:
        kspec: Type of the keys.
        vspec: Type of the values.

    """

    __slots__ = ("_levels", "_parts", "kspec", "vspec")

    def __init__(self, kspec: TypeSpec, vspec: TypeSpec) -> None:
        self.kspec: TypeSpec = kspec
        self.vspec: TypeSpec = vspec
        self._parts = 1 + kspec.parts + vspec.parts
        self._levels = 1 + max(kspec.levels, vspec.levels)

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return f"map<{self.kspec.name}, {self.vspec.name}>"

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.MAP

    @property
    def surface(self) -> object:
        """What stands for the type in Python."""
        return dict

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
        """Bytes of memory of a map itself and of each pair, as far as it has no objects."""
        parts = (self.kspec.ttype_code, self.vspec.ttype_code)
        return CONTAINERS[self.ttype_code], ENTRY + sum(SCALARS.get(part, 0) for part in parts)

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return False

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not _is_map(value):
            wrong_type(value, self)
        for key, item in value.items():
            self.kspec.validate(key)
            self.vspec.validate(item)

    def admit(self, value: object) -> None:
        """``validate``, except that of structs only the class is looked at."""
        if not _is_map(value):
            wrong_type(value, self)
        for key, item in value.items():
            self.kspec.admit(key)
            self.vspec.admit(item)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if not _is_map(value):
            wrong_type(value, self)
        writer.write_map_begin(self.kspec.ttype_code, self.vspec.ttype_code, len(value))
        for key, item in value.items():
            self.kspec.write_to(writer, key)
            self.vspec.write_to(writer, item)

    def made(self, pairs: Iterable[tuple[object, object]]) -> dict[object, object]:
        """The map of these keys and values; keys that are not hashable are frozen."""
        if self.kspec.hashable:
            return dict(pairs)
        freeze = self.kspec.freeze
        return {freeze(key): item for key, item in pairs}

    # Any: it has been read or looked at as a map, and looking again would cost each key.
    def freeze(self, value: Any) -> FrozenMap:
        """The value as a FrozenMap."""
        freeze_key, freeze_item = self.kspec.freeze, self.vspec.freeze
        return FrozenMap((freeze_key(key), freeze_item(item)) for key, item in value.items())

    def read_from(self, reader: BinaryReader) -> dict[object, object]:
        """Read a value."""
        key_code, value_code, count = reader.read_map_begin()
        if count:
            expected = (self.kspec.ttype_code, self.vspec.ttype_code)
            check_element_types(self, expected, (key_code, value_code))
        if reader.budget is not None:
            own, each = self.memory
            reader.budget.take(1, own + count * each)
        read_key = self.kspec.read_from
        read_value = self.vspec.read_from
        return self.made((read_key(reader), read_value(reader)) for _ in range(count))

    def to_primitive(self, value: object) -> dict[object, object] | list[list[object]]:
        """The value as nothing but primitives: a dict.

        A list of pairs where the keys are structs or containers, whose primitives cannot be keys.
        """
        if not _is_map(value):
            wrong_type(value, self)
        key = self.kspec.to_primitive
        item = self.vspec.to_primitive
        if self.kspec.ttype_code in ttype.NESTING:
            return [[key(k), item(v)] for k, v in value.items()]
        return {key(k): item(v) for k, v in value.items()}

    def from_primitive(self, value: object) -> dict[object, object]:
        """The value that primitives stand for: a mapping or pairs of keys and values."""
        key = self.kspec.from_primitive
        item = self.vspec.from_primitive
        pairs: Iterable[tuple[object, object]]
        if _is_map(value):
            pairs = value.items()
        elif isinstance(value, Iterable):
            pairs = value
        else:
            wrong_type(value, self)
        return self.made((key(k), item(v)) for k, v in pairs)
