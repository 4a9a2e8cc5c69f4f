"""Structs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ..errors import ThriftProtocolError
from ..protocol.binary import BinaryReader, BinaryWriter
from ..protocol.budget import Budget
from ..wire import ttype
from .base import TypeSpec, field_error, final, wrong_type
from .field import FieldSpec, none_refused


class StructTypeSpec(TypeSpec):
    """A struct.

    Its fields come with linking, its class (``surface``) from the code generator. Fields are
    written in the order of the file; those that are None are left out.

    Args:
        name: Name of the struct.

    Attributes:
        fields: The fields, in the order of the file.
        base_cls: What the generated class derives from: ``object`` or ``Exception``.
        annotations: What the IDL says about the struct in parentheses behind it; a bare key has the
            value None.
        linked: Whether the fields are there.
        constructions: How often the class was called before its constructor was generated.
        weight: Bytes of memory of an instance, without the values that are read for its fields.
        heaviest: The most bytes of memory that a byte of a payload can stand for, among the structs
            of the file and those that it includes.

    """

    __slots__ = (
        "_by_id",
        "_frozen",
        "_hashable",
        "_name",
        "_surface",
        "annotations",
        "constructions",
        "fields",
        "heaviest",
        "linked",
        "weight",
    )

    base_cls: ClassVar[type] = object

    def __init__(self, name: str) -> None:
        self._name = name
        self._surface: object = None
        self._by_id: dict[int, tuple[int, FieldSpec]] | None = None
        self.annotations: dict[str, str | None] = {}
        self.constructions: int = 0
        self.fields: list[FieldSpec] = []
        self.linked: bool = False
        self._frozen: type[object] | None = None
        self.weight: int = 0
        self.heaviest: int = 1
        self._hashable: bool | None = None

    @property
    def name(self) -> str:
        """The type as the IDL writes it."""
        return self._name

    @property
    def ttype_code(self) -> int:
        """The type's code on the wire."""
        return ttype.STRUCT

    @property
    # Any: its constructor and the fields of its instances are those of the IDL.
    def surface(self) -> Any:
        """What stands for the type in Python."""
        return self._surface

    @surface.setter
    def surface(self, surface: type) -> None:
        # Set once, by the code generator.
        self._surface = surface

    @property
    def hashable(self) -> bool:
        """Whether values can be elements of sets and keys of maps."""
        if self._hashable is None:
            settle_hashable([self])
        assert self._hashable is not None, "it has just been settled"
        return self._hashable

    @property
    def frozen_surface(self) -> type[object]:
        """What stands for the type within sets and keys of maps: a subclass that is hashable."""
        frozen = self._frozen
        if frozen is None:
            frozen = self.surface if self.hashable else self.surface.__thrift_frozen__()
            self._frozen = frozen
        return frozen

    def freeze(self, value: object) -> object:
        """The value; a hashable copy where the class is not hashable."""
        if self.hashable or isinstance(value, self.frozen_surface):
            return value
        frozen = self.frozen_surface.__new__(self.frozen_surface)
        for field in self.fields:
            item = getattr(value, field.name, None)
            setattr(frozen, field.name, None if item is None else field.spec.freeze(item))
        return frozen

    @property
    def constructor_fields(self) -> list[FieldSpec]:
        """The fields in the order of the constructor: first those that must be given."""
        must = [field for field in self.fields if field.must_be_given]
        return must + [field for field in self.fields if not field.must_be_given]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, fields={self.fields!r})"

    # -- writing --------------------------------------------------------------------------------

    def validate(self, value: object) -> None:
        """Raise TypeError or ValueError unless the value can be written and is complete.

        The values of its fields are looked at. Of a struct that is the value of a field only the
        class is, as in thriftrw; structs within containers are looked at like this one.
        """
        self.admit(value)
        for field in self.fields:
            item = getattr(value, field.name, None)  # it may have been deleted
            if item is None:
                if field.required:
                    raise final(none_refused(field))
                continue
            spec = field.spec
            try:
                if isinstance(spec, StructTypeSpec):
                    spec.admit(item)
                else:
                    spec.validate(item)
            except (TypeError, ValueError) as error:
                raise field_error(error, field.name, self.name) from None

    def admit(self, value: object) -> None:
        """Raise TypeError unless the value is of the struct's class."""
        if not isinstance(value, self.surface):
            wrong_type(value, self)

    def write_to(self, writer: BinaryWriter, value: object) -> None:
        """Check and write a value."""
        self.admit(value)
        for field in self.fields:
            item = getattr(value, field.name, None)  # it may have been deleted
            if item is not None:
                self.write_field(writer, field, item)
            elif field.required and writer.complete:
                raise final(none_refused(field))
        writer.write_field_stop()

    def write_field(self, writer: BinaryWriter, field: FieldSpec, value: object) -> None:
        """Write one field of a struct; an error names it."""
        try:
            writer.write_field_begin(field.ttype_code, field.id)
            field.spec.write_to(writer, value)
        except (TypeError, ValueError) as error:
            raise field_error(error, field.name, self.name) from None

    # -- reading --------------------------------------------------------------------------------

    def read_from(self, reader: BinaryReader) -> object:
        """Read a value."""
        reader.enter()
        surface, budget = self.surface, reader.budget
        if budget is None:
            value, reader.position = surface.__thrift_decode__(
                reader.payload, reader.position, reader.depth
            )
        else:
            value, reader.position = surface.__thrift_decode_counting__(
                reader.payload, reader.position, reader.depth, budget
            )
        reader.leave()
        return value

    def resume(
        self,
        payload: bytes,
        start: int,
        position: int,
        values: list[object],
        depth: int,
        budget: Budget | None = None,
    ) -> tuple[object, int]:
        """Go on where the generated decoder gave up.

        That is an unexpected field, or an order other than that of the file, or a mistake.

        Args:
            payload: The whole payload.
            start: Where the struct starts.
            position: Where the next field starts. Beyond the payload where a string claimed more
                bytes than there are: then the struct is read again, to say what is missing.
            values: What has been read, in the order of the fields; None for what has not.
            depth: How many levels may be nested below this struct.
            budget: What the rest of the payload may come to, or None where that is not counted.

        Returns:
            The instance, and the position after the struct.

        """
        if position > len(payload):
            position = start
            values = [None] * len(values)
        by_id = self._by_id
        if by_id is None:
            by_id = {field.id: (index, field) for index, field in enumerate(self.fields)}
            self._by_id = by_id
        reader = BinaryReader(payload, position, depth, budget)
        while True:
            code, field_id = reader.read_field_begin()
            if code == ttype.STOP:
                return self.assemble(values), reader.position
            index, field = by_id.get(field_id, (0, None))
            if field is None or field.ttype_code != code:
                self.skip_unknown(reader, code, field_id)
                continue
            try:
                values[index] = field.spec.read_from(reader)
            except (TypeError, ValueError) as error:
                raise field_error(error, field.name, self.name) from None

    def skip_unknown(self, reader: BinaryReader, code: int, field_id: int) -> None:
        """Pass over a field that the IDL does not know."""
        reader.skip(code)

    def assemble(self, values: list[object]) -> object:
        """An instance from the values that were read.

        Raises:
            TypeError: If a required one is missing.

        """
        if any(
            value is None and field.must_be_given
            for field, value in zip(self.fields, values, strict=True)
        ):
            raise final(missing_argument(self, values))
        for index, field in enumerate(self.fields):
            if values[index] is None and field.default_value is not None:
                values[index] = copy.deepcopy(field.default_value)
        return self.instance(values)

    def instance(self, values: list[object]) -> object:
        """An instance that has these values, unchecked."""
        surface = self.surface
        value = surface.__new__(surface)
        for field, item in zip(self.fields, values, strict=True):
            setattr(value, field.name, item)
        return value

    # -- primitive representation ---------------------------------------------------------------

    def to_primitive(self, value: object) -> dict[str, object]:
        """The value as nothing but primitives."""
        result = {}
        for field in self.fields:
            item = getattr(value, field.name)
            if item is not None:
                result[field.name] = field.spec.to_primitive(item)
        return result

    # Any: an instance of `surface`.
    def from_primitive(self, value: object) -> Any:
        """The value that primitives stand for."""
        return self.surface(**self._arguments(value))

    def _arguments(self, value: object) -> dict[str, object]:
        if isinstance(value, self.surface):
            value = self.to_primitive(value)
        if not isinstance(value, Mapping):
            raise TypeError(f'Cannot read {value!r:.200} as a "{self.name}": a dict is needed.')
        arguments = {}
        for field in self.fields:
            item = value.get(field.name)
            if item is not None:
                try:
                    arguments[field.name] = field.spec.from_primitive(item)
                except (TypeError, ValueError) as error:
                    raise field_error(error, field.name, self.name) from None
        return arguments


def missing_argument(spec: StructTypeSpec, values: list[object]) -> TypeError:
    """The error for a struct without a required field, in the words of Python 2 and thriftrw."""
    missing = [
        field.name
        for field, value in zip(spec.fields, values, strict=True)
        if value is None and field.must_be_given
    ]
    # Like thriftrw this counts ``self``.
    least = 1 + sum(field.must_be_given for field in spec.fields)
    given = 1 + sum(value is not None for value in values)
    names = ", ".join(f'"{name}"' for name in missing)
    return TypeError(
        f"{spec.name}() takes at least {least} arguments ({given} given): {names} missing"
    )


def write_struct(spec: StructTypeSpec, value: object, *, complete: bool = False) -> bytes:
    """The bytes of a value, with every check: what ``dumps`` falls back on.

    Args:
        spec: Its type.
        value: An instance.
        complete: As for `BinaryWriter`.

    Raises:
        TypeError, ValueError: If a value is not what the IDL says, naming struct and field.

    """
    writer = BinaryWriter(complete=complete)
    try:
        spec.write_to(writer, value)
    except RecursionError:
        raise ValueError(f"The {spec.name} contains itself or is nested too deeply") from None
    return writer.getvalue()


def too_deep() -> ThriftProtocolError:
    """The error for a payload that is nested deeper than the limit."""
    return ThriftProtocolError("The payload is nested too deeply.")


def settle_hashable(specs: Iterable[StructTypeSpec]) -> None:
    """Work out for structs, and for those that they contain, whether their values are hashable.

    All at once, because structs contain each other; each field is looked at once.
    """
    users: dict[int, list[StructTypeSpec]] = {}
    unhashable: list[StructTypeSpec] = []
    waiting = list(specs)
    while waiting:
        spec = waiting.pop()
        if spec._hashable is not None:
            continue
        spec._hashable = True  # until something speaks against it
        for field in spec.fields:
            inner = field.spec
            if not isinstance(inner, StructTypeSpec):
                if not inner.hashable:
                    unhashable.append(spec)
            elif inner._hashable is False:
                unhashable.append(spec)
            else:
                users.setdefault(id(inner), []).append(spec)
                waiting.append(inner)
    while unhashable:
        spec = unhashable.pop()
        if spec._hashable:
            spec._hashable = False
            unhashable.extend(users.get(id(spec), ()))
