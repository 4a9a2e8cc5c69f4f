"""Shell Object Notation, as people typed it with the Node tool."""

import json

import pytest

from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.shon import replace_shon


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
        ("[ --a -- --b --c=[] ]", {"a": "--b", "c": []}),
        ("[ -- [ -- 5 ]", ["[", "5"]),
        ("[ -t -f -n -x ]", [True, False, None, "-x"]),
        ("[ [] [] ]", [[], []]),
        ('[ --a {"b":[null]} ]', {"a": {"b": [None]}}),
        ("[ 007 +4 .5 1. 0x1f 0b11 1e3 1e-1 ]", [7, 4, 0.5, 1, 31, 3, 1000, 0.1]),
        ("[ 12345678901234567890 1e 0x - . ]", [12345678901234567890, "1e", "0x", "-", "."]),
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
        ("[ --a -- ]", "not closed"),
        ("[ {bad ]", "'{bad' is no JSON"),
        ("[ --a 1 b ]", "a key like --name is expected, not 'b'"),
    ],
)
def test_what_makes_no_sense_is_refused(words, message):
    with pytest.raises(ToolError, match=message):
        replace_shon(words.split())
