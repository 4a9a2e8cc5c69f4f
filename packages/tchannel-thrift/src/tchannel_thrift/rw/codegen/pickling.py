"""Where a generated class comes from, so that pickle and copy find it again.

Modules that ``load`` returns are not importable, so that an instance cannot be pickled by the name
of its class. It is pickled by where the class came from: the file, or the text of the document. In
the same process that leads to the same class; in another one the file is loaded (by the default
loader) or the document compiled.
"""

from __future__ import annotations

import threading
import types
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from ..options import LoadOptions


class ModuleOrigin(NamedTuple):
    """Where a generated module comes from."""

    serial: str
    """Unlike that of any other module; only known in the process that loaded it."""
    name: str
    """The module's name; importable if the module was installed."""
    path: str | None
    """Absolute path of the file, or None for a document given as text."""
    source: str | None
    """The document, for want of a path."""
    options: LoadOptions


class Origin(NamedTuple):
    """Where a generated class comes from."""

    module: ModuleOrigin
    attributes: tuple[str, ...]
    """The attributes that lead to it from the module."""


_modules: weakref.WeakValueDictionary[object, types.ModuleType] = weakref.WeakValueDictionary()
_lock = threading.Lock()
_load: Callable[[ModuleOrigin], types.ModuleType] | None = None


def remember(origin: ModuleOrigin, module: types.ModuleType) -> None:
    """Make a module known, for as long as it lives."""
    with _lock:
        _modules[origin.serial] = module
        _modules.setdefault(_place(origin), module)


def _place(origin: ModuleOrigin) -> object:
    """What modules of the same document have in common in all processes."""
    if origin.path is not None:
        return origin.path, origin.options
    return origin.name, origin.source, origin.options


def set_fallback(load: Callable[[ModuleOrigin], types.ModuleType]) -> None:
    """Say how to load a module that this process does not know."""
    global _load
    _load = load


# Any: what the class has depends on the IDL.
def find_class(origin: Origin) -> type[Any]:
    """The class.

    Raises:
        OSError: If the file is not there, in a process that has not loaded it.
        AttributeError: If the file no longer defines the class.

    """
    module = _modules.get(origin.module.serial) or _modules.get(_place(origin.module))
    if module is None:
        assert _load is not None, "the loader sets it"
        module = _load(origin.module)
    first, *others = origin.attributes
    found = _definition(module, first)
    for attribute in others:
        found = getattr(found, attribute)
    if not isinstance(found, type):
        raise AttributeError(f"{'.'.join(origin.attributes)} of the file is no class any more")
    return found


def restore_item(origin: Origin, value: int) -> object:
    """The member of an IntEnum that has a value, or the value where the file has none any more."""
    try:
        return find_class(origin)(value)
    except ValueError:
        return value


def _definition(module: types.ModuleType, name: str) -> object:
    """A type or service of a module. A module's own ``loads`` hides a struct of that name."""
    found = getattr(module, name)
    if isinstance(found, type):
        return found
    for other in (*module.__types__, *module.__services__):
        if isinstance(other, type) and other.__name__ == name:
            return other
    return found
