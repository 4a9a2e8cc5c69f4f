"""Writing stubs: beside each other, or as a package that can be imported."""

from __future__ import annotations

import os
from pathlib import Path

from ..rw import Loader
from ..rw.compile.unit import Unit
from .names import is_name
from .render import render_stub

_MODULE = '''\
"""Types and services of {name}.thrift."""

from pathlib import Path as _Path

from {home} import {what} as _load

_module = _load(_Path(__file__).parent.joinpath({parts}){arguments})
_included = {{id(module) for module in _module.__includes__}}
globals().update(
    (name, getattr(_module, name))
    for name in dir(_module)
    if id(getattr(_module, name)) not in _included
    and (not name.startswith("_") or name in {dunders})
)
{includes}'''

_DUNDERS = ("__types__", "__services__", "__includes__", "__constants__", "__thrift_source__")


class PackageError(Exception):
    """Files that cannot be modules of one package."""


def write_stubs(path: str | os.PathLike[str], target: Path, *, strict: bool) -> list[Path]:
    """Write the stub of a Thrift file, and beside it those of the files that it includes.

    Args:
        path: The Thrift file.
        target: Where to write its stub. Stubs of includes are named after their files. They are
            imported relatively if there is an ``__init__.py`` or ``__init__.pyi`` in the
            directory, else as top-level modules.
        strict: Whether to accept only what thriftrw accepts.

    Returns:
        The files that were written.

    Raises:
        OSError: If a file cannot be read or written.
        ThriftError: If a file is wrong.
        PackageError: If two files have the same name.

    """
    units = _units(path, strict=strict)
    relative = any((target.parent / f"__init__{end}").exists() for end in (".py", ".pyi"))
    written = []
    for unit in units:
        file = target if unit is units[0] else target.parent / f"{unit.module.__name__}.pyi"
        file.write_text(render_stub(unit, relative=relative), encoding="utf-8")
        written.append(file)
    return written


def write_package(
    path: str | os.PathLike[str], directory: Path, *, strict: bool, service: str | None = None
) -> list[Path]:
    """Write a package with a module for a Thrift file and for each that it includes.

    The package holds copies of the Thrift files, under ``idl``, so that it can be moved.

    Args:
        path: The Thrift file.
        directory: The package; made if it is not there.
        strict: Whether to accept only what thriftrw accepts.
        service: Name of a TChannel service. Given, the modules are those of
            ``tchannel.thrift.load``, whose services make requests to it; otherwise they are those
            of the engine.

    Returns:
        The files that were written.

    Raises:
        OSError: If a file cannot be read or written.
        ThriftError: If a file is wrong.
        PackageError: If two files have the same name, or one cannot name a module.

    """
    units = _units(path, strict=strict)
    sources = {id(unit): Path(unit.origin.path or "") for unit in units}
    root = Path(os.path.commonpath([source.parent for source in sources.values()]))
    texts = {directory / "__init__.py": f'"""Modules of {Path(path).name}."""\n'}
    texts[directory / "py.typed"] = ""
    for unit in units:
        source = sources[id(unit)]
        copied = Path("idl") / source.relative_to(root)
        name = unit.module.__name__
        texts[directory / copied] = unit.document.source
        texts[directory / f"{name}.pyi"] = render_stub(unit, relative=True)
        texts[directory / f"{name}.py"] = _module(unit, copied, strict=strict, service=service)
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(texts)


def _module(unit: Unit, copied: Path, *, strict: bool, service: str | None) -> str:
    parts = ", ".join(repr(part) for part in copied.parts)
    if service is not None:
        home, what = "tchannel_thrift", "load"
        arguments = f", service={service!r}, strict={strict!r}"
    else:
        home, what, arguments = "tchannel_thrift.stubs.loading", f"load_{_mode(strict)}", ""
    includes = "".join(
        f"\nfrom . import {included.module.__name__} as {name}  # noqa: E402\n"
        for name, included in unit.includes.items()
        if is_name(name)
    )
    return _MODULE.format(
        name=unit.module.__name__,
        home=home,
        what=what,
        parts=parts,
        arguments=arguments,
        dunders=_DUNDERS,
        includes=includes,
    )


def _mode(strict: bool) -> str:
    return "strict" if strict else "lenient"


def _units(path: str | os.PathLike[str], *, strict: bool) -> list[Unit]:
    loader = Loader(strict=strict)
    loader.load(path)
    units = loader.compiler.units(os.path.abspath(path))
    seen: dict[str, Unit] = {}
    for unit in units:
        name = unit.module.__name__
        if name in seen:
            raise PackageError(
                f"{seen[name].origin.path} and {unit.origin.path} would both be the module {name}"
            )
        if not is_name(name):
            raise PackageError(f"{unit.origin.path} cannot be a module: {name!r} is no name")
        seen[name] = unit
    return units
