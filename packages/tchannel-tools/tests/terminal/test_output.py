"""What is printed, and how."""

import io
import sys

import pytest

from tchannel_tools._terminal.output import print_bytes, print_document, print_note


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True


def test_a_document_is_pretty_and_plain_when_it_is_piped(capsys):
    print_document({"é": ["a"]})

    assert capsys.readouterr().out == '{\n  "é": [\n    "a"\n  ]\n}\n'


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([1, -2, 3.5e300], "[1, -2, 3.5e+300]"),
        ({"data": [0, 5], "a": []}, '{\n  "data": [0, 5],\n  "a": []\n}'),
        ([1, "2"], '[\n  1,\n  "2"\n]'),
        ([[1], [2]], "[\n  [1],\n  [2]\n]"),
        (["[\n 1\n]"], '[\n  "[\\n 1\\n]"\n]'),
    ],
    ids=str,
)
def test_an_array_of_numbers_is_one_line(capsys, document, text):
    print_document(document)

    assert capsys.readouterr().out == f"{text}\n"


def test_a_document_is_coloured_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    print_document({"key": "x" * 300})

    assert "\x1b[" in terminal.getvalue()
    assert "x" * 300 in terminal.getvalue(), "long lines are not broken"


def test_characters_that_cannot_be_printed_are_escaped(monkeypatch, capsys):
    print_document("\ud800")
    assert capsys.readouterr().out == '"\\ud800"\n'

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    print_document("é")
    assert sys.stdout.buffer.getvalue() == b'"\\u00e9"\n'


def test_bytes_are_printed_as_they_are(capfdbinary):
    print_bytes(b"\xff\n\0")

    assert capfdbinary.readouterr().out == b"\xff\n\0"


def test_a_note_is_one_line_on_standard_error(capsys):
    print_note("tcurl", "two\nlines")

    assert capsys.readouterr() == ("", "tcurl: two lines\n")
