"""The text of a stub: what a generated module contains, for type checkers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ..rw.compile.unit import MODULE_FUNCTIONS, Unit
from ..rw.spec import (
    EnumTypeSpec,
    ExceptionTypeSpec,
    FieldSpec,
    FunctionSpec,
    ServiceSpec,
    StructTypeSpec,
    TypedefTypeSpec,
    UnionTypeSpec,
)
from .names import Names, included_names, is_name

_HEAD = """\
# Made by `python -m tchannel_thrift stubs` from {name}.thrift. Changes will be lost.
# ruff: noqa
# pyright: reportIncompatibleVariableOverride=false, reportIncompatibleMethodOverride=false
"""

_IMPORTS = {
    "_builtins": "import builtins as _builtins",
    "_abstractmethod": "from abc import abstractmethod as _abstractmethod",
    "_IntEnum": "from enum import IntEnum as _IntEnum",
    "_Mapping": "from collections.abc import Mapping as _Mapping",
    "_Any": "from typing import Any as _Any",
    "_ClassVar": "from typing import ClassVar as _ClassVar",
    "_Final": "from typing import Final as _Final",
    "_Protocol": "from typing import Protocol as _Protocol",
    "_Self": "from typing import Self as _Self",
    "_TypeAlias": "from typing import TypeAlias as _TypeAlias",
    "_overload": "from typing import overload as _overload",
    "_UUID": "from uuid import UUID as _UUID",
    "_Request": "from tchannel import Request as _Request",
    "_Answer": "from tchannel_thrift.handlers import Answer as _Answer",
    "_ThriftRequest": "from tchannel_thrift import ThriftRequest as _ThriftRequest",
    "_spec": "from tchannel_thrift.rw import spec as _spec",
    "_ExceptionRecord": "from tchannel_thrift.rw.codegen import ExceptionRecord as _ExceptionRecord",
    "_Record": "from tchannel_thrift.rw.codegen import Record as _Record",
    "_Dumps": "from tchannel_thrift.rw.compile.serialization import Dumps as _Dumps",
    "_Loads": "from tchannel_thrift.rw.compile.serialization import Loads as _Loads",
}
"""What a stub may need, by the name that it has there: one that nothing in an IDL file has."""

_TAIL = """\
dumps: _Dumps
loads: _Loads
__types__: _builtins.tuple[_Any, ...]
__services__: _builtins.tuple[_Any, ...]
__includes__: _builtins.tuple[_Any, ...]
__constants__: _builtins.dict[_builtins.str, _Any]
__thrift_source__: _builtins.str
"""


def render_stub(unit: Unit, *, relative: bool, modules: Mapping[int, str] | None = None) -> str:
    """The text of the ``.pyi`` of a document.

    It fits the module that the engine loads and the one of ``tchannel.thrift.load``: functions of
    services have ``request`` and ``response`` as in the first, and make requests when called as in
    the second.

    Args:
        unit: The linked document.
        relative: Whether included modules are found beside this one in a package; otherwise they
            are imported as top-level modules.
        modules: Names of the modules of all documents, by ``id`` of the unit; by default each has
            its own.

    """
    return _Renderer(unit, relative=relative, modules=modules or {}).render()


class _Renderer:
    def __init__(self, unit: Unit, *, relative: bool, modules: Mapping[int, str]) -> None:
        self._unit = unit
        self._modules = modules
        self._relative = relative
        self._names = Names(unit)
        self._lines: list[str] = []

    def render(self) -> str:
        unit = self._unit
        self._each(unit.types, self._type)
        constants = [name for name in unit.constants if name not in {*unit.types, *unit.services}]
        self._each(constants, self._constant)
        self._each(unit.services, self._service)
        aliases = "".join(
            f"{alias}: _TypeAlias = {name}\n" for alias, name in self._names.aliases.items()
        )
        body = "\n".join([*self._lines, "", aliases + _TAIL])
        used = set(re.findall(r"\b_\w+", body))
        imports = [text for name, text in _IMPORTS.items() if name in used]
        for name, included in included_names(unit):
            source = self._modules.get(id(included), included.module.__name__)
            where = "from . import" if self._relative else "import"
            imports.append(f"{where} {source} as {name}")
        return "\n".join([_HEAD.format(name=unit.module.__name__), *imports, body])

    def _each(self, names: Iterable[str], write: Callable[[str], None]) -> None:
        for name in names:
            self._lines.append("")
            if name in MODULE_FUNCTIONS:
                self._lines.append(f"# The module's own function hides the definition {name}.")
            elif is_name(name):
                write(name)
            else:
                self._lines.append(f"# The name {name} cannot be written in Python.")

    # -- types ------------------------------------------------------------------------------------

    def _type(self, name: str) -> None:
        spec = self._unit.types[name].spec
        self._names.enter(set())
        if isinstance(spec, TypedefTypeSpec):
            target = self._names.annotation(spec.target_spec)
            self._lines.append(f"{name}: _TypeAlias = {target}")
        elif isinstance(spec, EnumTypeSpec):
            self._enum(spec)
        elif isinstance(spec, StructTypeSpec):
            self._struct(name, spec)

    def _constant(self, name: str) -> None:
        spec = self._unit.constants[name].spec
        assert spec is not None, "linking has made it"
        self._names.enter(set())
        self._lines.append(f"{name}: _Final[{self._names.annotation(spec.type_spec)}]")

    def _enum(self, spec: EnumTypeSpec) -> None:
        self._names.enter(set(spec.items))
        if spec.members is None:
            lines = [f"class {spec.name}:"]
            form = "    {}: _Final = {}"
        else:
            lines = [f"class {spec.name}(_IntEnum):"]
            form = "    {} = {}"
        lines += [form.format(item, value) for item, value in spec.items.items() if is_name(item)]
        if spec.members is not None:
            self._lines += lines if len(lines) > 1 else [*lines, "    pass"]
            return
        if not {"items", "values", "name_of", "type_spec"} & set(spec.items):
            lines += [
                "    items: _ClassVar[_builtins.tuple[_builtins.str, ...]]",
                "    values: _ClassVar[_builtins.tuple[_builtins.int, ...]]",
                "    type_spec: _ClassVar[_spec.EnumTypeSpec]",
                f"    @{self._names.builtin('classmethod')}",
                "    def name_of(cls, value: _builtins.int) -> _builtins.str | None: ...",
            ]
        self._lines += lines

    def _struct(self, name: str, spec: StructTypeSpec) -> None:
        self._names.enter({field.name for field in spec.fields})
        base = "_ExceptionRecord" if isinstance(spec, ExceptionTypeSpec) else "_Record"
        lines = [f"class {name}({base}):"]
        lines += [
            f"    {field.name}: {self._attribute(spec, field)}"
            for field in spec.fields
            if is_name(field.name)
        ]
        if isinstance(spec, UnionTypeSpec):
            lines += self._union_constructors(spec)
        else:
            lines.append(f"    def __init__({self._parameters(spec)}) -> None: ...")
        lines += [
            "    def to_primitive(self) -> _builtins.dict[_builtins.str, _Any]: ...",
            f"    @{self._names.builtin('classmethod')}",
            "    def from_primitive(cls, value: _Mapping[_builtins.str, _Any]) -> _Self: ...",
        ]
        self._lines += lines

    def _attribute(self, spec: StructTypeSpec, field: FieldSpec) -> str:
        text = self._names.annotation(field.spec)
        always = field.required or field.default_value is not None
        if isinstance(spec, UnionTypeSpec) or not always:
            text += " | None"
        if isinstance(spec, ExceptionTypeSpec) and hasattr(Exception, field.name):
            text += "  # type: ignore[assignment]"  # such as ``args``
        return text

    def _parameters(self, spec: StructTypeSpec) -> str:
        plain = {field.name for field in spec.fields if is_name(field.name)}
        taken = set(plain)
        parameters = [_free("self", taken)]
        odd = False
        for field in spec.constructor_fields:
            text = self._names.annotation(field.spec)
            name = field.name
            if name not in plain:  # a keyword of Python, given by position or as **{"from": ...}
                odd = True
                name = _free(f"{name}_", taken)
                taken.add(name)
            if not field.must_be_given:
                text += " | None = None"
            elif odd:  # may have been given among the others, and so may what follows it
                text += " = ..."
            parameters.append(f"{name}: {text}")
        if odd:
            parameters.append(f"**{_free('others', taken)}: _Any")
        return ", ".join(parameters)

    def _union_constructors(self, spec: UnionTypeSpec) -> list[str]:
        fields = [field for field in spec.fields if is_name(field.name)]
        me = _free("self", {field.name for field in fields})
        empty = ", ".join(
            [me, *(["*"] if fields else []), *(f"{f.name}: None = None" for f in fields)]
        )
        signatures = []
        for one in fields:
            parameters = [me, "*"]
            for field in fields:
                if field is one:
                    parameters.append(f"{field.name}: {self._names.annotation(field.spec)}")
                else:
                    parameters.append(f"{field.name}: None = None")
            signatures.append(", ".join(parameters))
        if spec.allow_empty or not fields or spec.default_field is not None:
            signatures.append(empty)
        if len(fields) < len(spec.fields):
            signatures.append(f"{me}, **{_free('others', {f.name for f in fields})}: _Any")
        lines = []
        for signature in signatures:
            if len(signatures) > 1:
                lines.append("    @_overload")
            lines.append(f"    def __init__({signature}) -> None: ...")
        return lines

    # -- services ---------------------------------------------------------------------------------

    def _service(self, name: str) -> None:
        spec = self._unit.services[name].spec
        for function in spec.functions:
            if is_name(function.name):
                self._function(name, function)
        parent = self._parent(spec)
        self._lines.append(f"class {name}{parent}:")
        self._lines.append("    service_spec: _ClassVar[_spec.ServiceSpec]")
        for function in spec.functions:
            if is_name(function.name):
                line = f"    {function.name}: _ClassVar[_{name}_{function.name}_function]"
                if spec.parent is not None and spec.parent.lookup(function.name) is not None:
                    line += "  # type: ignore[assignment]"  # the parent's has other arguments
                self._lines.append(line)
        self._handlers(name, spec)

    def _parent(self, spec: ServiceSpec) -> str:
        parent = self._names.home(spec.parent)
        return "" if parent is None else f"({parent})"

    def _handlers(self, service: str, spec: ServiceSpec) -> None:
        """What serves the service: a Protocol, and the requests that its methods get."""
        name = f"{service}Handlers"
        if name in self._names.taken:
            self._lines.append(f"# A definition of the file has the name {name}.")
            return
        parent = self._names.home(spec.parent)
        ignore = "" if parent is None else "  # type: ignore[override]"
        self._lines += [
            "    # For checkers alone: what `channel.thrift.register` takes as the handlers.",
            "    @_builtins.classmethod",
            f"    def __serve__(cls, handlers: {name}, /) -> None: ...{ignore}",
        ]
        functions = [
            function
            for function in spec.functions
            if is_name(function.name) and not function.oneway  # TChannel refuses these
        ]
        requests = {}
        for function in functions:
            arguments = f"_{service}_{function.name}_request"
            requests[function.name] = (
                f"_Request[{arguments}, _builtins.dict[_builtins.str, _builtins.str]]"
            )
            alias = f"{service}_{function.name}_Request"
            if alias not in self._names.taken:
                self._lines.append(f"{alias}: _TypeAlias = {requests[function.name]}")
        self._names.enter({function.name for function in functions})
        bases = "_Protocol" if parent is None else f"{parent}Handlers, _Protocol"
        self._lines.append(f"class {name}({bases}):")
        for function in functions:
            answer = f"_Answer[{self._result(function)}]"
            request = requests[function.name]
            line = f"    def {function.name}(self, request: {request}, /) -> {answer}: ..."
            if spec.parent is not None and spec.parent.lookup(function.name) is not None:
                line += "  # type: ignore[override]"  # the parent's has other arguments
            self._lines += ["    @_abstractmethod", line]
        if not functions:
            self._lines.append("    pass")

    def _function(self, service: str, function: FunctionSpec) -> None:
        prefix = f"_{service}_{function.name}"
        self._struct(f"{prefix}_request", function.args_spec)
        if function.result_spec is not None:
            self._struct(f"{prefix}_response", function.result_spec)
            response = f"_builtins.type[{prefix}_response]"
        else:
            response = "None"
        self._names.enter({field.name for field in function.args_spec.fields})
        self._lines += [
            f"class {prefix}_function:",
            "    name: _builtins.str",
            f"    request: _builtins.type[{prefix}_request]",
            f"    response: {response}",
            "    spec: _spec.FunctionSpec",
        ]
        if not function.oneway:  # TChannel refuses these
            parameters = self._parameters(function.args_spec)
            result = self._result(function)
            self._lines.append(f"    def __call__({parameters}) -> _ThriftRequest[{result}]: ...")

    def _result(self, function: FunctionSpec) -> str:
        """What the function returns, as an annotation."""
        if function.result_spec is not None:
            for field in function.result_spec.fields:
                if field.name == "success":
                    return self._names.annotation(field.spec)
        return "None"


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
