"""Constants and default values: contract section 10."""

import pytest

from tchannel_thrift import rw


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("const bool C = true", True),
        ("const bool C = 0", False),
        ("const bool C = 5", True),
        ("const i32 C = 0x1F", 31),
        ("const i32 C = true", 1),
        ("const byte C = -128", -128),
        ("const double C = 5", 5.0),
        ("const double C = 1.5", 1.5),
        ("const string C = 'a\"b'", 'a"b'),
        ('const binary C = "zł"', "zł".encode()),
        ("const list<i32> C = [1, 2]", [1, 2]),
        ("const set<i32> C = [1, 1]", {1}),
        ("const set<string> C = ['a']", {"a"}),
        ("const map<string, i32> C = {'a': 1, 'a': 2}", {"a": 2}),
        ("const map<string, list<i32>> C = {'a': [1]}", {"a": [1]}),
        ("enum E { A, B } const E C = E.B", 1),
        ("enum E { A, B } const E C = 7", 7),
        ("enum E { A, B } const i32 C = E.B", 1),
        ("enum E { A, B } const map<E, string> C = {E.A: 'a', E.B: 'b'}", {0: "a", 1: "b"}),
        ("const i32 C = D const i32 D = 5", 5),
        ("const double C = D const i32 D = 5", 5.0),
        ("const binary C = D const string D = 'x'", b"x"),
        ("const set<i32> C = D const list<i32> D = [1]", {1}),
        ("typedef i64 Long const Long C = 5", 5),
        ("typedef set<i32> Ids const Ids C = [5]", {5}),
    ],
)
def test_value(compiled, document, value):
    constant = compiled(document).C
    assert constant == value
    assert type(constant) is type(value)


def test_structs_unions_and_exceptions(compiled):
    module = compiled(
        """
        struct In { 1: required i32 x 2: optional string s = "d" }
        union U { 1: i32 n 2: In in_ }
        exception E { 1: required string m }
        const In A = {"x": 1}
        const U B = {"in_": {"x": 2}}
        const E C = {"m": "why"}
        const list<In> D = [A, {"x": 3, "s": "t"}]
        """
    )
    assert module.In(1, "d") == module.A
    assert module.U(in_=module.In(2)) == module.B
    assert module.E("why") == module.C
    assert [module.In(1), module.In(3, "t")] == module.D
    assert module.D[0] is module.A


def test_references_are_shared_objects(compiled):
    module = compiled(
        """
        struct Item { 1: required list<i32> values }
        const list<i32> VALUES = [1]
        const Item ITEM = {"values": VALUES}
        const list<list<i32>> ALL = [VALUES]
        """
    )
    assert module.ITEM.values is module.VALUES
    assert module.ALL[0] is module.VALUES


def test_constants_of_includes(files):
    directory = files(
        {
            "deep.thrift": "const i32 X = 5\nenum E { A, B }",
            "middle.thrift": 'include "./deep.thrift"\nconst i32 Y = deep.X',
            "top.thrift": 'include "./middle.thrift"\n'
            "const i32 A = middle.Y\nconst i32 B = middle.deep.X\n"
            "const i32 C = middle.deep.E.B",
        }
    )
    module = rw.Loader().load(directory / "top.thrift")
    assert module.__constants__ == {"A": 5, "B": 5, "C": 1}
    assert not hasattr(module, "X")


def test_defaults_may_refer_forwards(compiled):
    module = compiled(
        """
        struct S { 1: optional T t = {"n": N} 2: optional T u = CONST }
        struct T { 1: required i32 n 2: optional i32 m = N }
        const T CONST = {"n": 2}
        const i32 N = 7
        """
    )
    value = module.S()
    assert value.t == module.T(7, 7)
    assert value.u == module.T(2, 7)
    assert value.u is not module.CONST


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("const i32 C = 'x'", 'Value for constant "C" does not match its type "i32"'),
        ("const i32 C = 5.5", 'Value for constant "C" does not match its type "i32"'),
        ("const byte C = 128", 'Value for constant "C" is not valid: .* does not fit in an i8'),
        ("const string C = 5", 'does not match its type "string"'),
        ("const list<i32> C = 5", 'does not match its type "list<i32>"'),
        ("const list<i32> C = ['a']", 'does not match its type "i32"'),
        ("const map<i32, i32> C = [1]", "Expected a map<i32, i32> but got a list"),
        ("const list<i32> C = {1: 2}", "Expected a list<i32> but got a map"),
        ("const i32 C = D", 'Unknown constant "D" referenced at line 1'),
        ("const i32 C = a.D", 'Unknown constant "a.D" referenced at line 1'),
        ("enum E { A } const E C = E.B", 'Unknown constant "E.B"'),
        ("enum E { A } const E C = A", 'Unknown constant "A"'),
        ("enum E { A } const E C = 'A'", 'does not match its type "E"'),
        ("struct S { 1: required i32 x } const S C = {}", r"takes at least 2 arguments"),
        ("struct S { 1: required i32 x } const S C = {5: 1}", "names of its fields"),
        ("struct S { 1: required i32 x } const S C = {'x': 'a'}", 'does not match its type "i32"'),
        ("union U { 1: i32 x } const U C = {}", "did not receive any values"),
        ("const i32 C = C", 'Constant "C" is defined by itself'),
        ("const i32 C = D const i32 D = C", "is defined by itself"),
        ("const list<i32> C = [D] const i32 D = C", "is defined by itself"),
        ("struct S { 1: optional S s = {} }", 'A default value of "S" contains the struct itself'),
        (
            "struct S { 1: optional T t = {} } struct T { 1: optional S s = {} }",
            "contains the struct itself",
        ),
        ("struct S { 1: optional i32 x = 'a' }", 'Default value for field "x" does not match'),
        ("struct S { 1: optional byte x = 300 }", 'Default value for field "x" is not valid'),
        ("struct S { 1: optional Nope x }", 'Unknown type "Nope" referenced at line 1'),
        ("service S {} const S C = 5", 'Unknown type "S"'),
    ],
)
def test_mistakes_are_errors_with_a_place(compiled, document, text):
    with pytest.raises(rw.ThriftCompilerError, match=text) as caught:
        compiled(document)
    error = caught.value
    assert (error.line, error.source_line) == (1, document)
    assert error.column > 1
    assert str(error).endswith("^")


def test_unknown_key_of_a_struct_is_ignored(compiled, lenient):
    document = "struct S { 1: optional i32 x } const S C = {'x': 1, 'y': 2}"
    assert compiled(document).C.x == 1
    assert lenient(document).C.x == 1


def test_default_of_an_argument(compiled):
    module = compiled("service S { void f(1: list<i32> ids = [1, 2]) }")
    assert module.S.f.request().ids == [1, 2]
    assert module.S.f.request().ids is not module.S.f.request().ids


NESTED = """
struct A { 1: optional B b = {} 2: optional list<B> more = [{}] }
struct B { 1: optional C c = {"n": 2} }
struct C { 1: optional i32 n = 1 2: optional X x = {} }
exception X { 1: optional string why = "why" }
const A CONST = {}
const C OTHER = {"n": 7}
const B OF_CONST = {"c": OTHER}
"""


@pytest.mark.parametrize("as_file", [False, True])
def test_defaults_that_are_structs_may_have_such_defaults_themselves(compiled, files, as_file):
    if as_file:
        module = rw.Loader().load(files({"nested.thrift": NESTED}) / "nested.thrift")
    else:
        module = compiled(NESTED)
    value = module.A()
    assert (value.b.c.n, value.b.c.x.why, value.more[0].c.n) == (2, "why", 2)
    assert value == module.CONST
    assert module.OF_CONST.c is module.OTHER
    # Each instance has its own.
    value.b.c.n = 5
    value.more[0].c.x.why = "other"
    assert module.A() == module.CONST


def test_a_long_chain_of_defaults_is_no_trouble(compiled):
    links = [f"struct S{n} {{ 1: optional S{n + 1} s = {{}} }}" for n in range(20)]
    value = compiled("\n".join([*links, "struct S20 {}"])).S0()
    for _ in range(20):
        value = value.s
    assert type(value).__name__ == "S20"
