"""Reading takes time and memory in proportion to the file, whatever the file is made of."""

from __future__ import annotations

import pytest

from tchannel_thrift.rw.errors import ThriftParserError
from tchannel_thrift.rw.idl import parse
from tchannel_thrift.rw.idl.tokens import tokenize

SIZE = 200_000

FILLERS = {
    "empty lines": "\n",
    "empty lines of Windows": "\r\n",
    "spaces": " ",
    "line comments": "//\n",
    "shell comments": "#\n",
    "long line comments": "// " + 70 * "x" + "\n",
    "block comments": "/* */",
    "doc comments": "/** a */ ",
    "lines of a block comment": "x\n",
}


def document(filler, size=SIZE):
    text = FILLERS[filler] * (size // len(FILLERS[filler]))
    if filler == "lines of a block comment":
        text = f"/** {text} */"
    return f"{text}\nstruct S {{ 1: required i32 a }}\n"


class CountingText(str):
    """Text that counts the characters in which something is looked for."""

    __slots__ = ("looked_at",)

    def __new__(cls, text):
        made = super().__new__(cls, text)
        made.looked_at = 0
        return made

    def count(self, sub, start=0, end=None):
        self.looked_at += len(self[start:end])
        return super().count(sub, start, end)


@pytest.mark.parametrize("filler", FILLERS)
def test_what_says_nothing_makes_no_tokens(filler):
    assert len(tokenize(document(filler), strict=True).kinds) == len(
        tokenize("struct S { 1: required i32 a }", strict=True).kinds
    )


@pytest.mark.parametrize("filler", FILLERS)
def test_a_file_takes_less_than_ten_times_its_size(filler):
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy does not count memory")
    source = document(filler)
    parse("struct S {}")
    tracemalloc.start()
    try:
        parse(source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(source)


@pytest.mark.parametrize(
    "definition", ["struct S { 1: required i32 a }", "struct S { 1: required i32 a }\n"]
)
def test_places_are_found_by_looking_at_each_character_once(definition):
    source = CountingText("".join(definition.replace("S", f"S{n}") for n in range(1000)))
    document = parse(source)
    assert source.looked_at <= len(source)
    assert document.definitions[-1].pos.line == source.count("\n", 0, len(source) - 1) + 1


def test_a_place_before_the_last_one_is_found_too():
    source = "struct A {\n  1: required i32 a\n}\nstruct B { 1: required bool x = {"
    with pytest.raises(ThriftParserError) as caught:
        parse(source)
    assert (caught.value.line, caught.value.column) == (4, 34)


@pytest.mark.parametrize("lines", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_the_line_of_a_mistake_is_shown_wherever_it_is(lines):
    with pytest.raises(ThriftParserError) as caught:
        parse("\n" * lines + "  ?\r\n")
    assert (caught.value.line, caught.value.source_line) == (lines + 1, "  ?")


def test_a_doc_comment_is_kept_up_to_its_limit():
    [struct] = parse(document("lines of a block comment")).definitions
    assert struct.doc is not None
    assert 60_000 < len(struct.doc) < 70_000
    assert struct.doc.endswith("...")


def test_a_message_cuts_what_the_file_made_long():
    with pytest.raises(ThriftParserError) as caught:
        parse(f"struct S {{ 1: required i32 {'a' * 100_000}.b }}")
    assert len(str(caught.value)) < 1500


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # CPython 3.11.2, Debian 12's, took the dot and the comments for something else.
        ("a. b", ["a", "."]),
        ("a.b. c", ["a.b", "."]),
        ("a.b.c d", ["a.b.c", "d", ""]),
        ("/** d */ a", ["a", ""]),
        ("/* c */ // x\n# y\n/** d */ a /* c */ b", ["a", "b", ""]),
        ('"a\\"b" c', ['"a\\"b"', "c", ""]),
    ],
)
def test_every_interpreter_reads_the_same_tokens(text, tokens):
    assert tokenize(text, strict=True).texts == tokens


def test_a_name_of_more_parts_than_any_ends_at_the_limit():
    assert tokenize("a" + 255 * ".a", strict=True).kinds == ["identifier", "end"]
    assert tokenize("a" + 256 * ".a", strict=True).kinds == ["identifier", "invalid"]
