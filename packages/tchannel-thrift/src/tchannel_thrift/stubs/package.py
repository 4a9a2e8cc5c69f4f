"""Writing stubs: beside each other, or as a package that can be imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..rw.compile.unit import Unit
from ..rw.loader import loader_with
from ..rw.options import LoadOptions
from .names import included_names, module_names
from .render import render_stub

_MODULE = '''\
"""Types and services of {file}."""

from pathlib import Path as _Path

from tchannel_thrift.handlers import name_for_handlers as _name_for_handlers
from {home} import {what} as _load

_here = _Path(__file__).parent
_module = _load(_here.joinpath({parts}){arguments})
_included = {{id(module) for module in _module.__includes__}}
globals().update(
    (name, getattr(_module, name))
    for name in dir(_module)
    if id(getattr(_module, name)) not in _included
    and (not name.startswith("_") or name in {dunders})
)


def __getattr__(name):
    found = globals()[name] = _name_for_handlers(_module, name)
    return found
{includes}'''

_DUNDERS = ("__types__", "__services__", "__includes__", "__constants__", "__thrift_source__")


def write_stubs(
    path: str | os.PathLike[str], target: Path | None = None, *, options: LoadOptions
) -> dict[Path, Path | None]:
    """Write the stub of a Thrift file, and beside it those of the files that it includes.

    Stubs are named after their files. Where such a name is no name in Python (``my-file``,
    ``a.b``, ``pass``), or two files have it, it is changed: ``my_file``, ``a_b``, ``pass_``,
    ``name_2``.

    Args:
        path: The Thrift file.
        target: Where to write its stub; by default beside the Thrift file. Stubs of includes are
            imported relatively if there is an ``__init__.py`` or ``__init__.pyi`` in the
            directory, else as top-level modules.
        options: How files are read.

    Returns:
        The files that were written, each with the Thrift file that it is for.

    Raises:
        OSError: If a file cannot be read or written.
        ThriftError: If a file is wrong.

    """
    units = _units(path, options)
    modules = module_names(units)
    if target is None:
        target = Path(path).parent / f"{modules[id(units[0])]}.pyi"
    relative = any((target.parent / f"__init__{end}").exists() for end in (".py", ".pyi"))
    written: dict[Path, Path | None] = {}
    for unit in units:
        file = target if unit is units[0] else target.parent / f"{modules[id(unit)]}.pyi"
        text = render_stub(unit, relative=relative, modules=modules)
        file.write_text(text, encoding="utf-8")
        written[file] = _source(unit)
    return written


def write_package(
    path: str | os.PathLike[str],
    directory: Path,
    *,
    options: LoadOptions,
    service: str | None = None,
) -> dict[Path, Path | None]:
    """Write a package with a module for a Thrift file and for each that it includes.

    The package holds copies of the Thrift files, under ``idl``, so that it can be moved. Modules
    are named as stubs are (`write_stubs`).

    Args:
        path: The Thrift file.
        directory: The package; made if it is not there.
        options: How files are read.
        service: Name of a TChannel service. Given, the modules are those of
            ``tchannel.thrift.load``, whose services make requests to it; otherwise they are those
            of the engine.

    Returns:
        The files that were written, those of modules with the Thrift files that they are for.

    Raises:
        OSError: If a file cannot be read or written.
        ThriftError: If a file is wrong.

    """
    units = _units(path, options)
    modules = module_names(units)
    used = [
        folder
        for folder in options.include_dirs
        if any(Path(folder) in _source(unit).parents for unit in units)
    ]
    root = Path(os.path.commonpath([*(_source(unit).parent for unit in units), *used]))
    folders = [Path("idl") / Path(folder).relative_to(root) for folder in used]
    texts = {directory / "__init__.py": f'"""Modules of {Path(path).name}."""\n'}
    texts[directory / "py.typed"] = ""
    written: dict[Path, Path | None] = dict.fromkeys(texts)
    for unit in units:
        copied = Path("idl") / _source(unit).relative_to(root)
        name = modules[id(unit)]
        texts[directory / copied] = unit.document.source
        stub, module = directory / f"{name}.pyi", directory / f"{name}.py"
        texts[stub] = render_stub(unit, relative=True, modules=modules)
        texts[module] = _module(unit, modules, copied, folders, options=options, service=service)
        written |= {directory / copied: None, stub: _source(unit), module: _source(unit)}
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return written


def _module(
    unit: Unit,
    modules: dict[int, str],
    copied: Path,
    folders: Sequence[Path],
    *,
    options: LoadOptions,
    service: str | None,
) -> str:
    if service is not None:
        home = "tchannel_thrift"
        arguments = f", service={service!r}, strict={options.strict!r}"
    else:
        home = "tchannel_thrift.stubs.loading"
        arguments = f", strict={options.strict!r}"
    if folders:
        joined = ", ".join(f"_here.joinpath({_parts(folder)})" for folder in folders)
        arguments += f", include_dirs=[{joined}]"
    if options.int_enum:
        arguments += ", int_enum=True"
    includes = "".join(
        f"\nfrom . import {modules[id(included)]} as {name}  # noqa: E402\n"
        for name, included in included_names(unit)
    )
    return _MODULE.format(
        file=copied.name,
        home=home,
        what="load",
        parts=_parts(copied),
        arguments=arguments,
        dunders=_DUNDERS,
        includes=includes,
    )


def _parts(path: Path) -> str:
    return ", ".join(repr(part) for part in path.parts)


def _source(unit: Unit) -> Path:
    return Path(unit.origin.path or "")


def _units(path: str | os.PathLike[str], options: LoadOptions) -> list[Unit]:
    loader = loader_with(options)
    loader.load(path)
    return loader.compiler.units(os.path.abspath(path))
