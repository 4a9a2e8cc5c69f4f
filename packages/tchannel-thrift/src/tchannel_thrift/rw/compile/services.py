"""Linking services: their functions, and the services that they extend."""

from __future__ import annotations

from typing import Final

from ..codegen import RESERVED_FUNCTION_NAMES, build_service, build_struct, finish_struct
from ..idl import ast
from ..spec import (
    FieldSpec,
    FunctionArgsSpec,
    FunctionResultSpec,
    FunctionSpec,
    ServiceSpec,
)
from .constants import ConstantLinker
from .typelinker import check_attribute_name, declare_fields, link_fields, resolve_type
from .unit import ServiceEntry, Unit

MAX_ANCESTORS: Final = 100
"""Longest chain of services that extend each other. A class has a list of all that it derives from,
so that work and memory grow with the square of the chain."""


def link_service(unit: Unit, entry: ServiceEntry, constants: ConstantLinker) -> ServiceSpec:
    """Link a service, after the one that it extends."""
    spec, node = entry.spec, entry.node
    if spec.linked:
        return spec
    if entry.linking:
        unit.fail(f'Service "{node.name}" extends itself', node.parent_pos or node.pos)
    entry.linking = True
    if node.parent is not None:
        pos = node.parent_pos or node.pos
        found = unit.find(node.parent, _look)
        if found is None:
            unit.unknown("service", node.parent, pos)
        owner, parent = found
        spec.parent = link_service(owner, parent, constants)
        entry.ancestors = parent.ancestors + 1
        if entry.ancestors > MAX_ANCESTORS:
            unit.fail(
                f'Service "{node.name}" extends a chain of more than {MAX_ANCESTORS} services', pos
            )
    names: set[str] = set()
    for function_node in node.functions:
        name = function_node.name
        if name in names:
            unit.fail(
                f'Function "{node.name}.{name}" cannot be defined. That name is already taken',
                function_node.pos,
            )
        check_attribute_name(unit, name, f"service {node.name}", function_node.pos)
        if name in RESERVED_FUNCTION_NAMES:
            unit.fail(
                f'Function "{node.name}.{name}" has a name that generated classes need for '
                "themselves",
                function_node.pos,
            )
        names.add(name)
        function = _function(unit, node, function_node, constants)
        function.service = spec
        spec.functions.append(function)
    spec.linked = True
    entry.linking = False
    return spec


def build_linked_service(unit: Unit, entry: ServiceEntry) -> None:
    """Make the class of a service, after that of its parent."""
    if entry.built:
        return
    if entry.node.parent is not None:
        found = unit.find(entry.node.parent, _look)
        assert found is not None, "linking has found it"
        build_linked_service(*found)
    for function in entry.spec.functions:
        finish_struct(function.args_spec)
        if function.result_spec is not None:
            finish_struct(function.result_spec)
    build_service(entry.spec, unit.module)
    entry.built = True


def _look(unit: Unit, name: str) -> tuple[Unit, ServiceEntry] | None:
    entry = unit.services.get(name)
    return None if entry is None else (unit, entry)


def _function(
    unit: Unit, service: ast.Service, node: ast.Function, constants: ConstantLinker
) -> FunctionSpec:
    label = f'Function "{service.name}.{node.name}" is oneway'
    if node.oneway and node.returns is not None:
        unit.fail(f"{label}. It cannot return a value", node.pos)
    if node.oneway and node.throws:
        unit.fail(f"{label}. It cannot raise exceptions", node.pos)
    prefix = f"{service.name}_{node.name}"
    args = FunctionArgsSpec(f"{prefix}_request")
    declare_fields(unit, args, node.args, kind="arguments")
    build_struct(args, unit.module, unit.origin, (service.name, node.name, "request"))
    link_fields(unit, args, node.args)
    constants.expect_defaults(unit, args, node.args)
    result = None if node.oneway else _result(unit, service, node)
    return FunctionSpec(node.name, args, result, oneway=node.oneway)


def _result(unit: Unit, service: ast.Service, node: ast.Function) -> FunctionResultSpec:
    spec = FunctionResultSpec(
        f"{service.name}_{node.name}_response", allow_empty=node.returns is None
    )
    if node.returns is not None:
        success = FieldSpec(0, "success", False, spec.name)
        success.spec = spec.return_spec = resolve_type(unit, node.returns)
        spec.fields.append(success)
    declare_fields(unit, spec, node.throws, kind="throws")
    build_struct(spec, unit.module, unit.origin, (service.name, node.name, "response"))
    link_fields(unit, spec, node.throws)
    spec.exception_specs = spec.fields[len(spec.fields) - len(node.throws) :]
    spec.exception_ids = frozenset(field.id for field in spec.exception_specs)
    return spec
