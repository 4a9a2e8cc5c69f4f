"""One Thrift document while it is compiled: what it defines, by name."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from ..codegen.pickling import ModuleOrigin
from ..errors import ThriftCompilerError, error_at
from ..idl import ast
from ..spec import ConstSpec, ServiceSpec, TypeSpec

MODULE_FUNCTIONS = frozenset(("dumps", "loads"))
"""Functions of every generated module; they win over definitions of these names (lenient only)."""

_MODULE_NAMES = frozenset(
    (
        *vars(types.ModuleType("module")),
        "__constants__",
        "__includes__",
        "__services__",
        "__thrift_source__",
        "__types__",
    )
)
"""What every generated module has, so that no definition can be called so."""

_T = TypeVar("_T")


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
    ancestors: int = 0
    """How many services it extends, one through the other."""


@dataclass(slots=True, eq=False)
class Unit:
    """A document, its tables of names, and the module that it becomes."""

    document: ast.Document
    module: types.ModuleType
    origin: ModuleOrigin
    strict: bool
    # Several files may have one base name (lenient only).
    includes: dict[str, list[Unit]] = field(default_factory=dict)
    included: list[tuple[str, Unit]] = field(default_factory=list)
    """The same in the order of the file, with the names."""
    types: dict[str, TypeEntry] = field(default_factory=dict)
    constants: dict[str, ConstEntry] = field(default_factory=dict)
    services: dict[str, ServiceEntry] = field(default_factory=dict)
    heaviest: int = 1
    """What all its structs have as ``heaviest``."""

    def fail(self, message: str, pos: ast.Position, *, expected: str | None = None) -> NoReturn:
        """Raise the error for a mistake at a place of this document."""
        raise error_at(ThriftCompilerError, message, self.document, pos, expected=expected)

    def where(self, pos: ast.Position) -> str:
        """The place as thriftrw puts it into its messages."""
        path = self.document.path
        return f"line {pos.line}" if path is None else f'line {pos.line} in "{path}"'

    def find(self, name: str, look: Callable[[Unit, str], _T | None]) -> _T | None:
        """What a name means: ``Name``, ``include.Name`` or deeper.

        Args:
            name: As the document has it. The base name of an included file may contain dots.
            look: Finds what has a name within the document that it is given, or returns None.

        """
        found = look(self, name)
        if found is not None or "." not in name:
            return found
        seen: set[tuple[int, int]] = set()
        waiting: list[tuple[Unit, str]] = [(self, name)]
        while waiting:
            scope, rest = waiting.pop()
            # Files with dots in their names can be meant by a name in more ways than can be tried.
            if (id(scope), len(rest)) in seen:
                continue
            seen.add((id(scope), len(rest)))
            found = look(scope, rest)
            if found is not None:
                return found
            waiting.extend(reversed(list(scope._scopes(rest))))
        return None

    def _scopes(self, name: str) -> Iterator[tuple[Unit, str]]:
        """Included documents that a name may refer to, with what is left of it."""
        # Apache looks for all before the last dot, thriftrw for what is before the first.
        end = name.find(".") if self.strict else name.rfind(".")
        while end > 0:
            # Of several files with the name, Apache's compiler sees the last.
            for unit in reversed(self.includes.get(name[:end], ())):
                yield unit, name[end + 1 :]
            end = -1 if self.strict else name.rfind(".", 0, end)

    def unknown(self, kind: str, name: str, pos: ast.Position) -> NoReturn:
        """Raise the error for a name that means nothing."""
        expected = None
        for include in self.includes:
            if "." in include and name.startswith(f"{include}."):
                expected = (
                    f'"{include}" under a name without dots: thriftrw, and so strict mode, takes '
                    f'"{name.partition(".")[0]}" for the name of the file (include_as=True gives '
                    "it another name, strict=False finds it)"
                )
        self.fail(
            f'Unknown {kind} "{name}" referenced at {self.where(pos)}', pos, expected=expected
        )

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
        if name.startswith("__") and name.endswith("__") and name not in _MODULE_NAMES:
            self.fail(f'Name "{name}" has the form that Python keeps for itself', node.pos)
        if name in _MODULE_NAMES or self._clashes(node):
            self.fail(f'Cannot define "{name}". The name has already been used', node.pos)

    def _clashes(self, node: ast.Definition) -> bool:
        """Whether something of another kind has the name of a definition."""
        name = node.name
        tables: list[Mapping[str, object]] = [self.types, self.services]
        if not self.strict:
            # Apache's generated code keeps constants and includes apart from the others.
            return not isinstance(node, ast.Const) and any(name in table for table in tables)
        tables += [self.constants, self.includes]
        return name in MODULE_FUNCTIONS or any(name in table for table in tables)
