"""The texts of Thrift files and of all that they include, under names that fit together.

A module knows its text, but not where it came from (one loaded by thriftrw), and a caller need not
learn the server's folders. So the names are made of the include statements alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from .rw.idl import parse

__all__ = ["IDL", "collect"]


_MOST_FOLDERS: Final = 64
"""Files that include each other by way of include directories would get ever longer names."""


@dataclass(frozen=True, slots=True)
class IDL:
    """Thrift files.

    Attributes:
        texts: Their texts by name; a name is a relative path, and includes fit these paths.
        entry_point: The file to begin with.

    """

    texts: dict[str, str]
    entry_point: str


def collect(modules: Sequence[ModuleType]) -> IDL:
    """Return the texts of modules and of what they include.

    Args:
        modules: Modules of the engine or of thriftrw; the first is the entry point.

    """
    found: dict[str, ModuleType] = {}
    for module in modules:
        _add(found, _free_name(found, module), module)
    # Files above the first one: it moves down into folders whose names do not matter.
    above = max(_height(name) for name in found)
    folder = "/".join(f"_{number}" for number in range(above))
    names = {name: posixpath.normpath(posixpath.join(folder, name)) for name in found}
    return IDL(
        {names[name]: module.__thrift_source__ for name, module in found.items()},
        names[next(iter(found))],
    )


def _add(found: dict[str, ModuleType], name: str, module: ModuleType) -> None:
    found[name] = module
    document = parse(module.__thrift_source__, strict=False, include_as=True)
    folder = posixpath.dirname(name)
    if folder.count("/") > _MOST_FOLDERS:
        return
    paths = {
        posixpath.normpath(posixpath.join(folder, include.path)): include
        for include in document.includes
    }
    included = list(module.__includes__)
    if len(included) != len(paths):  # one file by two paths
        included = [
            getattr(module, include.alias or posixpath.splitext(posixpath.basename(path))[0])
            for path, include in paths.items()
        ]
    for path, other in zip(paths, included, strict=True):
        if path not in found:
            _add(found, path, other)


def _free_name(found: dict[str, ModuleType], module: ModuleType) -> str:
    stem = module.__name__.rpartition(".")[2]
    name = f"{stem}.thrift"
    number = 2
    while name in found and found[name].__thrift_source__ != module.__thrift_source__:
        name = f"{stem}-{number}.thrift"
        number += 1
    return name


def _height(name: str) -> int:
    return name.split("/").count("..")
