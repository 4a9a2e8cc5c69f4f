"""Parsing of types, constant values and annotations: the parts that every definition has."""

from __future__ import annotations

from typing import Final

from .ast import (
    Annotation,
    BaseType,
    ConstList,
    ConstMap,
    ConstPrimitive,
    ConstReference,
    ConstValue,
    ListType,
    MapType,
    SetType,
    Type,
    TypeReference,
)
from .cursor import Cursor
from .tokens import BASE_TYPES

MAX_NESTING: Final = 64
"""Deepest nesting of types and of constant values. It keeps every recursive walk over the tree far
from Python's recursion limit."""

LENIENT_BASE_TYPES: Final = {"uuid": "uuid", "slist": "string"}
"""Base types that are not keywords: later releases of Apache Thrift than 0.17 have ``uuid``,
earlier ones had ``slist``. Neither is one in a document that defines a type of that name."""

_A_TYPE: Final = "a type"
_A_VALUE: Final = "a constant value"


class ValueParser(Cursor):
    """Parses types, constant values and annotations.

    Args:
        source: The text of the document.
        path: The file it is from, for errors, or None.
        strict: Accept thriftrw's grammar, or else Apache's as well.
        own_types: Of ``LENIENT_BASE_TYPES``, those that the document itself defines.

    """

    __slots__ = ("_lenient_base_types",)

    index: int

    def __init__(
        self,
        source: str,
        *,
        path: str | None,
        strict: bool,
        own_types: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(source, path=path, strict=strict)
        self._lenient_base_types = (
            {}
            if strict
            else {name: base for name, base in LENIENT_BASE_TYPES.items() if name not in own_types}
        )

    # -- types ----------------------------------------------------------------------------------

    def type(self, expected: str = _A_TYPE, depth: int = 0) -> Type:
        """``i32``, ``list<Name> (annotations)``, ``include.Name``, ..."""
        kind = self.kinds[self.index]
        pos = self.pos()
        if kind == "identifier":
            name = self.texts[self.index]
            self.index += 1
            if name in self._lenient_base_types:
                return BaseType(self._lenient_base_types[name], pos, self.annotations())
            return TypeReference(name, pos)
        if kind in BASE_TYPES:
            self.index += 1
            return BaseType(kind, pos, self.annotations())
        if kind not in {"list", "set", "map"}:
            self.unexpected(expected)
        if depth >= MAX_NESTING:
            raise self.error(
                f"Types are nested deeper than {MAX_NESTING}", pos, expected="fewer levels"
            )
        self.index += 1
        self._cpp_type()
        self.take("<", f"'<' after {kind}")
        if kind == "map":
            key = self.type("the type of the map's keys", depth + 1)
            self.take(",", "',' between the types of the map's keys and values")
            value = self.type("the type of the map's values", depth + 1)
            self.take(">", "'>' after the type of the map's values")
            return MapType(key, value, pos, self.annotations())
        value = self.type(f"the type of the {kind}'s elements", depth + 1)
        self.take(">", f"'>' after the type of the {kind}'s elements")
        if kind == "set":
            return SetType(value, pos, self.annotations())
        self._cpp_type()
        return ListType(value, pos, self.annotations())

    def _cpp_type(self) -> None:
        """Step over ``cpp_type "name"``, which says nothing to Python."""
        if (
            not self.strict
            and self.texts[self.index] == "cpp_type"
            and self.kinds[self.index + 1] == "quoted"
        ):
            self.index += 1
            self.take_string("the C++ type as a string")

    # -- constant values ------------------------------------------------------------------------

    def const_value(self, depth: int = 0) -> ConstValue:
        """A literal, the name of a constant or enum item, a list or a map of values."""
        kind = self.kinds[self.index]
        pos = self.pos()
        if kind == "identifier":
            self.index += 1
            return ConstReference(self.texts[self.index - 1], pos)
        if kind == "quoted":
            return ConstPrimitive(self.take_string(_A_VALUE), pos)
        if kind in {"integer", "hexadecimal"}:
            return ConstPrimitive(self.take_integer(_A_VALUE), pos)
        if kind == "decimal":
            self.index += 1
            return ConstPrimitive(float(self.texts[self.index - 1]), pos)
        if kind in {"true", "false"}:
            self.index += 1
            return ConstPrimitive(kind == "true", pos)
        if kind not in {"[", "{"}:
            self.unexpected(_A_VALUE)
        if depth >= MAX_NESTING:
            raise self.error(
                f"Values are nested deeper than {MAX_NESTING}", pos, expected="fewer levels"
            )
        self.index += 1
        if kind == "[":
            values: list[ConstValue] = []
            while not self.skip("]"):
                self._inside("]", f"a value or ']' (the '[' is on line {pos.line})")
                values.append(self.const_value(depth + 1))
                self.skip_separator()
            return ConstList(values, pos)
        pairs: list[tuple[ConstValue, ConstValue]] = []
        while not self.skip("}"):
            self._inside("}", f"a key or '}}' (the '{{' is on line {pos.line})")
            key = self.const_value(depth + 1)
            self.take(":", "':' between key and value")
            pairs.append((key, self.const_value(depth + 1)))
            self.skip_separator()
        return ConstMap(pairs, pos)

    def _inside(self, closing: str, expected: str) -> None:
        """Refuse what can neither begin a value nor close the brackets around it."""
        if self.kinds[self.index] not in _VALUE_STARTS:
            self.unexpected(expected)

    # -- annotations ----------------------------------------------------------------------------

    def annotations(self) -> list[Annotation]:
        """``(key = "value", key, ...)``, or nothing."""
        if self.kinds[self.index] != "(":
            return []
        opened = self.pos().line
        self.index += 1
        annotations: list[Annotation] = []
        while not self.skip(")"):
            pos = self.pos()
            key = self.take(
                "identifier", f"an annotation's key or ')' (the '(' is on line {opened})"
            )
            value = None
            if self.skip("="):
                value = self.take_string("the annotation's value, a string")
            annotations.append(Annotation(key, value, pos))
            self.skip_separator()
        return annotations


_VALUE_STARTS: Final = frozenset(
    ("identifier", "quoted", "integer", "hexadecimal", "decimal", "true", "false", "[", "{")
)
