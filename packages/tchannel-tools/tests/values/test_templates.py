"""Bodies that are filled from the rows of a file."""

import pytest

from tchannel_tools._terminal.failures import ToolError
from tchannel_tools._values.bodies import Given
from tchannel_tools._values.templates import Row, Template, read_rows


def fill(text, raw=False, yaml=False, **values):
    template = Template(Given("the body", text, None, yaml), raw=raw)
    filled = template.fill(Row("line 2 of rows.csv", values))
    return filled.as_bytes() if raw else filled.as_value()


@pytest.fixture
def rows(tmp_path):
    """Write a data file, and read it: the rows."""

    def read(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_rows(str(path)))

    return read


def test_a_place_that_is_the_whole_text_becomes_the_value_with_its_type():
    assert fill('{"n": "${n}", "all": "${all}"}', n=7, all=[1, None]) == {"n": 7, "all": [1, None]}


def test_a_place_within_a_text_becomes_text():
    assert fill('["user-${id}-${flag}"]', id=7, flag=True) == ["user-7-true"]


def test_no_value_becomes_syntax():
    assert fill('{"name": "${name}"}', name='", "admin": true, "x": "') == {
        "name": '", "admin": true, "x": "'
    }


def test_keys_have_places_too():
    assert fill('{"${key}": 1}', key="a") == {"a": 1}


def test_yaml_is_filled_as_well():
    assert fill("key: ${key}", yaml=True, key="a") == {"key": "a"}


def test_raw_bytes_are_filled_as_text():
    assert fill("get ${key}\udcff", raw=True, key="é") == "get é".encode() + b"\xff"


def test_other_dollars_are_left_alone():
    assert fill('["$5", "$key", "{key}"]', key="a") == ["$5", "$key", "{key}"]


def test_a_name_that_the_row_does_not_have_is_told():
    with pytest.raises(ToolError) as caught:
        fill('["${kye}"]', key="a", other="b")
    assert str(caught.value) == "the body names ${kye}, but line 2 of rows.csv has key, other"


def test_rows_of_csv_are_text_by_name(rows):
    found = rows("keys.CSV", 'key,n\na,1\n"b, c",2\n')

    assert [row.values for row in found] == [{"key": "a", "n": "1"}, {"key": "b, c", "n": "2"}]
    assert found[1].where == "line 3 of keys.CSV"


def test_rows_of_json_lines_keep_their_types(rows):
    found = rows("keys.jsonl", '{"n": 1}\n\n{"n": [true]}\n')

    assert [row.values for row in found] == [{"n": 1}, {"n": [True]}]
    assert found[1].where == "line 3 of keys.jsonl"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "key,n\na\n", "line 2 of a.csv has not 2 values"),
        ("a.csv", "key\na,b\n", "line 2 of a.csv has not 1 values"),
        ("a.csv", "key\n", "the data file a.csv has no rows"),
        ("a.csv", "", "the data file a.csv has no rows"),
        ("a.csv", 'key\n"a\n', "line 1 of a.csv is no CSV: unexpected end of data"),
        ("a.jsonl", '{"n": 1}\nnope\n', "line 2 of a.jsonl is no JSON: Expecting value"),
        ("a.jsonl", "[1]\n", "line 1 of a.jsonl is no JSON object"),
        ("a.jsonl", '{"n": NaN}\n', "line 1 of a.jsonl is no JSON: NaN is none of its numbers"),
        ("a.jsonl", b'{"n": "\xff"}\n', "is not UTF-8 at byte 7"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(rows, name, content, told):
    with pytest.raises(ToolError) as caught:
        rows(name, content)
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(
        ToolError, match=r"cannot read the data file no-such-file\.csv: No such file"
    ):
        list(read_rows("no-such-file.csv"))
