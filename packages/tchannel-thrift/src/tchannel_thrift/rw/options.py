"""What a loader was told about reading files."""

from __future__ import annotations

from typing import NamedTuple


class LoadOptions(NamedTuple):
    """How files are read; instances carry it when they are pickled."""

    strict: bool = True
    """Whether to accept only what thriftrw accepts, or else what Apache's compiler accepts."""
    include_as: bool = False
    """Whether ``include name "path"`` is allowed."""
    include_dirs: tuple[str, ...] = ()
    """Where included files are looked for, after the directory of the including file."""
    int_enum: bool = False
    """Whether enums are ``enum.IntEnum``, or else plain ints."""
