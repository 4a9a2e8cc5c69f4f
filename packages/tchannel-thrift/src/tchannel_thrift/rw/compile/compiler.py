"""From documents to modules: parse, declare, link, build.

All documents of one ``load`` are compiled together and become visible together: when one of them
is wrong, none does.
"""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from contextlib import contextmanager

from ..codegen import finish_struct
from ..codegen.pickling import ModuleOrigin, remember
from ..errors import ThriftCompilerError, error_at
from ..idl import ast, parse
from ..protocol.binary import BinaryProtocol
from ..spec import StructTypeSpec
from .constants import ConstantLinker
from .serialization import make_dumps, make_loads
from .services import build_linked_service, link_service
from .typelinker import link_fields, link_type
from .unit import Unit


class Compiler:
    """Compiles documents and keeps what was compiled from files. Not safe for threads by itself.

    Args:
        protocol: What the modules serialize with.
        strict: Whether to accept only what thriftrw accepts.
        include_as: Whether ``include name "path"`` is allowed.

    """

    def __init__(self, protocol: BinaryProtocol, *, strict: bool, include_as: bool) -> None:
        self.protocol = protocol
        self.strict = strict
        self.include_as = include_as
        self._units: dict[str, Unit] = {}

    def cached(self, path: str) -> types.ModuleType | None:
        """The module of a file that was compiled before."""
        unit = self._units.get(path)
        return None if unit is None else unit.module

    def units(self, path: str) -> list[Unit]:
        """The unit of a file that was compiled before, and those of all that it includes.

        Raises:
            KeyError: If the file was not compiled.

        """
        found: dict[int, Unit] = {}
        waiting = [self._units[path]]
        while waiting:
            unit = waiting.pop()
            if id(unit) not in found:
                found[id(unit)] = unit
                waiting.extend(reversed(unit.includes.values()))
        return list(found.values())

    def compile_file(self, path: str, name: str | None = None) -> types.ModuleType:
        """The module of a file.

        Args:
            path: Absolute path.
            name: Name of the module; default is that of the file, without its extension.

        Raises:
            OSError: If the file cannot be read.
            ThriftParserError, ThriftCompilerError: If it, or a file that it includes, is wrong.

        """
        session = _Session(self, self._units)
        with _bounded(path):
            unit = session.add_file(path, name)
            session.link()
        self._units.update(session.units)
        return unit.module

    def compile_text(self, name: str, source: str) -> types.ModuleType:
        """The module of a document that is no file, and so can include none."""
        session = _Session(self, self._units)
        with _bounded(None):
            unit = session.add_text(name, source)
            session.link()
        return unit.module


@contextmanager
def _bounded(path: str | None) -> Iterator[None]:
    """Let the one error that Python has for chains too long to follow say what it means here."""
    try:
        yield
    except RecursionError:
        place = "" if path is None else f"{path}: "
        raise ThriftCompilerError(
            f"{place}Definitions or includes that build on one another form too long a chain",
            path=path,
        ) from None


class _Session:
    """The documents that one call compiles together."""

    def __init__(self, compiler: Compiler, known: dict[str, Unit]) -> None:
        self.compiler = compiler
        self.known = known
        self.units: dict[str, Unit] = {}
        self._added: list[Unit] = []

    # -- parsing ----------------------------------------------------------------------------------

    def add_file(self, path: str, name: str | None = None) -> Unit:
        unit = self.known.get(path) or self.units.get(path)
        if unit is not None:
            return unit
        unit = self._parse(name or module_name(path), _read(path), path)
        # Known before its includes are: files may include each other.
        self.units[path] = unit
        for node in unit.document.includes:
            self._include(unit, node)
        unit.declare()
        return unit

    def add_text(self, name: str, source: str) -> Unit:
        unit = self._parse(name, source, None)
        for node in unit.document.includes:
            unit.fail(
                f'Include of "{node.path}" found on line {node.pos.line}. Includes are not '
                'supported when using the "loads()" API. Try loading the file using the "load()" '
                "API",
                node.pos,
            )
        unit.declare()
        return unit

    def _parse(self, name: str, source: str, path: str | None) -> Unit:
        compiler = self.compiler
        document = parse(source, path=path, strict=compiler.strict, include_as=compiler.include_as)
        origin = ModuleOrigin(
            serial=os.urandom(8).hex(),
            name=name,
            path=path,
            source=source if path is None else None,
            strict=compiler.strict,
            include_as=compiler.include_as,
        )
        unit = Unit(document, types.ModuleType(name), origin, compiler.strict)
        self._added.append(unit)
        return unit

    def _include(self, unit: Unit, node: ast.Include) -> None:
        path = self._included_path(unit, node)
        name = node.alias or module_name(path)
        if node.alias is not None and not self.compiler.include_as:
            unit.fail(
                f'Cannot include "{node.path}" as "{node.alias}" on line {node.pos.line}. The '
                '"include-as" syntax is currently disabled. Enable it by instantiating a Loader '
                "with include_as=True",
                node.pos,
            )
        present = unit.includes.get(name)
        if present is not None:
            if not unit.strict and present.document.path == path:
                return  # Apache lets a file be included twice
            unit.fail(
                f'Cannot include module "{module_name(path)}" as "{name}". The name is already '
                "taken",
                node.pos,
            )
        unit.includes[name] = self.add_file(path)

    def _included_path(self, unit: Unit, node: ast.Include) -> str:
        if unit.strict and not node.path.startswith(("./", "../")):
            unit.fail(
                "Paths in include statements are relative to the directory containing the Thrift "
                'file. They must be in the form "./foo.thrift" or "../bar.thrift". Instead, found '
                f'"{node.path}"',
                node.pos,
            )
        assert unit.document.path is not None, "only files include"
        # Apache looks beside the including file, and takes absolute paths as they are.
        path = os.path.abspath(os.path.join(os.path.dirname(unit.document.path), node.path))
        if not os.path.isfile(path):
            raise error_at(
                ThriftCompilerError,
                f'Cannot include "{node.path}" on line {node.pos.line}. The file "{path}" does '
                "not exist",
                unit.document,
                node.pos,
            )
        return path

    # -- linking ----------------------------------------------------------------------------------

    def link(self) -> None:
        """Give names their meaning, then fill the modules."""
        constants = ConstantLinker()
        structs: list[StructTypeSpec] = []
        for unit in self._added:
            for entry in unit.types.values():
                link_type(unit, entry)
        for unit in self._added:
            for entry in unit.types.values():
                if isinstance(entry.node, ast.Struct):
                    assert isinstance(entry.spec, StructTypeSpec)
                    link_fields(unit, entry.spec, entry.node.fields)
                    if entry.node.kind != "union":  # a default of a union's field has no effect
                        constants.expect_defaults(unit, entry.spec, entry.node.fields)
                    structs.append(entry.spec)
        for spec in structs:
            finish_struct(spec)
        for unit in self._added:
            for service in unit.services.values():
                link_service(unit, service, constants)
        constants.finish()
        for unit in self._added:
            for const in unit.constants.values():
                constants.constant(unit, const)
            for service in unit.services.values():
                build_linked_service(unit, service)
        for unit in self._added:
            self._fill(unit)

    def _fill(self, unit: Unit) -> None:
        """Put what was linked into the module."""
        module = unit.module
        names = {name: included.module for name, included in unit.includes.items()}
        surfaces = {
            name: entry.spec.surface for name, entry in unit.types.items() if entry.spec is not None
        }
        services = {name: entry.spec.surface for name, entry in unit.services.items()}
        constants = {
            name: entry.spec.surface
            for name, entry in unit.constants.items()
            if entry.spec is not None
        }
        module.__dict__.update(names)
        module.__dict__.update(surfaces)
        module.__dict__.update(services)
        module.__dict__.update(constants)
        module.__dict__.update(
            dumps=make_dumps(module),
            loads=make_loads(module, self.compiler.protocol),
            __includes__=tuple(names.values()),
            __types__=tuple(surfaces.values()),
            __services__=tuple(services.values()),
            __constants__=constants,
            __thrift_source__=unit.document.source,
        )
        remember(unit.origin, module)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        # Python's own text does not say which file, and there may be many included ones.
        error.reason += f"; Thrift files are UTF-8, but {path} is not"
        raise


def module_name(path: str) -> str:
    """The name of a file without directory and extension."""
    return os.path.splitext(os.path.basename(path))[0]
