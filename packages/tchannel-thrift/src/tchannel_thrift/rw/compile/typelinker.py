"""Linking types: names become specs, and specs get their classes."""

from __future__ import annotations

from typing import Final

from ..codegen import (
    RESERVED_FIELD_NAMES,
    build_enum,
    build_struct,
)
from ..idl import ast
from ..idl.values import MAX_NESTING
from ..spec import (
    EnumTypeSpec,
    ExceptionTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    OutOfRangeError,
    SetTypeSpec,
    StructTypeSpec,
    TypedefTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from ..spec.primitive import PRIMITIVES, check_range
from .unit import TypeEntry, Unit

MAX_PARTS: Final = 1000
"""Most words of a type when its typedefs are written out. Each can double the one before it."""

_FIELD_IDS = range(-(1 << 15), 1 << 15)


def resolve_type(unit: Unit, node: ast.Type) -> TypeSpec:
    """The spec of a type as it is written in a document. Typedefs give way to their targets."""
    if isinstance(node, ast.BaseType):
        return PRIMITIVES[node.name]
    if isinstance(node, ast.ListType):
        return _bounded(unit, node, ListTypeSpec(resolve_type(unit, node.value)))
    if isinstance(node, ast.SetType):
        return _bounded(unit, node, SetTypeSpec(resolve_type(unit, node.value)))
    if isinstance(node, ast.MapType):
        key, value = resolve_type(unit, node.key), resolve_type(unit, node.value)
        return _bounded(unit, node, MapTypeSpec(key, value))
    found = unit.find(node.name, _look)
    if found is None:
        unit.unknown("type", node.name, node.pos)
    owner, entry = found
    return link_type(owner, entry)


def _look(unit: Unit, name: str) -> tuple[Unit, TypeEntry] | None:
    entry = unit.types.get(name)
    return None if entry is None else (unit, entry)


def _bounded(unit: Unit, node: ast.Type, spec: ListTypeSpec | MapTypeSpec) -> TypeSpec:
    """The spec of a container, unless typedefs that double each other make it too large."""
    if spec.levels > MAX_NESTING:
        unit.fail(f"Types are nested deeper than {MAX_NESTING}", node.pos, expected="fewer levels")
    if spec.parts > MAX_PARTS:
        unit.fail(f"A type has more than {MAX_PARTS} parts, its typedefs written out", node.pos)
    return spec


def link_type(unit: Unit, entry: TypeEntry) -> TypeSpec:
    """The spec of a type that a document defines.

    The fields of structs are linked later (``link_fields``), so that types may contain each other.
    """
    if entry.spec is not None:
        return entry.spec.link()
    node = entry.node
    if isinstance(node, ast.Typedef):
        if entry.linking:
            unit.fail(f'Typedef "{node.name}" stands for itself', node.pos)
        entry.linking = True
        entry.spec = TypedefTypeSpec(node.name, resolve_type(unit, node.type))
        entry.linking = False
    elif isinstance(node, ast.Enum):
        entry.spec = _enum(unit, node)
    else:
        entry.spec = _struct(unit, node)
    return entry.spec.link()


def _enum(unit: Unit, node: ast.Enum) -> EnumTypeSpec:
    items: dict[str, int] = {}
    following = 0
    for item in node.items:
        if item.name in items:
            unit.fail(
                f'Enum entry "{node.name}.{item.name}" on line {item.pos.line} has duplicates',
                item.pos,
            )
        check_attribute_name(unit, item.name, f"enum {node.name}", item.pos)
        value = following if item.value is None else item.value
        try:
            check_range(value, 32)
        except OutOfRangeError as error:
            unit.fail(
                f'Value for constant "{node.name}.{item.name}" is not valid: {error}', item.pos
            )
        items[item.name] = value
        following = value + 1
    spec = EnumTypeSpec(node.name, items)
    try:
        build_enum(spec, unit.module, unit.origin, int_enum=unit.origin.options.int_enum)
    except ValueError as error:  # names that IntEnum keeps for itself, such as mro
        unit.fail(f'Enum "{node.name}" cannot be an IntEnum: {error}', node.pos)
    return spec


def _struct(unit: Unit, node: ast.Struct) -> StructTypeSpec:
    spec: StructTypeSpec
    if node.kind == "union":
        spec = UnionTypeSpec(node.name, allow_empty=not node.fields)
    elif node.kind == "exception":
        spec = ExceptionTypeSpec(node.name)
    else:
        spec = StructTypeSpec(node.name)
    spec.annotations = {one.key: one.value for one in node.annotations}
    # The class comes with the first mention of the struct: it must not need the fields' types.
    declare_fields(unit, spec, node.fields, kind=node.kind)
    build_struct(spec, unit.module, unit.origin, (node.name,))
    return spec


def declare_fields(unit: Unit, spec: StructTypeSpec, nodes: list[ast.Field], *, kind: str) -> None:
    """Make the field specs of a struct, or of the arguments of a function, without their types.

    Args:
        unit: The document.
        spec: Gets the fields.
        nodes: The fields as written.
        kind: ``struct``, ``union``, ``exception``, ``arguments`` or ``throws``; errors say it.

    Raises:
        ThriftCompilerError: For duplicates, missing requiredness and impossible ids or names.

    """
    defaults = 0
    ids = {field.id for field in spec.fields}
    names = {field.name for field in spec.fields}
    for node in nodes:
        assert node.id is not None, "the parser gives every field an id"
        if node.name in names:
            unit.fail(f"{_label(node, spec, kind)} has duplicates", node.pos)
        if node.id in ids:
            unit.fail(
                f'Field ID "{node.id}" of {kind} "{spec.name}" on line {node.pos.line} '
                "has already been used",
                node.pos,
            )
        if node.id not in _FIELD_IDS:
            unit.fail(
                f"{_label(node, spec, kind)} has the ID {node.id}",
                node.pos,
                expected="a signed 16-bit integer",
            )
        if "." in node.name or node.name[0] == "_":
            check_attribute_name(unit, node.name, f"{kind} {spec.name}", node.pos)
        if node.name in RESERVED_FIELD_NAMES:
            unit.fail(
                f"{_label(node, spec, kind)} has a name that generated classes need for themselves",
                node.pos,
            )
        if node.required is None and unit.strict and kind in ("struct", "exception"):
            unit.fail(
                f'Field "{node.name}" of "{spec.name}" on line {node.pos.line} does not explicitly '
                "specify requiredness. Please specify whether the field is optional or required "
                "in the IDL",
                node.pos,
            )
        if kind == "union":
            _check_union_field(unit, node, _label(node, spec, kind))
            defaults += node.default is not None
            if defaults > 1:
                unit.fail(
                    f"{_label(node, spec, kind)} has a second default value. One field of a union "
                    "can have one",
                    node.pos,
                )
        ids.add(node.id)
        names.add(node.name)
        required = bool(node.required) and kind not in ("union", "throws")
        spec.fields.append(FieldSpec(node.id, node.name, required, spec.name))


def _label(node: ast.Field, spec: StructTypeSpec, kind: str) -> str:
    return f'Field "{node.name}" of {kind} "{spec.name}" on line {node.pos.line}'


def _check_union_field(unit: Unit, node: ast.Field, label: str) -> None:
    if unit.strict and node.required:
        unit.fail(f'{label} is "required". Unions cannot have required fields', node.pos)
    if unit.strict and node.default is not None:
        unit.fail(
            f"{label} has a default value. Fields of unions cannot have default values", node.pos
        )


def check_attribute_name(unit: Unit, name: str, owner: str, pos: ast.Position) -> None:
    """Raise ThriftCompilerError where a name cannot be an attribute of a generated class."""
    if not name.isidentifier():
        unit.fail(f'Name "{name}" in {owner} contains a dot', pos)
    if name.startswith("__") and name.endswith("__"):
        unit.fail(f'Name "{name}" in {owner} has the form that Python keeps for itself', pos)


def link_fields(unit: Unit, spec: StructTypeSpec, nodes: list[ast.Field]) -> None:
    """Give the fields that ``nodes`` declare their types. Defaults follow when all are linked."""
    own = spec.fields[-len(nodes) :] if nodes else []
    for field, node in zip(own, nodes, strict=True):
        field.spec = resolve_type(unit, node.type)
    spec.linked = True
