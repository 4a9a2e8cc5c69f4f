"""What tchannel-python had and this library has not: imports of it say what to write instead."""

from collections.abc import Callable, Mapping
from typing import NoReturn

__all__ = ["refuse_names", "replaced"]


def replaced(name: str, instead: str) -> ImportError:
    """Return the error to raise where `name` is imported."""
    return ImportError(f"{name} is no part of this library: {instead}", name=name)


def refuse_names(module: str, names: Mapping[str, str]) -> Callable[[str], NoReturn]:
    """Return a ``__getattr__`` for `module` that refuses `names`, each with what to write instead."""

    def refuse(name: str) -> NoReturn:
        if name in names:
            raise replaced(f"{module}.{name}", names[name])
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return refuse
