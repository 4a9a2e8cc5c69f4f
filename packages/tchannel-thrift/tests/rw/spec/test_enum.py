"""Enums: contract section 9."""

import pytest

from tchannel_thrift import rw


def test_values_follow_each_other(compiled):
    enum = compiled("enum E { A, B = 5, C, D = 0x10, F = -1, G }").E
    assert enum.items == ("A", "B", "C", "D", "F", "G")
    assert enum.values == (0, 5, 6, 16, -1, 0)
    assert (enum.A, enum.G) == (0, 0)


def test_name_of_gives_the_first_name(compiled):
    enum = compiled("enum E { A = 1, B = 1, C }").E
    assert [enum.name_of(value) for value in (1, 2, 3)] == ["A", "C", None]


def test_type_spec(compiled):
    module = compiled("enum E { A = 1, B = 1, C }")
    spec = module.E.type_spec
    assert isinstance(spec, rw.spec.EnumTypeSpec)
    assert spec.items == {"A": 1, "B": 1, "C": 2}
    assert spec.values_to_names == {1: ["A", "B"], 2: ["C"]}
    assert (spec.name, spec.surface, spec.ttype_code) == ("E", module.E, 8)
    assert module.E.__thrift_module__ is module


def test_empty_enum(compiled):
    enum = compiled("enum E {}").E
    assert (enum.items, enum.values, enum.name_of(0)) == ((), (), None)


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ("A, A", 'Enum entry "E.A" on line 1 has duplicates'),
        ("A = 2147483648", 'Value for constant "E.A" is not valid'),
        ("A = 2147483647, B", 'Value for constant "E.B" is not valid'),
        ("__init__", "__init__"),
    ],
)
def test_mistakes(compiled, items, text):
    with pytest.raises(rw.ThriftCompilerError, match=text):
        compiled(f"enum E {{ {items} }}")


def test_items_may_be_called_like_the_attributes_of_the_class(compiled):
    enum = compiled("enum E { items, values, name_of, type_spec }").E
    assert (enum.items, enum.values, enum.name_of, enum.type_spec) == (0, 1, 2, 3)


def test_unknown_values_are_kept(compiled):
    module = compiled("enum E { A } struct S { 1: required E e 2: required list<E> l }")
    value = module.S(99, [0, 98])
    assert module.loads(module.S, module.dumps(value)) == value
