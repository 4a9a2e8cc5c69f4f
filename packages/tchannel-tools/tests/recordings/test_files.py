"""Recorded calls in load files and cassettes."""

import json
from dataclasses import replace

import pytest

from tchannel_testing import vcr
from tchannel_tools._calling.calls import Message
from tchannel_tools._recordings.cassettes import CassetteFile, is_cassette, read_cassette
from tchannel_tools._recordings.load_file import LoadFile, read_load_file
from tchannel_tools._recordings.recording import Recording, Reply
from tchannel_tools._terminal.failures import ToolError

OK = Recording(
    "keyvalue",
    Message("json", "get", b"{}", '{"key": "é"}'.encode()),
    Reply("ok", b"{}", b'"world"'),
    0.25,
    0.001,
    {"as": "json", "cn": "web", "sk": "a shard"},
)
RAW = Recording(
    "keyvalue", Message("raw", "put", b"\xff", b"\x00\xfe"), Reply("application error", b"", b"no")
)
BUSY = Recording(
    "keyvalue", Message("thrift", "A::b", b"\0\0", b"\0"), Reply("busy", text="too much")
)
UNANSWERED = Recording("keyvalue", Message("raw", "slow", b"", b""), None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.jsonl"


def test_a_load_file_gives_back_what_was_written(path):
    file = LoadFile(str(path))
    for one in (OK, RAW, BUSY, UNANSWERED):
        file.write(one)
    file.close()

    assert list(read_load_file(str(path))) == [OK, RAW, BUSY, UNANSWERED]


def test_people_can_read_and_write_it(path):
    file = LoadFile(str(path))
    file.write(OK)
    file.close()
    line = json.loads(path.read_text())
    assert line["body"] == '{"key": "é"}'
    assert line["answer"] == {"headers": "{}", "body": '"world"'}

    path.write_text('{"service": "keyvalue", "endpoint": "get"}\n')
    assert list(read_load_file(str(path))) == [
        Recording("keyvalue", Message("raw", "get", b"", b""), None)
    ]


def test_a_call_knows_its_keys_for_routers():
    assert OK.routing == ("a shard", None, None)


def test_without_any_call_a_file_stays_as_it_was(path):
    LoadFile(str(path)).close()
    assert not path.exists()

    path.write_text("what was there")
    LoadFile(str(path)).close()
    assert path.read_text() == "what was there"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no calls in it"),
        ("nope\n", "line 1 of {path} is no JSON: Expecting value"),
        ("[]\n", "line 1 of {path} is no recorded call: "),
        ('{"service": "a"}\n', "line 1 of {path} is no recorded call: it has no 'endpoint'"),
        ('{"service": "a", "endpoint": 7}\n', "is no recorded call: endpoint is text, not 7"),
        ('{"service": "a", "endpoint": "b", "at": -1}\n', "at is a time in seconds, not -1"),
        ('{"service": "a", "endpoint": "b", "at": NaN}\n', "at is a time in seconds, not nan"),
        ('{"service": "a", "endpoint": "b", "body": [1]}\n', "body is text or {{"),
        ('{"service": "a", "endpoint": "b", "body": {"base64": "?"}}\n', "body is text or {{"),
        ('{"service": "a", "endpoint": "b", "transport": {"sk": 1}}\n', "transport is text"),
    ],
)
def test_a_wrong_line_of_a_load_file_is_told(path, text, told):
    path.write_text(text)
    with pytest.raises(ToolError) as caught:
        list(read_load_file(str(path)))
    assert told.format(path=path) in str(caught.value)


def test_a_cassette_gives_back_what_was_written(tmp_path):
    path = str(tmp_path / "calls.yaml")
    file = CassetteFile(path)
    assert [file.write(one) for one in (OK, RAW, BUSY)] == [None, None, None]
    assert file.write(UNANSWERED) == "it got no answer"
    file.close()

    found = list(read_cassette(path))
    assert [(one.message, one.reply) for one in found] == [
        # JSON is written there in one way, whatever way it was sent in.
        (replace(OK.message, arg3=b'{"key": "\\u00e9"}'), OK.reply),
        (RAW.message, RAW.reply),
        (BUSY.message, BUSY.reply),
    ]
    assert found[0].routing == OK.routing


async def test_a_cassette_answers_the_calls_of_a_test(tmp_path, tcp):
    path = str(tmp_path / "calls.yaml")
    file = CassetteFile(path)
    file.write(OK)
    file.close()

    client = tcp("client")
    with vcr.use_cassette(path, record_mode="none"):
        response = await client.json("keyvalue", "get", {"key": "é"}, hostport="127.0.0.1:1")

    assert response.body == "world"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is no such file"),
        ("a: [", "calls.yaml"),
        ("{interactions: [], version: 1}", "has no calls in it"),
    ],
)
def test_a_cassette_that_cannot_be_read_is_told_in_a_line(tmp_path, text, told):
    path = tmp_path / "calls.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ToolError) as caught:
        list(read_cassette(str(path)))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "is_one"), [("a.yaml", True), ("a.YML", True), ("a.jsonl", False)]
)
def test_the_name_says_whether_it_is_a_cassette(name, is_one):
    assert is_cassette(name) is is_one
