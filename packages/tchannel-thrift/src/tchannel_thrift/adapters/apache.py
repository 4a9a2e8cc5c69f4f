"""Services that Apache's compiler made: ``thrift --gen py``, with or without its options."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Final, TypeVar

from ..method import Codec, Method, refuse_oneway
from ..rw.codegen.warmup import complete_dumper
from ..rw.protocol.binary import BinaryReader
from ..rw.wire import ttype
from ..service import ThriftService
from .apache_specs import FieldsWithoutIdsError, required_fields, struct_class, struct_spec
from .apache_values import coerce
from .payloads import SizeGuard
from .shapes import ApacheEntry, ApacheResult, ApacheStruct

__all__ = ["ApacheService", "services"]

_StructT = TypeVar("_StructT", bound=ApacheStruct)

_DICT: Final = 120
"""Bytes of memory of an instance's dict, which the engine's instances do without."""

_SHALLOW: Final = 4096
"""No payload of so many bytes nests deep enough to harm C code: a level takes three."""


class ApacheService(ThriftService):
    """A service that Apache's compiler made.

    Args:
        module: The module of the service: it has ``Iface``, ``Client`` and the arguments' classes.

    """

    def __init__(self, module: ModuleType) -> None:
        self.name: str = module.__name__.rpartition(".")[2]
        # A generated module does not carry its IDL.
        self.module: ModuleType | None = None
        interface: type[object] = module.Iface
        self._functions: dict[str, FunctionType] = {}
        for cls in reversed(interface.__mro__):
            for name, function in vars(cls).items():
                if isinstance(function, FunctionType) and not name.startswith("__"):
                    self._functions[name] = function

    def method_names(self) -> list[str]:
        """Return the names of its functions: inherited ones first, in the order of the IDL."""
        return list(self._functions)

    def renamed(self, name: str) -> ApacheService:
        """Return the same service under another name: the module's need not be that of the IDL."""
        other = copy(self)
        other.name = name
        return other

    def is_oneway(self, name: str) -> bool:
        """Say whether nobody waits for that function's answer."""
        return f"{name}_result" not in self._functions[name].__globals__

    def method(self, name: str) -> Method:
        """Return a function by its name.

        Raises:
            ValueError: There is none of that name, or its arguments cannot be serialized.
            OneWayNotSupportedError: It is oneway.

        """
        function = self._functions.get(name)
        if function is None:
            raise self.unknown(name)
        if self.is_oneway(name):
            raise refuse_oneway(self.name, name)
        # Inherited functions have their classes in the module that they come from.
        home = function.__globals__
        args, result = home[f"{name}_args"], home[f"{name}_result"]
        return Method(self.name, name, _codec(name, function, args, result))


def _codec(
    name: str, function: FunctionType, args: type[ApacheStruct], result: type[ApacheResult]
) -> Codec:
    fields = [entry for entry in result.thrift_spec or () if entry is not None]
    returns = bool(fields) and fields[0][0] == 0
    declared = tuple((struct_class(entry[3]), entry[2]) for entry in fields if entry[0] != 0)
    return Codec(
        new_args=_args_maker(name, function, args),
        dump_args=_dumper(args),
        load_args=_loader(args),
        load_result=_loader(result),
        dump_result=_result_dumper(result, fields[0] if returns else None),
        dump_exception=_exception_dumper(result, declared),
        returns=returns,
        exceptions=tuple(name for _, name in declared),
        result_type=result,
    )


def _args_maker(
    name: str, function: FunctionType, args: type[ApacheStruct]
) -> Callable[..., object]:
    required = sorted(required_fields(args))
    # The interface says which arguments must be given, the class of the arguments takes any.
    code, defaults = function.__code__, function.__defaults__ or ()
    parameters = code.co_varnames[1 : code.co_argcount]
    wanted = parameters[: len(parameters) - len(defaults)]

    def new_args(*values: object, **named: object) -> object:
        made = args(*values, **named)
        missing = [
            word
            for word in wanted[len(values) :]
            if word not in named and getattr(made, word) is None  # the default is not there
        ]
        if missing:
            raise TypeError(f"{name}() is missing the required argument{_names(missing)}")
        for field in required:
            if getattr(made, field) is None:
                raise TypeError(
                    f'Field "{field}" of "{args.__name__}" is required. It cannot be None.'
                )
        return made

    return new_args if wanted or required else args


def _names(words: list[str]) -> str:
    return ("s " if len(words) > 1 else " ") + ", ".join(map(repr, words))


def _dumper(cls: type[ApacheStruct]) -> Callable[[object], bytes]:
    try:
        return complete_dumper(struct_spec(cls))
    except FieldsWithoutIdsError as error:
        return _own_dumper(cls, error)


def _own_dumper(
    cls: type[ApacheStruct], reason: FieldsWithoutIdsError
) -> Callable[[object], bytes]:
    """Return what writes fields without ids, which only the generated code itself knows."""
    if "write" not in vars(cls):
        raise ValueError(
            f"{reason} has fields without ids, which Apache's dynamic code does not"
            " serialize: give them ids in the IDL"
        ) from None
    buffer = import_module("thrift.transport.TTransport").TMemoryBuffer
    # Not the C protocol: that silently writes none of them.
    protocol = import_module("thrift.protocol.TBinaryProtocol").TBinaryProtocol

    def dump(struct: object) -> bytes:
        if not isinstance(struct, cls):
            raise TypeError(f"{cls.__name__} is needed, not {struct!r:.200}")
        transport = buffer()
        try:
            struct.write(protocol(transport))
        except Exception as error:
            kind = ValueError if isinstance(error, ValueError | OverflowError) else TypeError
            raise kind(f"{cls.__name__} is invalid: {error}") from error
        payload: bytes = transport.getvalue()
        return payload

    return dump


def _loader(cls: type[_StructT]) -> Callable[[bytes], _StructT]:
    buffer = import_module("thrift.transport.TTransport").TMemoryBuffer
    binary = import_module("thrift.protocol.TBinaryProtocol")
    try:
        guard = SizeGuard(struct_spec(cls), _DICT)
        protocol = binary.TBinaryProtocolAccelerated
    except FieldsWithoutIdsError:
        guard = None
        protocol = binary.TBinaryProtocol
    validate = getattr(cls, "validate", None)
    base = import_module("thrift.protocol.TProtocol").TProtocolBase
    counts_levels = hasattr(base, "increment_recursion_depth")

    def load(payload: bytes) -> _StructT:
        if not counts_levels and len(payload) > _SHALLOW:
            # Walked over first: the C protocol of thrift 0.22 and older crashes the process on deep
            # nesting.
            BinaryReader(payload).skip(ttype.STRUCT)
        if guard is not None:
            guard.check(payload)
        # No string or container is longer than all there is: nothing is allocated by its claim.
        limit = len(payload) or 1
        made = cls()
        try:
            made.read(
                protocol(buffer(payload), string_length_limit=limit, container_length_limit=limit)
            )
        except EOFError:
            raise ValueError(f"the payload ends within {cls.__name__}") from None
        if validate is not None:
            validate(made)
        return made

    return load


def _result_dumper(
    result: type[ApacheResult], success: ApacheEntry | None
) -> Callable[[object], bytes]:
    dump = _dumper(result)

    def dump_result(value: object) -> bytes:
        try:
            return dump(result(success=value))
        except (TypeError, ValueError):
            if success is None:
                raise
            # Looking for dicts first would cost every result what only these need.
            coerced = coerce(success[1], success[3], value)
            if coerced is value:
                raise
            return dump(result(success=coerced))

    return dump_result


def _exception_dumper(
    result: type[ApacheResult], declared: tuple[tuple[type[ApacheStruct], str], ...]
) -> Callable[[BaseException], bytes | None]:
    dump = _dumper(result)

    def dump_exception(error: BaseException) -> bytes | None:
        for cls, name in declared:
            if isinstance(error, cls):
                return dump(result(**{name: error}))
        return None

    return dump_exception


def services(thrift_module: ModuleType) -> list[ThriftService] | None:
    """Return the services of a generated module, or of the package around it; else None."""
    if hasattr(thrift_module, "Iface") and hasattr(thrift_module, "Client"):
        return [ApacheService(thrift_module)]
    names = getattr(thrift_module, "__all__", ())
    if not hasattr(thrift_module, "__path__") or "ttypes" not in names:
        return None
    modules = [
        import_module(f"{thrift_module.__name__}.{name}")
        for name in names
        if name not in {"ttypes", "constants"}
    ]
    return [ApacheService(module) for module in modules if hasattr(module, "Iface")]
