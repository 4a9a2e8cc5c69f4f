"""Types of Apache's generated code as the engine sees them, so that it checks and writes the values.

Apache's own code writes whatever its C accelerator can make a number of, and takes any object for
true or false.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..rw.spec import (
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TypeSpec,
)
from ..rw.spec.primitive import PRIMITIVES
from ..rw.wire import ttype
from .shapes import ApacheStruct

__all__ = ["FieldsWithoutIdsError", "required_fields", "struct_class", "struct_spec"]

_PRIMITIVES: Final = {
    ttype.BOOL: PRIMITIVES["bool"],
    ttype.BYTE: PRIMITIVES["byte"],
    ttype.I16: PRIMITIVES["i16"],
    ttype.I32: PRIMITIVES["i32"],
    ttype.I64: PRIMITIVES["i64"],
    ttype.DOUBLE: PRIMITIVES["double"],
    ttype.UUID: PRIMITIVES["uuid"],
}
_REQUIRED: Final = re.compile(r"Required field (\w+) is unset!")
_SPEC: Final = "__tchannel_spec__"


class FieldsWithoutIdsError(ValueError):
    """The IDL gives no ids to fields: then the generated class does not say what it holds."""


def struct_spec(cls: type[ApacheStruct]) -> StructTypeSpec:
    """Return the spec of a struct, union or exception that Apache's compiler made.

    A union looks like a struct there, and so it is one here.

    Raises:
        FieldsWithoutIdsError: The class, or one that it refers to, has fields without ids.

    """
    # Kept on the class: it lives as long as that.
    spec: StructTypeSpec | None = vars(cls).get(_SPEC)
    if spec is None:
        made: dict[object, StructTypeSpec] = {}
        spec = _struct(cls, made)
        # Only now: a class that was not understood leaves nothing behind.
        for one, its in made.items():
            setattr(one, _SPEC, its)
    return spec


def required_fields(cls: object) -> frozenset[str]:
    """Return the names of the fields that are ``required``, as far as the class knows.

    Code made with ``dynamic`` knows none.
    """
    code = getattr(getattr(cls, "validate", None), "__code__", None)
    texts = [text for text in getattr(code, "co_consts", ()) if isinstance(text, str)]
    return frozenset(match[1] for text in texts if (match := _REQUIRED.fullmatch(text)))


def struct_class(details: object) -> type[ApacheStruct]:
    """Return the class that ``thrift_spec`` names where a field's type is a struct.

    Raises:
        TypeError: There is none.

    """
    if isinstance(details, Sequence) and details and isinstance(details[0], type):
        return details[0]
    raise TypeError(f"thrift_spec has {details!r:.200} where a struct's class is needed")


def _struct(cls: type[ApacheStruct], made: dict[object, StructTypeSpec]) -> StructTypeSpec:
    found = vars(cls).get(_SPEC) or made.get(cls)
    if found is not None:
        spec: StructTypeSpec = found
        return spec
    if not cls.thrift_spec and _takes_arguments(cls):
        raise FieldsWithoutIdsError(cls.__name__)
    spec = made[cls] = StructTypeSpec(cls.__name__)
    spec.surface = cls
    required = required_fields(cls)
    for entry in cls.thrift_spec or ():
        if entry is not None:
            number, code, name, details = entry[:4]
            field = FieldSpec(number, name, name in required, cls.__name__)
            field.spec = _type(code, details, made)
            spec.fields.append(field)
    spec.linked = True
    return spec


def _takes_arguments(cls: type[ApacheStruct]) -> bool:
    code = getattr(cls.__init__, "__code__", None)
    return code is not None and bool(code.co_argcount > 1)


def _type(code: int, details: object, made: dict[object, StructTypeSpec]) -> TypeSpec:
    if code == ttype.BINARY:
        return PRIMITIVES["binary" if details == "BINARY" else "string"]
    if code == ttype.STRUCT:
        return _struct(struct_class(details), made)
    match code, details:
        case ttype.LIST, (int() as element, inner, *_):
            return ListTypeSpec(_type(element, inner, made))
        case ttype.SET, (int() as element, inner, *_):
            return SetTypeSpec(_type(element, inner, made))
        case ttype.MAP, (int() as key, key_inner, int() as item, item_inner, *_):
            return MapTypeSpec(_type(key, key_inner, made), _type(item, item_inner, made))
    return _PRIMITIVES[code]
