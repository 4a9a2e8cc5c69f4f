"""Thrift values from JSON."""

import json

import pytest

from tchannel_thrift import rw
from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.forms import Form
from tchannel_tools._values.thrift_answers import AnswerReader
from tchannel_tools._values.thrift_values import FromJSON

IDL = """
enum Colour { RED = 1, GREEN = 2 }
struct Point { 1: required i32 x, 2: optional i32 y = 7 }
union Either { 1: string text, 2: i32 number }
typedef i64 Stamp
struct All {
    1: bool yes
    2: i8 tiny
    3: i32 medium
    4: Stamp large
    5: double real
    6: string text
    7: binary bytes
    8: Colour colour
    9: Point point
    10: list<Point> points
    11: set<string> names
    12: map<string, i32> counts
    13: map<i32, string> labels
    14: Either either
    15: uuid id
    16: set<Point> corners
}
"""

MODULE = rw.Loader(strict=False).loads("values", IDL)
ALL = MODULE.All.type_spec


def there_and_back(value):
    """Make a Thrift value of JSON, send it, and make JSON of what arrives."""
    made = FromJSON().value(ALL, value, "body")
    return AnswerReader(MODULE.dumps(made), Form(i64_as_number=True, exact=True)).value(ALL)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"yes": True}, {"yes": True}),
        ({"yes": "false"}, {"yes": False}),
        ({"tiny": -128}, {"tiny": -128}),
        ({"medium": "7"}, {"medium": 7}),
        ({"medium": 7.0}, {"medium": 7}),
        ({"large": 2**63 - 1}, {"large": 2**63 - 1}),
        ({"large": {"type": "Buffer", "data": [0] * 7 + [5]}}, {"large": 5}),
        ({"large": [-1] * 8}, {"large": -1}),
        ({"large": {"hi": 1, "lo": -1}}, {"large": 2**33 - 1}),
        ({"large": {"high": 0, "low": 2**31}}, {"large": 2**31}),
        ({"large": "0000000000000010"}, {"large": 16}),
        ({"large": "fffffffffffffffe"}, {"large": -2}),
        ({"large": "1234567890123456"}, {"large": 1234567890123456}),
        ({"large": "-5"}, {"large": -5}),
        ({"real": 1}, {"real": 1.0}),
        ({"real": "-Infinity"}, {"real": "-Infinity"}),
        ({"real": "NaN"}, {"real": "NaN"}),
        ({"text": "hé"}, {"text": "hé"}),
        ({"bytes": "ab"}, {"bytes": {"type": "Buffer", "data": [97, 98]}}),
        (
            {"bytes": {"type": "Buffer", "data": [255, 0]}},
            {"bytes": {"type": "Buffer", "data": [255, 0]}},
        ),
        ({"colour": "GREEN"}, {"colour": "GREEN"}),
        ({"colour": 2}, {"colour": "GREEN"}),
        ({"colour": 9}, {"colour": 9}),
        ({"point": {"x": 1}}, {"point": {"x": 1, "y": 7}}),
        ({"points": [{"x": 1, "y": 2}]}, {"points": [{"x": 1, "y": 2}]}),
        ({"names": ["b", "a", "b"]}, {"names": ["b", "a", "b"]}),
        ({"corners": [{"x": 1}]}, {"corners": [{"x": 1, "y": 7}]}),
        ({"counts": {"a": 1}}, {"counts": {"a": 1}}),
        ({"counts": [["a", 1]]}, {"counts": {"a": 1}}),
        ({"labels": {"1": "a"}}, {"labels": {"1": "a"}}),
        ({"labels": [[1, "a"]]}, {"labels": {"1": "a"}}),
        ({"either": {"number": 0}}, {"either": {"type": "number", "number": 0}}),
        (
            {"either": {"type": "text", "text": "a"}},
            {"either": {"type": "text", "text": "a"}},
        ),
        (
            {"id": "00112233-4455-6677-8899-aabbccddeeff"},
            {"id": "00112233-4455-6677-8899-aabbccddeeff"},
        ),
        ({"text": None}, {}),
    ],
    ids=json.dumps,
)
def test_json_becomes_a_value_and_the_value_json(given, shown):
    empty = dict.fromkeys((field.name for field in ALL.fields), None)

    assert there_and_back(given) == {**empty, **shown}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (5, "body is an All, so give an object, not 5"),
        ({"yes": 1}, "body.yes is a bool, so give true or false, not 1"),
        ({"tiny": 300}, "body.tiny is 300, which does not fit in a byte"),
        ({"medium": 1.5}, "body.medium is an i32, so give a whole number, not 1.5"),
        ({"medium": True}, "body.medium is an i32"),
        ({"medium": "x"}, "body.medium is an i32"),
        ({"large": {"hi": 1}}, "body.large is an i64, so give a whole number, not"),
        ({"large": [1]}, "body.large is an i64"),
        ({"large": [0.5] * 8}, "body.large is an i64"),
        ({"large": {"hi": 2**32, "lo": 0}}, "body.large is an i64"),
        ({"large": {"type": "Buffer", "data": [1]}}, "body.large is an i64"),
        ({"large": 2**63}, "body.large is 9223372036854775808, which does not fit in an i64"),
        ({"medium": [0] * 8}, "body.medium is an i32"),
        ({"real": "x"}, "body.real is a double, so give a number, not 'x'"),
        ({"real": True}, "body.real is a double"),
        ({"text": 5}, "body.text is a string, so give text, not 5"),
        ({"bytes": [1]}, "body.bytes is a binary, so give text, or"),
        ({"bytes": {"type": "Buffer", "data": [256]}}, "body.bytes is a binary"),
        ({"colour": "BLUE"}, "body.colour is a Colour, so give one of RED, GREEN, or a number"),
        ({"point": {}}, "body.point needs 'x' (i32)"),
        ({"points": {}}, "body.points is a list<Point>, so give an array"),
        ({"points": [{"x": 1}, {"x": "?"}]}, "body.points[1].x is an i32"),
        ({"counts": [1]}, "body.counts is a map<string, i32>, so give an object or an array"),
        ({"counts": {"a": "?"}}, "body.counts['a'] is an i32"),
        ({"labels": {"a": "b"}}, "body.labels, the key 'a' is an i32"),
        ({"either": {}}, "body.either is the union Either, so give exactly one of text, number"),
        ({"either": {"text": "", "number": 1}}, "exactly one of"),
        ({"id": 5}, "body.id is a uuid, so give text like"),
        ({"id": "x"}, "body.id is a uuid"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_with_its_place(given, message):
    with pytest.raises(ToolError) as caught:
        FromJSON().value(ALL, given, "body")

    assert message in str(caught.value)


def test_fields_that_the_idl_does_not_have_are_noted():
    reader = FromJSON()

    reader.value(ALL, {"nosuch": 1, "point": {"x": 1, "z": 2}}, "body")

    assert reader.unknown == ["body.nosuch", "body.point.z"]
