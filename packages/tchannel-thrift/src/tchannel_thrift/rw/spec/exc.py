"""Exceptions."""

from __future__ import annotations

from typing import ClassVar

from .struct import StructTypeSpec


class ExceptionTypeSpec(StructTypeSpec):
    """An exception: a struct whose class derives from ``Exception``."""

    __slots__ = ()

    base_cls: ClassVar[type] = Exception
