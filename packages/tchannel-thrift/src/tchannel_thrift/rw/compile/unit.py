"""One Thrift document while it is compiled: what it defines, by name."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..codegen.pickling import ModuleOrigin
from ..errors import ThriftCompilerError, error_at
from ..idl import ast
from ..spec import ConstSpec, ServiceSpec, TypeSpec

_MODULE_NAMES = frozenset(
    (
        *vars(types.ModuleType("module")),
        "__constants__",
        "__includes__",
        "__services__",
        "__thrift_source__",
        "__types__",
        "dumps",
        "loads",
    )
)
"""What every generated module has, so that no definition can be called so."""


@dataclass(slots=True, eq=False)
class TypeEntry:
    """A type that a document defines."""

    node: ast.Struct | ast.Enum | ast.Typedef
    spec: TypeSpec | None = None
    linking: bool = False


@dataclass(slots=True, eq=False)
class ConstEntry:
    """A constant that a document defines."""

    node: ast.Const
    spec: ConstSpec | None = None
    linking: bool = False


@dataclass(slots=True, eq=False)
class ServiceEntry:
    """A service that a document defines."""

    node: ast.Service
    spec: ServiceSpec
    linking: bool = False
    built: bool = False


@dataclass(slots=True, eq=False)
class Unit:
    """A document, its tables of names, and the module that it becomes."""

    document: ast.Document
    module: types.ModuleType
    origin: ModuleOrigin
    strict: bool
    includes: dict[str, Unit] = field(default_factory=dict)
    types: dict[str, TypeEntry] = field(default_factory=dict)
    constants: dict[str, ConstEntry] = field(default_factory=dict)
    services: dict[str, ServiceEntry] = field(default_factory=dict)

    def fail(self, message: str, pos: ast.Position, *, expected: str | None = None) -> NoReturn:
        """Raise the error for a mistake at a place of this document."""
        raise error_at(ThriftCompilerError, message, self.document, pos, expected=expected)

    def where(self, pos: ast.Position) -> str:
        """The place as thriftrw puts it into its messages."""
        path = self.document.path
        return f"line {pos.line}" if path is None else f'line {pos.line} in "{path}"'

    def declare(self) -> None:
        """Enter the definitions under their names.

        Raises:
            ThriftCompilerError: If a name is taken.

        """
        for node in self.document.definitions:
            self._check_name(node)
            if isinstance(node, ast.Const):
                self.constants[node.name] = ConstEntry(node)
            elif isinstance(node, ast.Service):
                self.services[node.name] = ServiceEntry(node, ServiceSpec(node.name))
            else:
                self.types[node.name] = TypeEntry(node)

    def _check_name(self, node: ast.Definition) -> None:
        name = node.name
        if isinstance(node, ast.Const):
            if name in self.constants:
                self.fail(f'Cannot define constant "{name}". That name is already taken', node.pos)
        elif isinstance(node, ast.Service):
            if name in self.services:
                self.fail(f'Cannot define service "{name}". That name is already taken', node.pos)
        elif name in self.types:
            self.fail(
                f'Cannot define type "{name}" at line {node.pos.line}. '
                "Another type with that name already exists",
                node.pos,
            )
        tables: tuple[dict[str, Any], ...] = (
            self.types,
            self.constants,
            self.services,
            self.includes,
        )
        if name.startswith("__") and name.endswith("__") and name not in _MODULE_NAMES:
            self.fail(f'Name "{name}" has the form that Python keeps for itself', node.pos)
        if name in _MODULE_NAMES or any(name in table for table in tables):
            self.fail(f'Cannot define "{name}". The name has already been used', node.pos)
