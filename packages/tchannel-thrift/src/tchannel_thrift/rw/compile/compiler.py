"""From documents to modules: parse, declare, link, build.

All documents of one ``load`` are compiled together and become visible together: when one of them
is wrong, none does.
"""

from __future__ import annotations

import os
import posixpath
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..codegen import finish_struct
from ..codegen.pickling import ModuleOrigin, remember
from ..errors import ThriftCompilerError, error_at
from ..idl import ast, parse
from ..options import LoadOptions
from ..protocol.binary import BinaryProtocol
from ..spec import StructTypeSpec
from ..spec.struct import settle_hashable
from ..spec.weight import heaviest, struct_weight
from .constants import ConstantLinker
from .serialization import make_dumps, make_loads
from .services import build_linked_service, link_service
from .sources import Files, Sources, Texts
from .typelinker import link_fields, link_type
from .unit import Unit


class Compiler:
    """Compiles documents and keeps what was compiled from files. Not safe for threads by itself.

    Args:
        protocol: What the modules serialize with.
        options: How files are read.

    """

    def __init__(self, protocol: BinaryProtocol, options: LoadOptions) -> None:
        self.protocol = protocol
        self.options = options
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
                waiting.extend(included for _, included in reversed(unit.included))
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
        session = _Session(self, self._units, Files(self.options.include_dirs))
        with _bounded(path):
            unit = session.add_file(path, name)
            session.link()
        self._units.update(session.units)
        return unit.module

    def compile_text(self, name: str, source: str) -> types.ModuleType:
        """The module of a document that is no file, and so can include none."""
        session = _Session(self, {}, Texts({}))
        with _bounded(None):
            unit = session.add_text(name, source)
            session.link()
        return unit.module

    def compile_texts(
        self, texts: Mapping[str, str], entry_point: str, name: str | None = None
    ) -> types.ModuleType:
        """The module of one of several texts, which include each other and nothing else."""
        session = _Session(self, {}, Texts(texts, self.options.include_dirs))
        with _bounded(None):
            unit = session.add_file(posixpath.normpath(entry_point), name)
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
    """The documents that one call compiles together.

    Args:
        compiler: Whose session it is.
        known: What was compiled before, by path.
        sources: Where files are.

    """

    def __init__(self, compiler: Compiler, known: dict[str, Unit], sources: Sources) -> None:
        self.compiler = compiler
        self.known = known
        self.sources = sources
        self.units: dict[str, Unit] = {}
        self._added: list[Unit] = []
        self._known: list[Unit] = []

    # -- parsing ----------------------------------------------------------------------------------

    def add_file(self, path: str, name: str | None = None) -> Unit:
        unit = self.units.get(path)
        if unit is not None:
            return unit
        unit = self.known.get(path)
        if unit is not None:
            self._known.append(unit)
            return unit
        unit = self._parse(name or module_name(path), self.sources.read(path), path)
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
        options = self.compiler.options
        document = parse(source, path=path, strict=options.strict, include_as=options.include_as)
        is_file = path is not None and isinstance(self.sources, Files)
        origin = ModuleOrigin(
            serial=os.urandom(8).hex(),
            name=name,
            # A text's path is no file of ours, whatever file has that path.
            path=path if is_file else None,
            source=None if is_file else source,
            options=options,
        )
        unit = Unit(document, types.ModuleType(name), origin, options.strict)
        self._added.append(unit)
        return unit

    def _include(self, unit: Unit, node: ast.Include) -> None:
        path = self._included_path(unit, node)
        name = node.alias or module_name(path)
        if node.alias is not None and not self.compiler.options.include_as:
            unit.fail(
                f'Cannot include "{node.path}" as "{node.alias}" on line {node.pos.line}. The '
                '"include-as" syntax is currently disabled. Enable it by instantiating a Loader '
                "with include_as=True",
                node.pos,
            )
        present = unit.includes.setdefault(name, [])
        if present and unit.strict:
            unit.fail(
                f'Cannot include module "{module_name(path)}" as "{name}". The name is already '
                "taken",
                node.pos,
            )
        # Apache lets a file be included twice, and two files of one base name.
        if all(other.document.path != path for other in present):
            included = self.add_file(path)
            present.append(included)
            unit.included.append((name, included))

    def _included_path(self, unit: Unit, node: ast.Include) -> str:
        if unit.strict and not node.path.startswith(("./", "../")):
            unit.fail(
                "Paths in include statements are relative to the directory containing the Thrift "
                'file. They must be in the form "./foo.thrift" or "../bar.thrift". Instead, found '
                f'"{node.path}"',
                node.pos,
            )
        assert unit.document.path is not None, "only files include"
        path = self.sources.included(unit.document.path, node.path)
        if path is None:
            places = '", nor "'.join(self.sources.places(unit.document.path, node.path))
            raise error_at(
                ThriftCompilerError,
                f'Cannot include "{node.path}" on line {node.pos.line}. The file "{places}" does '
                "not exist",
                unit.document,
                node.pos,
            )
        return path

    # -- linking ----------------------------------------------------------------------------------

    def link(self) -> None:
        """Give names their meaning, then fill the modules."""
        constants = ConstantLinker(sum(len(unit.document.source) for unit in self._added))
        structs: list[StructTypeSpec] = []
        for unit in self._added:
            for entry in unit.types.values():
                link_type(unit, entry)
        for unit in self._added:
            for entry in unit.types.values():
                if isinstance(entry.node, ast.Struct):
                    assert isinstance(entry.spec, StructTypeSpec)
                    link_fields(unit, entry.spec, entry.node.fields)
                    constants.expect_defaults(unit, entry.spec, entry.node.fields)
                    structs.append(entry.spec)
        settle_hashable(structs)
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
        self._weigh(structs)
        for unit in self._added:
            self._fill(unit)

    def _weigh(self, structs: list[StructTypeSpec]) -> None:
        """Note what instances take, for the limits of payloads."""
        for unit in self._added:
            for service in unit.services.values():
                for function in service.spec.functions:
                    structs.append(function.args_spec)
                    if function.result_spec is not None:
                        structs.append(function.result_spec)
        for spec in structs:
            spec.weight = struct_weight(spec)
        # Of one that they include, but that was loaded before, all structs have the same.
        known = [unit.heaviest for unit in self._known]
        most = max(heaviest(structs), *known) if known else heaviest(structs)
        for spec in structs:
            spec.heaviest = most
        for unit in self._added:
            unit.heaviest = most

    def _fill(self, unit: Unit) -> None:
        """Put what was linked into the module."""
        module = unit.module
        names = {name: included.module for name, included in unit.included}
        surfaces = {
            name: entry.spec.surface for name, entry in unit.types.items() if entry.spec is not None
        }
        services = {name: entry.spec.surface for name, entry in unit.services.items()}
        constants = {
            name: entry.spec.surface
            for name, entry in unit.constants.items()
            if entry.spec is not None
        }
        # Where one name stands for several things (lenient only), the later line wins.
        module.__dict__.update(names)
        module.__dict__.update(constants)
        module.__dict__.update(surfaces)
        module.__dict__.update(services)
        module.__dict__.update(
            dumps=make_dumps(module),
            loads=make_loads(module, self.compiler.protocol),
            __includes__=tuple(included.module for _, included in unit.included),
            __types__=tuple(surfaces.values()),
            __services__=tuple(services.values()),
            __constants__=constants,
            __thrift_source__=unit.document.source,
        )
        remember(unit.origin, module)


def module_name(path: str) -> str:
    """The name of a file without directory and extension."""
    return os.path.splitext(os.path.basename(path))[0]
