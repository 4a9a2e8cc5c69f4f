"""Encoders: one function per struct, generated the first time that an instance is written.

An encoder appends parts to a list. It believes that values are what the constructor let pass;
whatever is not, ends in an exception, and ``dumps`` begins again with the careful writer, which
knows what to say. Fixed-size fields that follow each other are packed by one call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import FunctionType
from typing import TypeAlias

from ..spec import (
    BinaryTypeSpec,
    BoolTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    StructTypeSpec,
    TextTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from . import ways
from .layout import (
    DEEPEST_LOOPS,
    LENGTHS,
    PACK_RUNS,
    TEXT_KEYS,
    container_head,
    field_head,
    struct_code,
)
from .source import Source, attribute

Encoder: TypeAlias = Callable[[object, list[bytes]], None]
Dumper: TypeAlias = Callable[[object], bytes]

_FLAT_FIELDS = 8

ATTRIBUTE = "__thrift_encode__"
"""Attribute of a generated class that holds its encoder."""


DUMPER_ATTRIBUTE = "__thrift_dump__"
"""Attribute of a generated class that holds its encoder for whole payloads."""


def encoder_of(spec: StructTypeSpec) -> Encoder:
    """The encoder of a struct; generated if it is not there yet."""
    encoder: Encoder | None = spec.surface.__dict__.get(ATTRIBUTE)
    if encoder is None:
        encoder = _EncoderWriter(spec).write()
        setattr(spec.surface, ATTRIBUTE, encoder)
    return encoder


def dumper_of(spec: StructTypeSpec) -> Dumper:
    """The encoder of payloads that are a struct; generated if it is not there yet.

    It returns the payload, and where it can does without a list of parts.
    """
    dumper: Dumper | None = spec.surface.__dict__.get(DUMPER_ATTRIBUTE)
    if dumper is None:
        dumper = ways.dumper(spec, lambda: _EncoderWriter(spec, whole=True).write())
        setattr(spec.surface, DUMPER_ATTRIBUTE, dumper)
    return dumper


class _EncoderWriter:
    """Writes the source of one encoder."""

    def __init__(self, spec: StructTypeSpec, *, whole: bool = False) -> None:
        self.spec = spec
        self.whole = whole
        self.source = Source()
        # What is not yet appended: constants and expressions, in order, and among them the values
        # that one call will pack.
        self._parts: list[bytes | str] = []
        self._codes = ""
        self._arguments: list[str] = []
        self._appended = False
        self._loops = 0
        bind = self.source.bind_as
        bind("join", b"".join)
        bind("lengths", LENGTHS)
        bind("text_keys", TEXT_KEYS)
        bind("pack_length", struct.Struct(">i").pack)
        bind("as_bytes", _as_bytes)
        bind("as_bool", _as_bool)
        bind("Unfit", _UnfitError)

    def write(self) -> FunctionType:
        source = self.source
        with source.block(f"def encode({'obj' if self.whole else 'obj, out'}):"):
            before = source.mark()
            if isinstance(self.spec, UnionTypeSpec):
                self._union()
            else:
                for field in self.spec.fields:
                    self._field(field)
            self._constant(b"\0")
            if not self.whole:
                self._flush()
            elif self._appended:
                self._flush()
                source.line("return join(out)")
                source.insert(before, "out = []")
            else:
                source.line(f"return join(({', '.join(self._texts())},))")
        return source.compile("encode", "encoder")

    # -- fields -----------------------------------------------------------------------------------

    def _field(self, field: FieldSpec) -> None:
        if field.required:
            # Checked by construction; if it was set to None since, packing it raises.
            self._constant(field_head(field))
            self._attribute(field.spec, attribute("obj", field.name))
            return
        self._flush()
        value = self.source.fresh("v")
        self.source.line(f"{value} = {attribute('obj', field.name)}")
        with self.source.block(f"if {value} is not None:"):
            self._constant(field_head(field))
            self._value(field.spec, value)
            self._flush()

    def _union(self) -> None:
        spec = self.spec
        assert isinstance(spec, UnionTypeSpec)
        values = [self.source.fresh("v") for _ in spec.fields]
        for field, value in zip(spec.fields, values, strict=True):
            self.source.line(f"{value} = {attribute('obj', field.name)}")
        for index, (field, value) in enumerate(zip(spec.fields, values, strict=True)):
            with self.source.block(f"if {value} is not None:"):
                others = [f"{other} is not None" for other in values[index + 1 :]]
                if others:
                    with self.source.block(f"if {' or '.join(others)}:"):
                        self.source.line("raise Unfit")
                self._constant(field_head(field))
                self._value(field.spec, value)
                self._constant(b"\0")
                self._flush()
                self.source.line("return join(out)" if self.whole else "return")
        if values and not spec.allow_empty:
            self.source.line("raise Unfit")

    # -- values -----------------------------------------------------------------------------------

    def _attribute(self, spec: TypeSpec, expression: str) -> None:
        """Write a value that an attribute has."""
        code = struct_code(spec)
        if code is not None and spec is not BoolTypeSpec:
            self._packed(code, expression)
            return
        value = self.source.fresh("v")
        self.source.line(f"{value} = {expression}")
        self._value(spec, value)

    def _value(self, spec: TypeSpec, value: str) -> None:
        source = self.source
        code = struct_code(spec)
        if code is not None:
            if spec is BoolTypeSpec:
                with source.block(f"if {value} is not True and {value} is not False:"):
                    source.line(f"{value} = as_bool({value})")
            self._packed(code, value)
        elif spec is TextTypeSpec:
            data = source.fresh("b")
            source.line(
                f"{data} = {value}.encode() if {value}.__class__ is str else as_bytes({value})"
            )
            self._counted(data)
        elif spec is BinaryTypeSpec:
            with source.block(f"if {value}.__class__ is not bytes:"):
                source.line(f"{value} = as_bytes({value})")
            self._counted(value)
        elif self._loops >= DEEPEST_LOOPS and isinstance(spec, (ListTypeSpec, MapTypeSpec)):
            self._part(f"{source.bind('write', _careful(spec))}({value})")
        elif isinstance(spec, MapTypeSpec):
            self._map(spec, value)
        elif isinstance(spec, ListTypeSpec):
            self._list(spec, value)
        elif isinstance(spec, StructTypeSpec):
            self._struct(spec, value)
        else:  # uuid
            self._part(f"{source.bind('write', _careful(spec))}({value})")

    def _counted(self, data: str) -> None:
        count = self.source.fresh("n")
        self.source.line(f"{count} = len({data})")
        self._count(count)
        self._part(data)

    def _count(self, count: str) -> None:
        self._part(f"lengths[{count}] if {count} < {len(LENGTHS)} else pack_length({count})")

    def _list(self, spec: ListTypeSpec, value: str) -> None:
        source = self.source
        self._constant(container_head(spec))
        code = struct_code(spec.vspec)
        count = source.fresh("n")
        if code is not None and spec.vspec is not BoolTypeSpec:
            runs = source.bind("pack_run", PACK_RUNS[code])
            source.line(f"{count} = len({value})")
            self._part(f"{runs}[{count}]({count}, *{value})")
            return
        source.line(f"{count} = len({value})")
        self._count(count)
        self._flush()
        item = source.fresh("x")
        self._loops += 1
        with source.block(f"for {item} in {value}:"):
            self._value(spec.vspec, item)
            self._flush()
        self._loops -= 1

    def _map(self, spec: MapTypeSpec, value: str) -> None:
        source = self.source
        self._constant(container_head(spec))
        count = source.fresh("n")
        source.line(f"{count} = len({value})")
        self._count(count)
        self._flush()
        key, item = source.fresh("k"), source.fresh("x")
        self._loops += 1
        with source.block(f"for {key}, {item} in {value}.items():"):
            if spec.kspec is TextTypeSpec:
                self._part(f"text_keys[{key}]")
            else:
                self._value(spec.kspec, key)
            self._value(spec.vspec, item)
            self._flush()
        self._loops -= 1

    def _struct(self, spec: StructTypeSpec, value: str) -> None:
        source = self.source
        surface = source.bind("surface", spec.surface)
        with source.block(
            f"if {value}.__class__ is not {surface} and not isinstance({value}, {surface}):"
        ):
            source.line("raise Unfit")
        if _is_flat(spec):  # packed with its neighbours, which saves a call for each
            for field in spec.fields:
                self._constant(field_head(field))
                self._attribute(field.spec, attribute(value, field.name))
            self._constant(b"\0")
            return
        self._flush()
        self._appended = True
        name = source.fresh("encode")
        source.bind_as(name, _late(source.namespace, name, spec))
        source.line(f"{name}({value}, out)")

    # -- parts ------------------------------------------------------------------------------------

    def _constant(self, data: bytes) -> None:
        if self._codes:
            self._codes += f"{len(data)}s"
            self._arguments.append(self.source.bind("head", data))
        elif self._parts and isinstance(last := self._parts[-1], bytes):
            self._parts[-1] = last + data
        else:
            self._parts.append(data)

    def _packed(self, code: str, value: str) -> None:
        if not self._codes and self._parts and isinstance(last := self._parts[-1], bytes):
            del self._parts[-1]
            self._codes = f">{len(last)}s"
            self._arguments.append(self.source.bind("head", last))
        self._codes = (self._codes or ">") + code
        self._arguments.append(value)

    def _part(self, expression: str) -> None:
        self._end_run()
        self._parts.append(expression)

    def _end_run(self) -> None:
        if self._codes:
            pack = self.source.bind("pack", struct.Struct(self._codes).pack)
            self._parts.append(f"{pack}({', '.join(self._arguments)})")
            self._codes = ""
            self._arguments = []

    def _texts(self) -> list[str]:
        """What has been collected, as expressions."""
        self._end_run()
        texts = [
            part if isinstance(part, str) else self.source.bind("head", part)
            for part in self._parts
        ]
        self._parts = []
        return texts

    def _flush(self) -> None:
        for text in self._texts():  # cheaper than one ``+=`` with a tuple of them
            self.source.line(f"out.append({text})")
            self._appended = True


def _is_flat(spec: StructTypeSpec) -> bool:
    """Whether a struct is a few numbers that are always there."""
    return (
        not isinstance(spec, UnionTypeSpec)
        and 0 < len(spec.fields) <= _FLAT_FIELDS
        and all(field.required and struct_code(field.spec) for field in spec.fields)
    )


class _UnfitError(Exception):
    """A value is not what the fast encoder expects."""


def _late(namespace: dict[str, object], name: str, spec: StructTypeSpec) -> Encoder:
    """Stands for the encoder of a nested struct until the first call."""

    def encode(obj: object, out: list[bytes]) -> None:
        encoder = namespace[name] = encoder_of(spec)
        encoder(obj, out)

    return encode


def _careful(spec: TypeSpec) -> Callable[[object], bytes]:
    """A function that gives the bytes of one value of a rare type."""
    from ..protocol.binary import BinaryWriter

    def write(value: object) -> bytes:
        writer = BinaryWriter()
        spec.write_to(writer, value)
        return writer.getvalue()

    return write


def _as_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise _UnfitError


def _as_bool(value: object) -> bool:
    if not isinstance(value, int):
        raise _UnfitError
    return bool(value)


UNFIT_ERRORS = (
    _UnfitError,
    struct.error,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What an encoder raises for a value that it cannot take: the careful writer then decides."""
