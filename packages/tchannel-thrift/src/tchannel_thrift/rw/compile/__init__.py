"""From syntax trees to modules: linking, and the checks that need more than one line."""

from .compiler import Compiler

__all__ = ["Compiler"]
