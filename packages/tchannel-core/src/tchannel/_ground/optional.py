"""Layers that are installed apart: importing them, and saying what to install where they miss."""

import importlib
from collections.abc import Callable, Collection
from types import ModuleType

__all__ = ["forward", "import_layer", "install_hint", "submodules"]


def install_hint(error: ImportError, *, needs: str, dist: str) -> ImportError:
    """Return the error to raise for an import of a layer that failed.

    An error from inside the layer is returned as it is: something else is broken there, and a hint
    to install what is installed would hide it.

    Args:
        error: What the import raised.
        needs: The layer's import package.
        dist: The distribution to install.

    """
    if isinstance(error, ModuleNotFoundError) and error.name == needs:
        # The name stays that of the layer: under the alias's own name the import system takes the
        # error for a missing attribute in `from tchannel import <alias>`, and swallows the hint.
        return ModuleNotFoundError(
            f"this needs {dist}, which is not installed: pip install {dist}", name=needs
        )
    if error.name == needs or (error.name or "").startswith(f"{needs}."):
        return ImportError(
            f"the installed {dist} does not fit this tchannel-core ({error}):"
            f" pip install --upgrade {dist} tchannel-core",
            name=needs,
        )
    return error


def import_layer(module: str, *, dist: str) -> ModuleType:
    """Import a module of another layer on its first use.

    Raises:
        ImportError: The layer is not installed, or too old; the message says what to install.

    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise install_hint(error, needs=module.partition(".")[0], dist=dist) from None


def forward(alias: str, layer: ModuleType, names: Collection[str]) -> Callable[[str], object]:
    """Return a ``__getattr__`` for the module `alias` that finds `names` in `layer`."""

    def find(name: str) -> object:
        if name in names:
            return getattr(layer, name)
        raise AttributeError(f"module {alias!r} has no attribute {name!r}")

    return find


def submodules(package: str, names: Collection[str]) -> Callable[[str], object]:
    """Return a ``__getattr__`` for `package` that imports its modules of these `names` when asked.

    Where one cannot be imported, the AttributeError has the same words: which layer is to be
    installed, or what to write instead.
    """

    def find(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            return importlib.import_module(f".{name}", package)
        except ImportError as error:
            raise AttributeError(str(error)) from error

    return find
