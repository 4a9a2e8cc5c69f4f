"""Thrift values without their IDL: fields by number, with the types that the bytes themselves tell."""

from __future__ import annotations

from typing import Any, Final

from tchannel_thrift.rw.protocol import BinaryReader
from tchannel_thrift.rw.wire import ttype

__all__ = ["plain_struct"]

_NAMES: Final = {
    ttype.BOOL: "bool",
    ttype.BYTE: "byte",
    ttype.DOUBLE: "double",
    ttype.I16: "i16",
    ttype.I32: "i32",
    ttype.I64: "i64",
    ttype.BINARY: "string",
    ttype.STRUCT: "struct",
    ttype.MAP: "map",
    ttype.SET: "set",
    ttype.LIST: "list",
    ttype.UUID: "uuid",
}


def plain_struct(payload: bytes) -> dict[str, Any]:
    """Read the struct that a payload holds.

    Returns:
        Its fields, ``"number:type"`` each. Text is text where it is UTF-8, else ``0x`` and hex digits;
        maps are lists of pairs, since their keys may be anything.

    Raises:
        ThriftError: It is no Thrift struct, or ends early.

    """
    return _struct(BinaryReader(payload))


def _struct(reader: BinaryReader) -> dict[str, Any]:
    reader.enter()
    fields: dict[str, Any] = {}
    while True:
        code, number = reader.read_field_begin()
        if code == ttype.STOP:
            reader.leave()
            return fields
        fields[f"{number}:{_NAMES.get(code, code)}"] = _value(reader, code)


def _value(reader: BinaryReader, code: int) -> Any:
    if code == ttype.STRUCT:
        return _struct(reader)
    if code in {ttype.LIST, ttype.SET}:
        reader.enter()
        of, count = reader.read_list_begin()
        found = [_value(reader, of) for _ in range(count)]
        reader.leave()
        return found
    if code == ttype.MAP:
        reader.enter()
        key, value, count = reader.read_map_begin()
        pairs = [[_value(reader, key), _value(reader, value)] for _ in range(count)]
        reader.leave()
        return pairs
    if code == ttype.BINARY:
        return text_or_hex(reader.read_binary())
    if code == ttype.UUID:
        return reader.take(16).hex()
    return {
        ttype.BOOL: reader.read_bool,
        ttype.BYTE: reader.read_byte,
        ttype.DOUBLE: reader.read_double,
        ttype.I16: reader.read_i16,
        ttype.I32: reader.read_i32,
        ttype.I64: reader.read_i64,
    }[code]()


def text_or_hex(data: bytes) -> str:
    """Bytes as text where they are printable UTF-8, else ``0x`` and hex digits."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"0x{data.hex()}"
    return text if text.isprintable() or text.isspace() or "\n" in text else f"0x{data.hex()}"
