"""``int_enum=True``: enums are IntEnum classes, and what is read are their members."""

from __future__ import annotations

import copy
import enum
import pickle
import subprocess
import sys

import pytest

from tchannel_thrift import load, rw
from tchannel_thrift.rw import Loader

DOCUMENT = """
enum Colour { RED = 1, GREEN = 2, VERT = 2 }
enum Empty {}
enum Odd { items, values, name, real }
typedef Colour Paint
struct S {
  1: required Colour first = Colour.GREEN
  2: optional Paint paint
  3: optional list<Colour> many
  4: optional set<Colour> some
  5: optional map<Colour, Colour> pairs
  6: required Colour last
  7: optional list<list<Colour>> deep
}
union U { 1: Colour c 2: i32 n }
const Colour C = Colour.RED
const Colour N = 2
const list<Colour> L = [Colour.RED, 2, 77]
"""


@pytest.fixture
def module():
    return Loader(int_enum=True).loads("colours", DOCUMENT)


def test_the_class_is_an_int_enum(module):
    assert issubclass(module.Colour, enum.IntEnum)
    assert list(module.Colour) == [module.Colour.RED, module.Colour.GREEN]
    assert module.Colour.VERT is module.Colour.GREEN
    assert repr(module.Colour.RED) == "<Colour.RED: 1>"
    assert list(module.Empty) == []


def test_it_has_what_the_class_of_a_plain_enum_has(module):
    assert module.Colour.items == ("RED", "GREEN", "VERT")
    assert module.Colour.values == (1, 2, 2)
    assert module.Colour.name_of(2) == "GREEN"
    assert module.Colour.type_spec.items == {"RED": 1, "GREEN": 2, "VERT": 2}
    assert module.Colour.__thrift_module__ is module
    assert [int(module.Odd[name]) for name in ("items", "values", "name", "real")] == [0, 1, 2, 3]


def test_constants_and_defaults_are_members(module):
    assert isinstance(module.C, module.Colour)
    assert isinstance(module.N, module.Colour)
    assert [type(value) for value in module.L] == [module.Colour, module.Colour, int]
    assert isinstance(module.S(last=1).first, module.Colour)


@pytest.mark.parametrize("times", [1, 8])  # without generated code and with it
def test_what_is_read_are_members_and_what_has_no_item_is_an_int(module, times):
    red, green = module.Colour.RED, module.Colour.GREEN
    for last in (1, 99):
        value = module.S(last, red, 2, [1, green, 99], {1, 99}, {1: 2, 99: red}, [[1, 99]])
        for _ in range(times):
            got = module.loads(module.S, module.dumps(value))
        assert got == value
        numbers = [got.first, got.paint, got.last, *got.many, *got.some, *got.deep[0]]
        numbers += [*got.pairs, *got.pairs.values()]
        for number in numbers:
            assert type(number) is (int if number == 99 else module.Colour)
    for _ in range(times):
        assert module.loads(module.U, module.dumps(module.U(c=2))).c is green


def test_values_are_ints_unless_told_otherwise():
    module = Loader().loads("colours", DOCUMENT)
    assert type(module.Colour.RED) is int
    assert type(module.loads(module.U, module.dumps(module.U(c=2))).c) is int


def test_values_out_of_range_are_refused_as_ever(module):
    for _ in range(8):
        with pytest.raises(ValueError, match="does not fit"):
            module.U(c=1 << 40)
        with pytest.raises(TypeError, match="Cannot serialize"):
            module.U(c="RED")


def test_primitives_are_ints_and_names_come_back_as_members(module):
    assert type(module.U(c=module.Colour.RED).to_primitive()["c"]) is int
    assert module.U.from_primitive({"c": "GREEN"}).c is module.Colour.GREEN


def test_members_are_pickled_and_copied(module):
    red = module.Colour.RED
    assert pickle.loads(pickle.dumps([red])) == [red]
    assert type(pickle.loads(pickle.dumps(red))) is module.Colour
    assert copy.deepcopy({"c": red})["c"] is red


def test_another_process_reads_a_pickled_member(files):
    path = files({"colours.thrift": DOCUMENT}) / "colours.thrift"
    data = pickle.dumps(Loader(int_enum=True).load(path).Colour.RED)
    script = "import pickle, sys; print(repr(pickle.loads(sys.stdin.buffer.read())))"
    done = subprocess.run(
        [sys.executable, "-c", script], input=data, capture_output=True, check=True
    )
    assert done.stdout == b"<Colour.RED: 1>\n"


def test_a_name_that_no_member_can_have_is_an_error_that_says_so():
    with pytest.raises(rw.ThriftCompilerError, match=r'Enum "E" cannot be an IntEnum.*mro'):
        Loader(int_enum=True).loads("m", "enum E { mro }")


def test_modules_that_make_requests_take_the_option(files):
    path = files({"colours.thrift": DOCUMENT}) / "colours.thrift"
    assert isinstance(load(path, int_enum=True).C, enum.IntEnum)
    assert type(load(path).C) is int
