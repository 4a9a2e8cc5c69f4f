"""The primitive types."""

from __future__ import annotations

import numbers
import uuid
from typing import Any, Final, NoReturn

from ..protocol.binary import BinaryReader, BinaryWriter
from ..wire import ttype
from .base import OutOfRangeError, TypeSpec, wrong_type


class PrimitiveTypeSpec(TypeSpec):
    """A primitive type: one instance each, such as ``BoolTypeSpec`` or ``I32TypeSpec``."""

    __slots__ = ("_name", "_surface", "_ttype_code")

    def __init__(self, name: str, ttype_code: int, surface: object) -> None:
        self._name = name
        self._ttype_code = ttype_code
        self._surface = surface

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return self._name

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return self._ttype_code

    @property
    def surface(self) -> object:
        """What stands for the type in Python."""
        return self._surface

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        return True

    def to_primitive(self, value: object) -> object:
        """The value as nothing but primitives."""
        return value

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        return value


class _Bool(PrimitiveTypeSpec):
    __slots__ = ()

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, int):
            wrong_type(value, self)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if not isinstance(value, int):
            wrong_type(value, self)
        writer.write_bool(value)

    def read_from(self, reader: BinaryReader) -> bool:
        """Read a value."""
        return reader.read_bool()

    def to_primitive(self, value: object) -> bool:
        """The value as nothing but primitives."""
        return bool(value)

    def from_primitive(self, value: object) -> bool:
        """The value that primitives stand for."""
        return bool(value)


class _Integer(PrimitiveTypeSpec):
    __slots__ = ("bits", "maximum", "minimum")

    def __init__(self, name: str, ttype_code: int, bits: int) -> None:
        super().__init__(name, ttype_code, (int, int, numbers.Integral))
        self.bits: int = bits
        self.maximum: int = (1 << (bits - 1)) - 1
        self.minimum: int = -(1 << (bits - 1))

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, (int, numbers.Integral)):
            wrong_type(value, self)
        check_range(value, self.bits)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if not isinstance(value, (int, numbers.Integral)):
            wrong_type(value, self)
        check_range(value, self.bits)
        if self.bits == 32:
            writer.write_i32(value)
        elif self.bits == 64:
            writer.write_i64(value)
        elif self.bits == 16:
            writer.write_i16(value)
        else:
            writer.write_byte(value)

    def read_from(self, reader: BinaryReader) -> int:
        """Read a value."""
        if self.bits == 32:
            return reader.read_i32()
        if self.bits == 64:
            return reader.read_i64()
        return reader.read_i16() if self.bits == 16 else reader.read_byte()

    # Any: what a number is made of, says `int` itself; so does `float` below.
    def to_primitive(self, value: Any) -> int:
        """The value as nothing but primitives."""
        return int(value)

    def from_primitive(self, value: Any) -> int:
        """The value that primitives stand for."""
        return int(value)


class _Double(PrimitiveTypeSpec):
    __slots__ = ()

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, (float, int, numbers.Number)) or isinstance(value, complex):
            wrong_type(value, self)
        try:
            float(value)  # type: ignore[arg-type]  # numbers.Number promises no __float__
        except OverflowError:
            raise OutOfRangeError("Value does not fit in a double") from None

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        self.validate(value)
        writer.write_double(self.to_primitive(value))

    def read_from(self, reader: BinaryReader) -> float:
        """Read a value."""
        return reader.read_double()

    def to_primitive(self, value: Any) -> float:
        """The value as nothing but primitives."""
        return float(value)

    def from_primitive(self, value: Any) -> float:
        """The value that primitives stand for."""
        return float(value)


class _Text(PrimitiveTypeSpec):
    __slots__ = ()

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, (str, bytes)):
            wrong_text(value, self)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            wrong_text(value, self)
        writer.write_binary(value)

    def read_from(self, reader: BinaryReader) -> str:
        """Read a value."""
        return reader.read_binary().decode()

    def to_primitive(self, value: object) -> object:
        """The value as nothing but primitives."""
        return value.decode() if isinstance(value, bytes) else value

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        return value.decode() if isinstance(value, bytes) else value


class _Binary(PrimitiveTypeSpec):
    __slots__ = ()

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, (str, bytes)):
            wrong_text(value, self)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, bytes):
            wrong_text(value, self)
        writer.write_binary(value)

    def read_from(self, reader: BinaryReader) -> bytes:
        """Read a value."""
        return reader.read_binary()

    def to_primitive(self, value: object) -> object:
        """The value as nothing but primitives."""
        return value.encode() if isinstance(value, str) else value

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        return value.encode() if isinstance(value, str) else value


class _Uuid(PrimitiveTypeSpec):
    """Apache's ``uuid``: sixteen bytes on the wire, ``uuid.UUID`` in Python."""

    __slots__ = ()

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written."""
        if not isinstance(value, uuid.UUID):
            wrong_type(value, self)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        if not isinstance(value, uuid.UUID):
            wrong_type(value, self)
        writer.parts.append(value.bytes)

    def read_from(self, reader: BinaryReader) -> uuid.UUID:
        """Read a value."""
        return uuid.UUID(bytes=reader.take(16))

    def to_primitive(self, value: object) -> str:
        """The value as nothing but primitives."""
        return str(value)

    def from_primitive(self, value: object) -> object:
        """The value that primitives stand for."""
        return uuid.UUID(value) if isinstance(value, str) else value


def wrong_text(value: object, spec: TypeSpec) -> NoReturn:
    """Raise the TypeError for what is neither text nor bytes."""
    raise TypeError(f'Cannot convert {value!r:.200} into a "{spec.name}".')


def check_range(value: int | numbers.Integral, bits: int) -> None:
    """Raise OutOfRangeError unless the value fits in a signed integer of so many bits."""
    if value < -(1 << (bits - 1)) or not value < 1 << (bits - 1):
        raise OutOfRangeError(f"Value {_digits(value)} does not fit in an i{bits}")


def _digits(value: int | numbers.Integral) -> str:
    # str() of an int beyond 4300 digits raises an error of its own.
    return str(value) if int(value).bit_length() <= 256 else f"of {int(value).bit_length()} bits"


BoolTypeSpec: Final = _Bool("bool", ttype.BOOL, bool)
ByteTypeSpec: Final = _Integer("byte", ttype.BYTE, 8)
I16TypeSpec: Final = _Integer("i16", ttype.I16, 16)
I32TypeSpec: Final = _Integer("i32", ttype.I32, 32)
I64TypeSpec: Final = _Integer("i64", ttype.I64, 64)
DoubleTypeSpec: Final = _Double("double", ttype.DOUBLE, numbers.Number)
TextTypeSpec: Final = _Text("string", ttype.BINARY, str)
BinaryTypeSpec: Final = _Binary("binary", ttype.BINARY, bytes)
UuidTypeSpec: Final = _Uuid("uuid", ttype.UUID, uuid.UUID)

PRIMITIVES: Final[dict[str, PrimitiveTypeSpec]] = {
    "bool": BoolTypeSpec,
    "byte": ByteTypeSpec,
    "i8": ByteTypeSpec,
    "i16": I16TypeSpec,
    "i32": I32TypeSpec,
    "i64": I64TypeSpec,
    "double": DoubleTypeSpec,
    "string": TextTypeSpec,
    "binary": BinaryTypeSpec,
    "uuid": UuidTypeSpec,
}
"""The spec of each word that the IDL has for a primitive type."""
