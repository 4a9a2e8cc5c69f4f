"""Payloads looked at before the real thriftrw 1.9.0 reads them."""

from __future__ import annotations

from ..rw.protocol.binary import BinaryReader
from ..rw.spec import FieldSpec, ListTypeSpec, MapTypeSpec, StructTypeSpec, TypeSpec
from ..rw.spec.container import check_element_types
from ..rw.wire import ttype

__all__ = ["PayloadGuard"]


class PayloadGuard:
    """Refuses the payloads that harm thriftrw.

    It loops for ever on a negative length in a field that it does not know, and crashes the process
    on deep nesting. And it reads the elements of a container as the IDL's, whatever the payload says
    they are: from there on it takes values for lengths.

    Args:
        spec: What the payloads are to be read as.

    """

    __slots__ = ("_fields", "_spec")

    def __init__(self, spec: StructTypeSpec) -> None:
        self._spec = spec
        self._fields: dict[StructTypeSpec, dict[int, FieldSpec]] = {}

    def check(self, payload: bytes) -> None:
        """Walk over a payload.

        Raises:
            ThriftProtocolError: It is malformed or nested too deeply, or a container has elements
                of other types than the IDL's; EndOfInputError if it ends early.

        """
        self._walk(BinaryReader(payload), self._spec)

    def _walk(self, reader: BinaryReader, spec: TypeSpec) -> None:
        if isinstance(spec, StructTypeSpec):
            reader.enter()
            self._walk_fields(reader, spec)
            reader.leave()
        elif isinstance(spec, MapTypeSpec):
            key, value, count = reader.read_map_begin()
            if count:
                expected = (spec.kspec.ttype_code, spec.vspec.ttype_code)
                check_element_types(spec, expected, (key, value))
            for _ in range(count):
                self._walk(reader, spec.kspec)
                self._walk(reader, spec.vspec)
        elif isinstance(spec, ListTypeSpec):
            code, count = reader.read_list_begin()
            if count:
                check_element_types(spec, (spec.vspec.ttype_code,), (code,))
            for _ in range(count):
                self._walk(reader, spec.vspec)
        else:
            reader.skip(spec.ttype_code)

    def _walk_fields(self, reader: BinaryReader, spec: StructTypeSpec) -> None:
        fields = self._fields.get(spec)
        if fields is None:
            fields = self._fields[spec] = {field.id: field for field in spec.fields}
        while True:
            code, number = reader.read_field_begin()
            if code == ttype.STOP:
                return
            field = fields.get(number)
            if field is not None and field.ttype_code == code:
                self._walk(reader, field.spec)
            else:
                reader.skip(code)
