"""Names that Apache keeps apart, dots in the names of files, and what enums' items are called."""

from __future__ import annotations

import pickle

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import Loader

DOTTED = """
struct Pair { 1: optional i32 a }
enum Kind { PLAIN = 1, ODD = 2 }
exception Oops { 1: optional string why }
service Base { void ping() }
const i32 LIMIT = 9
"""

USES_OF_A_DOTTED_FILE = {
    "type": "struct H { 1: optional ns.types.Pair p }",
    "typedef": "typedef ns.types.Pair P",
    "constant": "const i32 L = ns.types.LIMIT",
    "item": "const i32 L = ns.types.Kind.ODD",
    "service": "service S extends ns.types.Base {}",
    "exception": "service S { void f() throws (1: ns.types.Oops o) }",
}


@pytest.mark.parametrize("use", USES_OF_A_DOTTED_FILE)
def test_a_file_with_dots_in_its_name_can_be_referred_to(files, use):
    text = f'include "ns.types.thrift"\n{USES_OF_A_DOTTED_FILE[use]}'
    module = Loader(strict=False).load(
        files({"main.thrift": text, "ns.types.thrift": DOTTED}) / "main.thrift"
    )
    [types] = module.__includes__
    assert getattr(module, "ns.types") is types
    if use == "type":
        assert module.H(types.Pair(1)).p.a == 1
    elif use == "typedef":
        assert module.P is types.Pair
    elif use in {"constant", "item"}:
        assert (9 if use == "constant" else 2) == module.L
    elif use == "service":
        assert module.S.service_spec.parent.name == "Base"
    else:
        assert module.S.f.response(o=types.Oops("why")).o.why == "why"


def test_strict_mode_says_why_it_does_not_find_a_file_with_dots(files):
    text = 'include "./ns.types.thrift"\nstruct H { 1: optional ns.types.Pair p }'
    path = files({"main.thrift": text, "ns.types.thrift": DOTTED}) / "main.thrift"
    with pytest.raises(rw.ThriftCompilerError, match='takes "ns" for the name of the file'):
        Loader().load(path)
    path.write_text(text.replace('include "', 'include t "').replace("ns.types.P", "t.P"))
    assert Loader(include_as=True).load(path).H


def test_the_longest_name_of_a_file_wins(files):
    directory = files(
        {
            "main.thrift": 'include "a.thrift"\ninclude "a.b.thrift"\n'
            "struct M { 1: optional a.b.S s, 2: optional a.T t }",
            "a.thrift": 'include "b.thrift"\nstruct T {}',
            "b.thrift": "struct S { 1: optional i32 through_a }",
            "a.b.thrift": "struct S { 1: optional i32 direct }",
        }
    )
    module = Loader(strict=False).load(directory / "main.thrift")
    assert module.M.type_spec.fields[0].spec.fields[0].name == "direct"


def test_a_name_that_can_be_split_in_many_ways_is_refused_soon(files):
    # Each file includes itself under names of one part, two parts, ...
    names = [".".join("a" * n) for n in range(1, 9)]
    includes = "".join(f'include "{name}.thrift"\n' for name in names)
    texts = {f"{name}.thrift": includes for name in names}
    texts["main.thrift"] = f"{includes}struct S {{ 1: optional {'a.' * 200}Nope x }}"
    with pytest.raises(rw.ThriftCompilerError, match="Unknown type"):
        Loader(strict=False).load_texts(texts, "main.thrift")


# -- names that several things have -------------------------------------------------------------

KINDS = {
    "struct": "struct Foo { 1: optional i32 a }",
    "enum": "enum Foo { A }",
    "typedef": "typedef i32 Foo",
    "service": "service Foo { void f() }",
    "const": "const i32 Foo = 7",
    "include": 'include "sub/Foo.thrift"',
}

APART = [
    ("const", "struct"),
    ("const", "enum"),
    ("const", "typedef"),
    ("const", "service"),
    ("include", "struct"),
    ("include", "enum"),
    ("include", "typedef"),
    ("include", "service"),
    ("include", "const"),
]
TOGETHER = [
    ("enum", "struct"),
    ("enum", "service"),
    ("struct", "service"),
    ("typedef", "enum"),
    ("typedef", "struct"),
    ("typedef", "service"),
]


def clash(files, first, second):
    return (
        files(
            {
                "main.thrift": f"{KINDS[first]}\n{KINDS[second]}",
                "sub/Foo.thrift": "struct In { 1: optional i32 a }\nconst i32 N = 3",
            }
        )
        / "main.thrift"
    )


@pytest.mark.parametrize(("first", "second"), APART)
def test_what_apache_keeps_apart_is_accepted_when_lenient(files, first, second):
    path = clash(files, first, second)
    with pytest.raises(rw.ThriftCompilerError, match="already been used"):
        Loader().load_texts({"main.thrift": KINDS[first].replace('"sub', '"./sub') + KINDS[second],
                             "sub/Foo.thrift": ""}, "main.thrift")  # fmt: skip
    module = Loader(strict=False).load(path)
    if "const" in (first, second):
        assert module.__constants__ == {"Foo": 7}
    if "include" in (first, second):
        assert module.__includes__[0].In(1).a == 1
    if "service" in (first, second):
        assert module.__services__ == (module.Foo,)
    elif second != "const":
        assert module.__types__ == (module.Foo,)


@pytest.mark.parametrize(("first", "second"), TOGETHER)
@pytest.mark.parametrize("strict", [True, False])
def test_types_and_services_share_their_names(files, first, second, strict):
    with pytest.raises(rw.ThriftCompilerError, match=r"already (been used|exists)"):
        Loader(strict=strict).load(clash(files, first, second))


def test_names_that_several_things_have_mean_what_is_wanted_there(lenient):
    module = lenient("""
        const i32 Foo = 7
        struct Foo { 1: optional i32 a = Foo }
        struct Bar { 1: optional Foo foo }
    """)
    assert module.Bar(module.Foo()).foo.a == 7


def test_two_files_of_one_name_are_both_found(files):
    directory = files(
        {
            "main.thrift": 'include "one/shared.thrift"\ninclude "two/shared.thrift"\n'
            "struct Both { 1: optional shared.First f, 2: optional shared.Second s,"
            " 3: optional shared.Same t }",
            "one/shared.thrift": "struct First { 1: optional i32 a } struct Same {}",
            "two/shared.thrift": "struct Second { 1: optional i32 b } struct Same {}",
        }
    )
    module = Loader(strict=False).load(directory / "main.thrift")
    one, two = module.__includes__
    first, second, same = (field.spec.surface for field in module.Both.type_spec.fields)
    assert (first, second) == (one.First, two.Second)
    assert same is two.Same  # of two the last one, as in Apache's compiler
    assert module.shared is two


@pytest.mark.parametrize("name", ["loads", "dumps"])
def test_what_is_called_like_a_function_of_the_module_is_reachable(lenient, compiled, name):
    text = f"struct {name} {{ 1: optional i32 a }} struct S {{ 1: optional {name} x }}"
    with pytest.raises(rw.ThriftCompilerError, match="already been used"):
        compiled(text)
    module = lenient(text)
    hidden = module.__types__[0]
    value = module.S(hidden(5))
    assert module.loads(module.S, module.dumps(value)) == value
    assert pickle.loads(pickle.dumps(hidden(5))) == hidden(5)
    assert lenient(f"service {name} {{ void f() }}").__services__[0].service_spec.name == name
    assert lenient(f"const i32 {name} = 3").__constants__ == {name: 3}


@pytest.mark.parametrize("name", ["__types__", "__includes__", "__name__"])
def test_what_is_called_like_other_attributes_is_refused(lenient, name):
    with pytest.raises(rw.ThriftCompilerError, match="already been used"):
        lenient(f"const i32 {name} = 1")


# -- items of enums -------------------------------------------------------------------------------

COLOURS = "enum Colour { RED = 1, GREEN = 2 }"


@pytest.mark.parametrize("item", ["Colour.GREEN", "colours.Colour.GREEN", "GREEN", "Other.GREEN"])
def test_the_item_of_an_included_enum_is_found_through_the_field(files, item):
    directory = files(
        {
            "main.thrift": 'include "colours.thrift"\n'
            f"struct W {{ 1: optional colours.Colour c = {item} }}\n"
            f"const list<colours.Colour> L = [{item}]",
            "colours.thrift": COLOURS,
        }
    )
    module = Loader(strict=False).load(directory / "main.thrift")
    assert module.W().c == 2
    assert module.L == [2]


def test_the_item_of_another_enum_is_that_of_the_wanted_one_when_lenient(compiled, lenient):
    text = "enum E { A = 1 } enum F { A = 2 } const F X = E.A"
    assert lenient(text).X == 2  # as Apache's compiler
    assert compiled(text).X == 1  # as thriftrw


def test_a_constant_of_an_enum_is_no_item_of_it(lenient):
    module = lenient(f"{COLOURS} const Colour FAVOURITE = Colour.GREEN const Colour C = FAVOURITE")
    assert module.C == 2


def test_what_is_no_item_at_all_is_an_error(lenient):
    with pytest.raises(rw.ThriftCompilerError, match=r'Unknown constant "Colour\.BLUE"'):
        lenient(f"{COLOURS} const Colour C = Colour.BLUE")
