"""What the instances of generated structs, unions and exceptions can do."""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

from ..protocol.budget import Budget
from ..spec import StructTypeSpec, UnionTypeSpec
from .constructor import constructor_of
from .decoder import counting_decoder_of, decoder_of
from .encoder import encoder_of
from .frozen import frozen_class
from .pickling import Origin, find_class
from .warmup import construct_cold

_RecordT = TypeVar("_RecordT", bound="Record")


class Record:
    """Base of the classes of structs and unions.

    A generated class gets its constructor, encoder and decoder when each is first used: making
    them costs about a millisecond, and most types of a large file are never used.

    Attributes:
        type_spec: What the IDL says about the type.
        __thrift_module__: The generated module that defines it.

    """

    __slots__ = ()

    type_spec: ClassVar[StructTypeSpec]
    __thrift_module__: ClassVar[object]
    __thrift_origin__: ClassVar[Origin]

    def __init__(self, /, *args: object, **kwargs: object) -> None:
        spec = self.type_spec
        if not construct_cold(spec, self, args, kwargs):
            constructor_of(spec)(self, *args, **kwargs)

    def __thrift_encode__(self, out: list[bytes]) -> None:
        encoder_of(self.type_spec)(self, out)

    @classmethod
    def __thrift_decode__(cls, buf: bytes, pos: int, depth: int) -> tuple[object, int]:
        return decoder_of(cls.type_spec)(buf, pos, depth)

    @classmethod
    def __thrift_decode_counting__(
        cls, buf: bytes, pos: int, depth: int, budget: Budget
    ) -> tuple[object, int]:
        return counting_decoder_of(cls.type_spec)(buf, pos, depth, budget)

    @classmethod
    def __thrift_frozen__(cls) -> object:
        return frozen_class(cls.type_spec.surface)

    def to_primitive(self) -> dict[str, object]:
        """The values of the fields as bool, int, float, str, bytes, list and dict.

        Fields that are None are left out.
        """
        return self.type_spec.to_primitive(self)

    # Any: stubs say which dict it is, and may not be refused for it.
    @classmethod
    def from_primitive(cls, value: Any) -> Self:
        """An instance from a dict of the kind that ``to_primitive`` returns.

        Unknown keys are ignored.

        Raises:
            TypeError, ValueError: If a value does not fit, naming struct and field.

        """
        instance: Self = cls.type_spec.from_primitive(value)
        return instance

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, self.__class__):
            return NotImplemented
        return all(
            getattr(self, field.name) == getattr(other, field.name)
            for field in self.type_spec.fields
        )

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, field.name) for field in self.type_spec.fields))

    def __repr__(self) -> str:
        spec = self.type_spec
        values = {field.name: getattr(self, field.name, None) for field in spec.constructor_fields}
        if isinstance(spec, UnionTypeSpec):
            values = {name: value for name, value in values.items() if value is not None}
        return f"{type(self).__name__}({values!r})"

    __str__ = __repr__

    # Not by way of `__reduce__`: that finds the class through its module, which is not there yet when
    # a default value is copied into a constant or into another default.
    def __copy__(self) -> Self:
        return _copied(self, lambda value: value, {})

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        # Known before its values are: they may contain it.
        return _copied(self, lambda value: copy.deepcopy(value, memo), memo)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...], object]:
        cls = type(self)
        state = (
            getattr(self, "__dict__", None) or None,
            {field.name: getattr(self, field.name, None) for field in self.type_spec.fields},
        )
        if "__thrift_origin__" in cls.__dict__:
            return _restore, (cls.__thrift_origin__,), state
        # A subclass that somebody wrote: found by its name, like any class.
        return copyreg.__newobj__, (cls,), state  # type: ignore[attr-defined]  # not in typeshed

    def __setstate__(self, state: object) -> None:
        assert isinstance(state, tuple), "it is what `__reduce__` returned"
        others, fields = state
        for name, value in fields.items():
            setattr(self, name, value)
        if others:
            self.__dict__.update(others)


class ExceptionRecord(Record, Exception):
    """Base of the classes of exceptions."""

    def __new__(cls, /, *_args: object, **_kwargs: object) -> Self:
        """An instance without values; Exception would keep the arguments again, as ``args``."""
        return Exception.__new__(cls)


# A function and not a method: a field may have any name.
def _copied(
    instance: _RecordT, copied: Callable[[object], object], memo: dict[int, object]
) -> _RecordT:
    cls = type(instance)
    other = cls.__new__(cls)
    memo[id(instance)] = other
    for field in instance.type_spec.fields:
        setattr(other, field.name, copied(getattr(instance, field.name, None)))
    # Of exceptions, and of classes that somebody derived.
    attributes = getattr(instance, "__dict__", None)
    if attributes:
        other.__dict__.update({name: copied(value) for name, value in attributes.items()})
    return other


def _restore(origin: Origin) -> object:
    """A new instance of a generated class, for pickle and copy to fill."""
    cls: type[object] = find_class(origin)
    return cls.__new__(cls)
