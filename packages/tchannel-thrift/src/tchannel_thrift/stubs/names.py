"""Types of a Thrift file as annotations."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence

from ..rw.compile.unit import MODULE_FUNCTIONS, Unit
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
        self.taken: frozenset[str] = frozenset(self._module)
        """Names of the document's definitions."""
        self.aliases: dict[str, str] = {}

    def _find_homes(self, unit: Unit, prefix: str, seen: set[int]) -> None:
        if id(unit) in seen:
            return
        seen.add(id(unit))
        for entry in unit.types.values():
            hidden = entry.node.name in MODULE_FUNCTIONS
            if isinstance(entry.spec, (StructTypeSpec, EnumTypeSpec)) and not hidden:
                self._homes.setdefault(id(entry.spec), f"{prefix}{entry.node.name}")
        for service in unit.services.values():
            self._homes.setdefault(id(service.spec), f"{prefix}{service.node.name}")
        for name, included in included_names(unit):
            self._find_homes(included, f"{prefix}{name}.", seen)

    def home(self, spec: object) -> str | None:
        """Where a struct, an enum or a service is: ``Name`` or ``include.Name``; None if nowhere."""
        home = self._homes.get(id(spec))
        return home if home is not None and all(map(is_name, home.split("."))) else None

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
            name = self.home(spec)
            return "_Any" if name is None else self.generated(name)
        if isinstance(spec, EnumTypeSpec) and spec.members is not None:
            name = self.home(spec)
            # A number that the file does not name stays an int.
            return self.builtin("int") if name is None else f"{self.generated(name)} | int"
        assert isinstance(spec, EnumTypeSpec) or spec.surface, "an integer"
        return self.builtin("int")


def included_names(unit: Unit) -> list[tuple[str, Unit]]:
    """The included documents of a document, with the names that their modules have in its stub.

    These are the names in the module, unless something else has the name there or it cannot be
    written in Python.
    """
    taken = {*unit.types, *unit.constants, *unit.services}
    names: list[tuple[str, Unit]] = []
    for number, (name, included) in enumerate(unit.included):
        is_last = unit.includes[name][-1] is included
        if not is_name(name) or name in taken or not is_last:
            name = f"_include_{number}"
        names.append((name, included))
    return names


def module_names(units: Sequence[Unit]) -> dict[int, str]:
    """Names under which documents can be Python modules beside each other, by ``id`` of the unit.

    A document is called as its file; where that is no name in Python, or taken, it is changed.
    """
    names: dict[int, str] = {}
    for unit in units:
        stem = re.sub(r"\W", "_", unit.module.__name__)
        if not stem or stem[0].isdigit():
            stem = f"_{stem}"
        if keyword.iskeyword(stem) or stem == "__init__":
            stem += "_"
        name, number = stem, 2
        while name in names.values():
            name = f"{stem}_{number}"
            number += 1
        names[id(unit)] = name
    return names


def is_name(name: str) -> bool:
    """Whether a name of the IDL can be written in Python."""
    return name.isidentifier() and not keyword.iskeyword(name)
