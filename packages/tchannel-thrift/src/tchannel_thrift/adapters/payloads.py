"""Payloads looked at before code that is not the engine's reads them."""

from __future__ import annotations

from ..rw.protocol.binary import BinaryReader
from ..rw.protocol.budget import Budget, Limits
from ..rw.spec import FieldSpec, ListTypeSpec, MapTypeSpec, StructTypeSpec, TypeSpec
from ..rw.spec.container import check_element_types
from ..rw.spec.weight import harmless_size, struct_weight
from ..rw.wire import ttype

__all__ = ["PayloadGuard", "SizeGuard"]

_LIMITS = Limits()
_SMALL = 4096
"""No payload of so many bytes is looked at for what its values come to."""


class SizeGuard:
    """Refuses the payloads whose values would come to too much, as the engine's own decoders do.

    Args:
        spec: What the payloads are to be read as.
        extra: Bytes of memory that an instance takes more than the engine's.

    """

    __slots__ = ("_extra", "_fields", "_harmless", "_spec", "_weights")

    def __init__(self, spec: StructTypeSpec, extra: int = 0) -> None:
        self._spec = spec
        self._extra = extra
        self._harmless: int | None = None
        self._fields: dict[StructTypeSpec, dict[int, FieldSpec]] = {}
        self._weights: dict[StructTypeSpec, int] = {}

    def check(self, payload: bytes) -> None:
        """Walk over a payload, if it is large enough to come to too much.

        Raises:
            ThriftProtocolError: It comes to too much, is malformed or nested too deeply.

        """
        budget = self._budget(payload)
        if budget is not None:
            self._walk(BinaryReader(payload, budget=budget), self._spec)

    def _budget(self, payload: bytes) -> Budget | None:
        if len(payload) <= _SMALL:
            return None
        if self._harmless is None:
            self._harmless = harmless_size(self._spec, _LIMITS, self._extra)
        return Budget(len(payload), _LIMITS) if len(payload) > self._harmless else None

    def _walk(self, reader: BinaryReader, spec: TypeSpec) -> None:
        if isinstance(spec, StructTypeSpec):
            if reader.budget is not None:
                reader.budget.take(1, self._weight(spec))
            reader.enter()
            self._walk_fields(reader, spec)
            reader.leave()
        elif isinstance(spec, MapTypeSpec):
            key, value, count = reader.read_map_begin()
            inner: tuple[TypeSpec, ...] = (spec.kspec, spec.vspec)
            self._walk_elements(reader, spec, inner, (key, value), count)
        elif isinstance(spec, ListTypeSpec):
            code, count = reader.read_list_begin()
            self._walk_elements(reader, spec, (spec.vspec,), (code,), count)
        else:
            reader.skip(spec.ttype_code)

    def _walk_elements(
        self,
        reader: BinaryReader,
        spec: ListTypeSpec | MapTypeSpec,
        inner: tuple[TypeSpec, ...],
        codes: tuple[int, ...],
        count: int,
    ) -> None:
        if reader.budget is not None:
            own, each = spec.memory
            reader.budget.take(1, own + count * each)
        expected = tuple(one.ttype_code for one in inner)
        if count and codes != expected:
            self._mismatch(reader, spec, expected, codes, count)
            return
        for _ in range(count):
            for one in inner:
                self._walk(reader, one)

    def _mismatch(
        self,
        reader: BinaryReader,
        spec: TypeSpec,
        expected: tuple[int, ...],
        codes: tuple[int, ...],
        count: int,
    ) -> None:
        # What Apache's code does with it is its own affair.
        for _ in range(count):
            for code in codes:
                reader.skip(code)

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

    def _weight(self, spec: StructTypeSpec) -> int:
        weight = self._weights.get(spec)
        if weight is None:
            weight = self._weights[spec] = struct_weight(spec) + self._extra
        return weight


class PayloadGuard(SizeGuard):
    """Refuses the payloads that harm thriftrw 1.9.0.

    It loops for ever on a negative length in a field that it does not know, and crashes the process
    on deep nesting. And it reads the elements of a container as the IDL's, whatever the payload says
    they are: from there on it takes values for lengths.

    Args:
        spec: What the payloads are to be read as.

    """

    __slots__ = ()

    def check(self, payload: bytes) -> None:
        """Walk over a payload.

        Raises:
            ThriftProtocolError: It is malformed, nested too deeply or comes to too much, or a
                container has elements of other types than the IDL's; EndOfInputError if it ends
                early.

        """
        self._walk(BinaryReader(payload, budget=self._budget(payload)), self._spec)

    def _mismatch(
        self,
        reader: BinaryReader,
        spec: TypeSpec,
        expected: tuple[int, ...],
        codes: tuple[int, ...],
        count: int,
    ) -> None:
        check_element_types(spec, expected, codes)
