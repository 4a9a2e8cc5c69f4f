"""The syntax tree of a Thrift file: plain data with positions, no meaning.

Every node has a ``pos`` of line and column, both counted from 1.
The parser makes these nodes; linking gives them meaning (see ``tchannel_thrift.rw.compile``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Position(NamedTuple):
    """Where an error about a node points: at the name of what has one, else at its first token.

    An include points at its path, or at the name that it gives.
    """

    line: int
    column: int


@dataclass(slots=True)
class Annotation:
    """``key = "value"`` within parentheses; a bare key has the value None."""

    key: str
    value: str | None
    pos: Position


# -- types ------------------------------------------------------------------------------------


@dataclass(slots=True)
class BaseType:
    """A primitive type: bool, byte, i8, i16, i32, i64, double, string, binary or uuid."""

    name: str
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class ListType:
    """``list<value>``."""

    value: Type
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class SetType:
    """``set<value>``."""

    value: Type
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class MapType:
    """``map<key, value>``."""

    key: Type
    value: Type
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(slots=True)
class TypeReference:
    """A type by name: ``Name``, ``include.Name`` or deeper."""

    name: str
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


Type: TypeAlias = BaseType | ListType | SetType | MapType | TypeReference


# -- constant values --------------------------------------------------------------------------


@dataclass(slots=True)
class ConstPrimitive:
    """A literal: bool, int, float or str."""

    value: bool | int | float | str
    pos: Position


@dataclass(slots=True)
class ConstReference:
    """A constant or enum item by name: ``NAME``, ``Enum.ITEM``, ``include.NAME`` or deeper."""

    name: str
    pos: Position


@dataclass(slots=True)
class ConstList:
    """``[a, b, c]``."""

    values: list[ConstValue]
    pos: Position


@dataclass(slots=True)
class ConstMap:
    """``{key: value, ...}``, pairs in the order of the file."""

    pairs: list[tuple[ConstValue, ConstValue]]
    pos: Position


ConstValue: TypeAlias = ConstPrimitive | ConstReference | ConstList | ConstMap


# -- headers ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Include:
    """``include "path"`` or, where aliases are allowed, ``include name "path"``."""

    path: str
    alias: str | None
    pos: Position


@dataclass(slots=True)
class Namespace:
    """``namespace scope name``."""

    scope: str
    name: str
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)


# -- definitions ------------------------------------------------------------------------------


@dataclass(slots=True)
class Field:
    """A field of a struct, union or exception, an argument, or an entry of ``throws``.

    ``id`` is None where the file leaves it out (only accepted when lenient).
    ``required`` is True, False (``optional``), or None where the file does not say.
    """

    id: int | None
    name: str
    type: Type
    required: bool | None
    default: ConstValue | None
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Struct:
    """A struct, union or exception; ``kind`` says which."""

    kind: str
    name: str
    fields: list[Field]
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class EnumItem:
    """An item of an enum; ``value`` is None where the file does not give it."""

    name: str
    value: int | None
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Enum:
    """``enum Name { items }``."""

    name: str
    items: list[EnumItem]
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Typedef:
    """``typedef type Name``."""

    name: str
    type: Type
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Const:
    """``const type NAME = value``."""

    name: str
    type: Type
    value: ConstValue
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Function:
    """A method of a service; ``returns`` is None for ``void``."""

    name: str
    returns: Type | None
    args: list[Field]
    throws: list[Field]
    oneway: bool
    pos: Position
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


@dataclass(slots=True)
class Service:
    """``service Name [extends parent] { functions }``; ``parent`` is a name as written."""

    name: str
    parent: str | None
    functions: list[Function]
    pos: Position
    parent_pos: Position | None = None
    annotations: list[Annotation] = field(default_factory=list)
    doc: str | None = None


Header: TypeAlias = Include | Namespace
Definition: TypeAlias = Struct | Enum | Typedef | Const | Service


@dataclass(slots=True)
class Document:
    """A whole file; ``path`` is None for a document given as text."""

    path: str | None
    source: str
    includes: list[Include]
    namespaces: list[Namespace]
    definitions: list[Definition]
