"""The tree of each construct, and what is a construct in only one of the modes."""

from __future__ import annotations

import pytest

from tchannel_thrift.rw.errors import ThriftCompilerError, ThriftParserError
from tchannel_thrift.rw.idl import ast, parse


def pos(line, column):
    return ast.Position(line, column)


def only(source, **options):
    (definition,) = parse(source, **options).definitions
    return definition


def field_ids(source, *, strict=False):
    struct = only(f"struct S {{ {source} }}", strict=strict)
    return {field.name: field.id for field in struct.fields}


def both_modes(test):
    return pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])(test)


# -- the document -------------------------------------------------------------------------------


@both_modes
def test_an_empty_document(strict):
    assert parse("", strict=strict) == ast.Document(None, "", [], [], [])


def test_a_document_knows_its_path_and_source():
    document = parse("struct A { }\n", path="dir/a.thrift")
    assert (document.path, document.source) == ("dir/a.thrift", "struct A { }\n")


def test_strict_is_the_default():
    with pytest.raises(ThriftParserError):
        parse("const double A = 1e5")


@pytest.mark.parametrize("source", [b"struct A { }", None, 5])
def test_a_source_that_is_no_text_is_the_caller_s_mistake(source):
    with pytest.raises(TypeError, match="source must be a str, not"):
        parse(source)


@both_modes
def test_definitions_stay_in_order(strict):
    source = "struct A { } const i32 B = 1 enum C { } typedef A D service E { } union F { }"
    names = [definition.name for definition in parse(source, strict=strict).definitions]
    assert names == ["A", "B", "C", "D", "E", "F"]


@both_modes
def test_one_semicolon_may_follow_headers_and_definitions(strict):
    source = (
        "namespace py a; struct A { }; union B { }; exception C { }; enum D { }; service E { };"
        " typedef i32 F; const i32 G = 1;"
    )
    assert len(parse(source, strict=strict).definitions) == 7
    with pytest.raises(ThriftParserError):
        parse("struct A { };;", strict=strict)


# -- headers ------------------------------------------------------------------------------------


@both_modes
def test_includes(strict):
    document = parse('include "./a.thrift"\ninclude "b.thrift"', strict=strict)
    assert document.includes == [
        ast.Include("./a.thrift", None, pos(1, 9)),
        ast.Include("b.thrift", None, pos(2, 9)),
    ]


@both_modes
def test_an_include_may_have_a_name_where_that_is_enabled(strict):
    document = parse('include t "./a.thrift"', strict=strict, include_as=True)
    assert document.includes == [ast.Include("./a.thrift", "t", pos(1, 9))]
    with pytest.raises(ThriftCompilerError, match='"include-as" syntax is currently disabled'):
        parse('include t "./a.thrift"', strict=strict)


@both_modes
def test_namespaces(strict):
    document = parse("namespace py a.b\nnamespace * c namespace py.x d", strict=strict)
    assert document.namespaces == [
        ast.Namespace("py", "a.b", pos(1, 14)),
        ast.Namespace("*", "c", pos(2, 13)),
        ast.Namespace("py.x", "d", pos(2, 30)),
    ]


def test_namespaces_may_have_annotations_when_lenient():
    source = "namespace java a (b = 'c')"
    (namespace,) = parse(source, strict=False).namespaces
    assert namespace.annotations == [ast.Annotation("b", "c", pos(1, 19))]
    with pytest.raises(ThriftParserError):
        parse(source)


def test_cpp_include_is_ignored_when_lenient():
    document = parse("cpp_include 'a.h' namespace cpp a", strict=False)
    assert [namespace.scope for namespace in document.namespaces] == ["cpp"]
    with pytest.raises(ThriftParserError):
        parse("cpp_include 'a.h'")


@both_modes
@pytest.mark.parametrize("header", ["php_namespace", "py_module", "xsd_namespace"])
def test_headers_of_early_releases_are_refused_with_their_replacement(header, strict):
    with pytest.raises(ThriftParserError, match=f"'namespace \\w+', which replaces {header}"):
        parse(f"{header} a", strict=strict)


# -- constants, typedefs, enums -----------------------------------------------------------------


@both_modes
def test_constants(strict):
    assert only("const i32 A = 5", strict=strict) == ast.Const(
        "A", ast.BaseType("i32", pos(1, 7)), ast.ConstPrimitive(5, pos(1, 15)), pos(1, 11)
    )


@both_modes
def test_typedefs(strict):
    assert only("typedef Foo Bar (a)", strict=strict) == ast.Typedef(
        "Bar",
        ast.TypeReference("Foo", pos(1, 9)),
        pos(1, 13),
        [ast.Annotation("a", None, pos(1, 18))],
    )


def test_a_comma_may_follow_a_typedef_when_lenient():
    assert len(parse("typedef i32 A, typedef i32 B,", strict=False).definitions) == 2
    with pytest.raises(ThriftParserError):
        parse("typedef i32 A,")


@both_modes
def test_enums(strict):
    assert only("enum E { A, B = 5; C (x) D = -0 }", strict=strict) == ast.Enum(
        "E",
        [
            ast.EnumItem("A", None, pos(1, 10)),
            ast.EnumItem("B", 5, pos(1, 13)),
            ast.EnumItem("C", None, pos(1, 20), [ast.Annotation("x", None, pos(1, 23))]),
            ast.EnumItem("D", 0, pos(1, 26)),
        ],
        pos(1, 6),
    )


@both_modes
def test_an_enum_may_be_empty(strict):
    assert only("enum E { }", strict=strict) == ast.Enum("E", [], pos(1, 6))


def test_a_senum_is_a_string_when_lenient():
    source = "senum E { 'a', 'b'; 'c' } (d)"
    assert only(source, strict=False) == ast.Typedef(
        "E",
        ast.BaseType("string", pos(1, 7)),
        pos(1, 7),
        [ast.Annotation("d", None, pos(1, 28))],
    )
    with pytest.raises(ThriftParserError):
        parse(source)


# -- structs and fields -------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("kind", ["struct", "union", "exception"])
def test_structs_unions_and_exceptions(kind, strict):
    struct = only(f"{kind} S {{ }} (a)", strict=strict)
    column = len(kind) + 2
    assert struct == ast.Struct(
        kind, "S", [], pos(1, column), [ast.Annotation("a", None, pos(1, column + 7))]
    )


@both_modes
def test_fields(strict):
    struct = only(
        "struct S {\n"
        "  1: required i32 a\n"
        "  2: optional string b = 'x' (c = 'd'),\n"
        "  3: list<i32> e;\n"
        "}",
        strict=strict,
    )
    assert struct.fields == [
        ast.Field(1, "a", ast.BaseType("i32", pos(2, 15)), True, None, pos(2, 19)),
        ast.Field(
            2,
            "b",
            ast.BaseType("string", pos(3, 15)),
            False,
            ast.ConstPrimitive("x", pos(3, 26)),
            pos(3, 22),
            [ast.Annotation("c", "d", pos(3, 31))],
        ),
        ast.Field(
            3,
            "e",
            ast.ListType(ast.BaseType("i32", pos(4, 11)), pos(4, 6)),
            None,
            None,
            pos(4, 16),
        ),
    ]


@both_modes
def test_field_ids_may_be_negative_or_hexadecimal_or_have_a_plus(strict):
    source = "-5: optional i32 a; 0x10: optional i32 b; +3: optional i32 c"
    assert field_ids(source, strict=strict) == {"a": -5, "b": 16, "c": 3}


@pytest.mark.parametrize(
    ("source", "ids"),
    [
        ("i32 a, i32 b, i32 c", {"a": -1, "b": -2, "c": -3}),
        ("1: i32 a, i32 b, 2: i32 c, i32 d", {"a": 1, "b": -1, "c": 2, "d": -2}),
        ("0: i32 a, 0: i32 b", {"a": -1, "b": -2}),
        ("-5: i32 a, i32 b", {"a": -5, "b": -6}),
        ("i32 a, i32 b, -1: i32 c, i32 d", {"a": -1, "b": -2, "c": -1, "d": -3}),
        ("i32 a xsd_attrs { i32 x, i32 y }, i32 b", {"a": -1, "b": -2}),
    ],
)
def test_missing_ids_count_down_from_minus_one_when_lenient(source, ids):
    assert field_ids(source) == ids


def test_missing_ids_count_anew_in_every_list():
    service = only(
        "service S { void f(i32 a, i32 b) throws (X x, Y y), void g(i32 c) }", strict=False
    )
    f, g = service.functions
    for fields in (f.args, f.throws):
        assert [field.id for field in fields] == [-1, -2]
    assert [field.id for field in g.args] == [-1]


@pytest.mark.parametrize(
    ("source", "owner"),
    [
        ("struct S { required i32 a }", "S"),
        ("union S { i32 a }", "S"),
        ("exception S { optional i32 a }", "S"),
        ("service S { void f(i32 a) }", "S.f"),
        ("service S { void f() throws (X a) }", "S.f"),
    ],
)
def test_a_missing_id_is_refused_when_strict(source, owner):
    with pytest.raises(ThriftCompilerError) as caught:
        parse(source)
    assert f'Field "a" of "{owner}"' in str(caught.value)
    assert "Please specify the numeric ID for the field" in str(caught.value)


@pytest.mark.parametrize("zero", ["0", "-0", "00", "0x0"])
def test_the_id_0_is_refused_when_strict(zero):
    with pytest.raises(
        ThriftParserError, match=r"Line 2: Field ID 0 is reserved for internal use\."
    ):
        parse(f"struct S {{\n{zero}: optional i32 a }}")


def test_references_and_xsd_hints_are_ignored_when_lenient():
    source = "1: optional S & a = 1 xsd_optional xsd_nillable xsd_attrs { 1: i32 x } (b) 2: S c"
    struct = only(f"struct S xsd_all {{ {source} }}", strict=False)
    assert [field.name for field in struct.fields] == ["a", "c"]
    assert struct.fields[0].default == ast.ConstPrimitive(1, pos(1, 40))
    assert [annotation.key for annotation in struct.fields[0].annotations] == ["b"]
    for line in (
        "struct S xsd_all { }",
        "struct S { 1: optional S & a }",
        "struct S { 1: optional S a xsd_optional }",
        "struct S { 1: optional S a xsd_nillable }",
        "struct S { 1: optional S a xsd_attrs { } }",
    ):
        parse(line, strict=False)
        with pytest.raises(ThriftParserError):
            parse(line)


@both_modes
@pytest.mark.parametrize(
    "name",
    ["class", "from", "None", "self", "async", "senum", "slist", "uuid", "cpp_type", "cpp_include",
     "xsd_all", "xsd_optional", "xsd_nillable", "xsd_attrs", "php_namespace", "loads", "__init__"],
)  # fmt: skip
def test_words_that_mean_nothing_where_they_stand_are_names(name, strict):
    parse(
        f"namespace py {name} enum {name} {{ {name} }} typedef i32 {name} const i32 {name} = {name}"
        f" struct {name} {{ 1: required i32 {name} 2: required {name} b }}"
        f" service {name} {{ void {name}(1: {name} {name}); {name} g() }} ({name})",
        strict=strict,
    )


@both_modes
@pytest.mark.parametrize(
    "source",
    ["struct a.b { }", "struct S { 1: optional i32 a.b }", "enum a.b { }", "enum E { a.b }",
     "enum E { a.b = 1 }", "typedef i32 a.b", "const i32 a.b = 1", "service a.b { }",
     "service S { void a.b() }"],
)  # fmt: skip
def test_declared_names_have_no_dots(source, strict):
    with pytest.raises(ThriftParserError, match="without dots"):
        parse(source, strict=strict)


# -- services -----------------------------------------------------------------------------------


@both_modes
def test_services(strict):
    assert only("service S extends shared.T { } (a)", strict=strict) == ast.Service(
        "S", "shared.T", [], pos(1, 9), pos(1, 19), [ast.Annotation("a", None, pos(1, 33))]
    )
    assert only("service S { }", strict=strict) == ast.Service("S", None, [], pos(1, 9))


@both_modes
def test_functions(strict):
    service = only(
        "service S {\n"
        "  void f()\n"
        "  i32 g(1: i32 a, 2: optional i32 b = 1) throws (1: X x) (c),\n"
        "  oneway void h(1: required i32 a);\n"
        "}",
        strict=strict,
    )
    f, g, h = service.functions
    assert f == ast.Function("f", None, [], [], False, pos(2, 8))
    assert g == ast.Function(
        "g",
        ast.BaseType("i32", pos(3, 3)),
        [
            ast.Field(1, "a", ast.BaseType("i32", pos(3, 12)), None, None, pos(3, 16)),
            ast.Field(
                2,
                "b",
                ast.BaseType("i32", pos(3, 31)),
                False,
                ast.ConstPrimitive(1, pos(3, 39)),
                pos(3, 35),
            ),
        ],
        [ast.Field(1, "x", ast.TypeReference("X", pos(3, 53)), None, None, pos(3, 55))],
        False,
        pos(3, 7),
        [ast.Annotation("c", None, pos(3, 59))],
    )
    assert (h.oneway, h.returns, h.args[0].required) == (True, None, True)


@pytest.mark.parametrize(
    ("source", "oneway", "returns"),
    [
        ("async void f()", True, None),
        ("async i32 f()", True, "i32"),
        ("async Foo f()", True, "Foo"),
        ("async f()", False, "async"),
        ("async async()", False, "async"),
        ("async async f()", True, "async"),
    ],
)
def test_async_is_oneway_when_lenient_unless_it_is_the_type(source, oneway, returns):
    (function,) = only(f"service S {{ {source} }}", strict=False).functions
    assert function.oneway is oneway
    assert getattr(function.returns, "name", None) == returns


def test_async_is_a_list_of_functions_word_only_when_lenient():
    only("service S { async list<i32> f() }", strict=False)
    with pytest.raises(ThriftParserError):
        parse("service S { async void f() }")


# -- docs ---------------------------------------------------------------------------------------


@both_modes
def test_everything_that_is_declared_keeps_its_doc_comment(strict):
    document = parse(
        """
        /** A struct. */ struct A { /** A field. */ 1: optional i32 a }
        /** An enum. */ enum B { /** An item. */ X }
        /** A typedef. */ typedef i32 C
        /** A constant. */ const i32 D = 1
        /** A service. */ service E { /** A function. */ void f(/** An argument. */ 1: i32 a) }
        """,
        strict=strict,
    )
    a, b, c, d, e = document.definitions
    assert [node.doc for node in (a, b, c, d, e)] == [
        "A struct.", "An enum.", "A typedef.", "A constant.", "A service.",
    ]  # fmt: skip
    assert a.fields[0].doc == "A field."
    assert b.items[0].doc == "An item."
    assert e.functions[0].doc == "A function."
    assert e.functions[0].args[0].doc == "An argument."


@both_modes
def test_a_doc_comment_belongs_to_what_comes_right_after_it(strict):
    document = parse(
        "/** Of the namespace. */ namespace py a struct A { } /** Of nothing. */", strict=strict
    )
    assert document.definitions[0].doc is None
    plain = only("/* No doc. */ // neither\n# nor\nstruct A { }", strict=strict)
    assert plain.doc is None
