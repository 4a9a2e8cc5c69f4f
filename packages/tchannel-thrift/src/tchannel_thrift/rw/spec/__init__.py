"""What the types of a Thrift file are, for introspection (``Class.type_spec``)."""

from .base import OutOfRangeError, TypeSpec
from .const import ConstSpec
from .enum import EnumTypeSpec
from .exc import ExceptionTypeSpec
from .field import FieldSpec
from .frozen import FrozenMap
from .list import ListTypeSpec
from .map import MapTypeSpec
from .primitive import (
    BinaryTypeSpec,
    BoolTypeSpec,
    ByteTypeSpec,
    DoubleTypeSpec,
    I16TypeSpec,
    I32TypeSpec,
    I64TypeSpec,
    PrimitiveTypeSpec,
    TextTypeSpec,
    UuidTypeSpec,
)
from .service import (
    FunctionArgsSpec,
    FunctionResultSpec,
    FunctionSpec,
    ServiceFunction,
    ServiceSpec,
)
from .set import SetTypeSpec
from .struct import StructTypeSpec
from .typedef import TypedefTypeSpec
from .union import UnionTypeSpec

__all__ = [
    "BinaryTypeSpec",
    "BoolTypeSpec",
    "ByteTypeSpec",
    "ConstSpec",
    "DoubleTypeSpec",
    "EnumTypeSpec",
    "ExceptionTypeSpec",
    "FieldSpec",
    "FrozenMap",
    "FunctionArgsSpec",
    "FunctionResultSpec",
    "FunctionSpec",
    "I16TypeSpec",
    "I32TypeSpec",
    "I64TypeSpec",
    "ListTypeSpec",
    "MapTypeSpec",
    "OutOfRangeError",
    "PrimitiveTypeSpec",
    "ServiceFunction",
    "ServiceSpec",
    "SetTypeSpec",
    "StructTypeSpec",
    "TextTypeSpec",
    "TypeSpec",
    "TypedefTypeSpec",
    "UnionTypeSpec",
    "UuidTypeSpec",
]
