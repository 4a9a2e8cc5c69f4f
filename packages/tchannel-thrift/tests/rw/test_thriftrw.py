"""Beside the real thriftrw 1.9.0: the same documents, values and payloads give the same results.

thriftrw is an optional extra that cannot be built on Python 3.12 and newer.
"""

import re

import pytest

from tchannel_thrift import rw

thriftrw = pytest.importorskip("thriftrw", reason="thriftrw 1.9.0 exists up to Python 3.11 only")

DOCUMENT = """
enum Color { RED, GREEN = 5, BLUE }
struct Point { 1: required i32 x 2: optional i32 y = 7 }
union Choice { 1: i32 number 2: string text 3: Point point }
exception Failure { 1: required string why 2: optional Point where }
struct Node { 1: required string name 2: optional Node next 3: optional list<Node> more }
struct Everything {
    1: optional bool a  2: optional byte b  3: optional i16 c  4: optional i32 d  5: optional i64 e
    6: optional double f  7: optional string g  8: optional binary h  9: optional Color i
    10: optional Point j  11: optional list<i32> k  12: optional map<string, string> l
    13: optional set<i16> m  14: optional list<Point> n  15: optional Choice o
    17: optional map<i64, list<string>> q
}
struct Required {
    4: required i32 d  1: required bool a  7: required string g  2: required byte b
    8: required binary h  5: required i64 e  11: required list<i32> k  6: required double f
    10: required Point j  12: required map<string, string> l
}
service Base { string ping() }
service Service extends Base {
    Point get(1: required string key, 2: i32 limit = 5) throws (1: Failure failure)
    void put(1: string key)
    oneway void forget(1: string key)
}
const Point ORIGIN = {"x": 0, "y": 0}
const map<string, list<Color>> COLORS = {"all": [Color.RED, Color.BLUE]}
"""


@pytest.fixture(scope="module")
def both():
    return (
        thriftrw.loader.Loader().loads("both", DOCUMENT),
        rw.Loader().loads("both", DOCUMENT),
    )


def build(module, value):
    """A value of a module from plain data: ``("Class", {...})`` stands for an instance."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict):
        path, arguments = value
        cls = module
        for part in path.split("."):
            cls = getattr(cls, part)
        return cls(**{name: build(module, item) for name, item in arguments.items()})
    if isinstance(value, list):
        return [build(module, item) for item in value]
    return value


VALUES = [
    ("Point", {"x": 1}),
    ("Point", {"x": -1, "y": 0}),
    ("Choice", {"number": 0}),
    ("Choice", {"text": "zażółć"}),
    ("Choice", {"point": ("Point", {"x": 1})}),
    ("Failure", {"why": "", "where": ("Point", {"x": 1})}),
    ("Node", {"name": "a", "next": ("Node", {"name": "b"}), "more": [("Node", {"name": "c"})]}),
    ("Everything", {}),
    ("Everything", {"a": False, "b": -128, "c": 32767, "d": -1, "e": 1 << 62, "f": -0.0}),
    ("Everything", {"g": "x" * 2000, "h": b"\x00" * 2000, "i": 5, "k": list(range(300))}),
    ("Everything", {"g": b"bytes", "h": "text", "i": 99, "a": 7, "d": True, "f": 3}),
    ("Everything", {"k": (1, 2), "l": {"a": "b", "": ""}, "m": {5}, "q": {1: ["a"], 2: []}}),
    ("Everything", {"j": ("Point", {"x": 1}), "n": [("Point", {"x": 2})],
                    "o": ("Choice", {"text": ""})}),
    ("Required", {"d": 1, "a": True, "g": "g", "b": 2, "h": b"h", "e": 3, "k": [1], "f": 0.5,
                  "j": ("Point", {"x": 1}), "l": {"k": "v"}}),
    ("Service.get.request", {"key": "k"}),
    ("Service.get.response", {"success": ("Point", {"x": 1})}),
    ("Service.get.response", {"failure": ("Failure", {"why": "w"})}),
    ("Service.put.response", {}),
    ("Service.forget.request", {"key": "k"}),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[0])
def test_values_have_the_same_bytes_repr_and_primitives(both, value):
    theirs, ours = (build(module, value) for module in both)
    payload = both[0].dumps(theirs)
    assert both[1].dumps(ours) == payload
    assert repr(ours) == repr(theirs)
    assert ours.to_primitive() == theirs.to_primitive()
    again = [
        module.loads(type(one), payload) for module, one in zip(both, (theirs, ours), strict=True)
    ]
    assert repr(again[1]) == repr(again[0])
    assert type(ours).from_primitive(theirs.to_primitive()).to_primitive() == ours.to_primitive()


@pytest.mark.parametrize("value", [v for v in VALUES if v[0].startswith("Service")])
def test_envelopes_are_the_same(both, value):
    theirs, ours = (build(module, value) for module in both)
    payload = both[0].dumps.message(theirs, seqid=77)
    assert both[1].dumps.message(ours, seqid=77) == payload
    messages = [module.loads.message(module.Service, payload) for module in both]
    assert repr(messages[1]) == repr(messages[0])
    assert messages[1].message_type == messages[0].message_type


WRONG = [
    ("Point", {}),
    ("Point", {"x": None}),
    ("Point", {"x": "a"}),
    ("Point", {"x": 1.5}),
    ("Point", {"x": 1 << 31}),
    ("Point", {"x": 1, "z": 1}),
    ("Choice", {}),
    ("Choice", {"number": 1, "text": "a"}),
    ("Choice", {"nope": 1}),
    ("Everything", {"a": "x"}),
    ("Everything", {"b": 128}),
    ("Everything", {"f": "x"}),
    ("Everything", {"g": 5}),
    ("Everything", {"h": bytearray(b"x")}),
    ("Everything", {"i": "RED"}),
    ("Everything", {"j": 5}),
    ("Everything", {"k": 5}),
    ("Everything", {"k": ["a"]}),
    ("Everything", {"k": [1 << 31]}),
    ("Everything", {"l": ["a"]}),
    ("Everything", {"l": {"a": 5}}),
    ("Everything", {"m": [1 << 15]}),
    ("Service.get.response", {}),
    ("Service.get.request", {}),
]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_wrong_values_are_errors_of_the_same_class(both, value):
    errors = []
    for module in both:
        with pytest.raises((TypeError, ValueError)) as caught:
            build(module, value)
        errors.append(caught.value)
    assert isinstance(errors[1], type(errors[0]))
    # Ours says more: the field, and what is missing. The names of several values have no order.
    words = [set(re.findall(r"[\w<>'.]+", str(error))) for error in errors]
    assert words[0] <= words[1]


READABLE = [
    ("Point", "08 0001 00000005 00"),
    ("Point", "0b 0009 00000001 61 08 0001 00000005 08 0002 00000006 00"),
    ("Point", "08 0002 00000006 08 0001 00000005 00"),
    ("Point", "08 0001 00000001 08 0001 00000002 00"),
    ("Point", "0b 0001 00000001 61 08 0001 00000002 00"),
    ("Everything", "0f 000b 08 00000000 00"),
    ("Everything", "0d 000c 0b 0b 00000001 00000001 61 00000001 62 00"),
    ("Everything", "02 0001 01 02 0001 00 00"),
    ("Choice", "0b 0007 00000000 08 0001 00000001 00"),
    ("Service.put.response", "08 0000 00000001 00"),
]


@pytest.mark.parametrize(("path", "payload"), READABLE)
def test_payloads_read_the_same(both, path, payload):
    values = []
    for module in both:
        cls = module
        for part in path.split("."):
            cls = getattr(cls, part)
        values.append(repr(module.loads(cls, bytes.fromhex(payload))))
    assert values[1] == values[0]


UNREADABLE = [
    ("Point", "00", TypeError),
    ("Point", "", rw.EndOfInputError),
    ("Point", "08 0001 0000", rw.EndOfInputError),
    ("Choice", "00", TypeError),
    ("Choice", "08 0001 00000001 0b 0002 00000000 00", TypeError),
    ("Everything", "0b 0007 00000002 c328 00", UnicodeDecodeError),
    ("Everything", "0f 000b 08 7fffffff 00", rw.EndOfInputError),
    ("Service.get.response", "0c 0005 00 00", rw.UnknownExceptionError),
]


@pytest.mark.parametrize(("path", "payload", "error"), UNREADABLE)
def test_payloads_fail_the_same(both, path, payload, error):
    names = []
    for module in both:
        cls = module
        for part in path.split("."):
            cls = getattr(cls, part)
        with pytest.raises(Exception) as caught:
            module.loads(cls, bytes.fromhex(payload))
        names.append(type(caught.value).__name__)
    assert names == [error.__name__] * 2


def describe(spec):
    """What a struct's spec says, as plain data."""
    return [
        (f.id, f.name, f.required, f.spec.name, f.ttype_code,
         None if f.default_value is None else repr(f.default_value))
        for f in spec.fields
    ]  # fmt: skip


def test_introspection_is_the_same(both):
    theirs, ours = both
    for name in ("Point", "Choice", "Failure", "Node", "Everything", "Required"):
        assert describe(getattr(ours, name).type_spec) == describe(getattr(theirs, name).type_spec)
        for attribute in ("name", "ttype_code"):
            assert getattr(getattr(ours, name).type_spec, attribute) == getattr(
                getattr(theirs, name).type_spec, attribute
            )
        first = [getattr(module, name).__doc__.splitlines()[0] for module in both]
        if name != "Choice":  # there the order is that of a set
            assert first[1] == first[0]
    for module in both:
        assert [cls.__name__ for cls in module.__services__] == ["Base", "Service"]
    functions = [
        [(f.name, f.oneway, describe(f.args_spec), f.result_spec and describe(f.result_spec))
         for f in module.Service.service_spec.functions]
        for module in both
    ]  # fmt: skip
    assert functions[1] == functions[0]
    assert set(dir(thriftrw.spec)) & set(thriftrw.spec.__all__) <= set(rw.spec.__all__)


def test_constants_are_the_same(both):
    theirs, ours = both
    assert repr(ours.__constants__) == repr(theirs.__constants__)
    assert ours.Color.items == theirs.Color.items
    assert ours.Color.values == theirs.Color.values
    assert [cls.__name__ for cls in ours.__types__] == [cls.__name__ for cls in theirs.__types__]
