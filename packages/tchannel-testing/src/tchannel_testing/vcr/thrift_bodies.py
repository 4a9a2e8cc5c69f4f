"""Thrift bodies as fields and values: for cassettes that people read, and for what differs.

The Binary protocol names no field, but it does number and type each, so that no IDL is needed. In a
cassette a body is a mapping, whose keys are ids, with the type where the value does not tell it::

    body:
      1: text               # string; i32, bool and struct need no word either
      2: 7
      3 i64: 7              # also byte, i16, double, uuid
      4 list<string>: [a, b]
      5 map<string, i64>: {a: 1}
      6 set<struct>:
      - 1: true

A map whose keys are structs or containers is a list of pairs. What would not give the same bytes again
(an unusual encoding, what is nested deeper than 30 levels, no Thrift at all) stays bytes.

Needs tchannel-thrift, as do those who make Thrift calls.
"""

import json
import math
import re
import struct
import uuid
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeAlias

from .pairs import Pairs

try:
    from tchannel_thrift.rw import ThriftError
    from tchannel_thrift.rw.protocol import BinaryReader, BinaryWriter
    from tchannel_thrift.rw.wire import ttype
except ModuleNotFoundError as error:
    if error.name != "tchannel_thrift":
        raise
    raise ModuleNotFoundError(
        "Thrift bodies of cassettes need tchannel-thrift: pip install tchannel-testing[thrift]",
        name=error.name,
    ) from None

__all__ = [
    "STRUCT",
    "Type",
    "Value",
    "comparable",
    "decode",
    "encode",
    "parse_key",
    "text_of",
    "to_plain",
    "ttype",
]

# Any: the rest are Types again, and how many they are says the first.
Type: TypeAlias = tuple[Any, ...]
"""A type code; for containers followed by the Types of what they hold, unless they are empty."""

# Any, here and below: which of these it is says the Type beside it, which no checker follows.
Value: TypeAlias = Any
"""By the Type: bool, int, float, bytes, UUID; a list of elements; a list of pairs for a map; for a
struct a list of (id, Type, Value)."""

MAX_DEPTH: Final = 30

STRUCT: Final[Type] = (ttype.STRUCT,)
# What a reader of the file can tell by the value alone.
_UNTOLD: Final = frozenset({(ttype.BINARY,), (ttype.I32,), (ttype.BOOL,), STRUCT})

_CODES: Final = {
    "string": ttype.BINARY,
    **{
        ttype.name_of(code): code
        for code in (*ttype.FIXED_SIZES, ttype.STRUCT, ttype.MAP, ttype.SET, ttype.LIST)
    },
}
_NAMES: Final = {code: name for name, code in _CODES.items()}
_HELD: Final = {ttype.MAP: 2, ttype.SET: 1, ttype.LIST: 1}


# -- bytes ----------------------------------------------------------------------------------------


def decode(body: bytes) -> Value | None:
    """The fields of a struct; None for a body that could not be written again byte by byte."""
    reader = BinaryReader(body, depth=MAX_DEPTH)
    try:
        _, fields = _read(reader, ttype.STRUCT)
        return fields if encode(fields) == body else None
    except (ThriftError, _UnusualError):
        return None


class _UnusualError(Exception):
    """What the form in the file has no word for."""


def _read_double(reader: BinaryReader) -> float:
    value = reader.read_double()
    # Of the many NaNs the text names one.
    if math.isnan(value) and struct.pack(">d", value) != struct.pack(">d", math.nan):
        raise _UnusualError("a NaN")
    return value


_READ: Final[dict[int, Callable[[BinaryReader], Value]]] = {
    ttype.BOOL: BinaryReader.read_bool,
    ttype.BYTE: BinaryReader.read_byte,
    ttype.I16: BinaryReader.read_i16,
    ttype.I32: BinaryReader.read_i32,
    ttype.I64: BinaryReader.read_i64,
    ttype.DOUBLE: _read_double,
    ttype.BINARY: BinaryReader.read_binary,
    ttype.UUID: lambda reader: uuid.UUID(bytes=reader.take(16)),
}


def _read(reader: BinaryReader, code: int) -> tuple[Type, Value]:
    if code in _READ:
        return (code,), _READ[code](reader)
    reader.enter()
    value: Value
    if code == ttype.STRUCT:
        value, kind = [], STRUCT
        while (field := reader.read_field_begin())[0] != ttype.STOP:
            value.append((field[1], *_read(reader, field[0])))
    elif code == ttype.MAP:
        *codes, count = reader.read_map_begin()
        read = [[_read(reader, one) for one in codes] for _ in range(count)]
        kind = (code, *(_one_type([row[at] for row in read], codes[at]) for at in (0, 1)))
        value = [tuple(item for _, item in row) for row in read]
    elif code in _HELD:
        element, count = reader.read_list_begin()
        items = [_read(reader, element) for _ in range(count)]
        kind, value = (code, _one_type(items, element)), [item for _, item in items]
    else:
        raise _UnusualError(f"type {code}")
    reader.leave()
    return kind, value


def _one_type(items: list[tuple[Type, Value]], code: int) -> Type:
    kinds = {kind for kind, _ in items} or {(code,)}
    if len(kinds) > 1 or code not in _NAMES:
        raise _UnusualError("elements that are not of one type all the way down")
    return kinds.pop()


_WRITE: Final[dict[int, Callable[[BinaryWriter, Any], None]]] = {
    ttype.BOOL: BinaryWriter.write_bool,
    ttype.BYTE: BinaryWriter.write_byte,
    ttype.I16: BinaryWriter.write_i16,
    ttype.I32: BinaryWriter.write_i32,
    ttype.I64: BinaryWriter.write_i64,
    ttype.DOUBLE: BinaryWriter.write_double,
    ttype.BINARY: BinaryWriter.write_binary,
    ttype.UUID: lambda writer, value: writer.parts.append(value.bytes),
}


def encode(fields: Value) -> bytes:
    """The bytes of a struct.

    Raises:
        struct.error: A number that its type cannot hold.

    """
    writer = BinaryWriter()
    _write(writer, STRUCT, fields)
    return writer.getvalue()


def _write(writer: BinaryWriter, kind: Type, value: Value) -> None:
    code = kind[0]
    if code in _WRITE:
        _WRITE[code](writer, value)
    elif code == ttype.STRUCT:
        for field_id, field_kind, field in value:
            writer.write_field_begin(field_kind[0], field_id)
            _write(writer, field_kind, field)
        writer.write_field_stop()
    elif code == ttype.MAP:
        writer.write_map_begin(kind[1][0], kind[2][0], len(value))
        for pair in value:
            for item_kind, item in zip(kind[1:], pair, strict=True):
                _write(writer, item_kind, item)
    else:
        writer.write_list_begin(kind[1][0], len(value))
        for item in value:
            _write(writer, kind[1], item)


# -- what is compared, and what people read ---------------------------------------------------------


def comparable(body: bytes) -> Hashable:
    """What is equal for bodies that mean the same: the order of fields, sets and maps means nothing."""
    fields = decode(body)
    return body if fields is None else _comparable(STRUCT, fields)


def _comparable(kind: Type, value: Value) -> Hashable:
    code = kind[0]
    if code == ttype.STRUCT:
        return frozenset((number, of, _comparable(of, field)) for number, of, field in value)
    if code == ttype.MAP:
        return frozenset((_comparable(kind[1], k), _comparable(kind[2], v)) for k, v in value)
    if code in _HELD:
        items = [_comparable(kind[1], item) for item in value]
        return frozenset(items) if code == ttype.SET else tuple(items)
    # NaN is not equal to itself, and 0.0 is to -0.0.
    return struct.pack(">d", value) if code == ttype.DOUBLE else value


def text_of(fields: Value, *, typed: bool = False) -> str:
    """Show a struct: ``{1: "b", 2: 1}``; with the types that the values do not tell, where asked for."""
    return _text(STRUCT, fields, typed)


def _text(kind: Type, value: Value, typed: bool) -> str:
    code = kind[0]
    if code == ttype.STRUCT:
        shown = (
            f"{_key(number, of) if typed else number}: {_text(of, field, typed)}"
            for number, of, field in value
        )
        return f"{{{', '.join(shown)}}}"
    if code == ttype.MAP:
        pairs = (f"{_text(kind[1], k, typed)}: {_text(kind[2], v, typed)}" for k, v in value)
        return f"{{{', '.join(pairs)}}}"
    if code in _HELD:
        items = ", ".join(_text(kind[1], item, typed) for item in value)
        return f"[{items}]" if code == ttype.LIST else f"{{{items}}}"
    if code == ttype.BINARY:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return repr(value)
        return json.dumps(text, ensure_ascii=not text.isprintable())
    return str(value).lower() if code == ttype.BOOL else str(value)


# -- what a cassette holds --------------------------------------------------------------------------


def to_plain(fields: Value) -> Pairs:
    """What is written into the file."""
    plain: Pairs = _plain(STRUCT, fields)
    return plain


def _plain(kind: Type, value: Value) -> Any:
    code = kind[0]
    if code == ttype.STRUCT:
        return Pairs((_key(number, of), _plain(of, field)) for number, of, field in value)
    if code == ttype.MAP:
        pairs = [(_plain(kind[1], k), _plain(kind[2], v)) for k, v in value]
        return Pairs(pairs) if kind[1][0] in _READ else [list(pair) for pair in pairs]
    if code in _HELD:
        return [_plain(kind[1], item) for item in value]
    return str(value) if code == ttype.UUID else value


def _key(number: int, kind: Type) -> int | str:
    return number if kind in _UNTOLD else f"{number} {_type_text(kind)}"


def _type_text(kind: Type) -> str:
    name = _NAMES[kind[0]]
    held = ", ".join(map(_type_text, kind[1:]))
    return f"{name}<{held}>" if held else name


_TOKEN: Final = re.compile(r"\s*(\w+|[<>,])")


def parse_key(key: str) -> tuple[int, Type | None]:
    """Id and Type of a field; None where its value tells the type.

    Raises:
        ValueError: It is neither.

    """
    number, _, words = key.partition(" ")
    if not re.fullmatch(r"-?\d+", number, re.ASCII):
        raise ValueError(f"a field is called by its id, as in 1 or '1 i64', not {key!r}")
    if not -0x8000 <= int(number) <= 0x7FFF:
        raise ValueError(f"the id {number} is no 16-bit number")
    if not words.strip():
        return int(number), None
    kind, rest = _parse_type(words)
    if rest.strip():
        raise ValueError(f"{rest!r} follows the type in {key!r}")
    return int(number), kind


def _parse_type(text: str) -> tuple[Type, str]:
    token = _TOKEN.match(text)
    name = token[1] if token else ""
    if token is None or name not in _CODES:
        raise ValueError(f"{text.strip()!r} is no type: {', '.join(_CODES)}")
    kind: Type = (_CODES[name],)
    rest = text[token.end() :]
    for opening in "<,"[: _HELD.get(kind[0], 0)]:
        token = _TOKEN.match(rest)
        if token is None or token[1] != opening:
            if opening == "<":
                return kind, rest  # of elements, of which there are none
            raise ValueError(f"{text.strip()!r} is no type: a map has two, as in map<string, i32>")
        held, rest = _parse_type(rest[token.end() :])
        kind = (*kind, held)
    if len(kind) > 1:
        token = _TOKEN.match(rest)
        if token is None or token[1] != ">":
            raise ValueError(f"{text.strip()!r} is no type: '>' is missing")
        rest = rest[token.end() :]
    return kind, rest
