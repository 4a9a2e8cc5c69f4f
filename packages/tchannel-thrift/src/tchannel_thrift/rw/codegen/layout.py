"""Facts about types that the generated encoders and decoders share."""

from __future__ import annotations

import struct
from collections.abc import Callable

from ..spec import (
    BoolTypeSpec,
    ByteTypeSpec,
    DoubleTypeSpec,
    EnumTypeSpec,
    FieldSpec,
    I16TypeSpec,
    I32TypeSpec,
    I64TypeSpec,
    ListTypeSpec,
    MapTypeSpec,
    TypeSpec,
)

_CODES = {
    id(BoolTypeSpec): "?",
    id(ByteTypeSpec): "b",
    id(I16TypeSpec): "h",
    id(I32TypeSpec): "i",
    id(I64TypeSpec): "q",
    id(DoubleTypeSpec): "d",
}

CODE_SIZES = {"?": 1, "b": 1, "h": 2, "i": 4, "q": 8, "d": 8}
"""Bytes of each code of ``struct`` that is used for values."""

DEEPEST_LOOPS = 8
"""Containers within containers that generated code has loops for: Python allows 20 nested blocks, and
maps of maps would double the code with each level. Deeper ones are read and written carefully."""

_KEPT_COUNTS = 256


def struct_code(spec: TypeSpec) -> str | None:
    """The code of ``struct`` for values of a type, or None where they differ in size."""
    if isinstance(spec, EnumTypeSpec):
        return "i"
    return _CODES.get(id(spec))


def field_head(field: FieldSpec) -> bytes:
    """The three bytes before the value of a field."""
    return struct.pack(">bh", field.ttype_code, field.id)


def container_head(spec: TypeSpec) -> bytes:
    """The element types of a container, as they stand before its count."""
    if isinstance(spec, MapTypeSpec):
        return bytes((spec.kspec.ttype_code, spec.vspec.ttype_code))
    assert isinstance(spec, ListTypeSpec)
    return bytes((spec.vspec.ttype_code,))


class Runs(dict[int, Callable[..., object]]):
    """Packers or unpackers of so many values of one code, made when first asked for.

    One call of ``struct`` for a whole list costs a tenth of a call per element.
    """

    __slots__ = ("_code", "_method", "_prefix")

    def __init__(self, prefix: str, code: str, method: str) -> None:
        super().__init__()
        self._prefix = prefix
        self._code = code
        self._method = method

    def __missing__(self, count: int) -> Callable[..., object]:
        layout = struct.Struct(f"{self._prefix}{count}{self._code}")
        run: Callable[..., object] = getattr(layout, self._method)
        if count < _KEPT_COUNTS:  # a claimed count must not fill the memory
            self[count] = run
        return run


PACK_RUNS = {code: Runs(">i", code, "pack") for code in CODE_SIZES}
"""By code: packers of a count and so many values."""

UNPACK_RUNS = {code: Runs(">", code, "unpack_from") for code in CODE_SIZES}
"""By code: unpackers of so many values."""

LENGTHS = [struct.pack(">i", length) for length in range(1024)]
"""Short lengths, packed: looking one up costs a sixth of packing it."""


class TextKeys(dict[str, bytes]):
    """Keys of maps as they go over the wire, length and text.

    The keys of maps are few and come again and again: looking one up costs a quarter of encoding
    it. Long ones are not kept, and at ``maximum`` all are dropped.
    """

    __slots__ = ()

    maximum = 2048
    longest = 64

    def __missing__(self, key: str) -> bytes:
        if key.__class__ is not str:
            raise TypeError(f"a key is {key!r:.200}")  # the careful writer says it better
        data = key.encode()
        part = len(data).to_bytes(4, "big") + data
        if len(part) <= self.longest:
            if len(self) >= self.maximum:
                self.clear()
            self[key] = part
        return part


TEXT_KEYS = TextKeys()
"""Those of all maps."""
