"""Constants and default values: the IDL's literals become values of the declared types."""

from __future__ import annotations

import uuid
from typing import Any

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
from .typelinker import resolve_type
from .unit import ConstEntry, Unit


class ConstantLinker:
    """Works out constants and defaults, each once and in whatever order they need each other."""

    def __init__(self) -> None:
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
        for node in nodes:
            if node.default is not None:
                self._default(unit, fields[node.name], node.default)
        del self._pending[id(spec)]

    def _default(self, unit: Unit, field: FieldSpec, node: ast.ConstValue) -> None:
        label = f'Default value for field "{field.name}"'
        field.default_value = self._value(unit, node, field.spec, label)

    # -- values -----------------------------------------------------------------------------------

    def _value(self, unit: Unit, node: ast.ConstValue, spec: TypeSpec, label: str) -> Any:
        if isinstance(node, ast.ConstPrimitive):
            return self._cast(unit, node, node.value, spec, label)
        if isinstance(node, ast.ConstReference):
            return self._cast(unit, node, self._reference(unit, node), spec, label)
        if isinstance(node, ast.ConstList):
            if not isinstance(spec, ListTypeSpec):
                if not node.values and isinstance(spec, MapTypeSpec) and not unit.strict:
                    return {}
                return self._refuse(
                    unit, node, f"Expected a {spec.name} but got a list", spec, label
                )
            items = [self._value(unit, item, spec.vspec, label) for item in node.values]
            return self._container(unit, node, spec, items, label)
        if isinstance(spec, MapTypeSpec):
            pairs = [
                (self._value(unit, k, spec.kspec, label), self._value(unit, v, spec.vspec, label))
                for k, v in node.pairs
            ]
            return self._container(unit, node, spec, pairs, label)
        if isinstance(spec, StructTypeSpec):
            return self._struct(unit, node, spec, label)
        if not node.pairs and isinstance(spec, ListTypeSpec) and not unit.strict:
            return spec.surface()
        return self._refuse(unit, node, f"Expected a {spec.name} but got a map", spec, label)

    def _container(
        self, unit: Unit, node: ast.ConstValue, spec: TypeSpec, items: list[Any], label: str
    ) -> Any:
        try:
            return spec.surface(items)
        except TypeError:
            return self._refuse(
                unit, node, "its elements or keys are not hashable in Python", spec, label
            )

    def _struct(self, unit: Unit, node: ast.ConstMap, spec: StructTypeSpec, label: str) -> Any:
        fields = {field.name: field for field in spec.fields}
        arguments = {}
        for key_node, value_node in node.pairs:
            key: Any = None
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
            elif not unit.strict:
                return self._refuse(unit, key_node, f'there is no field "{key}"', spec, label)
        self._ensure_defaults(spec)
        try:
            return spec.surface(**arguments)
        except (TypeError, ValueError) as error:
            return self._refuse(unit, node, str(error), spec, label)

    def _reference(self, unit: Unit, node: ast.ConstReference) -> Any:
        found = self._find(unit, node.name)
        if found is None:
            unit.fail(
                f'Unknown constant "{node.name}" referenced at {unit.where(node.pos)}', node.pos
            )
        return found[0]

    def _find(self, unit: Unit, name: str) -> tuple[Any] | None:
        entry = unit.constants.get(name)
        if entry is not None:
            return (self.constant(unit, entry).surface,)
        head, dot, rest = name.partition(".")
        if not dot:
            return None
        if head in unit.types:
            spec = resolve_type(unit, ast.TypeReference(head, unit.types[head].node.pos))
            if isinstance(spec, EnumTypeSpec) and rest in spec.items:
                return (spec.items[rest],)
        included = unit.includes.get(head)
        return None if included is None else self._find(included, rest)

    def _cast(
        self, unit: Unit, node: ast.ConstValue, value: Any, spec: TypeSpec, label: str
    ) -> Any:
        """A literal, or the value of another constant, as a value of ``spec``."""
        try:
            return _cast(value, spec)
        except ValueError as error:
            unit.fail(f"{label} is not valid: {error}", node.pos)
        except TypeError as error:
            return self._refuse(unit, node, str(error), spec, label)

    def _refuse(
        self, unit: Unit, node: ast.ConstValue, reason: str, spec: TypeSpec, label: str
    ) -> Any:
        unit.fail(f'{label} does not match its type "{spec.name}": {reason}', node.pos)


def _cast(value: Any, spec: TypeSpec) -> Any:
    if spec is BoolTypeSpec:
        spec.validate(value)
        return bool(value)
    if spec is DoubleTypeSpec:
        spec.validate(value)
        return float(value)
    if spec is BinaryTypeSpec and isinstance(value, str):
        return value.encode()
    if spec is UuidTypeSpec and isinstance(value, str):
        return uuid.UUID(value)
    if isinstance(spec, SetTypeSpec) and isinstance(value, list):
        return {_cast(item, spec.vspec) for item in value}
    if isinstance(value, bool) and not isinstance(spec, StructTypeSpec):
        value = int(value)
    # The value of another constant stays the same object.
    spec.validate(value)
    return value
