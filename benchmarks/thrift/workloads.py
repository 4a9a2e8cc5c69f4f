"""What is measured: values of the schema, and a large Thrift file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TYPES = 250
USED = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the table.

    ``bar`` is the most that our time may be, relative to thriftrw's; ``repeat`` how often the
    operation is done for one sample.
    """

    name: str
    bar: float
    repeat: int
    prepare: Callable[[Any], Callable[[], Any]]


def medium_arguments(types: Any) -> dict[str, Any]:
    """The arguments of a Medium of 413 bytes."""
    return {
        "flag": True,
        "tiny": 7,
        "short_": 300,
        "number": 70000,
        "big": 1 << 40,
        "ratio": 2.5,
        "name": "a name of medium length",
        "blob": bytes(range(38)),
        "color": 1,
        "pair": types.Pair(high=1 << 60, low=5),
        "numbers": list(range(20)),
        "tags": {f"key{n}": f"value {n}" * 3 for n in range(5)},
    }


def _value(contender: Any, kind: str) -> Any:
    types = contender.types
    if kind == "small":
        return types.Small(text="a string of some size")
    if kind == "medium":
        return types.Medium(**medium_arguments(types))
    if kind == "many":
        return types.Many(items=[types.Medium(**medium_arguments(types)) for _ in range(1000)])
    return types.Blob(data=bytes(1 << 20))


def _encode(kind: str) -> Callable[[Any], Callable[[], Any]]:
    def prepare(contender: Any) -> Callable[[], Any]:
        value, dumps = _value(contender, kind), contender.dumps
        return lambda: dumps(value)

    return prepare


def _decode(kind: str) -> Callable[[Any], Callable[[], Any]]:
    def prepare(contender: Any) -> Callable[[], Any]:
        value, loads = _value(contender, kind), contender.loads
        payload, cls = contender.dumps(value), type(value)
        assert contender.dumps(loads(cls, payload)) == payload
        return lambda: loads(cls, payload)

    return prepare


def _construct(contender: Any) -> Callable[[], Any]:
    cls, arguments = contender.types.Medium, medium_arguments(contender.types)
    return lambda: cls(**arguments)


WORKLOADS = [
    Workload("small encode", 0.50, 5000, _encode("small")),
    Workload("small decode", 0.40, 5000, _decode("small")),
    Workload("medium encode", 0.85, 1000, _encode("medium")),
    Workload("medium decode", 0.65, 500, _decode("medium")),
    Workload("1000 mediums encode", 0.90, 2, _encode("many")),
    Workload("1000 mediums decode", 0.50, 2, _decode("many")),
    Workload("1 MiB encode", 0.50, 50, _encode("blob")),
    Workload("1 MiB decode", 1.00, 50, _decode("blob")),
    Workload("medium construct", 0.60, 1000, _construct),
]
"""The workloads that are measured in one process, contender by contender in turn."""

LOAD_NAME = f"load {TYPES} types, use {USED}"
LOAD_BAR = 0.40

_FIELD_TYPES = [
    "string", "i32", "i64", "bool", "double", "binary", "list<string>", "list<i64>",
    "map<string, string>", "set<i32>", "i16", "map<string, list<i32>>",
]  # fmt: skip


def large_document() -> str:
    """A Thrift file of 60 kB with 250 types, no two of one shape."""
    return "\n".join(_definitions())


def _definitions() -> Iterator[str]:
    for number in range(TYPES):
        if number % 10 == 9:
            items = ", ".join(f"ITEM_{number}_{item}" for item in range(4))
            yield f"/** Kind {number} of something. */\nenum Kind{number} {{ {items} }}\n"
            continue
        lines = [f"/** What is known about thing number {number}. */", f"struct Thing{number} {{"]
        for position in range(1, 6 + number % 3):
            idl = _FIELD_TYPES[(number * 5 + position * 7) % len(_FIELD_TYPES)]
            if position == 4 and number % 10:
                idl = f"Thing{number - 1}"
            word = "required" if position == 1 else "optional"
            name = f"{idl.partition('<')[0].lower()}_{number % 17}_{position}"
            lines.append(f"  {position}: {word} {idl} {name}")
        yield "\n".join([*lines, "}\n"])


def load_and_use(contender: Any, path: Path) -> None:
    """Load the large file; construct, write and read one instance each of ten types."""
    module, dumps, loads = contender.load(path)
    for number in range(0, USED * 20, 20):
        cls = getattr(module, f"Thing{number}")
        value = cls(**{_first_field(number): _some_value(number)})
        assert type(loads(cls, dumps(value))) is cls


def _first_field(number: int) -> str:
    idl = _FIELD_TYPES[(number * 5 + 7) % len(_FIELD_TYPES)]
    return f"{idl.partition('<')[0].lower()}_{number % 17}_1"


def _some_value(number: int) -> Any:
    idl = _FIELD_TYPES[(number * 5 + 7) % len(_FIELD_TYPES)]
    if idl.startswith("list"):
        return []
    if idl.startswith("map"):
        return {}
    return {
        "string": "x", "bool": True, "double": 0.5, "binary": b"x", "set<i32>": set(),
    }.get(idl, 5)  # fmt: skip
