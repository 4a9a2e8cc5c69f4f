"""The first uses of a type, before code is generated for it.

Generating a function costs as much as a dozen careful uses of a small struct. Of the types of a large
file, most are used once or twice if at all: these are written and read without generated code, as
long as the value is small.
"""

from __future__ import annotations

from typing import Any

from ..spec import (
    EnumTypeSpec,
    ListTypeSpec,
    MapTypeSpec,
    PrimitiveTypeSpec,
    StructTypeSpec,
    TypeSpec,
)
from ..spec.struct import write_struct
from .decoder import Loader, loader_of
from .encoder import Dumper, dumper_of

USES = 4
"""So many uses of a class by one module are made without generated code."""

_SMALL_PAYLOAD = 512
_SMALL_CONTAINER = 32


class WarmUp:
    """Counts the uses of classes."""

    __slots__ = ("_uses",)

    def __init__(self) -> None:
        self._uses: dict[type[Any], int] = {}

    def is_over(self, cls: type[Any]) -> bool:
        """Count one use; whether there have been enough before it."""
        uses = self._uses.get(cls, 0)
        if uses >= USES:
            self._uses.pop(cls, None)
            return True
        self._uses[cls] = uses + 1
        return False


def cold_dumper(spec: StructTypeSpec) -> Dumper:
    """An encoder of payloads for a few uses."""

    def dump(obj: Any) -> bytes:
        return write_struct(spec, obj) if _is_small(spec, obj) else dumper_of(spec)(obj)

    return dump


def cold_loader(spec: StructTypeSpec) -> Loader:
    """A decoder of payloads for a few uses."""

    def load(payload: bytes, depth: int) -> Any:
        if len(payload) > _SMALL_PAYLOAD:
            return loader_of(spec)(payload, depth)
        return spec.resume(payload, 0, 0, [None] * len(spec.fields), depth)[0]

    return load


def _is_small(spec: StructTypeSpec, obj: Any) -> bool:
    for field in spec.fields:
        value = getattr(obj, field.name)
        if value is None or _is_scalar(field.spec):
            continue
        if isinstance(field.spec, MapTypeSpec):
            plain = _is_scalar(field.spec.kspec) and _is_scalar(field.spec.vspec)
        else:
            plain = isinstance(field.spec, ListTypeSpec) and _is_scalar(field.spec.vspec)
        if not plain or not hasattr(value, "__len__") or len(value) > _SMALL_CONTAINER:
            return False
    return True


def _is_scalar(spec: TypeSpec) -> bool:
    return isinstance(spec, (PrimitiveTypeSpec, EnumTypeSpec))
