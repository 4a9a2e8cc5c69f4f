"""What the adapters ask of modules that say no types: thriftrw's, and those of Apache's compiler.

thriftrw's specs are none of the engine's classes, but have the same attributes: what is written for
both says with these what it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import ClassVar, Protocol, TypeAlias

__all__ = [
    "ApacheEntry",
    "ApacheResult",
    "ApacheStruct",
    "Field",
    "Function",
    "FunctionSurface",
    "Result",
    "ServiceClass",
    "ServiceSpec",
    "Spec",
    "Struct",
]


class Spec(Protocol):
    """A type of the IDL: which kind it is says the code, and only that kind has what is "of" it."""

    name: str
    ttype_code: int
    surface: type[Struct]
    """Of a struct: its class."""
    fields: Sequence[Field]
    """Of a struct."""
    vspec: Spec
    """Of a container: the type of its elements, of a map that of its values."""
    kspec: Spec
    """Of a map: the type of its keys."""
    allow_empty: bool
    """Of a union: whether it may have no value."""
    items: dict[str, int]
    """Of an enum: the numbers by name."""
    return_spec: Spec | None
    """Of a function's result: the type of what it returns; None if it is void."""
    exception_specs: Sequence[Field]
    """Of a function's result: the declared exceptions."""

    def validate(self, value: object) -> None:
        """Raise TypeError, ValueError or OverflowError for a value that does not fit."""


class Field(Protocol):
    """A field of a struct."""

    id: int
    name: str
    required: bool
    default_value: object
    spec: Spec


class Struct(Protocol):
    """An instance of what a struct, union, exception, request or response is made into."""

    type_spec: ClassVar[Spec]
    __thrift_module__: ClassVar[ModuleType]

    def __init__(self, *args: object, **kwargs: object) -> None: ...


class Result(Struct, Protocol):
    """An instance of what a function's result is made into."""

    success: object
    """Where the function returns something."""


class FunctionSurface(Protocol):
    """A function as the attribute of its service."""

    name: str
    request: type[Struct]
    response: type[Result]
    spec: Function


class Function(Protocol):
    """What the IDL says about a function."""

    name: str
    oneway: bool
    surface: FunctionSurface


class ServiceSpec(Protocol):
    """What the IDL says about a service."""

    name: str
    functions: Sequence[Function]
    parent: ServiceSpec | None


class ServiceClass(Protocol):
    """What a service is made into."""

    service_spec: ClassVar[ServiceSpec]


ApacheEntry: TypeAlias = tuple[int, int, str, object, object]
"""A field in Apache's ``thrift_spec``: its id, its TType, its name, what the type needs, the default."""


class ApacheStruct(Protocol):
    """An instance of what Apache's compiler makes of a struct."""

    thrift_spec: ClassVar[Sequence[ApacheEntry | None] | None]

    def __init__(self, *args: object, **kwargs: object) -> None: ...

    def read(self, iprot: object) -> None:
        """Fill it with what the protocol reads."""

    def write(self, oprot: object) -> None:
        """Write it to the protocol."""


class ApacheResult(ApacheStruct, Protocol):
    """An instance of what Apache's compiler makes of a function's result."""

    success: object
    """Where the function returns something."""
