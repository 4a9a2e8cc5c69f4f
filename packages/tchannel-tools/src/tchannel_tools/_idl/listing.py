"""What a Thrift interface offers, as text: signatures and types, as the IDL writes them."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from tchannel_thrift.rw.idl import ast, parse

from .._terminal.failures import ToolError, quoted
from .interface import Interface, nearest

__all__ = ["definitions", "describe", "list_services", "services_document"]


def list_services(interface: Interface) -> str:
    """Return every service with the signatures of its methods, one a line."""
    blocks = []
    for service, signatures in _services(interface.module).items():
        blocks.append("\n".join([service, *(f"  {one}" for one in signatures.values())]))
    if not blocks:
        raise ToolError("the IDL has no service")
    return "\n\n".join(blocks)


def services_document(interface: Interface) -> dict[str, object]:
    """Return every service with its methods, for JSON: signatures by endpoint by service."""
    return {"services": _services(interface.module)}


def definitions(interface: Interface) -> dict[str, str]:
    """Return all services and types by name, as the IDL has them; included ones with their prefix."""
    found: dict[str, str] = {}
    for service, signatures in _services(interface.module).items():
        found[service] = _service(service, signatures)
    for prefix, module in _modules(interface.module):
        for definition in _parse(module).definitions:
            text = _definition(definition)
            if text is not None:
                found.setdefault(f"{prefix}{definition.name}", text)
    return found


def _service(name: str, signatures: dict[str, str]) -> str:
    return "\n".join([f"service {name}", *(f"  {one}" for one in signatures.values())])


def describe(interface: Interface, name: str) -> str:
    """Return the definition of a type, a service or an endpoint.

    Raises:
        ToolError: There is nothing of that name; says what comes nearest.

    """
    known: dict[str, str] = {}
    for service, signatures in _services(interface.module).items():
        known[service] = _service(service, signatures)
        known |= signatures
    for prefix, module in _modules(interface.module):
        for definition in _parse(module).definitions:
            text = _definition(definition)
            if text is not None:
                known.setdefault(f"{prefix}{definition.name}", text)
                # Without the name of the included file as well, where that is clear.
                known.setdefault(definition.name, text)
    if name not in known:
        raise ToolError(f"the IDL has no {name!r}: {nearest(name, list(known))}")
    return known[name]


def _modules(module: ModuleType, prefix: str = "") -> Iterator[tuple[str, ModuleType]]:
    seen: set[int] = set()
    waiting = [(prefix, module)]
    while waiting:
        prefix, module = waiting.pop(0)
        if id(module) not in seen:
            seen.add(id(module))
            yield prefix, module
            waiting += [(f"{prefix}{name}.", included) for name, included in _included(module)]


def _services(module: ModuleType) -> dict[str, dict[str, str]]:
    """Signatures by endpoint by service."""
    found = {}
    for service in _own_services(module):
        found[service.name] = {
            f"{service.name}::{function.name}": _signature(service.name, function)
            for function in _functions(module, service)
        }
    return found


def _own_services(module: ModuleType) -> list[ast.Service]:
    return [one for one in _parse(module).definitions if isinstance(one, ast.Service)]


def _functions(module: ModuleType, service: ast.Service) -> list[ast.Function]:
    inherited: list[ast.Function] = []
    if service.parent is not None:
        home, name = _home(module, service.parent)
        inherited = [
            function
            for parent in _own_services(home)
            if parent.name == name
            for function in _functions(home, parent)
        ]
    return inherited + service.functions


def _home(module: ModuleType, name: str) -> tuple[ModuleType, str]:
    """The module that a dotted name of an IDL refers to, and the name there."""
    end = name.rfind(".")
    while end > 0:
        for prefix, included in reversed(_included(module)):
            if prefix == name[:end]:
                return _home(included, name[end + 1 :])
        end = name.rfind(".", 0, end)
    return module, name


def _included(module: ModuleType) -> list[tuple[str, ModuleType]]:
    """The included modules with the names that the IDL has for them."""
    names = {id(value): name for name, value in vars(module).items() if name[:2] != "__"}
    found: tuple[ModuleType, ...] = module.__includes__
    return [(names.get(id(one)) or one.__name__, one) for one in found]


def _parse(module: ModuleType) -> ast.Document:
    return parse(module.__thrift_source__, strict=False, include_as=True)


# -- as text --------------------------------------------------------------------------------------


def _signature(service: str, function: ast.Function) -> str:
    arguments = ", ".join(_field(one) for one in function.args)
    returns = "void" if function.returns is None else _type(function.returns)
    throws = ", ".join(_field(one) for one in function.throws)
    return (
        f"{'oneway ' if function.oneway else ''}{returns} {service}::{function.name}({arguments})"
        f"{f' throws ({throws})' if throws else ''}"
    )


def _definition(definition: ast.Definition) -> str | None:
    name = definition.name
    if isinstance(definition, ast.Struct):
        fields = [f"  {_field(one)}" for one in definition.fields]
        return "\n".join([f"{definition.kind} {name} {{", *fields, "}"])
    if isinstance(definition, ast.Enum):
        items = [
            f"  {one.name}" + ("" if one.value is None else f" = {one.value}")
            for one in definition.items
        ]
        return "\n".join([f"enum {name} {{", *items, "}"])
    if isinstance(definition, ast.Typedef):
        return f"typedef {_type(definition.type)} {name}"
    if isinstance(definition, ast.Const):
        return f"const {_type(definition.type)} {name} = {_constant(definition.value)}"
    return None  # services are described with their inherited functions


def _field(field: ast.Field) -> str:
    number = "" if field.id is None else f"{field.id}: "
    required = {True: "required ", False: "optional ", None: ""}[field.required]
    default = "" if field.default is None else f" = {_constant(field.default)}"
    return f"{number}{required}{_type(field.type)} {field.name}{default}"


def _type(type_: ast.Type) -> str:
    if isinstance(type_, ast.ListType):
        return f"list<{_type(type_.value)}>"
    if isinstance(type_, ast.SetType):
        return f"set<{_type(type_.value)}>"
    if isinstance(type_, ast.MapType):
        return f"map<{_type(type_.key)}, {_type(type_.value)}>"
    return type_.name


def _constant(value: ast.ConstValue) -> str:
    if isinstance(value, ast.ConstReference):
        return value.name
    if isinstance(value, ast.ConstList):
        return f"[{', '.join(_constant(one) for one in value.values)}]"
    if isinstance(value, ast.ConstMap):
        pairs = (f"{_constant(key)}: {_constant(item)}" for key, item in value.pairs)
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value.value, bool):
        return "true" if value.value else "false"
    return quoted(value.value) if isinstance(value.value, str) else str(value.value)
