"""``tchannel migrate``: what it prints, and what it rewrites."""

import json
import sys

import pytest

from tchannel_tools.main import main

SERVER = '''\
"""A service."""
import thriftrw
from tchannel import TChannel, thrift
from tornado import ioloop

channel = TChannel('keyvalue', '127.0.0.1:0', tracer=None,  # no tracing
                   trace=True)
module = thriftrw.load('service.thrift')


@channel.raw.register
def ping(request):
    if request.body == 'ping':
        return 'pong'


if __name__ == '__main__':
    channel.listen()
    ioloop.IOLoop.instance().start()
'''

FIXED = '''\
"""A service."""
from tchannel_thrift import rw as thriftrw
from tchannel import TChannel, thrift
from tornado import ioloop

channel = TChannel('keyvalue', '127.0.0.1:0', trace=True)
module = thriftrw.load('service.thrift')


@channel.raw.register
def ping(request):
    if request.body == 'ping':
        return 'pong'


if __name__ == '__main__':
    channel.listen()
    ioloop.IOLoop.current().start()
'''


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "code"
    (folder / "package").mkdir(parents=True)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "x.py").write_text("import thriftrw\n")
    (folder / "package" / "server.py").write_text(SERVER)
    (folder / "package" / "fine.py").write_text("import os\n")
    (folder / "requirements.txt").write_text("tchannel==2.1.0\n")
    return folder


def test_every_place_is_reported_with_its_reason(code, capsys):
    assert main(["migrate", str(code)]) == 126
    printed = capsys.readouterr()
    lines = printed.out.splitlines()

    server = code / "package" / "server.py"
    assert [line.partition("]")[0] for line in lines] == [
        f"{server}:2:1: change [thriftrw",
        f"{server}:6:54: change [tracing-arguments",
        f"{server}:13:8: change [raw-text",
        f"{server}:19:5: change [tornado-4",
        f"{code / 'requirements.txt'}:1:1: change [requirement",
    ]
    assert "IOLoop.instance: write IOLoop.current()" in lines[3]
    assert all("docs/migration.md#" in line for line in lines)
    assert "3 files: 5 places to change, 0 to look at" in printed.err


def test_what_needs_no_change_ends_with_0(tmp_path, capsys):
    file = tmp_path / "x.py"
    file.write_text("import tchannel\ntchannel.TChannel('a')\n")

    assert main(["migrate", str(file)]) == 0
    assert "[trace-default]" in capsys.readouterr().out
    assert main(["migrate", str(file), "--changes"]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_is_named_twice_is_looked_at_once(code, capsys):
    assert main(["migrate", str(code), str(code / "requirements.txt")]) == 126

    assert "3 files: 5 places to change" in capsys.readouterr().err


def test_programs_get_an_object_a_line(code, capsys):
    assert main(["migrate", str(code), "--json"]) == 126
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {"path", "line", "column", "rule", "level", "what", "text", "link"} == set(found[0])


@pytest.mark.extra
def test_mechanical_changes_are_made_and_nothing_else(code, capsys):
    pytest.importorskip("libcst", reason="the extra `migrate`")
    server = code / "package" / "server.py"
    assert main(["migrate", str(code), "--fix", "--diff"]) == 0
    diff = capsys.readouterr().out
    assert server.read_text() == SERVER
    assert "+from tchannel_thrift import rw as thriftrw" in diff
    assert "-import thriftrw" in diff

    assert main(["migrate", str(code), "--fix"]) == 126  # what is left is for people
    printed = capsys.readouterr()
    assert f"{server} is rewritten" in printed.err
    assert server.read_text() == FIXED
    assert [line.partition("]")[0].rpartition("[")[2] for line in printed.out.splitlines()] == [
        "raw-text",
        "requirement",
    ]


def test_fixing_without_its_extra_says_what_to_install(code, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "libcst", None)
    assert main(["migrate", str(code), "--fix"]) == 125
    assert "pip install 'tchannel-tools[migrate]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-folder"], "there is no no-such-folder"),
        ([], "the following arguments are required: PATH"),
        ([".", "--diff"], "--diff goes with --fix"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments, told, capsys):
    assert main(["migrate", *arguments]) == 125
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
