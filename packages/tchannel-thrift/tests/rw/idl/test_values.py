"""Types, constant values and annotations, as they stand in a definition."""

from __future__ import annotations

import pytest

from tchannel_thrift.rw.errors import ThriftParserError
from tchannel_thrift.rw.idl import ast, parse
from tchannel_thrift.rw.idl.values import MAX_NESTING

POS = ast.Position(1, 9)


def type_of(text, *, strict=True):
    (typedef,) = parse(f"typedef {text} Name", strict=strict).definitions
    assert isinstance(typedef, ast.Typedef)
    return typedef.type


def value_of(text, *, strict=True):
    (const,) = parse(f"const i32 A = {text}", strict=strict).definitions
    assert isinstance(const, ast.Const)
    return const.value


def plain(value):
    """A constant value as Python data; references as their names in a tuple."""
    match value:
        case ast.ConstPrimitive():
            return value.value
        case ast.ConstReference():
            return (value.name,)
        case ast.ConstList():
            return [plain(item) for item in value.values]
        case ast.ConstMap():
            return [{"key": plain(key), "value": plain(item)} for key, item in value.pairs]


@pytest.mark.parametrize(
    "name", ["bool", "byte", "i8", "i16", "i32", "i64", "double", "string", "binary"]
)
def test_base_types(name):
    assert type_of(name) == ast.BaseType(name, POS)


def test_uuid_is_a_base_type_when_lenient():
    assert type_of("uuid", strict=False) == ast.BaseType("uuid", POS)
    assert type_of("uuid") == ast.TypeReference("uuid", POS)


def test_slist_is_a_string_when_lenient():
    assert type_of("slist", strict=False) == ast.BaseType("string", POS)
    assert type_of("slist") == ast.TypeReference("slist", POS)


@pytest.mark.parametrize(
    "definition",
    ["struct uuid { }", "enum uuid { A }", "typedef binary uuid", "exception uuid { }"],
)
def test_uuid_is_the_type_of_that_name_where_the_document_has_one(definition):
    document = parse(f"struct S {{ 1: optional uuid id }} {definition}", strict=False)
    struct = document.definitions[0]
    assert isinstance(struct, ast.Struct)
    assert struct.fields[0].type == ast.TypeReference("uuid", ast.Position(1, 24))


def test_slist_is_the_type_of_that_name_where_the_document_has_one():
    document = parse("typedef list<uuid> L struct slist { 1: optional slist s }", strict=False)
    typedef, struct = document.definitions
    assert isinstance(typedef, ast.Typedef)
    assert isinstance(typedef.type, ast.ListType)
    assert typedef.type.value == ast.BaseType("uuid", ast.Position(1, 14))
    assert isinstance(struct, ast.Struct)
    assert isinstance(struct.fields[0].type, ast.TypeReference)


def test_containers():
    assert type_of("list<i32>") == ast.ListType(ast.BaseType("i32", ast.Position(1, 14)), POS)
    assert type_of("set<i32>") == ast.SetType(ast.BaseType("i32", ast.Position(1, 13)), POS)
    assert type_of("map<i32, Foo>") == ast.MapType(
        ast.BaseType("i32", ast.Position(1, 13)),
        ast.TypeReference("Foo", ast.Position(1, 18)),
        POS,
    )


@pytest.mark.parametrize("name", ["Foo", "shared.Foo", "a.b.c.Foo", "_x", "class"])
def test_references(name):
    assert type_of(name) == ast.TypeReference(name, POS)


def test_annotations_of_types():
    type_ = type_of("list<i32 (a = 'b')> (c)")
    assert isinstance(type_, ast.ListType)
    assert type_.annotations == [ast.Annotation("c", None, ast.Position(1, 30))]
    assert isinstance(type_.value, ast.BaseType)
    assert type_.value.annotations == [ast.Annotation("a", "b", ast.Position(1, 19))]


def test_the_cpp_type_of_a_container_is_ignored_when_lenient():
    for text in (
        "map cpp_type 'M' <i32, i32>",
        "set cpp_type 'M' <i32>",
        "list cpp_type 'M' <i32>",
        "list<i32> cpp_type 'M'",
    ):
        assert type(type_of(text, strict=False)) in (ast.MapType, ast.SetType, ast.ListType)
        with pytest.raises(ThriftParserError):
            type_of(text)


def test_cpp_type_may_be_the_name_of_a_field():
    source = "struct S { 1: optional list<i32> cpp_type = [] }"
    for strict in (True, False):
        (struct,) = parse(source, strict=strict).definitions
        assert isinstance(struct, ast.Struct)
        assert struct.fields[0].name == "cpp_type"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("0x10", 16),
        ("1.5", 1.5),
        ("true", True),
        ("false", False),
        ("'a'", "a"),
        (r'"a\n"', "a\n"),
        ("NAME", ("NAME",)),
        ("Enum.ITEM", ("Enum.ITEM",)),
        ("shared.Enum.ITEM", ("shared.Enum.ITEM",)),
        ("[]", []),
        ("[1, 2; 3 4,]", [1, 2, 3, 4]),
        ("[1 -2]", [1, -2]),
        ("[[1], [], ['a']]", [[1], [], ["a"]]),
        ("{}", []),
        ("{1: 2}", [{"key": 1, "value": 2}]),
        (
            "{'a': [1] 'b': {}; C: true,}",
            [
                {"key": "a", "value": [1]},
                {"key": "b", "value": []},
                {"key": ("C",), "value": True},
            ],
        ),
        ("{1: 1, 1: 2}", [{"key": 1, "value": 1}, {"key": 1, "value": 2}]),
    ],
)
def test_constant_values(text, value):
    for strict in (True, False):
        result = plain(value_of(text, strict=strict))
        assert result == value
        assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e5", 1e5), ("1E5", 1e5), (".5", 0.5), ("+1.5", 1.5), ("-.5e-1", -0.05), ("-0x10", -16)],
)
def test_numbers_of_apache_when_lenient(text, value):
    assert plain(value_of(text, strict=False)) == value
    with pytest.raises(ThriftParserError):
        value_of(text)


def test_values_know_their_places():
    value = value_of("[\n  A,\n  {1: 'x'}]")
    assert isinstance(value, ast.ConstList)
    assert value.pos == (1, 15)
    first, second = value.values
    assert first.pos == (2, 3)
    assert second.pos == (3, 3)
    assert isinstance(second, ast.ConstMap)
    assert [(key.pos, item.pos) for key, item in second.pairs] == [((3, 4), (3, 7))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("()", []),
        ("(a)", [("a", None)]),
        ("(a = 'b')", [("a", "b")]),
        ("(a.b = 'c', d; e = \"f\" g,)", [("a.b", "c"), ("d", None), ("e", "f"), ("g", None)]),
        ("(a = '1', a = '2')", [("a", "1"), ("a", "2")]),
        (r"(a = '\t')", [("a", "\t")]),
    ],
)
def test_annotations(text, expected):
    for strict in (True, False):
        (struct,) = parse(f"struct S {{ }} {text}", strict=strict).definitions
        found = [(annotation.key, annotation.value) for annotation in struct.annotations]
        assert found == expected


@pytest.mark.parametrize("kind", ["list<", "set<", "map<i32, "])
def test_types_nest_up_to_the_bound_and_no_deeper(kind):
    def nested(depth):
        return kind * depth + "i32" + ">" * depth

    type_of(nested(MAX_NESTING))
    with pytest.raises(ThriftParserError, match="nested deeper than 64"):
        type_of(nested(MAX_NESTING + 1))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{1: ", "}"), ("{[1]: ", "}")])
def test_values_nest_up_to_the_bound_and_no_deeper(opening, closing):
    def nested(depth):
        return opening * depth + "1" + closing * depth

    value_of(nested(MAX_NESTING - 1))
    with pytest.raises(ThriftParserError, match="nested deeper than 64"):
        value_of(nested(MAX_NESTING + 1))
