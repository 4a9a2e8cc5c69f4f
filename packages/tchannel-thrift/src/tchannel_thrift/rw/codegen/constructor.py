"""Constructors: ``__init__`` of a generated class, generated for the first instance."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import TypeAlias

from ..spec import (
    BinaryTypeSpec,
    BoolTypeSpec,
    DoubleTypeSpec,
    EnumTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TextTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from ..spec.struct import missing_argument
from . import ways
from .layout import CODE_SIZES, struct_code
from .source import Source, is_plain

Constructor: TypeAlias = Callable[..., None]


class _Missing:
    """The default of arguments that must be given: unlike None, nobody passes it."""

    def __repr__(self) -> str:
        return "<required>"


_MISSING = _Missing()


def constructor_of(spec: StructTypeSpec) -> Constructor:
    """Generate the constructor of a struct and set it as the ``__init__`` of its class."""
    writer = _ConstructorWriter(spec)
    constructor = writer.union() if isinstance(spec, UnionTypeSpec) else writer.struct()
    constructor.__qualname__ = f"{spec.name}.__init__"  # Python's own errors name it
    constructor = ways.constructor(spec, constructor)
    spec.surface.__init__ = constructor
    return constructor


def default_expression(source: Source, field: FieldSpec) -> str:
    """Text for a field's default; one that can change is copied each time."""
    default = source.bind("default", field.default_value)
    if isinstance(field.default_value, (bool, int, float, str, bytes)):
        return default
    return f"{source.bind('deepcopy', copy.deepcopy)}({default})"


class _ConstructorWriter:
    """Writes the source of one constructor."""

    def __init__(self, spec: StructTypeSpec) -> None:
        self.spec = spec
        self.source = Source()
        # Arguments are locals, and so are found before globals: whatever else the text names must
        # begin as no field does.
        self._prefix = "g_"
        while any(field.name.startswith(self._prefix) for field in spec.fields):
            self._prefix += "_"
        self._self, self._extra, self._unknown = (
            self._prefix + name for name in ("self", "extra", "unknown")
        )
        # A field may have a keyword's name: then its parameter has another one, for arguments by
        # position, and those by name are found among the unknown ones.
        self._names = {
            field.name: field.name if is_plain(field.name) else self._fresh("argument")
            for field in spec.fields
        }

    def struct(self) -> Constructor:
        source = self.source
        parameters = [self._self]
        odd: list[tuple[str, str, str]] = []
        for field in self.spec.constructor_fields:
            name = self._names[field.name]
            default = self._bind("MISSING", _MISSING) if field.must_be_given else "None"
            parameters.append(f"{name}={default}")
            if not is_plain(field.name):
                odd.append((field.name, name, default))
        parameters += [f"*{self._extra}", f"**{self._unknown}"]
        with source.block(f"def __init__({', '.join(parameters)}):"):
            for field_name, name, default in odd:
                with source.block(f"if {field_name!r} in {self._unknown}:"):
                    with source.block(f"if {name} is not {default}:"):
                        twice = self._bind("twice", self._twice)
                        source.line(f"raise {twice}({field_name!r})")
                    source.line(f"{name} = {self._unknown}.pop({field_name!r})")
            with source.block(f"if {self._extra} or {self._unknown}:"):
                refuse = self._bind("refuse", self._refuse)
                source.line(f"raise {refuse}({self._extra}, {self._unknown})")
            # Those that must be given first: what is missing is said before anything else.
            for field in self.spec.constructor_fields:
                self._field(field)
            if not self.spec.fields:
                source.line("pass")
        return source.compile("__init__", "constructor")

    def _field(self, field: FieldSpec) -> None:
        source = self.source
        name = self._names[field.name]
        if field.must_be_given:
            self._check(field, name, may_be_missing=True)
        elif field.default_value is None:
            self._check(field, name, may_be_none=True)
        else:
            with source.block(f"if {name} is None:"):
                source.line(f"{name} = {self._default(field)}")
            with source.block("else:"):
                self._check(field, name)
        source.line(self._assign(field.name, name))

    def union(self) -> Constructor:
        source = self.source
        parameters = [self._self, f"*{self._extra}"]
        parameters += [f"{f.name}=None" for f in self.spec.fields if is_plain(f.name)]
        parameters.append(f"**{self._unknown}")
        with source.block(f"def __init__({', '.join(parameters)}):"):
            for field in self.spec.fields:
                if not is_plain(field.name):
                    source.line(
                        f"{self._names[field.name]} = {self._unknown}.pop({field.name!r}, None)"
                    )
            with source.block(f"if {self._extra} or {self._unknown}:"):
                refuse = self._bind("refuse", self._refuse)
                source.line(f"raise {refuse}({self._extra}, {self._unknown})")
            names = [self._names[field.name] for field in self.spec.fields]
            if names:
                present = " + ".join(f"({name} is not None)" for name in names)
                assert isinstance(self.spec, UnionTypeSpec)
                default = self.spec.default_field
                if default is not None:
                    with source.block(f"if not ({present}):"):
                        source.line(f"{self._names[default.name]} = {self._default(default)}")
                wrong = "> 1" if self.spec.allow_empty else "!= 1"
                with source.block(f"if {present} {wrong}:"):
                    check = self._bind("check_count", self.spec.check_count)
                    source.line(f"{check}([{', '.join(names)}])")
            for field, name in zip(self.spec.fields, names, strict=True):
                self._check(field, name, may_be_none=True)
                source.line(self._assign(field.name, name))
            if not names:
                source.line("pass")
        return source.compile("__init__", "constructor")

    # -- checks -----------------------------------------------------------------------------------

    def _check(
        self,
        field: FieldSpec,
        name: str,
        *,
        may_be_missing: bool = False,
        may_be_none: bool = False,
    ) -> None:
        """Look at a value quickly; let the field's own check decide about whatever is unusual."""
        source = self.source
        check = self._bind("check", field.check)
        unless_none = f"{name} is not None" if may_be_none else ""

        def unusual() -> None:
            if may_be_missing:
                with source.block(f"if {name} is {self._bind('MISSING', _MISSING)}:"):
                    missing = self._bind("missing", self._missing)
                    source.line(f"raise {missing}({self._bind('locals', locals)}())")
            source.line(f"{name} = {check}({name})")

        condition = self._condition(field.spec, name)
        if condition is not None:
            if unless_none:
                condition = f"{unless_none} and ({condition})"
            with source.block(f"if {condition}:"):
                unusual()
            return
        container = self._container(field.spec, name)
        if container is None:
            with source.block(f"if {unless_none or True}:"):
                unusual()
            return
        kind, loop, condition = container
        with (
            source.block(f"if {name}.__class__ is {self._bind(kind, _KINDS[kind])}:"),
            source.block(loop),
            source.block(f"if {condition}:"),
        ):
            source.line(f"{name} = {check}({name})")
            source.line("break")
        with source.block(f"elif {unless_none}:" if unless_none else "else:"):
            unusual()

    def _container(self, spec: TypeSpec, name: str) -> tuple[str, str, str] | None:
        """Class of a container, a loop over its elements, and what makes one need a closer look.

        None for containers of containers: their specs look at them.
        """
        item, key = self._fresh("x"), self._fresh("k")
        conditions: list[str | None]
        if isinstance(spec, MapTypeSpec):
            kind, loop = "dict", f"for {key}, {item} in {name}.items():"
            conditions = [self._condition(spec.kspec, key), self._condition(spec.vspec, item)]
        elif isinstance(spec, ListTypeSpec):
            kind = "set" if isinstance(spec, SetTypeSpec) else "list"
            loop = f"for {item} in {name}:"
            conditions = [self._condition(spec.vspec, item)]
        else:
            return None
        known = [text for text in conditions if text is not None]
        return (kind, loop, " or ".join(known)) if len(known) == len(conditions) else None

    def _condition(self, spec: TypeSpec, name: str) -> str | None:
        """Text that is true for a value that needs a closer look; None for containers."""
        if spec is BoolTypeSpec:
            return f"{name} is not True and {name} is not False"
        if spec is DoubleTypeSpec:
            return f"{name}.__class__ is not {self._bind('float', float)}"
        if spec is TextTypeSpec:
            return f"{name}.__class__ is not {self._bind('str', str)}"
        if spec is BinaryTypeSpec:
            return f"{name}.__class__ is not {self._bind('bytes', bytes)}"
        code = struct_code(spec)
        if code is not None or isinstance(spec, EnumTypeSpec):
            bound = 1 << (8 * CODE_SIZES[code or "i"] - 1)
            unusual = f"{name}.__class__ is not {self._bind('int', int)}"
            if isinstance(spec, EnumTypeSpec) and spec.members is not None:
                unusual += f" and {name}.__class__ is not {self._bind('members', spec.surface)}"
            return f"{unusual} or not {-bound} <= {name} < {bound}"
        if isinstance(spec, StructTypeSpec):
            return f"{name}.__class__ is not {self._bind('surface', spec.surface)}"
        return None

    # -- names ------------------------------------------------------------------------------------

    def _bind(self, name: str, value: object) -> str:
        if name in _SHARED_NAMES:
            return self.source.bind_as(f"{self._prefix}{name}", value)
        return self.source.bind(f"{self._prefix}{name}", value)

    def _fresh(self, name: str) -> str:
        return self.source.fresh(f"{self._prefix}{name}")

    def _assign(self, name: str, value: str) -> str:
        if is_plain(name):
            return f"{self._self}.{name} = {value}"
        return f"{self._bind('setattr', setattr)}({self._self}, {name!r}, {value})"

    def _default(self, field: FieldSpec) -> str:
        default = self._bind("default", field.default_value)
        if isinstance(field.default_value, (bool, int, float, str, bytes)):
            return default
        return f"{self._bind('deepcopy', copy.deepcopy)}({default})"

    def _missing(self, arguments: dict[str, object]) -> TypeError:
        values = (arguments[self._names[field.name]] for field in self.spec.fields)
        return missing_argument(self.spec, [None if v is _MISSING else v for v in values])

    def _twice(self, name: str) -> TypeError:
        return given_twice(self.spec, name)

    def _refuse(self, extra: tuple[object, ...], unknown: dict[str, object]) -> TypeError:
        return refusal(self.spec, len(extra), unknown)


def given_twice(spec: StructTypeSpec, name: str) -> TypeError:
    """The error, worded as Python's own, for an argument that came by position and by name."""
    return TypeError(f"{spec.name}.__init__() got multiple values for argument {name!r}")


def refusal(spec: StructTypeSpec, extra: int, unknown: Iterable[str]) -> TypeError:
    """The error for ``extra`` arguments too many by position, or unknown ones by name."""
    name = spec.name
    if extra and isinstance(spec, UnionTypeSpec):
        return TypeError(f"{name}() does not accept any positional arguments ({extra} given)")
    if extra:
        most = len(spec.fields) + 1
        return TypeError(f"{name}() takes at most {most} arguments ({most + extra} given)")
    return TypeError(f'{name}() got an unexpected keyword argument "{next(iter(unknown))}"')


_SHARED_NAMES = frozenset(
    ("MISSING", "missing", "locals", "float", "str", "bytes", "int", "list", "set", "dict")
)
"""Names that always mean the same within one constructor."""

_KINDS = {"dict": dict, "list": list, "set": set}
