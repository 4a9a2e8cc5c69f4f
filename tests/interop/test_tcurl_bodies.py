"""What our tcurl and the real one print of the same answers: every Thrift type in every position.

The targets, one of ours and one of tchannel-node 4.0.1, answer with the bytes that they are asked
for, so that both tools read the very same answer, whoever wrote it.
"""

import json
import math
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from thirdparty.tools import RunBoth, on_both

from tchannel import Response, TChannel
from tchannel.status import FAILED


@pytest.fixture
async def ours() -> AsyncIterator[TChannel]:
    channel = TChannel("mirror", hostport="127.0.0.1:0")

    @channel.register(TChannel.FALLBACK)
    def mirror(request):
        asked = request.body.partition(b"<")[2].partition(b">")[0].decode()
        status = FAILED if asked.endswith("!") else 0
        return Response(bytes.fromhex(asked.rstrip("!")), headers=request.headers, status=status)

    channel.listen()
    yield channel
    await channel.close()


@pytest.fixture(params=["ours", "node4"])
def both(request) -> RunBoth:
    """Run our tool and the real one with the same arguments on the same target, each in turn."""
    target = request.getfixturevalue(request.param)
    return on_both(target.hostport, "mirror" if request.param == "ours" else target.service)


@pytest.fixture
def on_node(node4) -> RunBoth:
    """Run our tool and the real one with the same arguments on tchannel-node."""
    return on_both(node4.hostport, node4.service)


def asked(payload: bytes, *, failed: bool = False) -> str:
    """What makes the target answer with these bytes."""
    return json.dumps({"ask": f"<{payload.hex()}{'!' if failed else ''}>"})


# -- types, and values of them on the wire ----------------------------------------------------------


@dataclass(frozen=True)
class Type:
    """A Thrift type: its name in an IDL, its code, and the bytes of values of it."""

    name: str
    code: int
    values: tuple[bytes, ...] = field(repr=False)


def text(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def fields(*items: tuple[int, int, bytes]) -> bytes:
    return b"".join(struct.pack(">bh", code, number) + data for code, number, data in items) + b"\0"


def numbers(layout: str, *values: float) -> tuple[bytes, ...]:
    return tuple(struct.pack(layout, value) for value in values)


DOUBLES = (0.0, 1.0, -1.5, 0.1, 1e21, 1.5e300, 5e-324, 1e-7, 123456789012345.6, 2.0**60, 1e20)
SPECIAL_DOUBLES = (-0.0, math.nan, math.inf, -math.inf)
I64S = (0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1, 0x4142434445464748)

BOOL = Type("bool", 2, (b"\0", b"\1"))
BYTE = Type("byte", 3, numbers(">b", 0, 127, -1, -128))
I16 = Type("i16", 6, numbers(">h", 0, 2**15 - 1, -(2**15)))
I32 = Type("i32", 8, numbers(">i", 0, 2**31 - 1, -(2**31)))
I64 = Type("i64", 10, numbers(">q", *I64S))
DOUBLE = Type("double", 4, numbers(">d", *DOUBLES, *SPECIAL_DOUBLES))
STRING = Type("string", 11, tuple(map(text, (b"", b"a", "hé\0\n".encode(), b"\xff\xe2\x82"))))
BINARY = Type("binary", 11, tuple(map(text, (b"", b"a", b"\0\xff", bytes(range(256))))))
COLOUR = Type("Colour", 8, numbers(">i", 1, 2, 7))
POINT = Type(
    "Point", 12, (fields((8, 1, b"\0\0\0\5")), fields((8, 2, b"\0\0\0\6"), (8, 1, b"\0\0\0\5")))
)
EMPTY = Type("Empty", 12, (b"\0", fields((8, 9, b"\0\0\0\1"))))
EITHER = Type(
    "Either", 12, (fields((11, 1, text(b"a"))), fields((10, 2, b"\0" * 7 + b"\1")), b"\0")
)
OOPS = Type("Oops", 12, (fields((11, 1, text(b"a"))), b"\0"))
STAMP = Type("Stamp", 10, numbers(">q", 5))
UNARY = (
    BOOL,
    BYTE,
    I16,
    I32,
    I64,
    DOUBLE,
    STRING,
    BINARY,
    COLOUR,
    POINT,
    EMPTY,
    EITHER,
    OOPS,
    STAMP,
)


def list_of(element: Type, *, code: int = 15) -> Type:
    head = struct.pack(">bi", element.code, len(element.values))
    name = {14: "set", 15: "list"}[code]
    empty = struct.pack(">bi", element.code, 0)
    return Type(f"{name}<{element.name}>", code, (empty, head + b"".join(element.values)))


def set_of(element: Type) -> Type:
    return list_of(element, code=14)


def map_of(key: Type, value: Type) -> Type:
    pairs = [k + value.values[index % len(value.values)] for index, k in enumerate(key.values)] + [
        key.values[0] + v for v in value.values
    ]
    head = struct.pack(">bbi", key.code, value.code, len(pairs))
    empty = struct.pack(">bbi", key.code, value.code, 0)
    return Type(f"map<{key.name}, {value.name}>", 13, (empty, head + b"".join(pairs)))


CONTAINERS = (
    *map(list_of, UNARY),
    *map(set_of, UNARY),
    *(map_of(key, I32) for key in UNARY),
    *(map_of(STRING, value) for value in UNARY),
    list_of(list_of(I64)),
    set_of(set_of(DOUBLE)),
    map_of(list_of(I32), list_of(I64)),
    map_of(I64, map_of(I64, I64)),
    map_of(set_of(STRING), STRING),
    map_of(map_of(I32, I32), I32),
    list_of(map_of(STRING, list_of(POINT))),
)

IDL = """
enum Colour { RED = 1, GREEN, SCARLET = 1, BLUE = 7 }
enum Size { S = 3 }
struct Point { 1: required i32 x, 2: optional i32 y = 7, 3: optional i64 z, 4: optional string t }
struct Empty {}
struct Defaults {
    1: optional bool yes = true
    2: optional i64 large = 5
    3: optional double real = 1.5
    4: optional string text = "a"
    5: optional Colour colour = Colour.GREEN
    6: optional list<i32> numbers = [1, 2]
    7: optional map<string, i32> counts = {"a": 1}
    8: optional Point point
}
union Either { 1: string text, 2: i64 number, 3: Point point }
exception Oops { 1: optional string why, 2: optional i64 code }
typedef i64 Stamp
"""


@pytest.fixture
def thrift_file(tmp_path: Path) -> Callable[..., str]:
    """Write an IDL with a function that returns a type; return its path."""

    def write(returns: str, more: str = "") -> str:
        path = tmp_path / "mirror.thrift"
        throws = "throws (1: Oops oops, 2: Oops again)"
        service = f"service Mirror {{ {returns} answer(1: string ask) {throws} }}"
        path.write_text(f"{IDL}\n{more}\n{service}\n")
        return str(path)

    return write


def called(path: str, payload: bytes, *, failed: bool = False) -> tuple[str, ...]:
    return ("Mirror::answer", "-t", path, "-3", asked(payload, failed=failed))


# -- the bodies of Thrift ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "types", [UNARY, CONTAINERS[:28], CONTAINERS[28:]], ids=["alone", "lists and sets", "nested"]
)
async def test_a_value_of_every_type_in_every_position_is_printed_alike(both, thrift_file, types):
    declared, given, number = [], [], 0
    for one in types:
        for value in one.values:
            number += 1
            declared.append(f"{number}: optional {one.name} f{number}")
            given.append((one.code, number, value))
    path = thrift_file("All", "struct All {\n" + "\n".join(declared) + "\n}")

    ours, nodes = await both(*called(path, fields((12, 0, fields(*given)))))

    assert (ours.code, nodes.code) == (0, 0)
    differences = {
        declared[int(name[1:]) - 1]: (ours.json["body"][name], shown)
        for name, shown in nodes.json["body"].items()
        if ours.json["body"][name] != shown
    }
    assert differences == {}
    assert ours.json["body"].keys() == nodes.json["body"].keys()


@pytest.mark.parametrize(
    "one", [*UNARY, list_of(I64), set_of(STRING), map_of(I64, I64)], ids=lambda one: one.name
)
async def test_what_a_function_returns_is_printed_alike(both, thrift_file, one):
    path = thrift_file(one.name)

    ours, nodes = await both(*called(path, fields((one.code, 0, one.values[-1]))))

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json == nodes.json


@pytest.mark.parametrize(
    ("returns", "payload"),
    [
        ("Defaults", fields((12, 0, b"\0"))),
        ("void", b"\0"),
        ("void", fields((8, 0, b"\0\0\0\1"))),
        ("string", b"\0"),
        ("Point", b"\0"),
        ("set<i32>", fields((15, 0, list_of(I32).values[1]))),
        ("Either", fields((12, 0, fields((11, 1, text(b"a")), (10, 2, b"\0" * 8))))),
    ],
    ids=[
        "defaults",
        "void",
        "void with a value",
        "no value",
        "no struct",
        "a set that is sent as a list",
        "two of a union",
    ],
)
async def test_an_answer_out_of_the_ordinary_is_printed_alike(both, thrift_file, returns, payload):
    ours, nodes = await both(*called(thrift_file(returns), payload))

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json == nodes.json


@pytest.mark.parametrize(
    "payload",
    [
        fields((12, 1, OOPS.values[0])),
        fields((12, 2, fields((10, 2, I64.values[3])))),
        fields((12, 1, b"\0")),
        fields((12, 9, fields((11, 1, text(b"a")), (10, 2, I64.values[3]), (3, 3, b"\xff")))),
        fields((13, 9, map_of(I64, set_of(STRING)).values[1])),
        fields((12, 9, fields((13, 1, map_of(POINT, DOUBLE).values[1]), (2, 2, b"\1")))),
        fields((11, 0, text(b"value"))),
        b"\0",
    ],
    ids=[
        "declared",
        "with an i64",
        "empty",
        "unknown",
        "unknown map",
        "unknown struct",
        "a value",
        "nothing",
    ],
)
async def test_an_exception_is_printed_alike(both, thrift_file, payload):
    ours, nodes = await both(*called(thrift_file("string"), payload, failed=True))

    assert (ours.code, nodes.code) == (126, 126)
    for key in ("ok", "body", "typeName", "headers"):
        assert ours.json.get(key) == nodes.json.get(key), key


@pytest.mark.parametrize(
    ("returns", "payload", "shown"),
    [
        ("Size", fields((8, 0, b"\0\0\0\x09")), 9),
        ("list<Size>", fields((15, 0, b"\x08\0\0\0\2\0\0\0\3\0\0\0\4")), ["S", 4]),
    ],
    ids=["alone", "in a list"],
)
async def test_an_enum_value_that_the_idl_does_not_name_is_its_number_where_the_real_tool_gives_up(
    on_node, thrift_file, returns, payload, shown
):
    ours, nodes = await on_node(*called(thrift_file(returns), payload))

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == shown
    assert nodes.json["ok"] is False


@pytest.mark.parametrize(
    ("returns", "payload", "said"),
    [
        ("Point", fields((12, 0, b"\0")), "it lacks x, which Point requires"),
        ("i32", fields((10, 0, b"\0" * 8)), "success of Mirror_answer_response is i32 by the IDL"),
        ("list<i32>", fields((15, 0, list_of(I64).values[1])), "an element of list<i32> is i32"),
        ("string", b"\x0b\0\0\0\0\0\x09ab", "Expected 9 bytes but got 2"),
    ],
    ids=["required", "other type", "other element", "cut off"],
)
async def test_an_answer_that_does_not_fit_is_no_success(
    on_node, thrift_file, returns, payload, said
):
    ours, nodes = await on_node(*called(thrift_file(returns), payload))

    assert (ours.code, nodes.code) == (125, 0)
    assert nodes.json["ok"] is False
    assert said in ours.err


# -- the bodies of JSON -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "null",
        "[1, {}]",
        '"abc"',
        "0",
        "1.50",
        "true",
        '{"a": 1e400, "b": -0.0, "c": 1e2}',
        "",
    ],
)
async def test_a_json_body_is_printed_alike(on_node, body):
    ours, nodes = await on_node("mirror", "-3", asked(body.encode()))

    assert (ours.code, nodes.code) == (0, 0)
    assert ours.json["body"] == nodes.json["body"]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "",
        "null",
        "5",
        "true",
        '"abc"',
        '[1, "a"]',
        '{"type": "x.y", "message": "m {a} {b} {c} {{a}} {nosuch} {{a}", "a": 1, "b": {}, "c": [1, null, 2.0]}',
        '{"name": "N", "fullType": "F", "stack": "s", "ok": true}',
        '{"type": null, "message": null}',
        '{"type": "", "message": "", "fullType": ""}',
        '{"message": "{message} {type} {x}", "x": 1.5e-7}',
        '{"message": "no {place s}", "a": {"stack": 1}}',
    ],
)
async def test_a_json_application_error_is_printed_alike(on_node, body):
    ours, nodes = await on_node("mirror", "-3", asked(body.encode(), failed=True))

    assert (ours.code, nodes.code) == (126, 126)
    assert ours.json["body"] == nodes.json["body"]


@pytest.mark.parametrize("body", ["{bad", "NaN", '{"a": Infinity}'])
async def test_a_body_that_is_no_json_is_no_success(on_node, body):
    ours, nodes = await on_node("mirror", "-3", asked(body.encode()))

    assert (ours.code, nodes.code) == (125, 0)
    assert "try --raw" in ours.err
