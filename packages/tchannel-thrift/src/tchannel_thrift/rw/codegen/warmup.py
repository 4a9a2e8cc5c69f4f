"""The first uses of a type, before code is generated for it.

Generating a function costs as much as a dozen careful uses of a small struct. Of the types of a large
file, most are used once or twice if at all: these are made, written and read without generated code,
as long as the value is small.
"""

from __future__ import annotations

import copy
from collections.abc import Sized

from ..protocol.budget import Limits
from ..spec import (
    EnumTypeSpec,
    ListTypeSpec,
    MapTypeSpec,
    PrimitiveTypeSpec,
    StructTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from ..spec.struct import missing_argument, write_struct
from .constructor import given_twice, refusal
from .decoder import Loader, loader_of, small_size
from .encoder import UNFIT_ERRORS, Dumper, dumper_of

USES = 4
"""So many times a class is constructed, dumped and loaded without generated code."""

_SMALL_PAYLOAD = 512
_SMALL_CONTAINER = 32


class WarmUp:
    """Counts the uses of classes."""

    __slots__ = ("_uses",)

    def __init__(self) -> None:
        self._uses: dict[type[object], int] = {}

    def is_over(self, cls: type[object]) -> bool:
        """Count one use; whether there have been enough before it."""
        uses = self._uses.get(cls, 0)
        if uses >= USES:
            self._uses.pop(cls, None)
            return True
        self._uses[cls] = uses + 1
        return False


def construct_cold(
    spec: StructTypeSpec, instance: object, args: tuple[object, ...], kwargs: dict[str, object]
) -> bool:
    """Do what the constructor does, for a few uses.

    Returns:
        Whether it was done; otherwise the constructor is to be generated.

    Raises:
        TypeError, ValueError: As the generated constructor.

    """
    if (
        spec.constructions >= USES
        or any(map(_is_large, args))
        or any(map(_is_large, kwargs.values()))
    ):
        return False
    spec.constructions += 1
    values = _bind(spec, args, kwargs)
    is_union = isinstance(spec, UnionTypeSpec)
    if isinstance(spec, UnionTypeSpec):
        default = spec.default_field
        if default is not None and all(value is None for value in values.values()):
            values = {default.name: copy.deepcopy(default.default_value)}
        spec.check_count([values.get(field.name) for field in spec.fields])
    missing = [field for field in spec.fields if field.must_be_given and field.name not in values]
    if missing:
        raise missing_argument(spec, [values.get(field.name) for field in spec.fields])
    for field in spec.constructor_fields:
        value = values.get(field.name)
        if value is None and field.default_value is not None and not is_union:
            value = copy.deepcopy(field.default_value)
        elif value is not None or field.required:
            value = field.check(value)
        setattr(instance, field.name, value)
    return True


def _bind(
    spec: StructTypeSpec, args: tuple[object, ...], kwargs: dict[str, object]
) -> dict[str, object]:
    names = [field.name for field in spec.constructor_fields]
    by_position = [] if isinstance(spec, UnionTypeSpec) else names
    values = dict(zip(by_position, args, strict=False))
    for name in kwargs:
        if name in values:
            raise given_twice(spec, name)
    unknown = [name for name in kwargs if name not in names]
    if len(args) > len(by_position) or unknown:
        raise refusal(spec, max(0, len(args) - len(by_position)), unknown)
    values.update(kwargs)
    return values


def _is_large(value: object) -> bool:
    return (
        not isinstance(value, (str, bytes))
        and isinstance(value, Sized)
        and len(value) > _SMALL_CONTAINER
    )


def cold_dumper(spec: StructTypeSpec) -> Dumper:
    """An encoder of payloads for a few uses."""

    def dump(obj: object) -> bytes:
        return write_struct(spec, obj) if _is_small(spec, obj) else dumper_of(spec)(obj)

    return dump


def complete_dumper(spec: StructTypeSpec) -> Dumper:
    """An encoder of payloads that are to be sent: it writes no struct that is incomplete.

    Raises:
        TypeError, ValueError: (the encoder) as ``dumps``; also where a required field is None, or
            a union has not exactly one value, which ``dumps`` lets pass as thriftrw does.

    """
    uses = 0
    encode: Dumper | None = None

    def dump(obj: object) -> bytes:
        nonlocal uses, encode
        if encode is None:
            if uses < USES and _is_small(spec, obj):
                uses += 1
                return write_struct(spec, obj, complete=True)
            encode = dumper_of(spec)
        try:
            return encode(obj)
        except UNFIT_ERRORS:
            return write_struct(spec, obj, complete=True)

    return dump


def cold_loader(spec: StructTypeSpec, limits: Limits) -> Loader:
    """A decoder of payloads for a few uses."""
    small = min(_SMALL_PAYLOAD, small_size(spec, limits))

    def load(payload: bytes, depth: int) -> object:
        if len(payload) > small:
            return loader_of(spec, limits)(payload, depth)
        return spec.resume(payload, 0, 0, [None] * len(spec.fields), depth)[0]

    return load


def _is_small(spec: StructTypeSpec, obj: object) -> bool:
    for field in spec.fields:
        value = getattr(obj, field.name, None)
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
