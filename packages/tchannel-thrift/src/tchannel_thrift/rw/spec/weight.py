"""How much memory values take when they are read, and how few bytes can stand for them.

A payload can be small and its values large: an empty struct takes one byte, and the object that it
becomes has room for all its fields, and its own copies of their defaults. These estimates are for
CPython on 64-bit machines. They say which payloads need to be read by code that counts
(`tchannel_thrift.rw.protocol.budget`), and what each value counts there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..protocol.budget import BYTES_PER_OBJECT, SIZE_PER_BYTE, Limits
from ..wire import ttype
from .base import TypeSpec
from .exc import ExceptionTypeSpec
from .list import ListTypeSpec
from .map import MapTypeSpec
from .memory import ENTRY, OBJECT, POINTER
from .struct import StructTypeSpec

_EXCEPTION: Final = 200
_DEFAULT_VALUE: Final = 64

_HEAD: Final = 3
"""Bytes of a payload before the value of a field."""


def struct_weight(spec: StructTypeSpec) -> int:
    """Bytes of memory of an instance, without the values that are read for its fields."""
    size = OBJECT + POINTER * len(spec.fields)
    if isinstance(spec, ExceptionTypeSpec):
        size += _EXCEPTION
    for field in spec.fields:
        if field.default_value is not None:
            size += _default_weight(field.default_value)
    return size


def _default_weight(value: object) -> int:
    if isinstance(value, (bool, int, float, str, bytes)):
        return 0  # shared by all instances
    size = _DEFAULT_VALUE
    if isinstance(value, dict):
        return size + sum(ENTRY + _default_weight(k) + _default_weight(v) for k, v in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + sum(ENTRY + _default_weight(item) for item in value)
    spec = getattr(value, "type_spec", None)
    if isinstance(spec, StructTypeSpec):
        items = (getattr(value, field.name, None) for field in spec.fields)
        size += POINTER * len(spec.fields)
        size += sum(_default_weight(item) for item in items if item is not None)
    return size


def struct_bytes(spec: StructTypeSpec) -> int:
    """The fewest bytes of a payload that are an instance, without the values of its fields."""
    return 1 + _HEAD * sum(field.must_be_given for field in spec.fields)


def heaviest(specs: Iterable[StructTypeSpec]) -> int:
    """The most bytes of memory that one byte of a payload can stand for, among these structs."""
    return max((spec.weight // struct_bytes(spec) for spec in specs), default=1) or 1


def harmless_size(spec: StructTypeSpec, limits: Limits, extra: int = 0) -> int:
    """The size up to which no payload of a struct can pass the limits, in bytes.

    Args:
        spec: The struct.
        limits: The limits.
        extra: Bytes of memory that instances take more than those of the engine's classes.

    """
    weight = 0.0  # the most per byte of the payload
    bytes_per_object = float(BYTES_PER_OBJECT)
    seen = {id(spec)}
    # With the bytes that stand before a value: the head of a field, or nothing within containers.
    waiting: list[tuple[TypeSpec, int]] = [(field.spec, _HEAD) for field in spec.fields]
    while waiting:
        one, before = waiting.pop()
        if isinstance(one, StructTypeSpec):
            size = before + struct_bytes(one)
            weight = max(weight, ((one.weight or struct_weight(one)) + extra) / size)
            bytes_per_object = min(bytes_per_object, size)
            if id(one) not in seen:
                seen.add(id(one))
                waiting.extend((field.spec, _HEAD) for field in one.fields)
        elif isinstance(one, (ListTypeSpec, MapTypeSpec)):
            inner = (one.kspec, one.vspec) if isinstance(one, MapTypeSpec) else (one.vspec,)
            own, each = one.memory
            weight = max(
                weight,
                own / (before + ttype.MINIMUM_SIZES[one.ttype_code]),
                each / sum(ttype.MINIMUM_SIZES[part.ttype_code] for part in inner),
            )
            waiting.extend((part, 0) for part in inner)
    sizes = [1 << 62]
    if weight > SIZE_PER_BYTE:
        sizes.append(int(limits.max_decoded_size / (weight - SIZE_PER_BYTE)))
    if bytes_per_object < BYTES_PER_OBJECT:
        sizes.append(int(limits.max_objects / (1 / bytes_per_object - 1 / BYTES_PER_OBJECT)))
    return min(sizes)
