"""Bodies and headers: JSON or YAML, in place, in files, on standard input."""

import io
import sys
from types import SimpleNamespace

import pytest

from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.bodies import Given


def given(text=None, path=None, *, yaml=False):
    return Given("the body", text, path, yaml)


@pytest.fixture
def stdin(monkeypatch):
    def fill(data):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return fill


def test_json_in_place_is_a_value():
    assert given('{"a": [1, null]}').as_value() == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("hello", "hello"),
        ("null", "null"),
        ("true", "true"),
        ("0", 0),
        ("007", 7),
        ("", {}),
        (' {"a": null}', {"a": None}),
        ("[null]", [None]),
        ('"true"', "true"),
    ],
)
def test_in_third_place_a_lone_word_is_text_and_the_rest_json(text, value):
    assert Given("the body", text, None, word=True).as_value() == value


def test_a_file_may_stand_in_third_place(tmp_path):
    path = tmp_path / "body.json"
    path.write_text("null")

    assert Given("the body", f"@{path}", None, word=True).as_value() is None


def test_a_file_is_read_by_its_path_and_by_an_at_sign(tmp_path):
    path = tmp_path / "body.json"
    path.write_text('{"é": 1}', encoding="utf-8")

    assert given(f"@{path}").as_value() == {"é": 1}
    assert given(path=str(path)).as_value() == {"é": 1}


def test_a_dash_is_standard_input(stdin):
    stdin(b"[1]")
    assert given("-").as_value() == [1]

    stdin(b"[2]")
    assert given(path="-").as_value() == [2]


def test_yaml_is_known_by_its_option_and_by_the_name_of_its_file(tmp_path):
    path = tmp_path / "body.yaml"
    path.write_text("key: hello\nlist: [1, 2]\n")

    assert given(path=str(path)).as_value() == {"key": "hello", "list": [1, 2]}
    assert given("key: hello", yaml=True).as_value() == {"key": "hello"}


def test_bytes_are_taken_as_they_are_and_text_is_no_path(tmp_path):
    path = tmp_path / "body"
    path.write_bytes(b"\xff\x00")

    assert given("@x").as_bytes() == b"@x"
    assert given("é").as_bytes() == "é".encode()
    assert given(path=str(path)).as_bytes() == b"\xff\x00"
    assert given("\udcff").as_bytes() == b"\xff", "an argument that is not UTF-8"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": }', "the body is no JSON at line 1, column 7: Expecting value"),
        ('{\n"a" 1}', "line 2, column 5"),
        ("", "line 1, column 1"),
        ("hello", """a JSON string has quotes: '"hello"'"""),
        ("NaN", "NaN is none of its numbers"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text, message):
    with pytest.raises(ToolError) as caught:
        given(text).as_value()

    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_what_is_no_yaml_is_told_with_its_place():
    with pytest.raises(ToolError, match="the body is no YAML at line 1, column 8: "):
        given("a: [1, ", yaml=True).as_value()


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    for path in (str(tmp_path / "none"), str(tmp_path), "a\0b"):
        with pytest.raises(ToolError) as caught:
            given(f"@{path}").as_value()
        assert str(caught.value).startswith(f"cannot read the body from {path}: ")


def test_a_file_of_other_text_is_refused(tmp_path):
    path = tmp_path / "latin"
    path.write_bytes(b'{"a": "\xe9"}')

    with pytest.raises(ToolError, match="is not UTF-8 at byte 7"):
        given(path=str(path)).as_value()
