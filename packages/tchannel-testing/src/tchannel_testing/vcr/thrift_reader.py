"""Reading the Thrift bodies of cassettes; :mod:`~tchannel_testing.vcr.thrift_bodies` has their form."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import yaml

from .thrift_bodies import STRUCT, Type, Value, encode, parse_key, ttype

if TYPE_CHECKING:
    from .yaml_reader import Reader

__all__ = ["read_body"]

_RANGES: Final = {ttype.BYTE: 8, ttype.I16: 16, ttype.I32: 32, ttype.I64: 64}
_FLOATS: Final = {".inf": "inf", "-.inf": "-inf", "+.inf": "inf", ".nan": "nan"}
_TAG: Final = "tag:yaml.org,2002:"


def read_body(reader: "Reader", node: yaml.MappingNode, what: str) -> bytes:
    """The bytes of the struct that a mapping describes.

    :raises InvalidCassetteError: it describes none.
    """
    return encode(_struct(reader, node, what))


def _struct(reader: "Reader", node: yaml.Node, what: str) -> Value:
    if not isinstance(node, yaml.MappingNode):
        raise reader.error(node, f"{what} must be a mapping of fields")
    fields: list[tuple[int, Type, Value]] = []
    for key, value in node.value:
        text = (
            key.value if isinstance(key, yaml.ScalarNode) else reader.text(key, f"a key of {what}")
        )
        try:
            number, kind = parse_key(text)
        except ValueError as error:
            raise reader.error(key, f"{what}: {error}") from None
        where = f"field {number} of {what}"
        kind = kind or _told(reader, value, where)
        fields.append((number, kind, _value(reader, kind, value, where)))
    return fields


def _told(reader: "Reader", node: yaml.Node, where: str) -> Type:
    """The type that a value has by itself."""
    if isinstance(node, yaml.MappingNode):
        return STRUCT
    if isinstance(node, yaml.ScalarNode):
        name = node.tag.removeprefix(_TAG)
        if name == "int":
            return (ttype.I32,)
        if name == "bool":
            return (ttype.BOOL,)
        if name not in {"float", "null"}:
            return (ttype.BINARY,)
    raise reader.error(node, f"{where} needs its type beside the id, as in '4 list<string>'")


def _value(reader: "Reader", kind: Type, node: yaml.Node, where: str) -> Value:
    code = kind[0]
    if code == ttype.STRUCT:
        return _struct(reader, node, where)
    if code == ttype.BINARY:
        return reader.binary(node, where)
    if code in _RANGES:
        return _integer(reader, node, where, _RANGES[code])
    if code in _SCALARS:
        name, read = _SCALARS[code]
        if isinstance(node, yaml.ScalarNode):
            try:
                return read(node.value)
            except (ValueError, KeyError):
                pass
        raise reader.error(node, f"{where} must be {name}")
    if len(kind) == 1:
        raise reader.error(node, f"{where} needs the type of its elements, as in list<string>")
    if code == ttype.MAP:
        return _map(reader, kind, node, where)
    items = reader.sequence(node, where)
    return [_value(reader, kind[1], item, f"an element of {where}") for item in items]


def _map(reader: "Reader", kind: Type, node: yaml.Node, where: str) -> Value:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    if not isinstance(node, yaml.MappingNode):
        for item in reader.sequence(node, where):
            pair = reader.sequence(item, f"a pair of {where}")
            if len(pair) != 2:
                raise reader.error(item, f"a pair of {where} must be a list of a key and a value")
            pairs.append(pair)
    return [
        (_value(reader, kind[1], key, f"a key of {where}"), _value(reader, kind[2], value, where))
        for key, value in pairs
    ]


def _integer(reader: "Reader", node: yaml.Node, where: str, bits: int) -> int:
    number = reader.integer(node, where)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise reader.error(node, f"{where} must be a number of {bits} bits, not {number}")
    return number


def _double(text: str) -> float:
    return float(_FLOATS.get(text.lower(), text))


_SCALARS: Final[dict[int, tuple[str, Callable[[str], Any]]]] = {
    ttype.BOOL: ("true or false", lambda text: {"true": True, "false": False}[text.lower()]),
    ttype.DOUBLE: ("a number", _double),
    ttype.UUID: ("a UUID", uuid.UUID),
}
