"""What the modules of written packages load their Thrift files with."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from types import ModuleType

from .. import rw
from ..rw.loader import loader_with, options_of
from ..rw.options import LoadOptions

__all__ = ["load"]

# One for each way to read files, so that the modules of packages share the types of files that they
# share.
_loaders: dict[LoadOptions, rw.Loader] = {}
_lock = threading.Lock()


def load(
    path: str | os.PathLike[str],
    *,
    strict: bool = False,
    include_dirs: Iterable[str | os.PathLike[str]] = (),
    int_enum: bool = False,
) -> ModuleType:
    """The engine's module of a Thrift file; the arguments are those of `rw.Loader`."""
    options = options_of(strict=strict, include_dirs=include_dirs, int_enum=int_enum)
    with _lock:
        loader = _loaders.setdefault(options, loader_with(options))
    return loader.load(path)
