"""Services that `tchannel_thrift.rw` loaded.

Only what thriftrw has as well is used here, so that the adapter of thriftrw is a variation of this.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TypeVar

from .. import rw
from ..method import Codec, Method, refuse_oneway
from ..rw.codegen.warmup import complete_dumper
from ..rw.compile.serialization import Loads
from ..service import ThriftService
from .coercion import coerce
from .shapes import Function, FunctionSurface, Result, ServiceClass, Struct

__all__ = ["EngineService", "services"]

_StructT = TypeVar("_StructT", bound=Struct)


class EngineService(ThriftService):
    """A service that the engine loaded.

    Args:
        service_class: The class of the service in its module.

    """

    def __init__(self, service_class: type[ServiceClass]) -> None:
        spec = service_class.service_spec
        self.name: str = spec.name
        self.spec: object = spec
        # What the module's ``loads`` raises for an exception that is not declared.
        self.unknown_exception: type[Exception] = rw.UnknownExceptionError
        # The functions with their own modules: an inherited one may come from an included file.
        self._functions: dict[str, Function] = {}
        lineage = [spec]
        while lineage[-1].parent is not None:
            lineage.append(lineage[-1].parent)
        for one in reversed(lineage):
            for function in one.functions:
                self._functions[function.name] = function
                self.module: ModuleType | None = function.surface.request.__thrift_module__

    def method_names(self) -> list[str]:
        """Return the names of its functions: inherited ones first, in the order of the IDL."""
        return list(self._functions)

    def has(self, name: str) -> bool:
        """Say whether there is a function of that name."""
        return name in self._functions

    def is_oneway(self, name: str) -> bool:
        """Say whether nobody waits for that function's answer."""
        return bool(self._functions[name].oneway)

    def surface(self, name: str) -> FunctionSurface:
        """Return a function's ``ServiceFunction``."""
        return self._functions[name].surface

    def method(self, name: str) -> Method:
        """Return a function by its name.

        Raises:
            ValueError: There is none of that name.
            OneWayNotSupportedError: It is oneway.

        """
        function = self._functions.get(name)
        if function is None:
            raise self.unknown(name)
        if function.oneway:
            raise refuse_oneway(self.name, name)
        return Method(self.name, name, self._codec(function.surface))

    def _codec(self, surface: FunctionSurface) -> Codec:
        module = surface.request.__thrift_module__
        spec = surface.response.type_spec
        dump_result = self._dumper(surface.response)
        declared = tuple((field.spec.surface, field.name) for field in spec.exception_specs)
        return Codec(
            new_args=surface.request,
            dump_args=self._dumper(surface.request),
            load_args=self._loader(module, surface.request),
            load_result=self._loader(module, surface.response),
            dump_result=_result_dumper(dump_result, surface.response),
            dump_exception=_exception_dumper(dump_result, surface.response, declared),
            returns=spec.return_spec is not None,
            exceptions=tuple(name for _, name in declared),
            result_type=surface.response,
            unknown_exception=self.unknown_exception,
        )

    def _dumper(self, cls: type[Struct]) -> Callable[[object], bytes]:
        spec = cls.type_spec
        assert isinstance(spec, rw.spec.StructTypeSpec), "the engine made the class"
        return complete_dumper(spec)

    def _loader(self, module: ModuleType, cls: type[_StructT]) -> Callable[[bytes], _StructT]:
        # A partial is called without a frame of its own: 0.1 µs less for each load.
        loads: Loads = module.loads
        return partial(loads, cls)


def _result_dumper(
    dumps: Callable[[object], bytes], response: type[Result]
) -> Callable[[object], bytes]:
    spec = response.type_spec.return_spec

    def dump_result(value: object) -> bytes:
        try:
            result = response(success=value)
        except (TypeError, ValueError) as error:
            if spec is None:
                raise
            # Looking for dicts first would cost every result what only these need.
            coerced = coerce(spec, value)
            if coerced is value:
                raise _named(error, response) from None
            result = response(success=coerced)
        return dumps(result)

    return dump_result


def _named(error: Exception, response: type[Result]) -> Exception:
    """Return the error with the field in its text, which thriftrw leaves out for results."""
    if str(error).startswith("Field "):
        return error
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"Field success of {response.__name__} is invalid: {error}")


def _exception_dumper(
    dumps: Callable[[object], bytes],
    response: type[Result],
    declared: tuple[tuple[type[Struct], str], ...],
) -> Callable[[BaseException], bytes | None]:
    def dump_exception(error: BaseException) -> bytes | None:
        for cls, name in declared:
            if isinstance(error, cls):
                return dumps(response(**{name: error}))
        return None

    return dump_exception


def services(thrift_module: object) -> list[ThriftService] | None:
    """Return the services of a module or service class of the engine or of thriftrw; else None."""
    if isinstance(thrift_module, type):
        classes: tuple[type[ServiceClass], ...] = (thrift_module,)
    elif isinstance(thrift_module, ModuleType):
        classes = thrift_module.__services__
    else:
        return None
    found: list[ThriftService] = []
    for cls in classes:
        if isinstance(cls.service_spec, rw.spec.ServiceSpec):
            service = EngineService(cls)
        elif type(cls.service_spec).__module__.startswith("thriftrw."):
            from .thriftrw import ThriftRWService

            service = ThriftRWService(cls)
        else:
            return None
        if isinstance(thrift_module, ModuleType):
            service.module = thrift_module
        found.append(service)
    return found
