"""The default of a union's field: what the union holds when nothing is given (Apache, lenient)."""

from __future__ import annotations

import pytest

from tchannel_thrift import rw

DOCUMENT = """
union U { 1: i32 a = 5 2: string b }
union L { 1: string b 2: list<i32> l = [1, 2] }
struct S { 1: optional U u = {} 2: optional U given = {"b": "x"} }
const U C = {}
"""


@pytest.fixture
def module(lenient):
    return lenient(DOCUMENT)


@pytest.mark.parametrize("_again", range(6))  # without generated code and with it
def test_it_stands_where_nothing_is_given(module, _again):
    for _ in range(_again + 1):
        assert (module.U().a, module.U().b) == (5, None)
        assert module.L().l == [1, 2]
        assert module.L().l is not module.L().l


def test_it_gives_way_to_what_is_given(module):
    for _ in range(8):
        assert (module.U(b="x").a, module.U(b="x").b) == (None, "x")
        assert module.L(b="x").l is None


def test_it_stands_where_a_payload_has_no_field(module):
    for _ in range(8):
        assert module.loads(module.U, b"\0") == module.U(a=5)
        assert module.loads(module.U, module.dumps(module.U(b="x"))) == module.U(b="x")


def test_it_is_written(module):
    assert module.dumps(module.U()) == module.dumps(module.U(a=5))


def test_constants_and_defaults_have_it(module):
    assert module.U(a=5) == module.C
    assert (module.S().u, module.S().given) == (module.U(a=5), module.U(b="x"))


def test_it_is_documented(module):
    assert "-   a (default: 5)" in module.U.__doc__


def test_a_union_has_one_at_most(lenient):
    with pytest.raises(rw.ThriftCompilerError, match=r'"b" of union "U".* has a second default'):
        lenient("union U { 1: i32 a = 1 2: i32 b = 2 }")


def test_strict_mode_refuses_it(compiled):
    with pytest.raises(rw.ThriftCompilerError, match="Fields of unions cannot have default values"):
        compiled("union U { 1: i32 a = 1 }")
