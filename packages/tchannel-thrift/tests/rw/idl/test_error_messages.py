"""Every error names the place, shows the line with a caret, and says what was expected."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from textwrap import dedent

import pytest

from tchannel_thrift.rw.errors import (
    EndOfInputError,
    ThriftCompilerError,
    ThriftError,
    ThriftParserError,
    ThriftProtocolError,
    UnknownExceptionError,
    error_at,
)
from tchannel_thrift.rw.idl import parse


@dataclass
class Text:
    source: str
    path: str | None = None


def message(source, **options):
    with pytest.raises((ThriftParserError, ThriftCompilerError)) as caught:
        parse(source, **options)
    return str(caught.value)


# -- the form of a message ----------------------------------------------------------------------


def test_a_message_has_file_line_column_source_line_and_caret():
    source = "struct S {\n  1: required i32\n}\n"
    assert message(source, path="idl/s.thrift") == dedent("""\
        idl/s.thrift:3:1: Grammar error '}' at line 3: expected the field's name
            }
            ^""")


def test_a_message_about_a_text_has_no_file():
    assert message("struct S {\n  1: required i32 }\n") == dedent("""\
        line 2, column 19: Grammar error '}' at line 2: expected the field's name
              1: required i32 }
                              ^""")


def test_the_parts_of_the_message_are_attributes():
    with pytest.raises(ThriftParserError) as caught:
        parse("struct S {\r\n  1: required i32 }\r\n", path="s.thrift")
    error = caught.value
    assert (error.path, error.line, error.column) == ("s.thrift", 2, 19)
    assert error.source_line == "  1: required i32 }"


def test_an_error_that_is_raised_without_a_place_has_none():
    error = ThriftCompilerError("no such type")
    assert str(error) == "no such type"
    assert (error.path, error.line, error.column, error.source_line) == (None, None, None, None)


def test_tabs_stand_above_tabs():
    assert message("struct\t}").splitlines()[1:] == ["    struct\t}", "          \t^"]


def test_a_long_line_is_shown_around_the_caret():
    source = "const list<i32> A = [" + "1, " * 1000 + "}" + " 2," * 1000 + "]"
    _, line, caret = message(source).splitlines()
    assert len(line) < 140
    assert line.startswith("    ...")
    assert line.endswith("...")
    assert line[caret.index("^")] == "}"


def test_what_a_terminal_would_obey_is_not_shown():
    text = message("struct S \x1b[31m { }")
    assert "\x1b" not in text
    assert text.splitlines()[1] == "    struct S \ufffd[31m { }"


def test_an_error_in_a_line_that_does_not_exist_still_has_a_message():
    error = error_at(ThriftCompilerError, "gone", Text("one\ntwo", "a.thrift"), (7, 3))
    assert str(error).startswith("a.thrift:7:3: gone\n")
    assert error.source_line == ""


def test_error_at_makes_the_class_that_it_is_asked_for():
    error = error_at(ThriftCompilerError, "bad", Text("one\ntwo"), (2, 2), expected="good")
    assert type(error) is ThriftCompilerError
    assert str(error) == "line 2, column 2: bad: expected good\n    two\n     ^"


@pytest.mark.parametrize("copied", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_copy_and_pickle_with_their_places(copied):
    with pytest.raises(ThriftParserError) as caught:
        parse("struct", path="s.thrift")
    again = copied(caught.value)
    assert type(again) is ThriftParserError
    assert str(again) == str(caught.value)
    assert (again.path, again.line, again.column) == ("s.thrift", 1, 7)


# -- the classes --------------------------------------------------------------------------------


def test_the_errors_derive_from_each_other_as_in_thriftrw():
    for cls in (ThriftParserError, ThriftCompilerError, ThriftProtocolError, UnknownExceptionError):
        assert issubclass(cls, ThriftError)
    assert issubclass(EndOfInputError, ThriftProtocolError)
    assert issubclass(ThriftError, Exception)
    assert not issubclass(ThriftParserError, ThriftCompilerError)


def test_an_unknown_exception_error_has_and_shows_the_response():
    error = UnknownExceptionError("boom", thrift_response=[1])
    assert error.thrift_response == [1]
    assert str(error) == repr(error) == "UnknownExceptionError(boom, thrift_response=[1])"
    assert UnknownExceptionError("boom").thrift_response is None
    assert pickle.loads(pickle.dumps(error)).thrift_response == [1]


# -- each message -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "place", "text"),
    [
        # characters
        ("const i32 A = $", (1, 15), "Illegal characher '$' at line 1: expected a constant value"),
        ("struct S\n{ 1: @", (2, 6), "Illegal characher '@' at line 2: expected a field's type"),
        ("const string A = 'x", (1, 18), "expected a closing ' on the same line"),
        ('const string A = "x\n"', (1, 18), 'expected a closing " on the same line'),
        ("struct S { }\n /* x", (2, 2), "expected */ after the comment that begins here"),
        (r"const string A = 'ab\qc'", (1, 21), "Cannot escape character: q: expected one of"),
        (r"struct S '\q'", (1, 11), "Cannot escape character: q"),
        ("const i32 A = " + "1" * 641, (1, 15), "Integer of 641 digits: expected at most 640"),
        ("const i32 A 0x" + "1" * 641, (1, 13), "Integer of 641 digits: expected at most 640"),
        # documents and headers
        ("hello", (1, 1), "expected include, namespace or a definition: const, typedef, enum,"),
        ("struct A { } hello", (1, 14), "Grammar error 'hello' at line 1: expected a definition:"),
        ("include", (1, 8), "Grammer error at EOF: expected the path of the included file"),
        ("include a b", (1, 11), "Grammar error 'b' at line 1: expected the path of the included"),
        ("include 5", (1, 9), "Grammar error 5 at line 1: expected the path of the included file"),
        ("struct A { } include 'x'", (1, 14), "includes and namespaces stand before all definit"),
        ("struct A { } namespace py a", (1, 14), "includes and namespaces stand before all defi"),
        ("namespace 'py' a", (1, 11), "expected the namespace's language, or '*'"),
        ("namespace py 'a'", (1, 14), "Grammar error 'a' at line 1: expected the namespace's name"),
        ("py_module a", (1, 1), "expected 'namespace py', which replaces py_module"),
        # types
        ("typedef 5 A", (1, 9), "Grammar error 5 at line 1: expected the type that gets a name"),
        ("typedef list A", (1, 14), "expected '<' after list"),
        ("typedef list<> A", (1, 14), "expected the type of the list's elements"),
        ("typedef set<'x'> A", (1, 13), "expected the type of the set's elements"),
        ("typedef set<i32 A", (1, 17), "expected '>' after the type of the set's elements"),
        ("typedef map<,> A", (1, 13), "expected the type of the map's keys"),
        ("typedef map<i32> A", (1, 16), "expected ',' between the types of the map's keys and"),
        ("typedef map<i32,> A", (1, 17), "expected the type of the map's values"),
        ("typedef map<i32,i32 A", (1, 21), "expected '>' after the type of the map's values"),
        ("typedef " + "set<" * 65 + "i32", (1, 265), "nested deeper than 64: expected fewer lev"),
        # values
        ("const i32 A = struct", (1, 15), "Grammar error 'struct' at line 1: expected a constant"),
        ("const i32 A = [1,,2]", (1, 18), "expected a value or ']' (the '[' is on line 1)"),
        ("const i32 A = [\n1,\n", (2, 3), "expected a value or ']' (the '[' is on line 1)"),
        ("const i32 A = {1: 2", (1, 20), "expected a key or '}' (the '{' is on line 1)"),
        ("const i32 A = {1}", (1, 17), "expected ':' between key and value"),
        ("const i32 A = {1: }", (1, 19), "expected a constant value"),
        ("const i32 A = " + "[" * 65, (1, 79), "Values are nested deeper than 64: expected fewer"),
        # annotations
        ("struct S { } (5)", (1, 15), "expected an annotation's key or ')' (the '(' is on line 1)"),
        ("struct S { } (\na\n", (2, 2), "expected an annotation's key or ')' (the '(' is on line"),
        ("struct S { } (a = 1.50)", (1, 19), "error 1.5 at line 1: expected the annotation's va"),
        # definitions
        ("const i32 = 1", (1, 11), "Grammar error '=' at line 1: expected the name of the const"),
        ("const = 1", (1, 7), "expected the type of the constant"),
        ("const i32 A 1", (1, 13), "expected '=' and the value of the constant"),
        ("typedef i32 ;", (1, 13), "expected the name of the type"),
        ("enum { }", (1, 6), "expected the name of the enum"),
        ("enum E ( )", (1, 8), "expected '{' and the items of the enum"),
        ("enum E { 5 }", (1, 10), "expected an item's name or '}' of enum E"),
        ("enum E { A = 'x' }", (1, 14), "expected the item's value, an integer"),
        ("struct { }", (1, 8), "expected the name of the struct"),
        ("exception X", (1, 12), "Grammer error at EOF: expected '{' and the fields of the excep"),
        ("struct S {", (1, 11), "Grammer error at EOF: expected a field or '}' of struct S"),
        ("union U { ,", (1, 11), "expected a field or '}' of union U"),
        ("struct S { 1 i32 a }", (1, 14), "expected ':' after the field's ID"),
        ("struct S { 1: 5 }", (1, 15), "expected a field's type"),
        ("struct S { 1: required }", (1, 24), "expected a field's type"),
        ("struct S { 1: i32 struct }", (1, 19), "error 'struct' at line 1: expected the field's"),
        ("struct S { 1: i32 a.b }", (1, 19), "expected the field's name without dots"),
        ("struct S { 0: i32 a }", (1, 12), "Line 1: Field ID 0 is reserved for internal use."),
        ("struct S { i32 a }", (1, 16), 'Field "a" of "S" does not have an explicit field ID'),
        # services
        ("service { }", (1, 9), "expected the name of the service"),
        ("service S extends { }", (1, 19), "expected the name of the service that is extended"),
        ("service S ;", (1, 11), "expected '{' and the functions of the service"),
        ("service S { 5 }", (1, 13), "expected a function or '}' of service S"),
        ("service S { oneway 5 }", (1, 20), "expected the function's return type"),
        ("service S { f() }", (1, 14), "expected the function's name"),
        ("service S { void f }", (1, 20), "expected '(' and the function's arguments"),
        ("service S { void f( }", (1, 21), "expected a field or ')' of the arguments of S.f"),
        ("service S { void f() throws }", (1, 29), "expected '(' and the function's exceptions"),
        ("service S { void f() throws ( }", (1, 31), "a field or ')' of the exceptions of S.f"),
        ("include t 'x.thrift'", (1, 9), 'Cannot include "x.thrift" as "t"'),
    ],
)
def test_messages(source, place, text):
    with pytest.raises((ThriftParserError, ThriftCompilerError)) as caught:
        parse(source)
    error = caught.value
    first, line, caret = str(error).splitlines()
    assert text in first
    assert (error.line, error.column) == place
    assert first.startswith(f"line {place[0]}, column {place[1]}: ")
    assert error.source_line == source.split("\n")[place[0] - 1]
    shown = line[caret.index("^") :]
    assert shown.removesuffix("...") in source
    assert error.source_line[place[1] - 1 :].startswith(shown.removesuffix("..."))


@pytest.mark.parametrize(
    ("source", "place", "text"),
    [
        ("cpp_include a", (1, 13), "expected the file that C++ code includes, as a string"),
        ("senum { }", (1, 7), "expected the name of the senum"),
        ("senum E 'a'", (1, 9), "expected '{' and the strings of the senum"),
        ("senum E { a }", (1, 11), "expected a string or '}' of senum E"),
        ("struct S { 1: S a xsd_attrs 5 }", (1, 29), "expected '{' and the attributes"),
        ("struct S { 1: S a xsd_attrs { 5 }", (1, 33), "expected ':' after the field's ID"),
        ("struct S { & }", (1, 12), "expected a field or '}' of struct S"),
    ],
)
def test_messages_about_what_only_apache_has(source, place, text):
    with pytest.raises(ThriftParserError) as caught:
        parse(source, strict=False)
    assert text in str(caught.value)
    assert (caught.value.line, caught.value.column) == place


def test_the_first_mistake_of_a_file_is_reported():
    source = "struct { }\n$\n"
    assert "at line 1" in message(source)
    assert "at line 2" in message("struct S { }\n$\nstruct { }")
