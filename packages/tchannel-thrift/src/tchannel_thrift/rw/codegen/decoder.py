"""Decoders: one function per struct, generated the first time that one is read.

A decoder expects the fields in the order of the file and reads well-formed ones quickly. Whatever
else it meets (an unknown field, another order, a mistake) it leaves, from the start of that field
on, to ``StructTypeSpec.resume``, which looks at every byte.

Payloads whose size allows more objects or memory than the limits (`protocol.budget`) are read by a
second decoder, which counts and is generated when the first such payload comes.

Lengths are read as unsigned numbers and slices are never too long for Python: a wrong length only
moves the position past the end, where the next read fails. Nothing is allocated by a claimed size.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType
from typing import Any, TypeAlias

from ..protocol.binary import BinaryReader
from ..protocol.budget import Budget, Limits
from ..spec import (
    BinaryTypeSpec,
    EnumTypeSpec,
    FieldSpec,
    ListTypeSpec,
    MapTypeSpec,
    PrimitiveTypeSpec,
    SetTypeSpec,
    StructTypeSpec,
    TextTypeSpec,
    TypeSpec,
    UnionTypeSpec,
)
from ..spec.base import is_final
from ..spec.struct import too_deep
from ..spec.weight import harmless_size
from . import ways
from .constructor import default_expression
from .layout import CODE_SIZES, DEEPEST_LOOPS, UNPACK_RUNS, container_head, field_head, struct_code
from .source import Source, assign

Decoder: TypeAlias = Callable[[bytes, int, int], tuple[object, int]]

CountingDecoder: TypeAlias = Callable[[bytes, int, int, Budget], tuple[object, int]]

# Any: an instance of the class that the loader was made for.
Loader: TypeAlias = Callable[[bytes, int], Any]

DEFAULT_LIMITS = Limits()
"""The limits of loaders that are kept with their classes."""

_SMALL = 1 << 16

ATTRIBUTE = "__thrift_decode__"
"""Attribute of a generated class that holds its decoder."""

COUNTING_ATTRIBUTE = "__thrift_decode_counting__"
"""Attribute of a generated class that holds its decoder for payloads that could be too much."""

LOADER_ATTRIBUTE = "__thrift_load__"
"""Attribute of a generated class that holds its decoder for whole payloads."""


def decoder_of(spec: StructTypeSpec) -> Decoder:
    """The decoder of a struct; generated if it is not there yet."""
    decoder: Decoder | None = spec.surface.__dict__.get(ATTRIBUTE)
    if decoder is None:
        decoder = _DecoderWriter(spec).write()
        # Not as a staticmethod: it is called through the class, and a plain function is found
        # 50 ns sooner.
        setattr(spec.surface, ATTRIBUTE, decoder)
    return decoder


def counting_decoder_of(spec: StructTypeSpec) -> CountingDecoder:
    """The decoder of a struct that counts what it makes; generated if it is not there yet."""
    decoder: CountingDecoder | None = spec.surface.__dict__.get(COUNTING_ATTRIBUTE)
    if decoder is None:
        decoder = _DecoderWriter(spec, counting=True).write()
        setattr(spec.surface, COUNTING_ATTRIBUTE, decoder)
    return decoder


def loader_of(spec: StructTypeSpec, limits: Limits = DEFAULT_LIMITS) -> Loader:
    """The decoder of payloads that are a struct; generated if it is not there yet.

    It starts at 0 and returns no position: that is a tenth of what a small struct costs.

    Args:
        spec: The struct.
        limits: What payloads may come to.

    """

    def generate() -> Loader:
        return _DecoderWriter(spec, whole=True, limits=limits).write()

    if limits != DEFAULT_LIMITS:
        return ways.loader(spec, limits, generate)
    loader: Loader | None = spec.surface.__dict__.get(LOADER_ATTRIBUTE)
    if loader is None:
        loader = ways.loader(spec, limits, generate)
        setattr(spec.surface, LOADER_ATTRIBUTE, loader)
    return loader


def small_size(spec: StructTypeSpec, limits: Limits) -> int:
    """The size up to which payloads are read without a closer look at the types, in bytes."""
    return min(_SMALL, limits.max_objects, limits.max_decoded_size // spec.heaviest)


def _large_loader(spec: StructTypeSpec, limits: Limits) -> Loader:
    """The decoder of payloads that are not small."""
    harmless: int | None = None

    def load(payload: bytes, depth: int) -> object:
        nonlocal harmless
        if harmless is None:
            harmless = harmless_size(spec, limits)
        if len(payload) <= harmless:
            return decoder_of(spec)(payload, 0, depth)[0]
        budget = Budget(len(payload), limits)
        return counting_decoder_of(spec)(payload, 0, depth, budget)[0]

    return load


class _OddError(Exception):
    """The payload is not what the fast decoder expects."""


class _DecoderWriter:
    """Writes the source of one decoder."""

    def __init__(
        self,
        spec: StructTypeSpec,
        *,
        whole: bool = False,
        counting: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.spec = spec
        self.whole = whole
        self.counting = counting
        self._limits = limits
        self.source = Source()
        self._loops = 0
        self._values = [f"f_{index}" for index in range(len(spec.fields))]
        bind = self.source.bind_as
        bind("Odd", _OddError)
        # What ends the fast way. TypeError is an unhashable key; nested structs raise only errors
        # that are final, and these go on.
        bind("Unexpected", (IndexError, _OddError, struct.error, UnicodeDecodeError, TypeError))
        bind("is_final", is_final)
        bind("too_deep", too_deep)
        bind("resume", spec.resume)
        bind("surface", spec.surface)
        bind("new", spec.base_cls.__new__)

    def write(self) -> FunctionType:
        source = self.source
        start = "0" if self.whole else "start"
        parameters = ["buf", *([] if self.whole else ["start"]), "depth", *self._budget]
        with source.block(f"def decode({', '.join(parameters)}):"):
            if self.whole and not all(map(_is_plain, self.spec.fields)):
                # All that a small payload pays for the limits.
                with source.block(f"if len(buf) > {small_size(self.spec, self._limits)}:"):
                    large = source.bind("large", _large_loader(self.spec, self._limits))
                    source.line(f"return {large}(buf, depth)")
            if self.counting:
                source.line(f"budget.take(1, {self.spec.weight})")
            source.line(f"pos = {start}")
            if self._values:
                source.line(f"{' = '.join(self._values)} = None")
            with source.block("try:"):
                if isinstance(self.spec, UnionTypeSpec):
                    self._union()
                else:
                    self._fields()
                with source.block("if buf[pos] == 0:"):
                    self._build()
                    source.line("return obj" if self.whole else "return obj, pos + 1")
            with source.block("except Unexpected as error:"), source.block("if is_final(error):"):
                source.line("raise")
            source.line(
                f"return resume(buf, {start}, pos, [{', '.join(self._values)}], "
                f"{', '.join(['depth', *self._budget])}){'[0]' if self.whole else ''}"
            )
        return source.compile("decode", "decoder")

    @property
    def _budget(self) -> list[str]:
        return ["budget"] if self.counting else []

    def _take(self, spec: ListTypeSpec | MapTypeSpec, count: str | None) -> None:
        """Count a container that is about to be made."""
        if self.counting:
            own, each = spec.memory
            # A claim of more elements than there are bytes is found to be wrong soon enough.
            smaller = self.source.bind_as("min", min)
            self.source.line(f"budget.take(1, {own} + {smaller}({count}, len(buf)) * {each})")

    # -- fields -----------------------------------------------------------------------------------

    def _fields(self) -> None:
        fields = list(zip(self.spec.fields, self._values, strict=True))
        index = 0
        head_is_read = False
        while index < len(fields):
            field, value = fields[index]
            if field.must_be_given:
                run = [(field, value)]
                # Fields of a fixed size, and the head of whatever follows, are read by one call.
                while struct_code(run[-1][0].spec) and index + len(run) < len(fields):
                    following = fields[index + len(run)]
                    if not following[0].must_be_given:
                        break
                    run.append(following)
                self._run(run, at_start=index == 0 and self.whole)
                index += len(run)
                head_is_read = False
                continue
            if not head_is_read:
                self.source.line("head = buf[pos:pos + 3]")
                head_is_read = True
            index += 1
            with self.source.block(f"if head == {self._head(field_head(field))}:"):
                self._optional(field, value)
                if index < len(fields) and not fields[index][0].must_be_given:
                    self.source.line("head = buf[pos:pos + 3]")

    def _run(self, run: Sequence[tuple[FieldSpec, str]], *, at_start: bool) -> None:
        """Read required fields, of which all but the last have a fixed size."""
        source = self.source
        codes = ">"
        targets: list[str] = []
        conditions: list[str] = []
        size = 0
        count = None

        def expect(expected_codes: str, *values: int) -> None:
            # Compared as small ints, which unlike bytes are not made anew by unpacking.
            nonlocal codes
            codes += expected_codes
            for value in values:
                name = source.fresh("h")
                targets.append(name)
                conditions.append(f"{name} != {value}")

        for field, value in run:
            spec = field.spec
            expect("bh", spec.ttype_code, field.id)
            size += 3
            code = struct_code(spec)
            if isinstance(spec, (ListTypeSpec, MapTypeSpec)):
                expect("b" * _head_size(spec), *container_head(spec))
                size += _head_size(spec)
            if code is not None:
                codes += code
                size += CODE_SIZES[code]
                targets.append(value)
            elif _is_counted(spec):
                codes += "I"
                size += 4
                count = source.fresh("n")
                targets.append(count)
        last, value = run[-1]

        def unpack_all() -> None:
            unpack = source.bind("unpack", struct.Struct(codes).unpack_from)
            source.line(f"{', '.join(targets)} = {unpack}(buf{'' if at_start else ', pos'})")
            with source.block(f"if {' or '.join(conditions)}:"):
                read = [value for field, value in run if struct_code(field.spec)]
                if read:  # what was read as their values is something else
                    source.line(f"{' = '.join(read)} = None")
                source.line("raise Odd")

        if (
            at_start
            and len(run) == 1
            and (last.spec is TextTypeSpec or last.spec is BinaryTypeSpec)
        ):
            # A short first string: comparing all but one byte of what precedes it costs 35 ns less
            # than unpacking, a tenth of what a small struct costs.
            head = self._head(field_head(last) + b"\0\0\0")
            with source.block(f"if buf[:6] == {head}:"):
                source.line(f"{count} = buf[6]")
            with source.block("else:"):
                unpack_all()
        else:
            unpack_all()
        for field, value in run:
            self._enum(field.spec, value)
        if struct_code(last.spec):
            source.line(f"pos += {size}")
        elif at_start:
            source.line(f"pos = {self._body(last.spec, value, count, str(size))}")
        else:
            source.line(f"p = pos + {size}")
            source.line(f"pos = {self._body(last.spec, value, count, 'p')}")

    def _optional(self, field: FieldSpec, value: str) -> None:
        """Read a field whose head has been seen."""
        source = self.source
        spec = field.spec
        code = struct_code(spec)
        if code is not None:
            unpack = source.bind("unpack", struct.Struct(f">3x{code}").unpack_from)
            source.line(f"{value}, = {unpack}(buf, pos)")
            source.line(f"pos += {3 + CODE_SIZES[code]}")
            self._enum(spec, value)
            return
        if _is_counted(spec):
            tail = source.fresh("n")
            self._count(spec, tail, "pos", 3)
            source.line(f"p = pos + {7 + _head_size(spec)}")
            end = self._body(spec, value, tail, "p")
        else:
            source.line("p = pos + 3")
            end = self._body(spec, value, None, "p")
        source.line(f"pos = {end}")

    def _union(self) -> None:
        if not self.spec.fields:
            return
        self.source.line("head = buf[pos:pos + 3]")
        word = "if"
        for field, value in zip(self.spec.fields, self._values, strict=True):
            with self.source.block(f"{word} head == {self._head(field_head(field))}:"):
                self._optional(field, value)
            word = "elif"
        assert isinstance(self.spec, UnionTypeSpec)
        if not self.spec.allow_empty or self.spec.default_field is not None:
            with self.source.block("else:"):
                self.source.line("raise Odd")

    def _build(self) -> None:
        source = self.source
        source.line("obj = new(surface)")
        for field, value in zip(self.spec.fields, self._values, strict=True):
            if field.default_value is not None and not isinstance(self.spec, UnionTypeSpec):
                with source.block(f"if {value} is None:"):
                    source.line(f"{value} = {default_expression(source, field)}")
            source.line(assign("obj", field.name, value))

    # -- values, from position p ------------------------------------------------------------------

    def _count(self, spec: TypeSpec, count: str, position: str, skip: int) -> None:
        """Read the count of a string or container, after checking its element types."""
        source = self.source
        size = _head_size(spec)
        if not size:
            unpack = source.bind("unpack", struct.Struct(f">{skip}xI").unpack_from)
            source.line(f"{count}, = {unpack}(buf, {position})")
            return
        head = source.fresh("h")
        unpack = source.bind("unpack", struct.Struct(f">{skip}x{size}sI").unpack_from)
        source.line(f"{head}, {count} = {unpack}(buf, {position})")
        with source.block(f"if {head} != {self._head(container_head(spec))}:"):
            source.line("raise Odd")

    def _value(self, spec: TypeSpec, target: str) -> None:
        """Read a value, an element of a container, at ``p``."""
        source = self.source
        code = struct_code(spec)
        if code is not None:
            unpack = source.bind("unpack", struct.Struct(f">{code}").unpack_from)
            source.line(f"{target}, = {unpack}(buf, p)")
            source.line(f"p += {CODE_SIZES[code]}")
            self._enum(spec, target)
            return
        if self._loops >= DEEPEST_LOOPS and isinstance(spec, (ListTypeSpec, MapTypeSpec)):
            self._carefully(spec, target)
            return
        tail = None
        if _is_counted(spec):
            tail = source.fresh("n")
            self._count(spec, tail, "p", 0)
            source.line(f"p += {4 + _head_size(spec)}")
        end = self._body(spec, target, tail, "p")
        if end != "p":
            source.line(f"p = {end}")

    def _body(self, spec: TypeSpec, target: str, count: str | None, begin: str) -> str:
        """Read what follows the count of a value, if it has one.

        Args:
            spec: Type of the value.
            target: Name for the value.
            count: Name of its length or count, or None.
            begin: Text for the position where it begins: ``p`` or a number.

        Returns:
            Text for its end: ``p`` or another name.

        """
        source = self.source
        if spec is TextTypeSpec or spec is BinaryTypeSpec:
            end = source.fresh("e")
            source.line(f"{end} = {begin} + {count}")
            decoded = ".decode()" if spec is TextTypeSpec else ""
            source.line(f"{target} = buf[{begin}:{end}]{decoded}")
            return end
        if begin != "p":
            source.line(f"p = {begin}")
        if isinstance(spec, MapTypeSpec):
            # Filled under another name: a half-read container must not pass for a field.
            self._take(spec, count)
            result, key, item = source.fresh("m"), source.fresh("k"), source.fresh("x")
            source.line(f"{result} = {{}}")
            with self._loop(count):
                self._value(spec.kspec, key)
                self._freeze(spec.kspec, key)
                self._value(spec.vspec, item)
                source.line(f"{result}[{key}] = {item}")
            source.line(f"{target} = {result}")
        elif isinstance(spec, ListTypeSpec):
            self._list(spec, target, count)
        elif isinstance(spec, StructTypeSpec):
            name = source.fresh("decode")
            late = _late_counting if self.counting else _late
            source.bind_as(name, late(source.namespace, name, spec))
            with source.block("if depth <= 0:"):
                source.line("raise too_deep()")
            arguments = ", ".join(["buf", "p", "depth - 1", *self._budget])
            source.line(f"{target}, p = {name}({arguments})")
        else:  # uuid
            self._carefully(spec, target)
        return "p"

    def _carefully(self, spec: TypeSpec, target: str) -> None:
        """Read a value by its spec."""
        read = self.source.bind("read", _careful(spec))
        arguments = ", ".join(["buf", "p", "depth", *self._budget])
        self.source.line(f"{target}, p = {read}({arguments})")

    @contextlib.contextmanager
    def _loop(self, count: str | None) -> Iterator[None]:
        """A loop over the elements of a container."""
        self._loops += 1
        with self.source.block(f"for _ in range({count}):"):
            yield
        self._loops -= 1

    def _list(self, spec: ListTypeSpec, target: str, count: str | None) -> None:
        source = self.source
        self._take(spec, count)
        code = struct_code(spec.vspec)
        kind = "set" if isinstance(spec, SetTypeSpec) else "list"
        if code is not None:
            runs = source.bind("unpack_run", UNPACK_RUNS[code])
            numbers = f"{runs}[{count}](buf, p)"
            if isinstance(spec.vspec, EnumTypeSpec) and spec.vspec.members is not None:
                named = source.bind("named", spec.vspec.value_of)
                numbers = f"map({named}, {numbers})"
            source.line(f"{target} = {kind}({numbers})")
            source.line(
                f"p += {count} * {CODE_SIZES[code]}" if code not in "?b" else f"p += {count}"
            )
            return
        items, item = source.fresh("l"), source.fresh("x")
        source.line(f"{items} = []")
        with self._loop(count):
            self._value(spec.vspec, item)
            if kind == "set":
                self._freeze(spec.vspec, item)
            source.line(f"{items}.append({item})")
        source.line(f"{target} = {items}" if kind == "list" else f"{target} = set({items})")

    def _freeze(self, spec: TypeSpec, target: str) -> None:
        """Make a value hashable that is to be an element of a set or a key of a map."""
        if not spec.hashable:
            self.source.line(f"{target} = {self.source.bind('freeze', spec.freeze)}({target})")

    def _enum(self, spec: TypeSpec, target: str) -> None:
        """Make a number a member of its enum, where enums are IntEnum."""
        if isinstance(spec, EnumTypeSpec) and spec.members is not None:
            member = self.source.bind("member", spec.members.get)
            self.source.line(f"{target} = {member}({target}, {target})")

    def _head(self, data: bytes) -> str:
        return self.source.bind("head", data)


def _is_counted(spec: TypeSpec) -> bool:
    return (
        spec is TextTypeSpec
        or spec is BinaryTypeSpec
        or isinstance(spec, (ListTypeSpec, MapTypeSpec))
    )


def _head_size(spec: TypeSpec) -> int:
    return len(container_head(spec)) if isinstance(spec, (ListTypeSpec, MapTypeSpec)) else 0


def _late(namespace: dict[str, object], name: str, spec: StructTypeSpec) -> Decoder:
    """Stands for the decoder of a nested struct until the first call."""

    def decode(buf: bytes, pos: int, depth: int) -> tuple[object, int]:
        decoder = namespace[name] = decoder_of(spec)
        return decoder(buf, pos, depth)

    return decode


def _late_counting(
    namespace: dict[str, object], name: str, spec: StructTypeSpec
) -> CountingDecoder:
    """The same for decoders that count."""

    def decode(buf: bytes, pos: int, depth: int, budget: Budget) -> tuple[object, int]:
        decoder = namespace[name] = counting_decoder_of(spec)
        return decoder(buf, pos, depth, budget)

    return decode


def _is_plain(field: FieldSpec) -> bool:
    """Whether values of a field never take much more memory than their bytes."""
    return isinstance(field.spec, PrimitiveTypeSpec | EnumTypeSpec)


def _careful(spec: TypeSpec) -> Callable[..., tuple[object, int]]:
    """A function that reads one value of a rare type."""

    def read(buf: bytes, pos: int, depth: int, budget: Budget | None = None) -> tuple[object, int]:
        reader = BinaryReader(buf, pos, depth, budget)
        return spec.read_from(reader), reader.position

    return read
