"""Shell Object Notation, as people typed it with the Node tool."""

import json

import pytest

from tchannel.tcurl.failures import ToolError
from tchannel.tcurl.shon import replace_shon


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("[ --key hello ]", {"key": "hello"}),
        ("[ --a 1 --b -2.5 ]", {"a": 1, "b": -2.5}),
        ("[ --query [ --serviceName ringpop ] ]", {"query": {"serviceName": "ringpop"}}),
        ("[ a 1 [ b ] ]", ["a", 1, ["b"]]),
        ("[ ]", []),
        ("[ --a [] --b [--] ]", {"a": [], "b": {}}),
        ("[ --a=1 --b=x=y ]", {"a": 1, "b": "x=y"}),
        ("[ true null ]", ["true", "null"]),
        ("[ -- --dashes ]", ["--dashes"]),
    ],
)
def test_brackets_become_one_argument_of_json(words, value):
    before, argument, after = replace_shon(["svc", *words.split(), "--raw"])

    assert (before, after) == ("svc", "--raw")
    assert json.loads(argument) == value


def test_other_arguments_stay_as_they_are():
    argv = ["svc", "ep", '["a"]', "-3", "[1]", "]", "[]"]

    assert replace_shon(argv) == argv


def test_an_empty_object_has_a_notation_of_its_own():
    assert replace_shon(["[--]"]) == ["{}"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("[ --a", "not closed"),
        ("[ a", "not closed"),
        ("[ --a ]", "'--a' has no value"),
        ("[ --a --b 1 ]", "'--a' has no value"),
        ("[ --a 1 b ]", "a key like --name is expected, not 'b'"),
    ],
)
def test_what_makes_no_sense_is_refused(words, message):
    with pytest.raises(ToolError, match=message):
        replace_shon(words.split())
