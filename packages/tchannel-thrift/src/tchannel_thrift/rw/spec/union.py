"""Unions."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from ..protocol.binary import BinaryWriter
from .base import final
from .field import FieldSpec
from .struct import StructTypeSpec


class UnionTypeSpec(StructTypeSpec):
    """A union: exactly one of its fields has a value.

    Args:
        name: Name of the union.
        allow_empty: Whether no value at all is fine too, as in the result of a void function.

    """

    __slots__ = ("allow_empty",)

    def __init__(self, name: str, *, allow_empty: bool = False) -> None:
        super().__init__(name)
        self.allow_empty: bool = allow_empty

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written and has one field."""
        super().validate(value)
        self.check_count([getattr(value, field.name, None) for field in self.fields])

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        self.admit(value)
        items = [getattr(value, field.name, None) for field in self.fields]
        if writer.complete:
            self.check_count(items)
        for field, item in zip(self.fields, items, strict=True):
            if item is not None:
                self.write_field(writer, field, item)
                break
        writer.write_field_stop()

    @property
    def default_field(self) -> FieldSpec | None:
        """The field that has a value where none is given (lenient only), or None."""
        return next((field for field in self.fields if field.default_value is not None), None)

    def assemble(self, values: list[object]) -> object:
        """An instance from the values that were read; TypeError unless there is exactly one."""
        default = self.default_field
        if default is not None and all(value is None for value in values):
            values[self.fields.index(default)] = copy.deepcopy(default.default_value)
        self.check_count(values)
        return self.instance(values)

    def check_count(self, values: Sequence[object]) -> None:
        """Raise TypeError unless exactly one of the values, in field order, is not None."""
        given = [field.name for field, v in zip(self.fields, values, strict=True) if v is not None]
        if len(given) > 1:
            names = " and ".join(f'"{name}"' for name in given)
            raise final(
                TypeError(
                    f"{self.name}() received multiple values, {names}. "
                    "Unions can have at most one field populated."
                )
            )
        if not given and not self.allow_empty:
            raise final(
                TypeError(
                    f"{self.name}() did not receive any values. "
                    "Exactly one non-None value is required."
                )
            )

    def from_primitive(self, value: object) -> object:
        """The union; of several fields that are present the first declared one counts."""
        arguments = self._arguments(value)
        first = next(iter(arguments), None)
        return self.surface(**({} if first is None else {first: arguments[first]}))
