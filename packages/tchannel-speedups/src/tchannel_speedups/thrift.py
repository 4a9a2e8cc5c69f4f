"""What of tchannel_thrift runs natively: payloads of structs, both ways, and their constructors."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from typing import Final, Protocol, TypeVar, cast

from . import _native
from .parts import Replacement, look_up

__all__ = ["OBJECTS", "WAYS", "ways"]

PACKAGE: Final = "tchannel_thrift"

WAYS: Final = {
    "dumper": "rw.codegen.ways.dumper",
    "loader": "rw.codegen.ways.loader",
    "constructor": "rw.codegen.ways.constructor",
}
"""By what they make, the Python functions that are replaced: they only generate Python."""

OBJECTS: Final = {
    "Record": "rw.codegen.record.Record",
    "field_head": "rw.codegen.layout.field_head",
    "struct_code": "rw.codegen.layout.struct_code",
    "StructTypeSpec": "rw.spec.StructTypeSpec",
    "UnionTypeSpec": "rw.spec.UnionTypeSpec",
    "ExceptionTypeSpec": "rw.spec.ExceptionTypeSpec",
    "FunctionArgsSpec": "rw.spec.FunctionArgsSpec",
    "FunctionResultSpec": "rw.spec.FunctionResultSpec",
    "EnumTypeSpec": "rw.spec.EnumTypeSpec",
    "ListTypeSpec": "rw.spec.ListTypeSpec",
    "SetTypeSpec": "rw.spec.SetTypeSpec",
    "MapTypeSpec": "rw.spec.MapTypeSpec",
    "TextTypeSpec": "rw.spec.TextTypeSpec",
    "BinaryTypeSpec": "rw.spec.BinaryTypeSpec",
    "UuidTypeSpec": "rw.spec.primitive.UuidTypeSpec",
}
"""What the native ways know of the package, by the names that they have for it."""

ATTRIBUTE: Final = "__thrift_plan__"
"""Attribute of a generated class that holds what C knows of it."""

_DEEPEST: Final = 16
"""Containers within containers that a field may have: the C stack has to hold them."""

_MOST: Final = 1 << 61
"""A limit that nothing reaches, of those that C counts by."""

_IMMUTABLE: Final = (bool, int, float, str, bytes, type(None))

_F = TypeVar("_F", bound=Callable[..., object])

# A type as C is told it: kind, code on the wire, of the elements or keys, of the values, the plan of a
# struct, class, what makes or freezes values, what gives their bytes, memory of it and of each element.
_Node = tuple[str, int, object, object, object, object, object, object, int, int]


class TypeSpec(Protocol):
    """What is read of a spec of the engine; each kind has its part of it."""

    surface: type[object]
    ttype_code: int
    levels: int
    hashable: bool
    memory: tuple[int, int]
    kspec: TypeSpec
    vspec: TypeSpec
    members: dict[int, int] | None
    fields: list[FieldSpec]
    weight: int
    allow_empty: bool
    base_cls: type[object]
    skip_unknown: Callable[..., None]

    def freeze(self, value: object) -> object:
        """The value as an element of a set."""


class FieldSpec(Protocol):
    """What is read of a field of a spec."""

    name: str
    spec: TypeSpec
    required: bool
    must_be_given: bool
    default_value: object


class Limits(Protocol):
    """What payloads may come to."""

    max_objects: int
    max_decoded_size: int


class _UnsupportedError(Exception):
    """A class or type is none of the engine's own: Python code is generated for it."""


# Structs that contain each other in a very long chain would need as many frames: RecursionError.
_LEFT_TO_PYTHON = (_UnsupportedError, RecursionError)


class Plans:
    """Makes what C knows of structs, of their specs.

    Args:
        objects: What stands behind each name of `OBJECTS`.

    """

    def __init__(self, objects: dict[str, object]) -> None:
        self._engine = objects
        self._head = cast("Callable[[FieldSpec], bytes]", objects["field_head"])
        self._code = cast("Callable[[TypeSpec], str | None]", objects["struct_code"])
        self._texts = {id(objects["TextTypeSpec"]): "t", id(objects["BinaryTypeSpec"]): "y"}
        self._struct = cast("type[TypeSpec]", objects["StructTypeSpec"])
        names = ("Struct", "Union", "Exception", "FunctionArgs", "FunctionResult")
        self._known = {objects[f"{name}{'' if 'F' in name else 'Type'}Spec"] for name in names}

    def _is(self, spec: TypeSpec, kind: str) -> bool:
        return isinstance(spec, cast("type[object]", self._engine[kind]))

    def of(self, spec: TypeSpec) -> object:
        """The plan of a struct; made if it is not there yet.

        Raises:
            _UnsupportedError: It is not of the engine's own classes.

        """
        surface = spec.surface
        plan = surface.__dict__.get(ATTRIBUTE)
        if plan is not None:
            return plan
        own: object = surface.__dict__.get("type_spec")
        if (
            type(spec) not in self._known
            or type(surface) is not type
            or not issubclass(surface, cast("type[object]", self._engine["Record"]))
            or own is not spec
        ):
            raise _UnsupportedError
        plan = _native.new_plan()
        setattr(surface, ATTRIBUTE, plan)  # before its fields: it may contain itself
        try:
            fields: list[object] = [self._field(field) for field in spec.fields]
            is_union = self._is(spec, "UnionTypeSpec")
            _native.fill_plan(
                plan,
                surface,
                copy.deepcopy,
                spec.weight,
                is_union,
                is_union and spec.allow_empty,
                type(spec).skip_unknown is self._struct.skip_unknown,
                spec.base_cls is Exception,
                fields,
            )
        except BaseException:
            # Who holds it already finds it unfilled, and leaves everything to the Python way.
            delattr(surface, ATTRIBUTE)
            raise
        return plan

    def _field(self, field: FieldSpec) -> tuple[object, ...]:
        default = field.default_value
        return (
            self._head(field),
            field.name,
            field.required,
            field.must_be_given,
            default,
            not isinstance(default, _IMMUTABLE),
            self._node(field.spec),
        )

    def _node(self, spec: TypeSpec) -> _Node:
        code = spec.ttype_code
        if spec.levels > _DEEPEST:
            raise _UnsupportedError
        if self._is(spec, "EnumTypeSpec") and spec.members is not None:
            return "e", code, None, None, None, spec.surface, spec.members, None, 0, 0
        kind = self._code(spec) or self._texts.get(id(spec))
        if kind is not None:
            return kind, code, None, None, None, None, None, None, 0, 0
        if spec is self._engine["UuidTypeSpec"]:
            return "u", code, None, None, None, uuid.UUID, _read_uuid, _uuid_bytes, 0, 0
        if self._is(spec, "MapTypeSpec"):
            freeze = None if spec.kspec.hashable else spec.kspec.freeze
            inner = self._node(spec.kspec), self._node(spec.vspec)
            return "m", code, *inner, None, None, freeze, None, *spec.memory
        if self._is(spec, "ListTypeSpec"):
            is_set = self._is(spec, "SetTypeSpec")
            freeze = spec.vspec.freeze if is_set and not spec.vspec.hashable else None
            item = self._node(spec.vspec)
            return "s" if is_set else "l", code, item, None, None, None, freeze, None, *spec.memory
        if self._is(spec, "StructTypeSpec"):
            return "S", code, None, None, self.of(spec), None, None, None, 0, 0
        raise _UnsupportedError


def _read_uuid(data: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=data)


def _uuid_bytes(value: uuid.UUID) -> bytes:
    return value.bytes


class Makers:
    """What stands in the place of the package's makers of functions."""

    def __init__(self, objects: dict[str, object]) -> None:
        self._plans = Plans(objects)

    def dumper(self, spec: TypeSpec, generate: Callable[[], _F]) -> _F:
        """Native way of ``ways.dumper``."""
        try:
            plan = self._plans.of(spec)
        except _LEFT_TO_PYTHON:
            return generate()
        # It stands for what would be generated.
        return cast("_F", _native.codec(plan, generate, 0, 0).dump)

    def loader(self, spec: TypeSpec, limits: Limits, generate: Callable[[], _F]) -> _F:
        """Native way of ``ways.loader``."""
        try:
            plan = self._plans.of(spec)
        except _LEFT_TO_PYTHON:
            return generate()
        most = (min(limit, _MOST) for limit in (limits.max_objects, limits.max_decoded_size))
        return cast("_F", _native.codec(plan, generate, *most).load)

    def constructor(self, spec: TypeSpec, generated: _F) -> _F:
        """Native way of ``ways.constructor``."""
        try:
            plan = self._plans.of(spec)
        except _LEFT_TO_PYTHON:
            return generated
        return cast("_F", _native.construct_by(plan, generated))


def ways() -> list[Replacement]:
    """Make the native ways; nothing is replaced yet.

    Raises:
        AttributeError: The package has something no more that they reach for.

    """
    makers = Makers({name: look_up(PACKAGE, path) for name, path in OBJECTS.items()})
    owner = look_up(PACKAGE, "rw.codegen.ways")
    return [
        Replacement(owner, name, look_up(PACKAGE, path), getattr(makers, name))
        for name, path in WAYS.items()
    ]
