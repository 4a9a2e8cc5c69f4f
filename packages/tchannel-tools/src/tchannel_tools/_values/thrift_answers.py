"""Thrift answers as JSON, from the bytes: in the shape that the Node tool prints.

Reading them here keeps what Python's values lose: the order of a set, keys that Python cannot look
up, values that no class takes. Fields without a value are null, enums are names, ``binary`` and i64
are ``{"type": "Buffer", "data": [bytes]}``, the keys of maps are text, and unions name their field
as their ``type``. `Form` says where to differ.
"""

from __future__ import annotations

import math
from typing import Any

from tchannel_thrift.rw import spec as specs
from tchannel_thrift.rw.protocol import BinaryReader
from tchannel_thrift.rw.wire import ttype

from .._terminal.failures import ToolError
from .forms import Form, node_number, node_text

__all__ = ["AnswerReader"]


class AnswerReader:
    """Makes JSON of the bytes of an answer.

    Args:
        payload: The bytes.
        form: How to show values.

    Attributes:
        i64_as_bytes: Whether an i64 was shown as its bytes.

    """

    def __init__(self, payload: bytes, form: Form) -> None:
        self.i64_as_bytes = False
        self._losses: dict[str, None] = {}
        self._reader = BinaryReader(payload)
        self._form = form

    @property
    def losses(self) -> list[str]:
        """What was shown other than it is, a phrase each."""
        return list(self._losses)

    # -- results --------------------------------------------------------------------------------

    def result(self, spec: specs.FunctionResultSpec) -> tuple[dict[str, Any], Any]:
        """Read the result of a function.

        Returns:
            The fields that are there by their names, ``success`` and the declared exceptions; and
            another field by its number, which is an exception that the IDL does not declare, or
            None.

        Raises:
            ToolError: A value is not of the type that the IDL says.
            ThriftError: It is no Thrift struct, or ends early.

        """
        fields = {field.id: field for field in spec.fields}
        found: dict[str, Any] = {}
        unknown = None
        while True:
            code, field_id = self._reader.read_field_begin()
            if code == ttype.STOP:
                return found, unknown
            field = fields.get(field_id)
            if field is not None:
                found[field.name] = self._field(field, code)
            elif field_id == 0:
                # Nobody asked for what a void function returns.
                self._reader.skip(code)
            else:
                unknown = self._anything(code)

    # -- values of a type -----------------------------------------------------------------------

    def value(self, spec: specs.TypeSpec) -> Any:
        """Read a value of a type; raises as `result` does."""
        if isinstance(spec, specs.StructTypeSpec):
            return self._struct(spec)
        if isinstance(spec, specs.MapTypeSpec):
            return self._map(spec)
        if isinstance(spec, specs.ListTypeSpec):
            code, count = self._reader.read_list_begin()
            if count:
                _check_code(spec.vspec, code, f"an element of {spec.name}")
            return [self.value(spec.vspec) for _ in range(count)]
        if isinstance(spec, specs.EnumTypeSpec):
            number = self._reader.read_i32()
            return spec.values_to_names.get(number, [number])[-1]
        if spec is specs.I64TypeSpec:
            return self._i64()
        if spec is specs.BinaryTypeSpec:
            return _buffer(self._reader.read_binary())
        if spec is specs.TextTypeSpec:
            return self._text()
        if spec is specs.DoubleTypeSpec:
            return self._double()
        if spec is specs.ByteTypeSpec:
            return self._byte()
        value = spec.read_from(self._reader)
        return str(value) if spec is specs.UuidTypeSpec else value

    def _field(self, field: specs.FieldSpec, code: int) -> Any:
        _check_code(field.spec, code, f"{field.name} of {field.struct_name}")
        return self.value(field.spec)

    def _struct(self, spec: specs.StructTypeSpec) -> dict[str, Any]:
        reader = self._reader
        reader.enter()
        fields = {field.id: field for field in spec.fields}
        found: dict[str, Any] = {}
        while True:
            code, field_id = reader.read_field_begin()
            if code == ttype.STOP:
                break
            field = fields.get(field_id)
            if field is None:
                reader.skip(code)
            else:
                found[field.name] = self._field(field, code)
        reader.leave()
        if isinstance(spec, specs.UnionTypeSpec):
            return {"type": next(reversed(found), None), **found}
        for field in spec.fields:
            if field.name not in found and field.must_be_given:
                raise ToolError(f"it lacks {field.name}, which {spec.name} requires")
        return {
            field.name: found[field.name]
            if field.name in found
            else _default(field.spec, field.default_value)
            for field in spec.fields
        }

    def _map(self, spec: specs.MapTypeSpec) -> Any:
        key_code, value_code, count = self._reader.read_map_begin()
        if count:
            _check_code(spec.kspec, key_code, f"a key of {spec.name}")
            _check_code(spec.vspec, value_code, f"a value of {spec.name}")
        nested = spec.kspec is specs.BinaryTypeSpec or isinstance(
            spec.kspec, specs.StructTypeSpec | specs.MapTypeSpec | specs.ListTypeSpec
        )
        if nested and self._form.exact:
            return [[self.value(spec.kspec), self.value(spec.vspec)] for _ in range(count)]
        if nested and count and spec.kspec is not specs.BinaryTypeSpec:
            self._lose("keys of maps as one text")
        return {self._key(spec.kspec): self.value(spec.vspec) for _ in range(count)}

    def _key(self, spec: specs.TypeSpec) -> str:
        """Read a value as the text that JavaScript has for the key of an object."""
        reader = self._reader
        if spec is specs.I64TypeSpec and not self._form.i64_as_number:
            self.i64_as_bytes = True
            return reader.take(8).decode(errors="replace")
        if spec is specs.BinaryTypeSpec:
            return str(self._text())
        if spec is specs.DoubleTypeSpec:
            return node_text(reader.read_double())
        if isinstance(spec, specs.ListTypeSpec):
            _, count = reader.read_list_begin()
            return ",".join([self._key(spec.vspec) for _ in range(count)])
        return node_text(self.value(spec))

    # -- values whose form is a matter of choice ------------------------------------------------

    def _i64(self) -> Any:
        if self._form.i64_as_number:
            return self._reader.read_i64()
        self.i64_as_bytes = True
        return _buffer(self._reader.take(8))

    def _byte(self) -> int:
        value = self._reader.read_byte()
        if value >= 0 or self._form.exact:
            return value
        self._lose("bytes without their sign")
        return value & 0xFF

    def _double(self) -> Any:
        value = self._reader.read_double()
        if self._form.exact:
            return value if math.isfinite(value) else node_text(value)
        if not math.isfinite(value):
            self._lose("NaN and infinity as null")
        return node_number(value)

    def _text(self) -> Any:
        data = self._reader.read_binary()
        try:
            return data.decode()
        except UnicodeDecodeError:
            if self._form.exact:
                return _buffer(data)
            self._lose("text that is not UTF-8")
            return data.decode(errors="replace")

    def _lose(self, what: str) -> None:
        self._losses[what] = None

    # -- values that the IDL does not have ------------------------------------------------------

    def _anything(self, code: int) -> Any:
        """Read a value by its code on the wire alone; structs have the numbers of their fields."""
        reader = self._reader
        simple = {
            ttype.BOOL: specs.BoolTypeSpec,
            ttype.I16: specs.I16TypeSpec,
            ttype.I32: specs.I32TypeSpec,
            ttype.I64: specs.I64TypeSpec,
            ttype.DOUBLE: specs.DoubleTypeSpec,
            ttype.BINARY: specs.TextTypeSpec,
        }
        if code in simple:
            return self.value(simple[code])
        if code == ttype.BYTE:
            return reader.read_byte()
        found: Any = {}
        reader.enter()
        if code == ttype.STRUCT:
            while True:
                field_code, field_id = reader.read_field_begin()
                if field_code == ttype.STOP:
                    break
                found[str(field_id)] = self._anything(field_code)
        elif code == ttype.MAP:
            key_code, value_code, count = reader.read_map_begin()
            for _ in range(count):
                key = (
                    self._key(simple[key_code])
                    if key_code in simple
                    else node_text(self._anything(key_code))
                )
                found[key] = self._anything(value_code)
        elif code in {ttype.LIST, ttype.SET}:
            element_code, count = reader.read_list_begin()
            found = [self._anything(element_code) for _ in range(count)]
        else:
            raise ToolError(f"it has a value of the unknown type 0x{code:02x}")
        reader.leave()
        return found


def _check_code(spec: specs.TypeSpec, code: int, what: str) -> None:
    # Old versions of tchannel-node write sets as lists.
    if code == spec.ttype_code or (isinstance(spec, specs.SetTypeSpec) and code == ttype.LIST):
        return
    raise ToolError(f"{what} is {spec.name} by the IDL, but comes as {ttype.name_of(code)}")


def _buffer(data: bytes) -> dict[str, Any]:
    return {"type": "Buffer", "data": list(data)}


# A default is a Python value of any type.
def _default(spec: specs.TypeSpec, value: Any) -> Any:
    """The default of a field that is absent, as the IDL writes it."""
    if value is None:
        return None
    if isinstance(spec, specs.StructTypeSpec):
        fields = ((field, getattr(value, field.name)) for field in spec.fields)
        return {
            field.name: _default(field.spec, item) for field, item in fields if item is not None
        }
    if isinstance(spec, specs.MapTypeSpec):
        return {
            node_text(_default(spec.kspec, key)): _default(spec.vspec, item)
            for key, item in value.items()
        }
    if isinstance(spec, specs.ListTypeSpec):
        return [_default(spec.vspec, item) for item in value]
    if isinstance(spec, specs.EnumTypeSpec):
        return spec.values_to_names.get(value, [value])[-1]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return node_number(value) if isinstance(value, float) else value
