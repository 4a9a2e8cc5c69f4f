"""Thrift answers as JSON. Beside the Node tool they are compared in the tests against its peers."""

import math
import struct

import pytest

from tchannel_thrift import rw
from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.forms import Form
from tchannel_tools._values.thrift_answers import AnswerReader

IDL = """
enum Colour { RED = 1, SCARLET = 1 }
struct Point { 1: required i32 x, 2: optional i64 z }
struct Defaults {
    1: optional i64 large = 5
    2: optional double real = 2.0
    3: optional binary bytes = "a"
    4: optional Colour colour = Colour.RED
    5: optional list<i32> numbers = [1]
    6: optional map<i32, string> names = {1: "a"}
    7: optional Point point = {"x": 1}
    8: optional string nothing
}
union Either { 1: string text, 2: i64 number }
exception Oops { 1: optional string why }
struct Deep { 1: optional Deep more }
service Service {
    Point get() throws (1: Oops oops)
    void put()
}
"""

MODULE = rw.Loader(strict=False).loads("answers", IDL)
NODES = Form()
NUMBERS = Form(i64_as_number=True)
EXACT = Form(i64_as_number=True, exact=True)


def spec_of(type_name):
    module = rw.Loader(strict=False).loads("one", f"{IDL}\nstruct One {{ 1: {type_name} one }}")
    return module.One.type_spec.fields[0].spec


def text(value):
    return struct.pack(">i", len(value)) + value


def read(type_name, payload, form=NODES):
    reader = AnswerReader(payload, form)
    return reader.value(spec_of(type_name)), reader


FIVE = struct.pack(">q", 5)
FIVE_SHOWN = {"type": "Buffer", "data": [0, 0, 0, 0, 0, 0, 0, 5]}
POINT = b"\x08\0\1\0\0\0\1\0"


@pytest.mark.parametrize(
    ("type_name", "payload", "nodes", "exact"),
    [
        ("bool", b"\7", True, True),
        ("byte", b"\xff", 255, -1),
        ("i64", FIVE, FIVE_SHOWN, 5),
        ("double", struct.pack(">d", math.nan), None, "NaN"),
        ("double", struct.pack(">d", -math.inf), None, "-Infinity"),
        ("double", struct.pack(">d", 2.0), 2, 2.0),
        ("string", text(b"a\xff"), "a�", {"type": "Buffer", "data": [97, 255]}),
        ("binary", text(b"\xff"), *[{"type": "Buffer", "data": [255]}] * 2),
        ("Colour", b"\0\0\0\1", "SCARLET", "SCARLET"),
        ("Colour", b"\0\0\0\2", 2, 2),
        ("uuid", bytes(range(16)), *["00010203-0405-0607-0809-0a0b0c0d0e0f"] * 2),
        ("set<i32>", b"\x08\0\0\0\2\0\0\0\2\0\0\0\1", [2, 1], [2, 1]),
        ("map<i32, bool>", b"\x08\2\0\0\0\1\0\0\0\7\1", {"7": True}, {"7": True}),
        ("map<bool, bool>", b"\2\2\0\0\0\1\0\1", {"false": True}, {"false": True}),
        ("map<i64, bool>", b"\x0a\2\0\0\0\1" + FIVE + b"\1", {"\0" * 7 + "\5": True}, {"5": True}),
        (
            "map<binary, bool>",
            b"\x0b\2\0\0\0\1" + text(b"a") + b"\1",
            {"a": True},
            [[{"type": "Buffer", "data": [97]}, True]],
        ),
        (
            "map<Point, bool>",
            b"\x0c\2\0\0\0\1" + POINT + b"\1",
            {"[object Object]": True},
            [[{"x": 1, "z": None}, True]],
        ),
        (
            "map<list<i64>, bool>",
            b"\x0f\2\0\0\0\1\x0a\0\0\0\1" + struct.pack(">q", 0x41) + b"\1",
            {"\0" * 7 + "A": True},
            [[[0x41], True]],
        ),
        (
            "Either",
            b"\x0a\0\2" + FIVE + b"\0",
            {"type": "number", "number": FIVE_SHOWN},
            {"type": "number", "number": 5},
        ),
        ("Either", b"\0", {"type": None}, {"type": None}),
        (
            "Defaults",
            b"\0",
            *[
                {
                    "large": 5,
                    "real": 2,
                    "bytes": "a",
                    "colour": "SCARLET",
                    "numbers": [1],
                    "names": {"1": "a"},
                    "point": {"x": 1},
                    "nothing": None,
                }
            ]
            * 2,
        ),
    ],
    ids=str,
)
def test_a_value_is_shown_as_the_node_tool_shows_it_or_as_it_is(type_name, payload, nodes, exact):
    assert read(type_name, payload)[0] == nodes
    assert read(type_name, payload, EXACT)[0] == exact


def test_an_i64_is_a_number_if_asked_for_and_the_rest_as_in_the_node_tool():
    payload = b"\x0a\3\0\0\0\1" + FIVE + b"\xff"

    assert read("map<i64, byte>", payload, NUMBERS)[0] == {"5": 255}


@pytest.mark.parametrize("type_name", ["i64", "map<i64, i32>", "list<i64>", "Point"])
def test_it_is_known_whether_an_i64_was_shown_as_bytes(type_name):
    payload = {
        "i64": FIVE,
        "map<i64, i32>": b"\x0a\x08\0\0\0\1" + FIVE + b"\0\0\0\1",
        "list<i64>": b"\x0a\0\0\0\1" + FIVE,
        "Point": b"\x08\0\1\0\0\0\1\x0a\0\2" + FIVE + b"\0",
    }[type_name]

    assert read(type_name, payload)[1].i64_as_bytes
    assert not read(type_name, payload, NUMBERS)[1].i64_as_bytes


@pytest.mark.parametrize(
    ("type_name", "payload", "loss"),
    [
        ("byte", b"\xff", "bytes without their sign"),
        ("double", struct.pack(">d", math.inf), "NaN and infinity as null"),
        ("string", text(b"\xff"), "text that is not UTF-8"),
        ("map<binary, bool>", b"\x0b\2\0\0\0\1" + text(b"\xff") + b"\1", "text that is not UTF-8"),
        ("map<Point, bool>", b"\x0c\2\0\0\0\1" + POINT + b"\1", "keys of maps as one text"),
    ],
)
def test_what_the_form_of_the_node_tool_loses_is_noted(type_name, payload, loss):
    assert read(type_name, payload)[1].losses == [loss]
    assert read(type_name, payload, EXACT)[1].losses == []


def test_what_is_shown_whole_is_no_loss():
    for type_name, payload in (("byte", b"\1"), ("double", bytes(8)), ("Point", POINT)):
        assert read(type_name, payload)[1].losses == []


@pytest.mark.parametrize(
    ("type_name", "payload", "message"),
    [
        ("Point", b"\0", "it lacks x, which Point requires"),
        ("Point", b"\x0b\0\1", "x of Point is i32 by the IDL, but comes as binary"),
        ("list<i32>", b"\x0a\0\0\0\1" + FIVE, "an element of list<i32> is i32"),
        ("map<i32, i32>", b"\x02\x08\0\0\0\1\1\0\0\0\1", "a key of map<i32, i32> is i32"),
        ("map<i32, i32>", b"\x08\x02\0\0\0\1\0\0\0\1\1", "a value of map<i32, i32> is i32"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_refused(type_name, payload, message):
    with pytest.raises(ToolError) as caught:
        read(type_name, payload)

    assert message in str(caught.value)


def test_an_empty_container_may_be_of_any_type():
    assert read("list<i32>", b"\0\0\0\0\0")[0] == []
    assert read("map<i32, i32>", b"\0\0\0\0\0\0")[0] == {}


@pytest.mark.parametrize(
    ("type_name", "payload"),
    [("string", b"\0\0\0\5a"), ("list<bool>", b"\2\x7f\xff\xff\xff"), ("Deep", b"\x0c\0\1" * 500)],
    ids=["cut off", "too many", "too deep"],
)
def test_a_payload_that_is_wrong_is_refused(type_name, payload):
    with pytest.raises(rw.ThriftError):
        read(type_name, payload)


# -- results ----------------------------------------------------------------------------------------


def result(function, payload, form=NODES):
    return AnswerReader(payload, form).result(getattr(MODULE.Service, function).spec.result_spec)


def test_a_result_has_its_fields_by_name():
    assert result("get", b"\x0c\0\0" + POINT + b"\0") == ({"success": {"x": 1, "z": None}}, None)
    assert result("get", b"\x0c\0\1\0\0") == ({"oops": {"why": None}}, None)
    assert result("get", b"\0") == ({}, None)


def test_what_a_void_function_returns_is_passed_over():
    assert result("put", b"\x08\0\0\0\0\0\5\0") == ({}, None)


def test_an_exception_that_the_idl_does_not_declare_is_shown_by_numbers():
    fields = [
        b"\2\0\1\1",
        b"\3\0\2\xff",
        b"\6\0\3\0\7",
        b"\x08\0\4\0\0\0\7",
        b"\x0a\0\5" + FIVE,
        b"\4\0\6" + struct.pack(">d", 0.5),
        b"\x0b\0\7" + text(b"a"),
        b"\x0f\0\x08\2\0\0\0\1\1",
        b"\x0e\0\x09\x0c\0\0\0\1\0",
        b"\x0d\0\x0a\x08\2\0\0\0\1\0\0\0\7\1",
        b"\x0d\0\x0b\x0c\2\0\0\0\1\0\1",
    ]

    _, unknown = result("get", b"\x0c\0\7" + b"".join(fields) + b"\0\0")

    assert unknown == {
        "1": True,
        "2": -1,
        "3": 7,
        "4": 7,
        "5": FIVE_SHOWN,
        "6": 0.5,
        "7": "a",
        "8": [True],
        "9": [{}],
        "10": {"7": True},
        "11": {"[object Object]": True},
    }


def test_an_unknown_exception_of_an_unknown_type_is_refused():
    with pytest.raises(ToolError, match="unknown type 0x63"):
        result("get", b"\x63\0\7\0")


# -- what the user is told --------------------------------------------------------------------------


@pytest.fixture
async def answers(tcurl, service, tmp_path):
    """Run tcurl on a function that answers with a list of i64 and a byte."""
    from tchannel import thrift

    path = tmp_path / "answers.thrift"
    path.write_text("struct Both { 1: i64 id, 2: byte small } service Answers { Both get() }")
    module = thrift.load(path, service="keyvalue-server")

    @service.thrift.register(module.Answers)
    def get(request):
        return module.Both(id=5, small=-1)

    async def run(*options):
        return await tcurl(
            *("-p", service.hostport, "keyvalue-server", "Answers::get", "-t", str(path)), *options
        )

    return run


async def test_on_a_terminal_a_hint_names_the_option_for_numbers(answers, monkeypatch):
    piped = await answers()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    shown = await answers()
    numbers = await answers("--i64", "number")

    hint = "tcurl: an i64 is shown as its eight bytes; --i64 number shows numbers\n"
    assert hint not in piped.err
    assert hint in shown.err
    assert hint not in numbers.err


async def test_a_loss_is_noted_with_the_option_that_avoids_it(answers):
    shown = await answers()
    numbers = await answers("--i64", "number")
    exact = await answers("--exact")

    note = "tcurl: --exact shows what is lost here: bytes without their sign\n"
    assert (shown.json["body"], shown.err) == ({"id": FIVE_SHOWN, "small": 255}, note)
    assert (numbers.json["body"], numbers.err) == ({"id": 5, "small": 255}, note)
    assert (exact.json["body"], exact.err) == ({"id": 5, "small": -1}, "")
