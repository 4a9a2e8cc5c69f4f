"""Thrift values from JSON: what the Node tool takes, what is printed, and what people would write.

An i64 is a number, its digits as text, or its eight bytes as a Buffer or an array; ``binary`` is text
or a Buffer; the keys of maps are text that is read by their type, or a map is an array of pairs.
"""

from __future__ import annotations

import math
import re
import uuid
from typing import Any, Final

from tchannel_thrift.rw import spec as specs

from .._terminal.failures import ToolError

__all__ = ["FromJSON"]

_HEXADECIMAL: Final = re.compile(r"(?=0|\d*[a-fA-F])[0-9a-fA-F]{16}", re.ASCII)
_SPECIAL_DOUBLES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class FromJSON:
    """Makes Thrift values of JSON.

    Attributes:
        unknown: Fields that the JSON has and the IDL does not; they are left out.

    """

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def value(self, spec: specs.TypeSpec, value: Any, where: str) -> Any:
        """Return the value of a Thrift type.

        Args:
            spec: The type.
            value: The JSON.
            where: Where it stands, for errors.

        Raises:
            ToolError: It does not fit; says where and why.

        """
        if isinstance(spec, specs.StructTypeSpec):
            return self._struct(spec, value, where)
        if isinstance(spec, specs.MapTypeSpec):
            return self._map(spec, value, where)
        if isinstance(spec, specs.ListTypeSpec):
            if not isinstance(value, list):
                raise _wrong(where, spec.name, "an array", value)
            # Sets are written from lists as well: in their order, of elements of any type.
            return [
                self.value(spec.vspec, item, f"{where}[{index}]")
                for index, item in enumerate(value)
            ]
        if isinstance(spec, specs.EnumTypeSpec):
            return _enum(spec, value, where)
        if spec is specs.BinaryTypeSpec:
            data = _buffer(value)
            if data is None and not isinstance(value, str):
                raise _wrong(
                    where, spec.name, 'text, or {"type": "Buffer", "data": [bytes]}', value
                )
            return value.encode() if data is None else data
        return _primitive(spec, value, where)

    def _struct(self, spec: specs.StructTypeSpec, value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(where, spec.name, "an object", value)
        fields = {field.name: field for field in spec.fields}
        if isinstance(spec, specs.UnionTypeSpec) and "type" not in fields:
            value = {name: item for name, item in value.items() if name != "type"}
        self.unknown += [f"{where}.{name}" for name in value if name not in fields]
        given = {
            name: self.value(fields[name].spec, item, f"{where}.{name}")
            for name, item in value.items()
            if name in fields and item is not None
        }
        missing = [one.name for one in spec.fields if one.must_be_given and one.name not in given]
        if missing:
            names = " and ".join(f"{name!r} ({fields[name].spec.name})" for name in missing)
            raise ToolError(f"{where} needs {names}")
        if isinstance(spec, specs.UnionTypeSpec) and len(given) != 1:
            names = ", ".join(fields)
            raise ToolError(f"{where} is the union {spec.name}, so give exactly one of {names}")
        return spec.surface(**given)

    def _map(self, spec: specs.MapTypeSpec, value: Any, where: str) -> dict[Any, Any]:
        if isinstance(value, dict):
            pairs = list(value.items())
        elif isinstance(value, list) and all(isinstance(p, list) and len(p) == 2 for p in value):
            pairs = [(key, item) for key, item in value]
        else:
            raise _wrong(where, spec.name, "an object or an array of [key, value]", value)
        found = {}
        for key, item in pairs:
            made = self.value(spec.kspec, key, f"{where}, the key {key!r}")
            try:
                found[made] = self.value(spec.vspec, item, f"{where}[{key!r}]")
            except TypeError:
                raise ToolError(
                    f"{where} has keys that Python cannot look up: {spec.name}"
                ) from None
        return found


def _primitive(spec: specs.TypeSpec, value: Any, where: str) -> Any:
    if spec is specs.TextTypeSpec:
        if not isinstance(value, str):
            raise _wrong(where, spec.name, "text", value)
        return value
    if spec is specs.BoolTypeSpec:
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise _wrong(where, spec.name, "true or false", value)
        return value
    if spec is specs.DoubleTypeSpec:
        return _double(spec, value, where)
    if spec is specs.UuidTypeSpec:
        try:
            return uuid.UUID(value)
        except (ValueError, AttributeError, TypeError):
            raise _wrong(where, spec.name, "text like 123e4567-…", value) from None
    return _integer(spec, value, where)


def _integer(spec: specs.TypeSpec, value: Any, where: str) -> int:
    number = _i64_of_bytes(value) if spec.name == "i64" else None
    if number is not None:
        return number
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str):
        try:
            number = int(value)
        except ValueError:
            number = None
    if number is None:
        raise _wrong(where, spec.name, "a whole number", value)
    try:
        spec.validate(number)
    except ValueError:
        raise ToolError(
            f"{where} is {value!r:.60}, which does not fit in {_a(spec.name)}"
        ) from None
    return number


def _i64_of_bytes(value: Any) -> int | None:
    """An i64 in one of the forms of tchannel-node: bytes, halves, or sixteen hexadecimal digits."""
    data = _buffer(value)
    if data is None and isinstance(value, list):
        try:
            # Signed bytes are fine as well.
            data = bytes(item & 0xFF if isinstance(item, int) else 256 for item in value)
        except ValueError:
            return None
    if isinstance(value, dict) and data is None:
        halves: list[Any] = [
            value.get("hi", value.get("high")),
            value.get("lo", value.get("low")),
        ]
        if not all(type(half) is int and -(2**31) <= half < 2**32 for half in halves):
            return None
        data = b"".join((half & 0xFFFFFFFF).to_bytes(4, "big") for half in halves)
    # Sixteen decimal digits are a number, unless they are filled up with zeros.
    if isinstance(value, str) and _HEXADECIMAL.fullmatch(value):
        data = bytes.fromhex(value)
    if data is None or len(data) != 8:
        return None
    return int.from_bytes(data, "big", signed=True)


def _double(spec: specs.TypeSpec, value: Any, where: str) -> float:
    if isinstance(value, str) and value in _SPECIAL_DOUBLES:
        return _SPECIAL_DOUBLES[value]
    if not isinstance(value, bool):
        try:
            return float(value)
        except (ValueError, TypeError, OverflowError):
            pass
    raise _wrong(where, spec.name, "a number", value)


def _enum(spec: specs.EnumTypeSpec, value: Any, where: str) -> int:
    if isinstance(value, str) and value in spec.items:
        return spec.items[value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong(where, spec.name, f"one of {', '.join(spec.items)}, or a number", value)


def _buffer(value: Any) -> bytes | None:
    if isinstance(value, dict) and value.get("type") == "Buffer":
        try:
            return bytes(value.get("data", ()))
        except (TypeError, ValueError):
            return None
    return None


def _wrong(where: str, type_name: str, wanted: str, value: Any) -> ToolError:
    return ToolError(f"{where} is {_a(type_name)}, so give {wanted}, not {value!r:.60}")


def _a(type_name: str) -> str:
    return f"{'an' if type_name[:1] in 'aeioAEIO' else 'a'} {type_name}"
