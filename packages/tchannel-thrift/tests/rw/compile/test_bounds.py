"""What a short file can stand for is bounded, each bound with an error that says it."""

from __future__ import annotations

import copy
import sys

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw.compile import constants, services, typelinker
from tchannel_thrift.rw.spec import struct as struct_module


@pytest.fixture
def copies(monkeypatch):
    """Counts the values that are copied as defaults."""
    made = []
    deepcopy = copy.deepcopy
    monkeypatch.setattr(copy, "deepcopy", lambda value, *args: made.append(1) or deepcopy(value))
    return made


def test_constants_that_refer_to_each_other_many_times_are_refused(compiled, monkeypatch):
    looked_at = []
    admit = rw.spec.ListTypeSpec.admit

    def counting(self, value):
        looked_at.append(len(value))
        admit(self, value)

    monkeypatch.setattr(rw.spec.ListTypeSpec, "admit", counting)
    lines = ["const list<i32> C0 = [1, 2, 3]", "typedef list<i32> T0"]
    for n in range(1, 31):
        lines.append(f"typedef list<T{n - 1}> T{n}")
        lines.append(f"const T{n} C{n} = [C{n - 1}, C{n - 1}, C{n - 1}]")
    document = "\n".join(lines)
    with pytest.raises(rw.ThriftCompilerError, match="come to more than 1000000 values") as caught:
        compiled(document)
    assert caught.value.line is not None
    assert sum(looked_at) < 2 * constants.MAX_VALUES


def test_what_is_written_out_is_never_too_much(compiled, monkeypatch):
    monkeypatch.setattr(constants, "MAX_VALUES", 10)
    module = compiled(f"const list<i32> C = [{', '.join(['1'] * 1000)}] const list<i32> D = C")
    assert module.D is module.C
    with pytest.raises(rw.ThriftCompilerError, match="come to more than"):
        compiled(
            f"const list<i32> C = [{','.join(['1'] * 100)}] const list<list<i32>> D = [C,C,C,C]"
        )


def test_texts_that_become_bytes_many_times_are_refused(compiled):
    document = f'const string C = "{"x" * 3_200_000}"\n' + "".join(
        f"const binary D{n} = C\n" for n in range(100)
    )
    with pytest.raises(rw.ThriftCompilerError, match="come to more than"):
        compiled(document)


def test_defaults_that_contain_defaults_many_times_are_refused(compiled, copies):
    links = [
        f"struct S{n} {{ 1: optional S{n - 1} a = {{}} 2: optional S{n - 1} b = {{}} "
        f"3: optional S{n - 1} c = {{}} }}"
        for n in range(1, 13)
    ]
    with pytest.raises(rw.ThriftCompilerError) as caught:
        compiled("\n".join(["struct S0 { 1: optional i32 x = 1 }", *links]))
    assert 'The default values of "S8" come to more than 10000 values' in str(caught.value)
    assert caught.value.line == 9
    assert len(copies) < 3 * constants.MAX_DEFAULT_VALUES


def test_a_large_default_counts_as_often_as_it_is_copied(compiled):
    numbers = ",".join(["1"] * 6000)
    assert len(compiled(f"struct S {{ 1: optional list<i32> a = [{numbers}] }}").S().a) == 6000
    with pytest.raises(rw.ThriftCompilerError, match='default values of "S" come to more'):
        compiled(
            f"const list<i32> C = [{numbers}] "
            "struct S { 1: optional list<i32> a = C 2: optional list<i32> b = C }"
        )


def test_a_long_text_is_one_value(compiled):
    text = "x" * 100_000
    assert compiled(f'struct S {{ 1: optional string a = "{text}" }}').S().a == text


def test_typedefs_that_double_each_other_are_refused(compiled):
    typedefs = [f"typedef map<T{n - 1}, T{n - 1}> T{n}" for n in range(1, 40)]
    with pytest.raises(rw.ThriftCompilerError, match="more than 1000 parts") as caught:
        compiled("\n".join(["typedef i32 T0", *typedefs]))
    assert caught.value.line == 10


def test_typedefs_count_as_levels(compiled):
    typedefs = [f"typedef list<T{n - 1}> T{n}" for n in range(1, 66)]
    assert compiled("\n".join(["typedef i32 T0", *typedefs[:64]])).T64
    with pytest.raises(rw.ThriftCompilerError, match="nested deeper than 64"):
        compiled("\n".join(["typedef i32 T0", *typedefs]))


@pytest.mark.parametrize("levels", [7, 8, 9, 19, 20, 21, 64])
@pytest.mark.parametrize("kind", ["list<{}>", "map<i32, {}>", "set<{}>", "map<{}, string>"])
def test_containers_of_containers_go_there_and_back_however_deep(compiled, kind, levels):
    if sys.implementation.name != "cpython" and kind == "map<{}, string>" and levels > 20:
        pytest.skip("PyPy takes minutes to compare keys that are nested so deeply")
    text, value = "i32", 5
    for _ in range(levels):
        text = kind.format(text)
    module = compiled(f"struct S {{ 1: required {text} a 2: optional {text} b }}")
    spec = module.S.type_spec.fields[0].spec
    for one in reversed(list(chain(spec))):
        if isinstance(one, rw.spec.SetTypeSpec):
            value = {one.vspec.freeze(value)}
        elif isinstance(one, rw.spec.ListTypeSpec):
            value = [value]
        elif one.kspec is rw.spec.I32TypeSpec and one.vspec is not rw.spec.TextTypeSpec:
            value = {1: value}
        else:
            value = {one.kspec.freeze(value): "v"}
    for _ in range(8):  # the first uses are without generated code
        made = module.S(value, value)
        assert module.loads(module.S, module.dumps(made)) == made


def chain(spec):
    while isinstance(spec, (rw.spec.ListTypeSpec, rw.spec.MapTypeSpec)):
        yield spec
        if isinstance(spec, rw.spec.ListTypeSpec):
            spec = spec.vspec
        else:
            spec = spec.kspec if spec.vspec is rw.spec.TextTypeSpec else spec.vspec


def test_a_long_chain_of_services_is_refused(compiled):
    chain = [f"service S{n} extends S{n - 1} {{}}" for n in range(1, 102)]
    assert compiled("\n".join(["service S0 {}", *chain[:-1]])).S100
    with pytest.raises(rw.ThriftCompilerError, match="chain of more than 100 services"):
        compiled("\n".join(["service S0 {}", *chain]))


def test_each_field_is_looked_at_once_to_say_what_is_hashable(compiled, monkeypatch):
    looked_at = []
    hashable = rw.spec.ListTypeSpec.hashable.fget

    def counting(self):
        looked_at.append(1)
        return hashable(self)

    monkeypatch.setattr(rw.spec.ListTypeSpec, "hashable", property(counting))
    count = 300
    ring = [
        f"struct S{n} {{ 1: optional S{(n + 1) % count} next 2: optional list<i32> l }}"
        for n in range(count)
    ]
    module = compiled("\n".join(ring))
    assert module.S0.__hash__ is None
    assert len(looked_at) <= 2 * count
    assert struct_module.settle_hashable([]) is None


def test_a_struct_that_contains_one_without_a_hash_has_none(compiled):
    module = compiled("""
        struct A { 1: optional B b }
        struct B { 1: optional C c 2: optional A a }
        struct C { 1: optional list<i32> l }
        struct D { 1: optional E e }
        struct E { 1: optional D d 2: optional i32 n }
    """)
    assert module.A.__hash__ is module.B.__hash__ is module.C.__hash__ is None
    assert hash(module.D(module.E(n=1))) == hash(module.D(module.E(n=1)))


def test_the_bounds_are_the_documented_ones():
    assert (constants.MAX_VALUES, constants.MAX_DEFAULT_VALUES) == (1_000_000, 10_000)
    assert (typelinker.MAX_PARTS, services.MAX_ANCESTORS) == (1000, 100)
