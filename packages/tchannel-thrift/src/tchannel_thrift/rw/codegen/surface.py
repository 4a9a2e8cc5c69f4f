"""The classes that a generated module shows: structs, exceptions, unions, enums, services."""

from __future__ import annotations

import enum
import types

from ..spec import (
    EnumTypeSpec,
    FieldSpec,
    FunctionArgsSpec,
    FunctionResultSpec,
    FunctionSpec,
    ServiceFunction,
    ServiceSpec,
    StructTypeSpec,
    UnionTypeSpec,
)
from .pickling import ModuleOrigin, Origin, restore_item
from .record import ExceptionRecord, Record

RESERVED_FIELD_NAMES = frozenset(("type_spec", "to_primitive", "from_primitive"))
"""Names of struct fields that would hide what every generated class has."""

RESERVED_FUNCTION_NAMES = frozenset(("service_spec",))
"""Names of functions that would hide what every service class has."""


def build_struct(
    spec: StructTypeSpec,
    module: types.ModuleType,
    origin: ModuleOrigin,
    attributes: tuple[str, ...],
) -> None:
    """Make the class of a struct, union, exception, request or response.

    Args:
        spec: The struct, with the names of its fields.
        module: The module that defines it.
        origin: Where the module comes from.
        attributes: The attributes that lead from the module to the class.

    """
    names = [field.name for field in spec.fields]
    base = ExceptionRecord if spec.base_cls is Exception else Record
    namespace: dict[str, object] = {
        "__slots__": tuple(names),
        "__module__": module.__name__,
        "__qualname__": spec.name,
        "__doc__": _StructDoc(spec),
        "type_spec": spec,
        "__thrift_module__": module,
        "__thrift_origin__": Origin(origin, attributes),
    }
    cls = type(spec.name, (base,), namespace)
    for name in names:
        if name.startswith("__"):  # Python keeps such slots under another name
            mangled = f"_{spec.name.lstrip('_')}{name}"
            if mangled in cls.__dict__:
                setattr(cls, name, cls.__dict__[mangled])
    spec.surface = cls


def finish_struct(spec: StructTypeSpec) -> None:
    """Do what needs the types of the fields: take the hash of instances that have none."""
    if not spec.hashable:
        spec.surface.__hash__ = None
    if isinstance(spec, FunctionArgsSpec) and spec.function is not None:
        result = spec.function.result_spec
        spec.surface.result_type = None if result is None else result.surface


def build_enum(
    spec: EnumTypeSpec, module: types.ModuleType, origin: ModuleOrigin, *, int_enum: bool
) -> None:
    """Make the class of an enum.

    Args:
        spec: The enum.
        module: The module that defines it.
        origin: Where the module comes from.
        int_enum: Whether the class is an ``enum.IntEnum``; otherwise its items are plain ints.

    Raises:
        ValueError: If an item has a name that no member of an IntEnum can have.

    """
    values_to_names = spec.values_to_names

    def name_of(cls: type[object], value: int) -> str | None:
        """Name of the first item with that value, or None."""
        names = values_to_names.get(value)
        return names[0] if names else None

    lines = "\n".join(f"-    {name} = {value}" for name, value in spec.items.items())
    namespace: dict[str, object] = {
        "__slots__": (),
        "__module__": module.__name__,
        "__qualname__": spec.name,
        "__doc__": f"{spec.name} defines the following items:\n\n{lines}",
        "__thrift_module__": module,
        "type_spec": spec,
        "items": tuple(spec.items),
        "values": tuple(spec.items.values()),
        "name_of": classmethod(name_of),
        **spec.items,
    }
    if int_enum:
        spec.surface = _int_enum(spec, module, namespace, Origin(origin, (spec.name,)))
    else:
        spec.surface = type(spec.name, (), namespace)


def _int_enum(
    spec: EnumTypeSpec, module: types.ModuleType, namespace: dict[str, object], origin: Origin
) -> type[object]:
    # What `enum.IntEnum(...)` does; so written, checkers want no literal for the name.
    cls = enum.EnumMeta.__call__(
        enum.IntEnum, spec.name, list(spec.items.items()), module=module.__name__
    )

    def reduce(self: enum.IntEnum, _protocol: object) -> tuple[object, ...]:
        return restore_item, (origin, int(self))

    # What the class of a plain enum has, unless an item is called so.
    names = ("__doc__", "__thrift_module__", "type_spec", "items", "values", "name_of")
    attributes = {name: namespace[name] for name in names if name not in spec.items}
    attributes["__reduce_ex__"] = reduce
    for name, value in attributes.items():
        setattr(cls, name, value)
    spec.members = {int(member): member for member in cls if isinstance(member, enum.IntEnum)}
    return cls


def build_service(spec: ServiceSpec, module: types.ModuleType) -> None:
    """Make the class of a service; it derives from the class of the service it extends."""
    bases = () if spec.parent is None else (spec.parent.surface,)
    namespace: dict[str, object] = {
        "__slots__": (),
        "__module__": module.__name__,
        "__qualname__": spec.name,
        "service_spec": spec,
    }
    for function in spec.functions:
        function.surface = _service_function(function)
        namespace[function.name] = function.surface
    spec.surface = type(spec.name, bases, namespace)


def _service_function(function: FunctionSpec) -> ServiceFunction:
    result: FunctionResultSpec | None = function.result_spec
    return ServiceFunction(
        name=function.name,
        request=function.args_spec.surface,
        response=None if result is None else result.surface,
        spec=function,
    )


class _StructDoc:
    """The docstring of a generated class, written when somebody reads it."""

    __slots__ = ("_spec",)

    def __init__(self, spec: StructTypeSpec) -> None:
        self._spec = spec

    def __get__(self, instance: object, owner: type | None = None) -> str:
        spec = self._spec
        if isinstance(spec, UnionTypeSpec):
            return _union_doc(spec)
        must = [field for field in spec.constructor_fields if field.must_be_given]
        may = [field for field in spec.constructor_fields if not field.must_be_given]
        arguments = [field.name for field in must] + [f"{field.name}=None" for field in may]
        text = f"{spec.name}({', '.join(arguments)})"
        if must:
            text += "\n\nThe following arguments are required:\n\n"
            text += "\n".join(f"-   {field.name}" for field in must)
        if may:
            text += "\n\nThe following arguments are optional:\n\n"
            text += "\n".join(f"-   {field.name}{_default_note(field)}" for field in may)
        return text


def _union_doc(spec: UnionTypeSpec) -> str:
    arguments = ", ".join(f"{field.name}=None" for field in spec.fields)
    lines = "\n".join(f"-   {field.name}{_default_note(field)}" for field in spec.fields)
    count = "At most one" if spec.allow_empty else "Exactly one"
    return (
        f"{spec.name}({arguments})\n\n{spec.name} is a union of the following fields. "
        f"{count} of them must be provided.\n\n{lines}"
    )


def _default_note(field: FieldSpec) -> str:
    return "" if field.default_value is None else f" (default: {field.default_value!r})"
