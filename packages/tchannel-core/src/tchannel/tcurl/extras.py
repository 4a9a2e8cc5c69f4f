"""The extra ``tchannel-core[tcurl]``: colours, YAML and the load mode."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, Final

from .failures import ToolError

__all__ = ["import_extra", "missing_note"]

_INSTALL: Final = "pip install 'tchannel-core[tcurl]'"
_MODULES: Final = {"rich": "colours", "yaml": "YAML", "hdrh": "the load mode"}


# A module that may not be there has no type.
def import_extra(module: str, purpose: str) -> Any:
    """Import a module of the extra.

    Raises:
        ToolError: It is not installed; says what to install.

    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise ToolError(f"{purpose} is not installed: {_INSTALL}") from None


def missing_note() -> str | None:
    """One line that says what is missing; None where the extra is installed."""
    missing = [
        what for module, what in _MODULES.items() if importlib.util.find_spec(module) is None
    ]
    if not missing:
        return None
    parts = ", ".join(missing)
    return f"not installed: {parts}; so plain text, JSON and single calls only: {_INSTALL}"
