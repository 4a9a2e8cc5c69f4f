"""Services that the real thriftrw loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import TypeVar

from ..method import Codec
from ..rw.codegen.warmup import complete_dumper
from ..rw.compile.serialization import Loads
from ..rw.wire import ttype
from .engine import EngineService
from .payloads import PayloadGuard
from .shapes import FunctionSurface, ServiceClass, Spec, Struct
from .thriftrw_specs import struct_spec

__all__ = ["ThriftRWService"]

_StructT = TypeVar("_StructT", bound=Struct)


class ThriftRWService(EngineService):
    """A service that thriftrw loaded.

    Args:
        service_class: The class of the service in its module.

    """

    def __init__(self, service_class: type[ServiceClass]) -> None:
        super().__init__(service_class)
        self.unknown_exception: type[Exception] = import_module(
            "thriftrw.errors"
        ).UnknownExceptionError

    def _codec(self, surface: FunctionSurface) -> Codec:
        codec = super()._codec(surface)
        request = surface.request

        def new_args(*args: object, **kwargs: object) -> object:
            try:
                return request(*args, **kwargs)
            except (TypeError, ValueError, OverflowError) as error:
                raise invalid(request, _bound(request, args, kwargs), error) from None

        return replace(codec, new_args=new_args)

    def _dumper(self, cls: type[Struct]) -> Callable[[object], bytes]:
        return complete_dumper(struct_spec(cls))

    def _loader(self, module: ModuleType, cls: type[_StructT]) -> Callable[[bytes], _StructT]:
        loads: Loads = module.loads
        check = PayloadGuard(struct_spec(cls)).check

        def load(payload: bytes) -> _StructT:
            check(payload)
            return loads(cls, payload)

        return load


def _bound(
    cls: type[Struct], args: tuple[object, ...], kwargs: dict[str, object]
) -> dict[str, object]:
    """Return arguments by the names that thriftrw's constructor gives them."""
    fields = cls.type_spec.fields
    must = [field.name for field in fields if field.required and field.default_value is None]
    may = [field.name for field in fields if field.name not in must]
    return {**dict(zip(must + may, args, strict=False)), **kwargs}


def invalid(cls: type[Struct], values: dict[str, object], error: Exception) -> Exception:
    """Return the error for values that do not fit a class: it names struct and field.

    thriftrw itself names them for some values only.

    Args:
        cls: The class.
        values: The values by the names of its fields.
        error: What thriftrw raised.

    """
    text = str(error)
    name = cls.__name__
    if text.startswith(("Field ", f"{name}()")):
        return error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    for field in cls.type_spec.fields:
        value = values.get(field.name)
        if value is not None:
            for place in _misfits(f"Field {field.name} of {name}", field.spec, value):
                return kind(f"{place} is invalid: {text}")
    return kind(f"{name} is invalid: {text}")


def _misfits(place: str, spec: Spec, value: object) -> Iterator[str]:
    """Yield the places of what does not fit, the innermost first."""
    code = spec.ttype_code
    if code == ttype.STRUCT and isinstance(value, spec.surface):
        for field in spec.fields:
            inner = getattr(value, field.name)
            if inner is not None:
                yield from _misfits(f"Field {field.name} of {spec.name}", field.spec, inner)
    elif code in {ttype.LIST, ttype.SET} and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _misfits(place, spec.vspec, item)
    elif code == ttype.MAP and isinstance(value, dict):
        for key, item in value.items():
            yield from _misfits(place, spec.kspec, key)
            yield from _misfits(place, spec.vspec, item)
    try:
        spec.validate(value)
        if isinstance(value, str):
            value.encode()
    except (TypeError, ValueError, OverflowError):
        yield place
