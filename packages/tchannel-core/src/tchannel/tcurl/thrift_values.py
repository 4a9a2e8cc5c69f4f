"""Thrift values as JSON and back, in the shape that the Node tool prints.

Fields without a value are null, enums are names, binary is ``{"type": "Buffer", "data": [bytes]}``,
maps with keys other than strings are arrays of pairs, unions name their field as their ``type``.
Unlike there, an i64 is a number.
"""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any, Final

from .failures import ToolError

if TYPE_CHECKING:
    from tchannel_thrift.rw import spec as specs

__all__ = ["FromJSON", "to_json"]

_SPECIAL_DOUBLES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


# Values are of the types of an IDL, and what they become is JSON of any shape.
def to_json(spec: specs.TypeSpec, value: Any) -> Any:
    """Return a value of a Thrift type as JSON."""
    from tchannel_thrift.rw import spec as specs

    if value is None:
        return None
    if isinstance(spec, specs.StructTypeSpec):
        fields = {
            field.name: to_json(field.spec, getattr(value, field.name)) for field in spec.fields
        }
        if isinstance(spec, specs.UnionTypeSpec):
            given = {name: item for name, item in fields.items() if item is not None}
            return given if "type" in fields else {"type": next(iter(given), None), **given}
        return fields
    if isinstance(spec, specs.MapTypeSpec):
        pairs = [[to_json(spec.kspec, k), to_json(spec.vspec, v)] for k, v in value.items()]
        return dict(pairs) if spec.kspec is specs.TextTypeSpec else pairs
    if isinstance(spec, specs.ListTypeSpec):
        items = [to_json(spec.vspec, item) for item in value]
        return _ordered(items) if isinstance(spec, specs.SetTypeSpec) else items
    if isinstance(spec, specs.EnumTypeSpec):
        return spec.values_to_names.get(value, [value])[0]
    if spec is specs.BinaryTypeSpec:
        return {"type": "Buffer", "data": list(value)}
    if spec is specs.DoubleTypeSpec and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value) if isinstance(value, uuid.UUID) else value


def _ordered(items: list[Any]) -> list[Any]:
    """A set has no order of its own; the same answer should look the same each time."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=repr)


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
        from tchannel_thrift.rw import spec as specs

        if isinstance(spec, specs.StructTypeSpec):
            return self._struct(spec, value, where)
        if isinstance(spec, specs.MapTypeSpec):
            return self._map(spec, value, where)
        if isinstance(spec, specs.ListTypeSpec):
            if not isinstance(value, list):
                raise _wrong(where, spec.name, "an array", value)
            items = [
                self.value(spec.vspec, item, f"{where}[{index}]")
                for index, item in enumerate(value)
            ]
            # What is not hashable, such as structs in a set, is written from a list all the same.
            hashable = isinstance(spec, specs.SetTypeSpec) and spec.vspec.hashable
            return set(items) if hashable else items
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
        from tchannel_thrift.rw import spec as specs

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
    from tchannel_thrift.rw import spec as specs

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
    number: int | None = None
    buffer = _buffer(value)
    if buffer is not None and len(buffer) == 8:
        number = int.from_bytes(buffer, "big", signed=True)
    elif isinstance(value, float) and value.is_integer():
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
