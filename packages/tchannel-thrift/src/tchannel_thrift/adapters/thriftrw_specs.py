"""Types of the real thriftrw as the engine sees them, so that it checks and writes the values.

thriftrw 1.9.0 itself looks closely at a value only when it is made, not when it is written.
"""

from __future__ import annotations

from typing import Final

from ..rw.spec import (
    EnumTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from ..rw.spec.primitive import PRIMITIVES
from ..rw.wire import ttype
from .shapes import Spec, Struct

__all__ = ["struct_spec"]

_SPEC: Final = "__tchannel_spec__"


def struct_spec(cls: type[Struct]) -> StructTypeSpec:
    """Return the spec of a struct, union, exception, request or response that thriftrw made."""
    # Kept on the class: it lives as long as that.
    spec: StructTypeSpec | None = vars(cls).get(_SPEC)
    if spec is None:
        made: dict[object, StructTypeSpec] = {}
        spec = _struct(cls.type_spec, made)
        # Only now: no other thread meets one without all its fields.
        for one, its in made.items():
            setattr(one, _SPEC, its)
    return spec


def _struct(theirs: Spec, made: dict[object, StructTypeSpec]) -> StructTypeSpec:
    cls = theirs.surface
    spec: StructTypeSpec | None = vars(cls).get(_SPEC) or made.get(cls)
    if spec is not None:
        return spec
    if type(theirs).__name__ in {"UnionTypeSpec", "FunctionResultSpec"}:
        spec = UnionTypeSpec(theirs.name, allow_empty=theirs.allow_empty or not theirs.fields)
    else:
        spec = StructTypeSpec(theirs.name)
    made[cls] = spec
    spec.surface = cls
    for their_field in theirs.fields:
        field = FieldSpec(their_field.id, their_field.name, their_field.required, theirs.name)
        field.spec = _type(their_field.spec, made)
        spec.fields.append(field)
    spec.linked = True
    return spec


def _type(theirs: Spec, made: dict[object, StructTypeSpec]) -> TypeSpec:
    code = theirs.ttype_code
    if code == ttype.STRUCT:
        return _struct(theirs, made)
    if code == ttype.LIST:
        return ListTypeSpec(_type(theirs.vspec, made))
    if code == ttype.SET:
        return SetTypeSpec(_type(theirs.vspec, made))
    if code == ttype.MAP:
        return MapTypeSpec(_type(theirs.kspec, made), _type(theirs.vspec, made))
    if type(theirs).__name__ == "EnumTypeSpec":
        return EnumTypeSpec(theirs.name, dict(theirs.items))
    return PRIMITIVES[theirs.name]
