"""Constants and default values: the IDL's literals become values of the declared types."""

from __future__ import annotations

import uuid
from typing import Final

from ..codegen import Record
from ..idl import ast
from ..spec import (
    BinaryTypeSpec,
    BoolTypeSpec,
    ConstSpec,
    DoubleTypeSpec,
    EnumTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TypeSpec,
    UuidTypeSpec,
)
from .typelinker import link_type, resolve_type
from .unit import ConstEntry, Unit

MAX_VALUES: Final = 1_000_000
"""Most values that the constants and defaults of the files of one load come to, beyond one for each
character of the files: what is written out without references never comes near."""

MAX_DEFAULT_VALUES: Final = 10_000
"""Most values that the defaults of one struct come to: each instance gets its own copy."""

_CHARACTERS_PER_VALUE: Final = 32


class ConstantLinker:
    """Works out constants and defaults, each once and in whatever order they need each other.

    Constants can refer to others many times, and structs can contain structs with defaults many
    times, so that a short file can stand for more values than there is memory: they are counted.

    Args:
        characters: How many characters the files have together.

    """

    def __init__(self, characters: int) -> None:
        self._values_left = MAX_VALUES + characters
        # By id: how many values a constant or default comes to, references written out. They are
        # kept alive by their entries and fields.
        self._sizes: dict[int, int] = {}
        self._default_sizes: dict[int, int] = {}
        # The defaults that are still to be worked out, by the id of the struct's spec.
        self._pending: dict[int, tuple[Unit, StructTypeSpec, list[ast.Field]]] = {}
        self._in_progress: set[int] = set()

    def expect_defaults(self, unit: Unit, spec: StructTypeSpec, nodes: list[ast.Field]) -> None:
        """Say that fields of a struct have default values, to be worked out by ``finish``."""
        if any(node.default is not None for node in nodes):
            self._pending[id(spec)] = unit, spec, nodes

    def finish(self) -> None:
        """Work out all defaults that nobody needed so far."""
        for _, spec, _ in list(self._pending.values()):
            self._ensure_defaults(spec)

    def constant(self, unit: Unit, entry: ConstEntry) -> ConstSpec:
        """The value of a constant."""
        if entry.spec is None:
            node = entry.node
            if entry.linking:
                unit.fail(f'Constant "{node.name}" is defined by itself', node.pos)
            entry.linking = True
            type_spec = resolve_type(unit, node.type)
            label = f'Value for constant "{node.name}"'
            value = self._value(unit, node.value, type_spec, label)
            entry.spec = ConstSpec(node.name, type_spec, value)
            self._keep_size(value)
            entry.linking = False
        return entry.spec

    def _ensure_defaults(self, spec: StructTypeSpec) -> None:
        """An instance of the struct is wanted: its defaults must be there."""
        job = self._pending.get(id(spec))
        if job is None:
            return
        unit, _, nodes = job
        if id(spec) in self._in_progress:
            unit.fail(f'A default value of "{spec.name}" contains the struct itself', nodes[0].pos)
        self._in_progress.add(id(spec))
        fields = {field.name: field for field in spec.fields}
        size = 0
        for node in nodes:
            if node.default is not None:
                field = fields[node.name]
                self._default(unit, field, node.default)
                size += self._size(field.default_value)
                if size > MAX_DEFAULT_VALUES:
                    unit.fail(
                        f'The default values of "{spec.name}" come to more than '
                        f"{MAX_DEFAULT_VALUES} values, their references written out",
                        node.default.pos,
                    )
        self._default_sizes[id(spec)] = size
        del self._pending[id(spec)]

    def _default(self, unit: Unit, field: FieldSpec, node: ast.ConstValue) -> None:
        label = f'Default value for field "{field.name}"'
        field.default_value = self._value(unit, node, field.spec, label)
        self._keep_size(field.default_value)

    # -- sizes ------------------------------------------------------------------------------------

    def _size(self, value: object) -> int:
        """How many values a value comes to, itself included."""
        known = self._sizes.get(id(value))
        if known is not None:
            return known
        if isinstance(value, Record):
            items = (getattr(value, field.name, None) for field in value.type_spec.fields)
            return 1 + sum(map(self._size, items))
        if isinstance(value, dict):
            return 1 + sum(map(self._size, value)) + sum(map(self._size, value.values()))
        if isinstance(value, (list, tuple, set, frozenset)):
            return 1 + sum(map(self._size, value))
        return 1

    def _keep_size(self, value: object) -> None:
        if isinstance(value, (Record, dict, list, tuple, set, frozenset)):
            self._sizes[id(value)] = self._size(value)

    def _spend(self, unit: Unit, node: ast.ConstValue, values: int) -> None:
        """Count values that are about to be looked at or copied."""
        self._values_left -= values
        if self._values_left < 0:
            unit.fail(
                f"Constants and default values come to more than {MAX_VALUES} values beyond those "
                "that are written, their references written out",
                node.pos,
            )

    # -- values -----------------------------------------------------------------------------------

    def _value(self, unit: Unit, node: ast.ConstValue, spec: TypeSpec, label: str) -> object:
        if isinstance(node, ast.ConstPrimitive):
            return self._cast(unit, node, node.value, spec, label)
        if isinstance(node, ast.ConstReference):
            if isinstance(spec, EnumTypeSpec) and not unit.strict:
                # Apache takes the name for an item of the field's enum, whatever stands before it.
                item = spec.items.get(node.name.rpartition(".")[2])
                if item is not None:
                    return spec.value_of(item)
            value = self._reference(unit, node)
            size = self._size(value)
            if isinstance(value, (str, bytes)):  # which may be encoded
                size += len(value) // _CHARACTERS_PER_VALUE
            self._spend(unit, node, size)
            return self._cast(unit, node, value, spec, label)
        if isinstance(node, ast.ConstList):
            if not isinstance(spec, ListTypeSpec):
                if not node.values and isinstance(spec, MapTypeSpec) and not unit.strict:
                    return {}
                return self._refuse(
                    unit, node, f"Expected a {spec.name} but got a list", spec, label
                )
            items = [self._value(unit, item, spec.vspec, label) for item in node.values]
            return spec.made(items)
        if isinstance(spec, MapTypeSpec):
            pairs = [
                (self._value(unit, k, spec.kspec, label), self._value(unit, v, spec.vspec, label))
                for k, v in node.pairs
            ]
            return spec.made(pairs)
        if isinstance(spec, StructTypeSpec):
            return self._struct(unit, node, spec, label)
        if not node.pairs and isinstance(spec, ListTypeSpec) and not unit.strict:
            return spec.made([])
        return self._refuse(unit, node, f"Expected a {spec.name} but got a map", spec, label)

    def _struct(self, unit: Unit, node: ast.ConstMap, spec: StructTypeSpec, label: str) -> object:
        fields = {field.name: field for field in spec.fields}
        arguments = {}
        for key_node, value_node in node.pairs:
            key: object = None
            if isinstance(key_node, ast.ConstPrimitive):
                key = key_node.value
            elif isinstance(key_node, ast.ConstReference):
                key = self._reference(unit, key_node)
            if not isinstance(key, str):
                return self._refuse(
                    unit, key_node, "the keys must be the names of its fields", spec, label
                )
            field = fields.get(key)
            if field is not None:
                arguments[key] = self._value(unit, value_node, field.spec, label)
        self._ensure_defaults(spec)
        self._spend(unit, node, self._default_sizes.get(id(spec), 0))
        try:
            return spec.surface(**arguments)
        except (TypeError, ValueError) as error:
            return self._refuse(unit, node, str(error), spec, label)

    def _reference(self, unit: Unit, node: ast.ConstReference) -> object:
        found = unit.find(node.name, self._look)
        if found is None:
            unit.unknown("constant", node.name, node.pos)
        return found[0]

    def _look(self, unit: Unit, name: str) -> tuple[object] | None:
        entry = unit.constants.get(name)
        if entry is not None:
            return (self.constant(unit, entry).surface,)
        head, _, rest = name.partition(".")
        if head in unit.types:
            spec = link_type(unit, unit.types[head])
            if isinstance(spec, EnumTypeSpec) and rest in spec.items:
                return (spec.value_of(spec.items[rest]),)
        return None

    def _cast(
        self, unit: Unit, node: ast.ConstValue, value: object, spec: TypeSpec, label: str
    ) -> object:
        """A literal, or the value of another constant, as a value of ``spec``."""
        try:
            return _cast(value, spec)
        except ValueError as error:
            unit.fail(f"{label} is not valid: {error}", node.pos)
        except TypeError as error:
            return self._refuse(unit, node, str(error), spec, label)

    def _refuse(
        self, unit: Unit, node: ast.ConstValue, reason: str, spec: TypeSpec, label: str
    ) -> object:
        unit.fail(f'{label} does not match its type "{spec.name}": {reason}', node.pos)


def _cast(value: object, spec: TypeSpec) -> object:
    if spec is BoolTypeSpec:
        spec.validate(value)
        return bool(value)
    if spec is DoubleTypeSpec:
        spec.validate(value)
        return spec.from_primitive(value)
    if spec is BinaryTypeSpec and isinstance(value, str):
        return value.encode()
    if spec is UuidTypeSpec and isinstance(value, str):
        return uuid.UUID(value)
    if isinstance(spec, SetTypeSpec) and isinstance(value, list):
        return spec.made([_cast(item, spec.vspec) for item in value])
    if isinstance(value, bool) and not isinstance(spec, StructTypeSpec):
        value = int(value)
    # The value of another constant stays the same object.
    spec.admit(value)
    if isinstance(spec, EnumTypeSpec) and isinstance(value, int):
        return spec.value_of(value)
    return value
