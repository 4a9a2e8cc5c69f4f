"""What the modules of written packages load their Thrift files with."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType

from .. import rw

# One loader each, so that the modules of packages share the types of files that they share.
load_lenient: Callable[[str | os.PathLike[str]], ModuleType] = rw.Loader(strict=False).load
load_strict: Callable[[str | os.PathLike[str]], ModuleType] = rw.load
