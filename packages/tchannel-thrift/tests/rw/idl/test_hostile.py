"""Whatever the text, parsing ends soon, with a tree or a documented error."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tchannel_thrift.rw.errors import ThriftCompilerError, ThriftParserError
from tchannel_thrift.rw.idl import parse

RICH = r"""/** A file. */
include "./shared.thrift"
namespace py a.b  # comment
const map<string, list<i32>> M = {"a": [1, -2, 0x1F], 'b\n"': [E.X]; 'c': []}
typedef list<i64 (js.type = "Long")> Longs (a = 'b', c)
/** An enum. */
enum E { X = 1, Y; Z (d = "e") } /* comment */
struct S {
  /** A field. */
  1: required i32 a = 5 (f)
  -2: optional shared.T b // comment
  3: optional map<string, set<double>> c = {}, }
union U { 1: bool a; 2: binary b }
exception X { 1: optional string message = "\t" }
service V extends shared.W {
  oneway void f(1: i32 a, 2: S b = {"a": 1.5e-3})
  Longs g() throws (1: X x) (h = 'i');
} (j)
"""

LENIENT = (
    RICH
    + r"""
senum N { "a", "b" }
struct L xsd_all { uuid a = 1e5, L & b xsd_optional xsd_nillable xsd_attrs { string x }
  0: list<i8> cpp_type "x" c = [.5, +3.e1] }
service A { async void f(string a) }
"""
)


def parses_or_refuses(source, *, strict):
    try:
        parse(source, strict=strict)
    except (ThriftParserError, ThriftCompilerError) as error:
        refusal = error
    else:
        return True
    assert refusal.line is not None
    assert refusal.line <= source.count("\n") + 1
    assert len(str(refusal)) < 1000
    return False


def test_the_rich_documents_are_accepted():
    assert parses_or_refuses(RICH, strict=True)
    assert parses_or_refuses(RICH, strict=False)
    assert parses_or_refuses(LENIENT, strict=False)
    assert not parses_or_refuses(LENIENT, strict=True)


@pytest.mark.parametrize(("source", "strict"), [(RICH, True), (LENIENT, False)])
def test_a_document_that_ends_anywhere_parses_or_is_refused(source, strict):
    outcomes = {parses_or_refuses(source[:end], strict=strict) for end in range(len(source) + 1)}
    assert outcomes == {True, False}


@pytest.mark.parametrize(("source", "strict"), [(RICH, True), (LENIENT, False)])
def test_a_document_without_any_one_character_parses_or_is_refused(source, strict):
    for index in range(len(source)):
        parses_or_refuses(source[:index] + source[index + 1 :], strict=strict)


WORDS = re.split(
    " ",
    "struct union exception enum service const typedef senum include namespace cpp_include oneway "
    "async throws extends required optional void i32 string list set map uuid slist true false "
    "Foo foo a.b 0 1 -1 0x1 1.5 1e5 'x' \"y\" : ; , = * { } ( ) < > [ ] & /** d */ xsd_all "
    "xsd_optional xsd_nillable xsd_attrs cpp_type $ ' \" /* # // \\ \n",
)


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.booleans())
def test_a_soup_of_tokens_parses_or_is_refused(source, strict):
    parses_or_refuses(source, strict=strict)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.booleans())
def test_any_text_parses_or_is_refused(source, strict):
    parses_or_refuses(source, strict=strict)


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(RICH.split(" ")), max_size=30).map(" ".join))
def test_what_strict_accepts_lenient_accepts_with_the_same_tree(source):
    try:
        document = parse(source)
    except (ThriftParserError, ThriftCompilerError):
        return
    assert parse(source, strict=False) == document


def test_a_rich_document_has_the_same_tree_in_both_modes():
    assert parse(RICH) == parse(RICH, strict=False)


MEGABYTE = 1_000_000
PATHOLOGICAL = {
    "open brackets": "const i32 A = " + "[" * MEGABYTE,
    "open braces": "const i32 A = " + "{" * MEGABYTE,
    "keys of keys": "const i32 A = " + "{1:" * (MEGABYTE // 3),
    "open types": "typedef " + "list<" * (MEGABYTE // 5),
    "open maps": "typedef " + "map<map<" * (MEGABYTE // 8),
    "open annotations": "struct A { } " + "(" * MEGABYTE,
    "long identifier": "struct " + "a" * MEGABYTE,
    "dotted identifier": "namespace py " + "a." * (MEGABYTE // 2),
    "long integer": "const i32 A = " + "9" * MEGABYTE,
    "long hexadecimal": "const i32 A = 0x" + "f" * MEGABYTE,
    "long fraction": "const double A = 1." + "3" * MEGABYTE,
    "long exponent": "const double A = 1.e" + "9" * MEGABYTE,
    "many dots": "const double A = " + "1." * (MEGABYTE // 2),
    "many signs": "const double A = " + "-" * MEGABYTE,
    "long string": "const string A = '" + "a" * MEGABYTE + "'",
    "long open string": "const string A = '" + "a" * MEGABYTE,
    "escapes": "const string A = '" + r"\n" * (MEGABYTE // 2) + "'",
    "open escapes": "const string A = '" + "\\" * MEGABYTE,
    "many quotes": "const string A = " + "'" * MEGABYTE,
    "open comment": "/*" * (MEGABYTE // 2),
    "open comment of stars": "/" + "*" * MEGABYTE,
    "open doc comment": "/**" + " *" * (MEGABYTE // 2),
    "comment of stars": "/" + "*" * MEGABYTE + "/ struct A { }",
    "many comments": "/**/" * (MEGABYTE // 4),
    "many doc comments": "/** */" * (MEGABYTE // 6),
    "doc comment of lines": "/**" + "\n * x" * (MEGABYTE // 5) + "*/ struct A { }",
    "doc comment of spaces": "/**" + " " * MEGABYTE + "*/ struct A { }",
    "doc comment of indented lines": "/**" + "\n    *    " * (MEGABYTE // 10) + "*/ struct A { }",
    "white space": " \t\r\n" * (MEGABYTE // 4),
    "empty lines, then a mistake": "\n" * MEGABYTE + "$",
    "one long line, then a mistake": " " * MEGABYTE + "$",
    "slashes": "/" * MEGABYTE,
    "hashes": "#\n" * (MEGABYTE // 2),
    "structs": "struct A { }\n" * (MEGABYTE // 13),
    "fields": "struct A { " + "1: optional i32 a\n" * (MEGABYTE // 18) + "}",
    "items": "enum A { " + "A, " * (MEGABYTE // 3) + "}",
    "elements": "const list<i32> A = [" + "1," * (MEGABYTE // 2) + "]",
    "annotations": "struct A { } (" + "a " * (MEGABYTE // 2) + ")",
    "mistakes": "struct $ " * (MEGABYTE // 9),
}


@pytest.mark.once
@pytest.mark.timeout(20)  # seconds; the slowest takes about one, and a quadratic one hours
@pytest.mark.parametrize("source", PATHOLOGICAL.values(), ids=PATHOLOGICAL.keys())
def test_a_megabyte_of_anything_ends_soon(source):
    parses_or_refuses(source, strict=True)


NUMBERS = [name for name in PATHOLOGICAL if re.match("long|many (dots|signs)", name)]


@pytest.mark.once
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", NUMBERS)  # the two tokenizers differ in their numbers
def test_a_megabyte_of_numbers_of_apache_ends_soon(name):
    parses_or_refuses(PATHOLOGICAL[name], strict=False)


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
def test_nesting_is_bounded_well_below_the_recursion_limit(strict):
    deep = "typedef " + "map<i32, " * 64 + "i32" + ">" * 64 + " T"
    before = sys.getrecursionlimit()
    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    sys.setrecursionlimit(used + 150)
    try:
        parse(deep, strict=strict)
        parses_or_refuses(deep.replace("i32>", "list<i32>>"), strict=strict)
    finally:
        sys.setrecursionlimit(before)
