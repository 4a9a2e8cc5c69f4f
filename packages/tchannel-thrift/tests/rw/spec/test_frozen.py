"""Elements of sets and keys of maps that Python cannot hash: they are frozen when they are read."""

from __future__ import annotations

import copy
import pickle

import pytest

from tchannel_thrift.rw.spec import FrozenMap

DOCUMENT = """
struct L { 1: required list<string> x }
struct Deep { 1: optional map<string, list<i32>> m 2: optional set<list<i32>> s 3: optional L l }
union U { 1: list<i32> a 2: i32 b }
exception E { 1: required list<string> x }
struct Tree { 1: optional set<Tree> kids 2: optional i32 n }
struct Holder {
  1: optional set<L> structs
  2: optional set<list<string>> lists
  3: optional map<list<i32>, string> keys
  4: optional set<map<string, i32>> maps
  5: optional map<L, i32> struct_keys
  6: optional set<Deep> deep
  7: optional set<U> unions
  8: optional set<E> exceptions
  9: optional set<set<i32>> sets
  10: optional Tree tree
}
const set<list<i32>> LISTS = [[1, 2], [3], [1, 2]]
const map<list<i32>, string> KEYS = {[1]: "a"}
const set<L> STRUCTS = [{"x": ["a"]}]
"""


@pytest.fixture
def module(compiled):
    return compiled(DOCUMENT)


def given(module):
    m = module
    return {
        "structs": [m.L(["a"]), m.L(["b"])],
        "lists": [["a"], ["b", "c"]],
        "keys": {(1, 2): "v"},
        "maps": [{"a": 1}, {"a": 2}],
        "struct_keys": {m.L.type_spec.freeze(m.L(["a"])): 1},
        "deep": [m.Deep({"k": [1]}, [[1]], m.L(["x"]))],
        "unions": [m.U(a=[1]), m.U(b=1)],
        "exceptions": [m.E(["a"])],
        "sets": [{1, 2}, {3}],
        "tree": m.Tree([m.Tree([m.Tree(n=1), m.Tree(n=2)]), m.Tree(n=3)]),
    }


FIELDS = ["structs", "lists", "keys", "maps", "struct_keys", "deep", "unions", "exceptions", "sets",
          "tree"]  # fmt: skip


def read(module, field, times=8):
    payload = module.dumps(module.Holder(**{field: given(module)[field]}))
    values = [module.loads(module.Holder, payload) for _ in range(times)]
    # Without generated code and with it.
    assert all(value == values[0] for value in values)
    return values[-1]


@pytest.mark.parametrize("field", FIELDS)
def test_they_are_read_and_written_again(module, field):
    value = read(module, field)
    assert module.loads(module.Holder, module.dumps(value)) == value


def test_lists_are_tuples_maps_frozen_maps_and_sets_frozensets(module):
    assert read(module, "lists").lists == {("a",), ("b", "c")}
    assert read(module, "keys").keys == {(1, 2): "v"}
    assert read(module, "maps").maps == {FrozenMap(a=1), FrozenMap(a=2)}
    assert read(module, "sets").sets == {frozenset({1, 2}), frozenset({3})}


def test_structs_are_of_their_class_and_hashable(module):
    [value] = {value for value in read(module, "structs").structs if value.x == ("a",)}
    assert isinstance(value, module.L)
    assert (type(value).__name__, repr(value)) == ("L", "L({'x': ('a',)})")
    assert value == module.L(["a"])
    assert module.L(["a"]) == value
    assert value != module.L(["b"])
    assert value != 5
    assert module.L.type_spec.freeze(module.L(["b"])) in read(module, "structs").structs
    assert read(module, "unions").unions == {
        module.U.type_spec.freeze(module.U(a=[1])),
        module.U.type_spec.freeze(module.U(b=1)),
    }


def test_the_class_itself_stays_unhashable(module):
    read(module, "structs")
    with pytest.raises(TypeError, match="unhashable"):
        hash(module.L(["a"]))


def test_a_frozen_map_cannot_be_changed_and_equals_a_dict():
    frozen = FrozenMap({"a": 1})
    assert frozen == {"a": 1}
    assert repr(frozen) == "FrozenMap({'a': 1})"
    changes = [
        lambda: frozen.__setitem__("b", 2),
        lambda: frozen.__delitem__("a"),
        lambda: frozen.update(b=2),
        lambda: frozen.pop("a"),
        frozen.popitem,
        frozen.clear,
        lambda: frozen.setdefault("b", 1),
        lambda: frozen.__ior__({"b": 1}),
    ]
    for change in changes:
        with pytest.raises(TypeError, match="cannot be changed"):
            change()


@pytest.mark.parametrize("field", FIELDS)
def test_they_are_pickled_and_copied(module, field):
    value = read(module, field)
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value
    assert copy.copy(value) == value


@pytest.mark.parametrize("field", FIELDS)
def test_they_are_primitives_and_come_back(module, field):
    value = read(module, field)
    assert module.Holder.from_primitive(value.to_primitive()) == value


def test_constants_may_have_them(module):
    assert {(1, 2), (3,)} == module.LISTS
    assert module.KEYS == {(1,): "a"}
    assert next(iter(module.STRUCTS)).x == ("a",)


def test_what_is_in_a_set_is_not_frozen_again(module, monkeypatch):
    spec = module.Tree.type_spec
    frozen = []
    freeze = type(spec).freeze
    monkeypatch.setattr(
        type(spec), "freeze", lambda self, value: frozen.append(1) or freeze(self, value)
    )
    deepest = module.Tree(n=1)
    for _ in range(50):
        deepest = module.Tree({freeze(spec, deepest)})
    payload = module.dumps(deepest)
    frozen.clear()
    module.loads(module.Tree, payload)
    assert len(frozen) <= 2 * 51
