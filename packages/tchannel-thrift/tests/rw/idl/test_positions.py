"""Lines and columns count from 1, whatever the line ends and comments."""

from __future__ import annotations

import pytest

from tchannel_thrift.rw.idl import parse


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_with_either_line_end(end):
    source = end.join(["", "// one", "struct A {", "  1: optional i32 a", "}", "  struct B { }"])
    a, b = parse(source).definitions
    assert a.pos == (3, 8)
    assert a.fields[0].pos == (4, 19)
    assert b.pos == (6, 10)


def test_lines_within_comments_are_counted():
    source = "/* a\n b\n*/ struct A { } /**\n * doc\n */ struct B { }\n# x\n/**/ struct C { }"
    assert [struct.pos for struct in parse(source).definitions] == [(3, 11), (5, 12), (7, 13)]


def test_a_tab_is_one_column_and_so_is_any_letter():
    source = "\tstruct A { } /* ü\U0001f600 */ struct B { }"
    assert [struct.pos for struct in parse(source).definitions] == [(1, 9), (1, 31)]


def test_other_line_separators_do_not_count():
    source = "// a\u2028b\x0cc\x0bd\x85e\rf\nstruct A { }"
    assert parse(source).definitions[0].pos == (2, 8)


def test_a_byte_order_mark_is_a_column():
    assert parse("\ufeffstruct A { }", strict=False).definitions[0].pos == (1, 9)
