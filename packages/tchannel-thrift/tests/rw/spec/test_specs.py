"""Introspection of types that are no structs."""

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import spec
from tchannel_thrift.rw.protocol import BinaryReader, BinaryWriter

NAMES = [
    "TypeSpec", "BoolTypeSpec", "ByteTypeSpec", "DoubleTypeSpec", "I16TypeSpec", "I32TypeSpec",
    "I64TypeSpec", "BinaryTypeSpec", "TextTypeSpec", "ListTypeSpec", "MapTypeSpec", "SetTypeSpec",
    "EnumTypeSpec", "ExceptionTypeSpec", "StructTypeSpec", "UnionTypeSpec", "FieldSpec",
    "TypedefTypeSpec", "ServiceSpec", "FunctionSpec", "FunctionArgsSpec", "FunctionResultSpec",
    "ServiceFunction", "ConstSpec",
]  # fmt: skip


def test_names_of_thriftrw_are_there():
    assert set(NAMES) <= set(spec.__all__)
    for name in spec.__all__:
        assert hasattr(spec, name)


@pytest.mark.parametrize(
    ("one", "name", "code", "surface", "hashable"),
    [
        (spec.BoolTypeSpec, "bool", 2, bool, True),
        (spec.ByteTypeSpec, "byte", 3, None, True),
        (spec.TextTypeSpec, "string", 11, str, True),
        (spec.BinaryTypeSpec, "binary", 11, bytes, True),
        (spec.ListTypeSpec(spec.I32TypeSpec), "list<i32>", 15, list, False),
        (spec.SetTypeSpec(spec.I32TypeSpec), "set<i32>", 14, set, False),
        (
            spec.MapTypeSpec(spec.TextTypeSpec, spec.ListTypeSpec(spec.I32TypeSpec)),
            "map<string, list<i32>>",
            13,
            dict,
            False,
        ),
        (spec.TypedefTypeSpec("T", spec.TextTypeSpec), "T", 11, str, True),
    ],
)
def test_attributes(one, name, code, surface, hashable):
    assert (one.name, one.ttype_code, one.hashable) == (name, code, hashable)
    assert one.surface is surface or surface is None
    assert one.link(None) is (one if name != "T" else spec.TextTypeSpec)
    assert name in repr(one)


@pytest.mark.parametrize(
    ("one", "value", "primitive"),
    [
        (spec.BoolTypeSpec, True, True),
        (spec.I16TypeSpec, 5, 5),
        (spec.DoubleTypeSpec, 0.5, 0.5),
        (spec.TextTypeSpec, "a", "a"),
        (spec.BinaryTypeSpec, b"a", b"a"),
        (spec.ListTypeSpec(spec.TextTypeSpec), ["a"], ["a"]),
        (spec.SetTypeSpec(spec.I32TypeSpec), {1}, [1]),
        (spec.MapTypeSpec(spec.TextTypeSpec, spec.I64TypeSpec), {"a": 1}, {"a": 1}),
        (spec.TypedefTypeSpec("T", spec.I32TypeSpec), 7, 7),
    ],
)
def test_specs_write_read_and_make_primitives(one, value, primitive):
    writer = BinaryWriter()
    one.validate(value)
    one.write_to(writer, value)
    assert one.read_from(BinaryReader(writer.getvalue())) == value
    assert one.to_primitive(value) == primitive
    assert one.from_primitive(primitive) == value


def test_typedefs_vanish(compiled):
    module = compiled(
        """
        struct S { 1: required Text t 2: required Texts ts 3: required SSet s }
        typedef string Text  typedef list<Text> Texts  typedef set<Text> SSet
        typedef map<Text, S> Table  typedef S Alias  typedef Alias Again  typedef i32 Number
        typedef binary Data
        """
    )
    assert module.Alias is module.Again is module.S
    assert [f.spec.name for f in module.S.type_spec.fields] == [
        "string", "list<string>", "set<string>",
    ]  # fmt: skip
    assert (module.Text, module.Texts, module.SSet, module.Table) == (str, list, set, dict)
    assert module.Data is bytes
    assert int in module.Number
    assert module.__types__ == (
        module.S, str, list, set, dict, module.S, module.S, module.Number, bytes,
    )  # fmt: skip


@pytest.mark.parametrize(
    "document",
    [
        "typedef T T",
        "typedef B A typedef A B",
        "typedef list<B> A typedef map<i32, A> B",
        "struct S { 1: required A a } typedef A B typedef B A",
    ],
)
def test_cyclic_typedefs_are_an_error_with_a_place(compiled, document):
    with pytest.raises(rw.ThriftCompilerError, match="stands for itself") as caught:
        compiled(document)
    assert caught.value.line == 1
    assert caught.value.column > 1
