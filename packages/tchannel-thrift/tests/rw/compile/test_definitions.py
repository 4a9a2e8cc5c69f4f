"""What documents may define, and under which names: contract sections 3 to 5."""

import sys
import types

import pytest

from tchannel_thrift import rw


def test_module_surface(files):
    source = (
        'include "./other.thrift"\n'
        "struct S { 1: required i32 x }\nenum E { A }\nconst i32 C = 5\n"
        "service V {}\nexception X {}\nunion U {}\ntypedef S T\n"
    )
    directory = files({"main.thrift": source, "other.thrift": "const i32 D = 6"})
    module = rw.Loader().load(directory / "main.thrift")
    assert type(module) is types.ModuleType
    assert not hasattr(module, "__file__")
    assert module.__types__ == (module.S, module.E, module.X, module.U, module.S)
    assert module.__services__ == (module.V,)
    assert module.__includes__ == (module.other,)
    assert module.__constants__ == {"C": 5}
    assert module.__thrift_source__ == source
    for cls in (module.S, module.E, module.X, module.U):
        assert cls.__thrift_module__ is module
    assert not hasattr(module.V, "__thrift_module__")
    assert {name for name in vars(module) if not name.startswith("__")} == {
        "S", "E", "C", "V", "X", "U", "T", "other", "dumps", "loads",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("struct A {}\nstruct A {}", 'Cannot define type "A" at line 2'),
        ("struct A {}\nenum A {}", 'Cannot define type "A" at line 2'),
        ("const i32 A = 1\nconst i32 A = 2", 'Cannot define constant "A"'),
        ("service A {}\nservice A {}", 'Cannot define service "A"'),
        ("struct A {}\nconst i32 A = 1", 'Cannot define "A". The name has already been used'),
        ("service A {}\nstruct A {}", 'Cannot define "A"'),
        ("\nstruct dumps {}", 'Cannot define "dumps"'),
        ("\nconst i32 loads = 1", 'Cannot define "loads"'),
        ("\nservice __types__ {}", 'Cannot define "__types__"'),
        ("\nenum __name__ {}", 'Cannot define "__name__"'),
    ],
)
def test_names_are_unique(compiled, document, text):
    with pytest.raises(rw.ThriftCompilerError, match=text) as caught:
        compiled(document)
    assert caught.value.line == 2


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__getattr__"])
@pytest.mark.parametrize(
    "definition",
    ["struct {} {{}}", "enum {} {{ A }}", "const i32 {} = 1", "service {} {{}}", "typedef i32 {}"],
)
def test_no_definition_can_hide_what_every_python_module_has(compiled, definition, name):
    with pytest.raises(rw.ThriftCompilerError, match=name):
        compiled(definition.format(name))


LONG = 5000


# It passes there alone, and fails after other tests of recursion.
@pytest.mark.skipif(
    sys.implementation.name != "cpython",
    reason="PyPy sometimes cannot record the context of a RecursionError, and raises TypeError",
)
@pytest.mark.parametrize(
    ("link", "end"),
    [
        ("typedef T{next} T{here}", "typedef i32 T{here}"),
        ("const i32 T{here} = T{next}", "const i32 T{here} = 1"),
        ("service T{here} extends T{next} {{}}", "service T{here} {{}}"),
        (
            "struct T{here} {{ 1: optional T{next} t = {{}} }}",
            "struct T{here} {{ 1: optional i32 i }}",
        ),
    ],
)
def test_chains_too_long_to_follow_are_compiler_errors(compiled, link, end):
    lines = [link.format(here=here, next=here + 1) for here in range(LONG)]
    with pytest.raises(rw.ThriftCompilerError, match="too long a chain"):
        compiled("\n".join([*lines, end.format(here=LONG)]))


@pytest.mark.parametrize("kind", ["struct", "exception"])
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("1: i32 a", "does not explicitly specify requiredness"),
        ("1: required i32 a 1: required i32 b", 'Field ID "1" of .* has already been used'),
        ("1: required i32 a 2: required i32 a", 'Field "a" of .* has duplicates'),
        ("32768: required i32 a", "expected a signed 16-bit integer"),
        ("-32769: required i32 a", "expected a signed 16-bit integer"),
    ],
)
def test_mistakes_in_fields(compiled, kind, fields, text):
    with pytest.raises(rw.ThriftCompilerError, match=text) as caught:
        compiled(f"{kind} S {{\n\n{fields} }}")
    assert caught.value.line == 3


def test_extreme_field_ids(compiled):
    module = compiled("struct S { 32767: required i32 a -32768: required i32 b }")
    value = module.S(1, 2)
    assert module.loads(module.S, module.dumps(value)) == value


def test_missing_ids_are_given_as_apache_does(lenient):
    module = lenient("struct S { i32 a; i32 b; 1: i32 c }")
    assert [(f.name, f.id) for f in module.S.type_spec.fields] == [("a", -1), ("b", -2), ("c", 1)]


def test_union_may_have_required_fields_and_a_default_when_lenient(lenient):
    module = lenient("union U { 1: required i32 a, 2: i32 b = 5 }")
    assert module.U(a=1).b is None
    assert module.U(b=2).b == 2


def test_annotations_of_structs_unions_and_exceptions_are_kept():
    module = rw.Loader().loads(
        "notes",
        'exception E { 1: optional string s } (rpc.code = "NOT_FOUND", plain)\n'
        'struct S {} (a = "1")\nunion U { 1: i32 x } (b = "2")\nstruct N {}',
    )

    assert module.E.type_spec.annotations == {"rpc.code": "NOT_FOUND", "plain": None}
    assert module.S.type_spec.annotations == {"a": "1"}
    assert module.U.type_spec.annotations == {"b": "2"}
    assert module.N.type_spec.annotations == {}
