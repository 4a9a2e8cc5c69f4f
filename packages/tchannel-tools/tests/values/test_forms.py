"""Values as JavaScript shows them."""

import json
import math

import pytest

from tchannel_tools._values.forms import hydrated_error, node_number, node_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (2.0**60, "1152921504606847000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (math.nan, "null"),
        (-math.inf, "null"),
    ],
)
def test_a_double_is_the_number_that_javascript_writes(value, shown):
    assert json.dumps(node_number(value)) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        ("a", "a"),
        (0.1, "0.1"),
        (-0.0, "0"),
        (1.0, "1"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (5e-324, "5e-324"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([1, None, ["a", 2.0]], "1,,a,2"),
        ([], ""),
        ({"a": 1}, "[object Object]"),
    ],
)
def test_a_value_becomes_the_text_that_javascript_makes_of_it(value, text):
    assert node_text(value) == text


MADE_UP = {
    "type": "tchannel.hydrated-error.default-type",
    "fullType": "tchannel.hydrated-error.default-type",
    "name": "TchannelHydratedErrorDefaultTypeError",
    "message": "TChannel json hydrated error;"
    " this message should be replaced with an upstream error message",
}


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (None, {}),
        ({}, {}),
        (5, {}),
        ("ab", {"0": "a", "1": "b"}),
        ([1], {"0": 1}),
        (
            {"type": "t", "message": "m {a} {{a}} {b}", "a": 1},
            {"type": "t", "fullType": "t", "message": "m 1 {a} ", "a": 1},
        ),
        (
            {"name": "N", "fullType": "F", "stack": "s", "message": 5},
            {"name": "N", "fullType": "F", "message": 5},
        ),
        ({"type": None, "message": ""}, {"type": None, "fullType": None}),
    ],
    ids=str,
)
def test_an_application_error_has_what_an_error_object_of_tchannel_node_has(body, shown):
    assert hydrated_error(body) == {**MADE_UP, **shown}
