"""What the modules of written packages load their Thrift files with."""

from __future__ import annotations

from .. import rw

# One loader each, so that the modules of packages share the types of files that they share.
load_lenient = rw.Loader(strict=False).load
load_strict = rw.load
