"""Types of a Thrift file as annotations."""

from __future__ import annotations

import keyword

from ..rw.compile.unit import Unit
from ..rw.spec import (
    BinaryTypeSpec,
    BoolTypeSpec,
    DoubleTypeSpec,
    EnumTypeSpec,
    ListTypeSpec,
    MapTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TextTypeSpec,
    TypeSpec,
    UuidTypeSpec,
)

_PRIMITIVES = {
    id(BoolTypeSpec): "bool",
    id(DoubleTypeSpec): "float",
    id(TextTypeSpec): "str",
    id(BinaryTypeSpec): "bytes",
}


class Names:
    """Writes annotations that hold wherever they stand.

    A field may be called ``str`` or like a type, and within its class then hides that. Built-in
    types are therefore written as attributes of ``_builtins`` where something has their name, and
    generated ones get a second name at the end of the stub.

    Args:
        unit: The document.

    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._homes: dict[int, str] = {}
        self._find_homes(unit, "", set())
        self._module = {*unit.types, *unit.constants, *unit.services, *unit.includes}
        self._members: set[str] = set()
        self.aliases: dict[str, str] = {}

    def _find_homes(self, unit: Unit, prefix: str, seen: set[int]) -> None:
        if id(unit) in seen:
            return
        seen.add(id(unit))
        for entry in unit.types.values():
            if isinstance(entry.spec, StructTypeSpec):
                self._homes.setdefault(id(entry.spec), f"{prefix}{entry.node.name}")
        for name, included in unit.includes.items():
            if is_name(name):
                self._find_homes(included, f"{prefix}{name}.", seen)

    def enter(self, members: set[str]) -> None:
        """Say which names the class has that is written from now on."""
        self._members = members

    def builtin(self, name: str) -> str:
        """A built-in type."""
        hidden = name in self._members or name in self._module
        return f"_builtins.{name}" if hidden else name

    def generated(self, name: str) -> str:
        """A class of this stub, or ``include.Class``."""
        if name.partition(".")[0] not in self._members:
            return name
        alias = f"_type_{name.replace('.', '_')}"
        self.aliases[alias] = name
        return alias

    def annotation(self, spec: TypeSpec) -> str:
        """A type, as the annotation of a value that has been read."""
        if id(spec) in _PRIMITIVES:
            return self.builtin(_PRIMITIVES[id(spec)])
        if spec is UuidTypeSpec:
            return "_UUID"
        if isinstance(spec, MapTypeSpec):
            pair = f"{self.annotation(spec.kspec)}, {self.annotation(spec.vspec)}"
            return f"{self.builtin('dict')}[{pair}]"
        if isinstance(spec, ListTypeSpec):
            kind = "set" if isinstance(spec, SetTypeSpec) else "list"
            return f"{self.builtin(kind)}[{self.annotation(spec.vspec)}]"
        if isinstance(spec, StructTypeSpec):
            name = self._homes.get(id(spec))
            return "_Any" if name is None else self.generated(name)
        assert isinstance(spec, EnumTypeSpec) or spec.surface, "an integer"
        return self.builtin("int")


def is_name(name: str) -> bool:
    """Whether a name of the IDL can be written in Python."""
    return name.isidentifier() and not keyword.iskeyword(name)
