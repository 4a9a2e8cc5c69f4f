"""The Thrift Binary Protocol, carefully: every read is checked against the bytes that remain.

The code generated per struct reads and writes well-formed values without these classes; they
serve what it leaves alone: unusual or hostile payloads, odd values, and message envelopes.
"""

from __future__ import annotations

import struct
from typing import SupportsIndex

from ..errors import EndOfInputError, ThriftProtocolError
from ..wire import ttype
from .budget import DEFAULT_MAX_DECODED_SIZE, DEFAULT_MAX_OBJECTS, Budget, Limits

DEFAULT_MAX_DEPTH = 128
"""How deep structs may nest in a payload. Apache's C++ stops at 64; Python's own limit is near."""

_INT32_MAX = 0x7FFFFFFF
_VERSION_MASK = 0x7FFF
_VERSION_1 = 1

_I8 = struct.Struct(">b")
_I16 = struct.Struct(">h")
_I32 = struct.Struct(">i")
_I64 = struct.Struct(">q")
_DOUBLE = struct.Struct(">d")
_FIELD = struct.Struct(">bh")
_LIST = struct.Struct(">bi")
_VERSION_AND_TYPE = struct.Struct(">HH")
_MAP = struct.Struct(">bbi")


class BinaryReader:
    """A cursor over a payload.

    Args:
        payload: The bytes to read.
        position: Where to start.
        depth: How many levels may still be nested below this one.
        budget: What the values may come to, or None where the payload is too small to matter.

    """

    __slots__ = ("budget", "depth", "payload", "position")

    def __init__(
        self,
        payload: bytes,
        position: int = 0,
        depth: int = DEFAULT_MAX_DEPTH,
        budget: Budget | None = None,
    ) -> None:
        self.budget: Budget | None = budget
        self.payload: bytes = payload
        self.position: int = position
        self.depth: int = depth

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self.payload) - self.position

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        position = self.position
        end = position + size
        if end > len(self.payload):
            raise EndOfInputError(f"Expected {size} bytes but got {self.remaining} bytes.")
        self.position = end
        return self.payload[position:end]

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next values of a fixed layout."""
        values: tuple[int, ...] = layout.unpack(self.take(layout.size))
        return values

    def read_bool(self) -> bool:
        """A bool: any byte but 0 is true, as in Apache Thrift."""
        return self.take(1) != b"\0"

    def read_byte(self) -> int:
        """A signed 8-bit integer."""
        return self.unpack(_I8)[0]

    def read_i16(self) -> int:
        """A signed 16-bit integer."""
        return self.unpack(_I16)[0]

    def read_i32(self) -> int:
        """A signed 32-bit integer."""
        return self.unpack(_I32)[0]

    def read_i64(self) -> int:
        """A signed 64-bit integer."""
        return self.unpack(_I64)[0]

    def read_double(self) -> float:
        """A double."""
        return float(self.unpack(_DOUBLE)[0])

    def read_binary(self) -> bytes:
        """Bytes with their length before them."""
        length = self.read_i32()
        if length < 0:
            raise ThriftProtocolError(f"Length {length} of a string or binary is negative.")
        return self.take(length)

    def read_field_begin(self) -> tuple[int, int]:
        """Type and id of the next field; the type is STOP after the last."""
        position = self.position
        if self.payload[position : position + 1] == b"\0":
            self.position += 1
            return ttype.STOP, 0
        code, field_id = self.unpack(_FIELD)
        return code & 0xFF, field_id

    def read_list_begin(self) -> tuple[int, int]:
        """Element type and count of a list or set."""
        code, count = self.unpack(_LIST)
        self._check_count(count, (code,))
        return code & 0xFF, count

    def read_map_begin(self) -> tuple[int, int, int]:
        """Key type, value type and count of a map."""
        key_code, value_code, count = self.unpack(_MAP)
        self._check_count(count, (key_code, value_code))
        return key_code & 0xFF, value_code & 0xFF, count

    def _check_count(self, count: int, codes: tuple[int, ...]) -> None:
        if count < 0:
            raise ThriftProtocolError(f"Size {count} of a container is negative.")
        if not count:
            return  # some writers give no element type then
        least = 0
        for code in codes:
            size = ttype.MINIMUM_SIZES.get(code)
            if size is None:
                raise ThriftProtocolError(
                    f"A container has elements of the unknown type 0x{code & 0xFF:02x}."
                )
            least += size
        # No element is shorter, so a count that cannot fit is refused before any work is done.
        if count * least > self.remaining:
            raise EndOfInputError(f"Expected {count * least} bytes but got {self.remaining} bytes.")

    def enter(self) -> None:
        """Go one level deeper, or refuse to."""
        if self.depth <= 0:
            raise ThriftProtocolError("The payload is nested too deeply.")
        self.depth -= 1

    def leave(self) -> None:
        """Come back one level."""
        self.depth += 1

    def skip(self, code: int) -> None:
        """Pass over a value of the type ``code``.

        Raises:
            ThriftProtocolError: For an unknown type, a negative length, too deep nesting.
            EndOfInputError: Where the payload ends early.

        """
        size = ttype.FIXED_SIZES.get(code)
        if size is not None:
            self._advance(size)
        elif code == ttype.BINARY:
            length = self.read_i32()
            if length < 0:
                raise ThriftProtocolError(f"Length {length} of a string or binary is negative.")
            self._advance(length)
        else:
            self.enter()
            self._skip_nested(code)
            self.leave()

    def _skip_nested(self, code: int) -> None:
        if code == ttype.STRUCT:
            while True:
                field_code, _ = self.read_field_begin()
                if field_code == ttype.STOP:
                    return
                self.skip(field_code)
        elif code in (ttype.LIST, ttype.SET):
            element, count = self.read_list_begin()
            self._skip_elements((element,), count)
        elif code == ttype.MAP:
            key, value, count = self.read_map_begin()
            self._skip_elements((key, value), count)
        else:
            raise ThriftProtocolError(f"A field has the unknown type 0x{code:02x}.")

    def _skip_elements(self, codes: tuple[int, ...], count: int) -> None:
        if not count:
            return
        sizes = [ttype.FIXED_SIZES.get(code) for code in codes]
        if None not in sizes:
            self._advance(count * sum(size for size in sizes if size))
            return
        if any(code in ttype.NESTING for code in codes):
            # Nothing is kept of them, but each takes time.
            if self.budget is None:
                self.budget = Budget(len(self.payload), Limits())
            self.budget.take(count, 0)
        for _ in range(count):
            for code in codes:
                self.skip(code)

    def _advance(self, size: int) -> None:
        if size > self.remaining:
            raise EndOfInputError(f"Expected {size} bytes but got {self.remaining} bytes.")
        self.position += size

    def read_message_begin(self) -> tuple[bytes, int, int]:
        """Name, message type and sequence number of an envelope, strict or not.

        Raises:
            ThriftProtocolError: For a version other than 1.

        """
        size = self.read_i32()
        if size >= 0:  # the old envelope starts with the length of the name
            return self.take(size), self.read_byte(), self.read_i32()
        version = (size >> 16) & _VERSION_MASK
        if version != _VERSION_1:
            raise ThriftProtocolError(f'Unsupported version "{version}"')
        return self.read_binary(), size & 0xFF, self.read_i32()


class BinaryWriter:
    """Collects the bytes of a payload.

    Args:
        complete: Whether a struct that lacks a required field, or a union that has not exactly one
            value, is an error. thriftrw writes what there is, and so does ``dumps``.

    """

    __slots__ = ("complete", "parts")

    def __init__(self, *, complete: bool = False) -> None:
        self.complete: bool = complete
        self.parts: list[bytes] = []

    def getvalue(self) -> bytes:
        """All that was written."""
        return b"".join(self.parts)

    def write_bool(self, value: int) -> None:
        """Write a bool."""
        self.parts.append(b"\1" if value else b"\0")

    def write_byte(self, value: SupportsIndex) -> None:
        """Write a signed 8-bit integer."""
        self.parts.append(_I8.pack(value))

    def write_i16(self, value: SupportsIndex) -> None:
        """Write a signed 16-bit integer."""
        self.parts.append(_I16.pack(value))

    def write_i32(self, value: SupportsIndex) -> None:
        """Write a signed 32-bit integer."""
        self.parts.append(_I32.pack(value))

    def write_i64(self, value: SupportsIndex) -> None:
        """Write a signed 64-bit integer."""
        self.parts.append(_I64.pack(value))

    def write_double(self, value: float) -> None:
        """Write a double."""
        self.parts.append(_DOUBLE.pack(value))

    def write_binary(self, value: bytes) -> None:
        """Write bytes with their length before them."""
        self.write_count(len(value))
        self.parts.append(value)

    def write_count(self, count: int) -> None:
        """Write a length or a count of elements."""
        if count > _INT32_MAX:
            raise ValueError(f"{count} is more than the Binary Protocol can count")
        self.parts.append(_I32.pack(count))

    def write_field_begin(self, code: int, field_id: int) -> None:
        """Write the head of a field."""
        self.parts.append(_FIELD.pack(code, field_id))

    def write_field_stop(self) -> None:
        """End a struct."""
        self.parts.append(b"\0")

    def write_list_begin(self, code: int, count: int) -> None:
        """Write the head of a list or set."""
        self.parts.append(_I8.pack(code))
        self.write_count(count)

    def write_map_begin(self, key_code: int, value_code: int, count: int) -> None:
        """Write the head of a map."""
        self.parts.append(_I8.pack(key_code) + _I8.pack(value_code))
        self.write_count(count)

    def write_message_begin(
        self, name: bytes, message_type: int, seqid: int, *, strict: bool = False
    ) -> None:
        """Write an envelope of the old form, without version, as thriftrw does, or a strict one."""
        if strict:
            self.parts.append(_VERSION_AND_TYPE.pack(0x8000 | _VERSION_1, message_type))
            self.write_binary(name)
            self.write_i32(seqid)
            return
        self.write_binary(name)
        self.write_byte(message_type)
        self.write_i32(seqid)


class Protocol:
    """Base class of protocols, for annotations and ``isinstance``."""

    __slots__ = ()


class BinaryProtocol(Protocol):
    """The Thrift Binary Protocol: the only one that this engine speaks.

    Args:
        max_depth: How deep structs may be nested in a payload that is read, from 1 up. Where a
            payload holds fields that the IDL does not know, their containers count as well.
            Default 128. A payload beyond it is refused with ThriftProtocolError. Each level costs
            up to four Python frames, so that far more than 200 needs ``sys.setrecursionlimit``.
        max_objects: How many structs and containers a payload may hold, beyond one for every four
            of its bytes: only masses of empty structs reach it. Default 1,000,000.
        max_decoded_size: How many bytes of memory the values of a payload may take, by estimate,
            beyond 32 for each of its bytes: only masses of structs with many fields and few values
            reach it. Default 128 MiB. A payload beyond either is refused with ThriftProtocolError
            before its values fill the memory.

    Raises:
        ValueError: If a limit is less than 1.

    """

    __slots__ = ("limits", "max_depth")

    def __init__(
        self,
        *,
        max_depth: int = DEFAULT_MAX_DEPTH,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        max_decoded_size: int = DEFAULT_MAX_DECODED_SIZE,
    ) -> None:
        for name, value in (
            ("max_depth", max_depth),
            ("max_objects", max_objects),
            ("max_decoded_size", max_decoded_size),
        ):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value!r}")
        self.max_depth: int = max_depth
        self.limits: Limits = Limits(max_objects, max_decoded_size)

    def reader(self, payload: bytes) -> BinaryReader:
        """A reader of ``payload`` with this protocol's limits."""
        return BinaryReader(payload, 0, self.max_depth, Budget(len(payload), self.limits))

    def writer(self) -> BinaryWriter:
        """A writer of one payload."""
        return BinaryWriter()
