"""What is told about declared exceptions besides themselves."""

import pytest

pytest.importorskip("tchannel_thrift", reason="the extra `thrift`")

from tchannel_thrift import rw
from tchannel_yarpc import ApplicationError, Code
from tchannel_yarpc.exceptions import attach, describe

pytestmark = pytest.mark.extra

IDL = """
enum Colour { RED = 1 }
struct Point { 1: optional i32 x; 2: optional double y_axis }
exception Plain { 1: optional string name }
exception Noted { 1: optional string name } (rpc.code = "FAILED_PRECONDITION")
exception Odd { 1: optional string name } (rpc.code = "TEAPOT")
exception Rich {
  1: optional bool flag
  2: optional binary blob
  3: optional list<string> names
  4: optional map<string, i32> counts
  5: optional Point point
  6: optional Colour colour
}
exception Taken { 1: optional string application_error }
"""


@pytest.fixture(scope="module")
def idl():
    return rw.Loader().loads("exceptions", IDL)


def test_name_and_text_are_those_of_the_idl(idl):
    assert describe(idl.Plain(name="absent")) == ApplicationError(
        "Plain", "Plain{Name: absent}", None
    )


def test_fields_that_are_not_set_are_not_told(idl):
    assert describe(idl.Plain()).details == "Plain{}"


def test_values_are_told_as_go_prints_them(idl):
    error = idl.Rich(
        flag=True,
        blob=b"\x01\xff",
        names=["a", "b"],
        counts={"k": 1},
        point=idl.Point(x=1, y_axis=0.5),
        colour=1,
    )

    assert describe(error).details == (
        "Rich{Flag: true, Blob: [1 255], Names: [a b], Counts: map[k:1],"
        " Point: Point{X: 1, YAxis: 0.5}, Colour: 1}"
    )


def test_the_code_is_that_of_the_annotation(idl):
    assert describe(idl.Noted(name="a")).code is Code.FAILED_PRECONDITION
    assert describe(idl.Odd(name="a")).code is None


def test_a_long_text_is_cut_on_a_character_and_marked(idl):
    details = describe(idl.Plain(name="é" * 1000)).details

    assert details.endswith(" (truncated)")
    assert len(details.removesuffix(" (truncated)").encode()) in {255, 256}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"$rpc$-application-error-name": "E"}, ApplicationError("E")),
        (
            {
                "$rpc$-application-error-name": "E",
                "$rpc$-application-error-details": "d",
                "$rpc$-application-error-code": "5",
            },
            ApplicationError("E", "d", Code.NOT_FOUND),
        ),
        (
            {"$rpc$-application-error-name": "E", "$rpc$-application-error-code": "99"},
            ApplicationError("E"),
        ),
        (
            {"$rpc$-application-error-name": "E", "$rpc$-application-error-code": "x"},
            ApplicationError("E"),
        ),
    ],
)
def test_it_is_read_from_the_headers(headers, expected):
    assert ApplicationError.from_headers(headers) == expected


def test_it_is_written_to_the_headers():
    assert ApplicationError("E", "d", Code.NOT_FOUND).to_headers() == {
        "$rpc$-application-error-name": "E",
        "$rpc$-application-error-details": "d",
        "$rpc$-application-error-code": "5",
    }


def test_an_exception_carries_it_unless_the_idl_has_a_field_of_that_name(idl):
    plain, taken = idl.Plain(name="a"), idl.Taken(application_error="field")
    for error in (plain, taken):
        attach(error, ApplicationError("E"))

    assert ApplicationError.of(plain) == ApplicationError("E")
    assert ApplicationError.of(taken) is None
    assert taken.application_error == "field"
    assert ApplicationError.of(ValueError()) is None
