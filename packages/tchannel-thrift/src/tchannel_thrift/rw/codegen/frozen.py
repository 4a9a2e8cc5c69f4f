"""Hashable subclasses of generated classes, for structs in sets and in keys of maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pickling import Origin, find_class

if TYPE_CHECKING:
    from .record import Record


def frozen_class(surface: type[Record]) -> type[object]:
    """Make the subclass of a generated class for instances whose values are frozen.

    Args:
        surface: The class of a struct, union or exception that is not hashable itself.

    """
    spec = surface.type_spec

    def values_of(value: object) -> tuple[object, ...]:
        return tuple(getattr(value, field.name, None) for field in spec.fields)

    def hash_of(self: object) -> int:
        return hash(values_of(self))

    def is_equal(self: object, other: object) -> object:
        if not isinstance(other, surface):
            return NotImplemented
        return values_of(self) == values_of(spec.freeze(other))

    def reduce(self: Record) -> tuple[object, ...]:
        _, arguments, state = surface.__reduce__(self)
        return _restore, (surface.__thrift_origin__, *arguments[1:]), state

    return type(
        surface.__name__,
        (surface,),
        {
            "__slots__": (),
            "__module__": surface.__module__,
            "__qualname__": surface.__qualname__,
            "__doc__": surface.__dict__["__doc__"],
            "__hash__": hash_of,
            "__eq__": is_equal,
            "__reduce__": reduce,
        },
    )


def _restore(origin: Origin) -> object:
    """A new instance, for pickle to fill."""
    cls: type[object] = find_class(origin).type_spec.frozen_surface
    return cls.__new__(cls)
