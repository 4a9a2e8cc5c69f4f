# noqa: INP001 - a script, not a module of a package
"""Writes the type stubs of `data/generated`, which Apache's compiler leaves without types.

Called by generate_data.sh; needs tchannel-thrift, which knows the types of the IDL.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tchannel_thrift import rw
from tchannel_thrift.rw import spec

_HEAD = """\
# Made by generate_stubs.py. Apache's compiler says nothing of types; they are those of the IDL.
from typing import ClassVar

"""

_BASES = """
class _Struct:  # stands for Apache's TBase, which has no types itself
    thrift_spec: ClassVar[tuple[object, ...]]
    def read(self, iprot: object) -> None: ...
    def write(self, oprot: object) -> None: ...
    def validate(self) -> None: ...

class _Exception(_Struct, Exception): ...
"""

_TYPES = {
    "bool": "bool",
    "double": "float",
    "string": "str",
    "binary": "bytes",
    **dict.fromkeys(("byte", "i8", "i16", "i32", "i64"), "int"),
}


def annotation(type: spec.TypeSpec) -> str:
    """A type of the IDL as an annotation: enums are ints in Apache's code."""
    if isinstance(type, spec.TypedefTypeSpec):
        return annotation(type.target_spec)
    if isinstance(type, spec.EnumTypeSpec):
        return "int"
    if isinstance(type, spec.SetTypeSpec):  # before the list, which it is a kind of
        return f"set[{annotation(type.vspec)}]"
    if isinstance(type, spec.ListTypeSpec):
        return f"list[{annotation(type.vspec)}]"
    if isinstance(type, spec.MapTypeSpec):
        return f"dict[{annotation(type.kspec)}, {annotation(type.vspec)}]"
    return _TYPES.get(type.name, type.name)


def record(name: str, struct: spec.StructTypeSpec, base: str) -> Iterator[str]:
    """The lines of a struct; any field of Apache's may be None, whatever the IDL says."""
    fields = [f"{field.name}: {annotation(field.spec)} | None" for field in struct.fields]
    yield f"class {name}({base}):"
    yield from (f"    {field}" for field in fields)
    yield f"    def __init__({', '.join(['self', *(f'{f} = None' for f in fields)])}) -> None: ..."
    yield ""


def types(module: object) -> Iterator[str]:
    """The lines of ttypes."""
    yield _BASES
    for type in module.__types__:  # type: ignore[attr-defined]
        kind = getattr(type, "type_spec", None)
        if kind is None:  # a typedef of a built-in type
            continue
        if isinstance(kind, spec.EnumTypeSpec):
            yield f"class {kind.name}:"
            yield from (f"    {item}: ClassVar[int]" for item in kind.items)
            yield ""
        else:
            base = "_Exception" if isinstance(kind, spec.ExceptionTypeSpec) else "_Struct"
            yield from record(kind.name, kind, base)
    yield "all_structs: list[type[_Struct]]"


def service(of: spec.ServiceSpec) -> Iterator[str]:
    """The lines of a service's module."""
    parent = of.parent.name if of.parent is not None else None
    yield "from .ttypes import *"
    yield "from .ttypes import _Struct"
    if parent:
        yield f"from . import {parent}"
    yield ""
    methods = []
    for function in of.functions:
        arguments = [f"{f.name}: {annotation(f.spec)}" for f in function.args_spec.fields]
        result = function.result_spec
        gives = [f for f in result.fields if f.name == "success"] if result is not None else []
        returned = annotation(gives[0].spec) if gives else "None"
        listed = ", ".join(["self", *arguments])
        methods.append((function.name, listed, returned))
    for name in ("Iface", "Client"):
        bases = [f"{parent}.{name}"] if parent else []
        yield f"class {name}({', '.join([*bases, *(['Iface'] if name == 'Client' else [])])}):"
        if name == "Client":
            yield "    def __init__(self, iprot: object, oprot: object = None) -> None: ..."
        for method, listed, returned in methods:
            yield f"    def {method}({listed}) -> {returned}: ..."
            if name == "Client":
                yield f"    def send_{method}({listed}) -> None: ..."
                yield f"    def recv_{method}(self) -> {returned}: ..."
        yield ""
    yield f"class Processor({f'{parent}.Processor, ' if parent else ''}Iface):"
    yield "    def __init__(self, handler: object) -> None: ..."
    yield "    def on_message_begin(self, func: object) -> None: ..."
    yield "    def process(self, iprot: object, oprot: object) -> bool | None: ..."
    for method, _, _ in methods:
        yield f"    def process_{method}(self, seqid: int, iprot: object, oprot: object) -> None: ..."
    yield ""
    for function in of.functions:
        yield from record(f"{function.name}_args", function.args_spec, "_Struct")
        if function.result_spec is not None:
            yield from record(f"{function.name}_result", function.result_spec, "_Struct")


def main(idl: Path, target: Path) -> None:
    """Write a stub for each module of `target`."""
    module = rw.load(idl)
    texts = {"ttypes": types(module)}
    texts |= {one.service_spec.name: service(one.service_spec) for one in module.__services__}
    constants = (f"{name}: {_of(value)}" for name, value in module.__constants__.items())
    texts["constants"] = iter(["from .ttypes import *", *constants])
    for name, lines in texts.items():
        (target / f"{name}.pyi").write_text(_HEAD + "\n".join(lines) + "\n")


def _of(constant: object) -> str:
    return "int" if isinstance(constant, int) else "list[str]"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
