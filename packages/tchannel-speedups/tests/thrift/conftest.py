"""One module twice, natively and in Python, and values and payloads that a random number makes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import GeneratorType, ModuleType
from typing import Any

import pytest

IS_HERE = find_spec("tchannel_thrift") is not None
collect_ignore_glob = [] if IS_HERE else ["test_*"]

SCHEMA = Path(__file__).with_name("schema.thrift").read_text("utf-8")
LENIENT = """
struct Apache { 1: uuid id 2: required list<uuid> ids 3: map<uuid, uuid> pairs 4: set<uuid> set_ }
union Defaulted { 1: i32 number = 5 2: string text }
struct Loose { 1: i32 number = 3 2: string text 3: Defaulted choice -4: optional i32 below }
"""


@dataclass(frozen=True)
class New:
    """An instance that is yet to be made, of the class of that name."""

    cls: str
    fields: tuple[tuple[str, Any], ...]

    def __hash__(self) -> int:
        return id(self)


class Items:
    """A container that is yet to be made: of values that are."""

    def __init__(self, kind: type, items: list[Any]) -> None:
        self.kind = kind
        self.items = items


class Index:
    """What is no int, and says which one it stands for."""

    def __index__(self) -> int:
        return 3


class Text(str):
    """Text of a class of one's own."""

    __slots__ = ()


class Number(int):
    """A number of a class of one's own."""


# What is hashed by where it lies is the same for both ways, else their sets had another order.
NAN = float("nan")
INDEX = Index()
SOMETHING = object()

ODD: list[Callable[[], Any]] = [
    lambda: None,
    lambda: True,
    lambda: 1,
    lambda: -1,
    lambda: 1 << 7,
    lambda: 1 << 31,
    lambda: -(1 << 63),
    lambda: 1 << 63,
    lambda: 1 << 2000,
    lambda: 1.5,
    lambda: NAN,
    lambda: "text",
    lambda: "\ud800",
    lambda: Text("mine"),
    lambda: Number(4),
    lambda: b"bytes",
    lambda: b"\xff",
    lambda: bytearray(b"x"),
    lambda: [1],
    lambda: [None],
    lambda: ["x", 3],
    lambda: (),
    lambda: (1, 2),
    lambda: {1},
    lambda: frozenset(("x",)),
    lambda: {"a": "b"},
    lambda: {"a": None},
    lambda: {1: 2},
    lambda: (x for x in (1, 2)),
    lambda: range(3),
    lambda: INDEX,
    lambda: SOMETHING,
    lambda: int,
]


class Made:
    """Values of a module's types, as a random number has them.

    Args:
        rnd: The random number.
        module: The module.
        odd: How many of the values are something else.
        without: Fields that have no value.

    """

    def __init__(
        self,
        rnd: random.Random,
        module: ModuleType,
        odd: float = 0.0,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.rnd = rnd
        self.module = module
        self.odd = odd
        self.without = without

    def struct(self, cls: Any, depth: int = 3) -> New:
        spec = cls.type_spec
        fields = [one for one in spec.fields if one.name not in self.without]
        if hasattr(spec, "allow_empty"):
            fields = self.rnd.sample(fields, min(len(fields), 1))
        else:
            fields = [one for one in fields if one.required or (depth and self.rnd.random() < 0.4)]
        values = tuple((one.name, self.value(one.spec, depth - 1)) for one in fields)
        return New(spec.name, values)

    def value(self, spec: Any, depth: int) -> Any:
        if self.odd and self.rnd.random() < self.odd:
            return self.rnd.choice(ODD)
        name = spec.name
        rnd = self.rnd
        bits = {"byte": 8, "i16": 16, "i32": 32, "i64": 64}.get(name)
        if bits:
            most = rnd.choice((100, 1 << (bits - 1), 1 << (bits - 1)))
            return max(-(1 << bits - 1), min((1 << bits - 1) - 1, rnd.randint(-most, most)))
        if name == "bool":
            return rnd.random() < 0.5
        if name == "double":
            return rnd.choice((0.0, -0.0, 1.5, 1e300, float("inf"), rnd.random()))
        if name == "string":
            return rnd.choice(("", "a", "abc", "ü€𝄞", "x" * 70, "y" * 1500, f"key{rnd.random()}"))
        if name == "binary":
            return rnd.choice((b"", b"\0", b"\xff\xfe", bytes(300), rnd.randbytes(5)))
        if name == "uuid":
            return New("uuid", (("int", rnd.getrandbits(128)),))
        if hasattr(spec, "items"):  # an enum
            return rnd.choice((1, 2, 5, 77, -3))
        if hasattr(spec, "fields"):
            return self.struct(spec.surface, max(depth, 0))
        count = rnd.choice((0, 1, 2, 3, 3, 70 if depth > 1 else 2)) if depth > 0 else 0
        if hasattr(spec, "kspec"):
            pairs = [
                (self.value(spec.kspec, depth - 1), self.value(spec.vspec, depth - 1))
                for _ in range(count)
            ]
            return Items(dict, pairs)
        items = [self.value(spec.vspec, depth - 1) for _ in range(count)]
        return Items(set if name.startswith("set<") else list, items)


def built(module: ModuleType, value: Any, *, careless: bool = False) -> Any:
    """What a value stands for in a module; careless: by no constructor."""
    if callable(value):
        return value()
    if isinstance(value, New):
        if value.cls == "uuid":
            import uuid

            return uuid.UUID(int=dict(value.fields)["int"])
        fields = {name: built(module, one, careless=careless) for name, one in value.fields}
        cls = class_of(module, value.cls)
        if not careless:
            return cls(**fields)
        instance = cls.__new__(cls)
        for field in cls.type_spec.fields:
            setattr(instance, field.name, fields.get(field.name))
        return instance
    if isinstance(value, Items):
        if value.kind is dict:
            pairs = [
                (built(module, key, careless=careless), built(module, one, careless=careless))
                for key, one in value.items
            ]
            return {hashed(key): one for key, one in pairs}
        items = [built(module, one, careless=careless) for one in value.items]
        return items if value.kind is list else {hashed(one) for one in items}
    return value


def hashed(value: Any) -> Any:
    """A value as it can be in a set, as the engine freezes it."""
    if isinstance(value, (set, frozenset)):
        return frozenset(map(hashed, value))
    if isinstance(value, (list, GeneratorType)):
        return tuple(map(hashed, value))
    if isinstance(value, dict):
        from tchannel_thrift.rw.spec.frozen import FrozenMap

        return FrozenMap(value)
    spec = getattr(type(value), "type_spec", None)
    return value if spec is None or not hasattr(spec, "freeze") else spec.freeze(value)


def class_of(module: ModuleType, name: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    _, function, kind = name.split("_")
    return getattr(getattr(module.Service, function), kind)


def classes_of(module: ModuleType) -> list[Any]:
    """All classes of structs, unions, exceptions, requests and responses."""
    found = [one for one in vars(module).values() if hasattr(one, "type_spec")]
    found = [one for one in found if hasattr(one.type_spec, "fields")]
    if hasattr(module, "Service"):
        for function in module.Service.service_spec.functions:
            found += [one for one in (function.surface.request, function.surface.response) if one]
    return found


def shown(value: Any) -> Any:
    """A value so that two of them are equal if they are the same to the last type."""
    spec = getattr(type(value), "type_spec", None)
    if spec is not None and hasattr(spec, "fields"):
        fields = [(one.name, shown(getattr(value, one.name, "unset"))) for one in spec.fields]
        return (type(value).__name__, type(value) is spec.surface, fields)
    if isinstance(value, dict):
        return (type(value).__name__, [(shown(key), shown(one)) for key, one in value.items()])
    if isinstance(value, (set, frozenset)):
        return (type(value).__name__, sorted(map(repr, map(shown, value))))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [shown(one) for one in value])
    return (type(value).__name__, repr(value) if " at 0x" not in repr(value) else "object")


def outcome(function: Callable[[], Any]) -> Any:
    """What comes of a call: the value, or the error with its text and what it stands for."""
    try:
        return shown(function())
    except Exception as error:
        from re import sub

        text = sub(r"0x[0-9a-f]{6,}", "0x", f"{error}")
        chain = type(error.__cause__).__name__, error.__suppress_context__
        return type(error).__name__, text, type(error).__mro__[1].__name__, chain


class Both:
    """A module natively, and the same in Python.

    Args:
        purely: The context in which the part runs in Python.
        load: Loads the module.

    """

    def __init__(self, purely: Any, load: Callable[[], ModuleType]) -> None:
        self.native = load()
        with purely("thrift"):
            self.python = load()
            self._warm(self.python)
        self._warm(self.native)
        for cls in classes_of(self.native):
            assert type(vars(cls)["__thrift_dump__"]).__name__ == "builtin_function_or_method"
            assert type(vars(cls)["__init__"]).__name__ == "NativeMethod"
        for cls in classes_of(self.python):
            assert type(vars(cls)["__thrift_dump__"]).__name__ == "function"
            assert type(vars(cls)["__init__"]).__name__ == "function"
            assert "__thrift_plan__" not in vars(cls)

    def _warm(self, module: ModuleType) -> None:
        """Let all functions be made: they stay with the classes."""
        for cls in classes_of(module):
            outcome(lambda cls=cls: cls(nothing=1))
            outcome(lambda cls=cls: module.dumps(cls.__new__(cls)))
            outcome(lambda cls=cls: module.loads(cls, b"\0"))

    def same(self, function: Callable[[ModuleType], Any]) -> Any:
        """What both say; they must not say different things."""
        native = outcome(lambda: function(self.native))
        python = outcome(lambda: function(self.python))
        assert native == python
        return native


@pytest.fixture
def both(purely, monkeypatch):
    """Makes both modules of a document."""
    from tchannel_thrift.rw import BinaryProtocol, Loader
    from tchannel_thrift.rw.codegen import warmup

    monkeypatch.setattr(warmup, "USES", 0)

    def both(document=SCHEMA, *, limits=None, strict=True, int_enum=False):
        def load():
            protocol = BinaryProtocol(**(limits or {}))
            return Loader(protocol, strict=strict, int_enum=int_enum).loads("schema", document)

        return Both(purely, load)

    return both


@pytest.fixture(params=["strict", "int_enum", "lenient"])
def modules(request, both):
    """Both modules: as thriftrw reads the schema, with enums that are IntEnum, and as Apache does."""
    if request.param == "lenient":
        return both(SCHEMA + LENIENT, strict=False)
    return both(int_enum=request.param == "int_enum")


def mutated(rnd: random.Random, payload: bytes, other: bytes) -> bytes:
    """A payload with a few mistakes, or with another one's fields as well."""
    data = bytearray(payload)
    for _ in range(rnd.randint(1, 3)):
        way = rnd.randrange(8)
        at = rnd.randrange(len(data) + 1)
        if way == 0 and at < len(data):
            data[at] = rnd.choice(
                (0, 1, 2, 8, 11, 12, 13, 14, 15, 16, 127, 255, rnd.randrange(256))
            )
        elif way == 1:
            del data[at:]
        elif way == 2:
            del data[at : at + rnd.randrange(9)]
        elif way == 3:
            data[at:at] = rnd.randbytes(rnd.randrange(9))
        elif way == 4:
            data[at : at + 4] = rnd.choice(
                (b"\x7f\xff\xff\xff", b"\xff" * 4, b"\0" * 4, b"\0\0\0\1")
            )
        elif way == 5:  # the fields of both
            data[-1:] = other
        elif way == 6:
            data[:0] = other[:-1]
        else:  # fields that nobody knows, as wrong as a schema that was changed
            data[:0] = (
                rnd.choice((b"\x0f", b"\x0c", b"\x0b", b"\x08", b"\x0d")) + b"\x7d\x01" + other
            )
    return bytes(data)


@pytest.fixture
def tools():
    """The functions above, for tests."""
    return Tools


class Tools:
    SCHEMA = SCHEMA
    LENIENT = LENIENT
    Made = Made
    built = staticmethod(built)
    classes_of = staticmethod(classes_of)
    mutated = staticmethod(mutated)
    outcome = staticmethod(outcome)
