"""Includes: contract section 4."""

import re

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import Loader

SHARED = "struct S { 1: optional i32 x }"


@pytest.mark.parametrize(
    ("include", "place"),
    [
        ('"./shared.thrift"', "shared.thrift"),
        ('"./deeper/down/shared.thrift"', "deeper/down/shared.thrift"),
        ('"../shared.thrift"', "../shared.thrift"),
        ('"./x/../shared.thrift"', "shared.thrift"),
    ],
)
def test_paths_are_relative_to_the_including_file(files, monkeypatch, include, place):
    directory = files(
        {"a/b/main.thrift": f"include {include}\nstruct M {{ 1: required shared.S s }}",
         f"a/b/{place}": SHARED, "a/b/x/y": ""},
    )  # fmt: skip
    monkeypatch.chdir(directory)
    module = Loader().load("a/b/main.thrift")
    assert module.M(module.shared.S(1)).s.x == 1


def test_bare_path_is_refused_when_strict_and_taken_when_lenient(files):
    directory = files({"main.thrift": 'include "shared.thrift"', "shared.thrift": SHARED})
    with pytest.raises(rw.ThriftCompilerError, match=r'form "./foo.thrift"') as caught:
        Loader().load(directory / "main.thrift")
    assert (caught.value.line, caught.value.path) == (1, str(directory / "main.thrift"))
    assert Loader(strict=False).load(directory / "main.thrift").shared.S


def test_absolute_path_is_taken_when_lenient(files):
    directory = files({"shared.thrift": SHARED})
    (directory / "main.thrift").write_text(f'include "{directory}/shared.thrift"')
    assert Loader(strict=False).load(directory / "main.thrift").shared.S


@pytest.mark.parametrize("strict", [True, False])
def test_missing_file_is_a_compiler_error(files, strict):
    directory = files({"main.thrift": '\n  include "./nope.thrift"', "nope/x": ""})
    with pytest.raises(rw.ThriftCompilerError, match=r'Cannot include "./nope.thrift" on line 2'):
        Loader(strict=strict).load(directory / "main.thrift")
    (directory / "main.thrift").write_text('include "./nope"')
    with pytest.raises(rw.ThriftCompilerError, match="does not exist"):
        Loader(strict=strict).load(directory / "main.thrift")


def test_alias_needs_include_as(files):
    directory = files(
        {
            "main.thrift": 'include t "./shared.thrift"\nstruct M { 1: required t.S s }',
            "shared.thrift": SHARED,
        }
    )
    with pytest.raises(rw.errors.ThriftError, match="include"):
        Loader().load(directory / "main.thrift")
    module = Loader(include_as=True).load(directory / "main.thrift")
    assert module.t.__name__ == "shared"
    assert not hasattr(module, "shared")


def test_two_includes_of_one_name_are_refused_when_strict(files):
    directory = files(
        {
            "main.thrift": 'include "./shared.thrift"\ninclude "./x/shared.thrift"',
            "twice.thrift": 'include "./shared.thrift"\ninclude "./shared.thrift"',
            "clash.thrift": 'include "./shared.thrift"\nstruct shared {}',
            "shared.thrift": SHARED,
            "x/shared.thrift": SHARED,
        }
    )
    for name in ("main", "twice"):
        with pytest.raises(rw.ThriftCompilerError, match="name is already taken") as caught:
            Loader().load(directory / f"{name}.thrift")
        assert caught.value.line == 2
    with pytest.raises(rw.ThriftCompilerError, match='Cannot define "shared"'):
        Loader().load(directory / "clash.thrift")
    assert Loader(strict=False).load(directory / "twice.thrift").shared.S
    assert len(Loader(strict=False).load(directory / "twice.thrift").__includes__) == 1
    assert len(Loader(strict=False).load(directory / "main.thrift").__includes__) == 2


def test_files_may_include_each_other(files):
    directory = files(
        {
            "a.thrift": 'include "./b.thrift"\n'
            "struct A { 1: optional b.B b 2: optional i32 n = b.N }\nconst i32 M = 3",
            "b.thrift": 'include "./a.thrift"\n'
            "struct B { 1: optional list<a.A> a }\nconst i32 N = a.M",
        }
    )
    module = Loader().load(directory / "a.thrift")
    value = module.A(module.b.B([module.A()]))
    assert module.loads(module.A, module.dumps(value)) == value
    assert module.A().n == 3
    assert module.b.a is module


def test_file_may_include_itself(files):
    directory = files({"a.thrift": 'include "./a.thrift"\nstruct A { 1: optional a.A next }'})
    module = Loader().load(directory / "a.thrift")
    assert module.a is module
    assert module.A(module.A()).next == module.A()


def test_cycles_between_files_are_errors(files):
    directory = files(
        {
            "a.thrift": 'include "./b.thrift"\nconst i32 X = b.Y\n',
            "b.thrift": 'include "./a.thrift"\nconst i32 Y = a.X\n',
            "c.thrift": 'include "./d.thrift"\nservice S extends d.S {}\n',
            "d.thrift": 'include "./c.thrift"\nservice S extends c.S {}\n',
            "e.thrift": 'include "./f.thrift"\ntypedef f.T T\n',
            "f.thrift": 'include "./e.thrift"\ntypedef e.T T\n',
        }
    )
    for name in "ace":
        with pytest.raises(rw.ThriftCompilerError, match="itself"):
            Loader().load(directory / f"{name}.thrift")


def test_mistake_in_an_included_file_names_that_file(files):
    directory = files(
        {
            "main.thrift": 'include "./shared.thrift"\nstruct M { 1: required shared.Nope s }',
            "shared.thrift": SHARED,
            "top.thrift": 'include "./broken.thrift"',
            "broken.thrift": "\nstruct S { 1: required Nope n }",
        }
    )
    with pytest.raises(rw.ThriftCompilerError, match=r'Unknown type "shared.Nope"') as caught:
        Loader().load(directory / "main.thrift")
    assert (caught.value.path, caught.value.line) == (str(directory / "main.thrift"), 2)
    with pytest.raises(rw.ThriftCompilerError, match='Unknown type "Nope"') as caught:
        Loader().load(directory / "top.thrift")
    assert (caught.value.path, caught.value.line) == (str(directory / "broken.thrift"), 2)


def test_names_through_several_includes(files):
    directory = files(
        {
            "deep.thrift": "struct D { 1: optional i32 x }\nservice V { void f() }",
            "middle.thrift": 'include "./deep.thrift"',
            "top.thrift": 'include "./middle.thrift"\n'
            "struct T { 1: required middle.deep.D d }\nservice W extends middle.deep.V {}",
        }
    )
    module = Loader().load(directory / "top.thrift")
    assert module.T.type_spec.fields[0].spec.surface is module.middle.deep.D
    assert issubclass(module.W, module.middle.deep.V)


def test_includes_nested_too_deeply_are_an_error_that_names_the_file(files):
    contents = {f"f{n}.thrift": f'include "./f{n + 1}.thrift"' for n in range(1500)}
    directory = files({**contents, "f1500.thrift": "struct S {}"})
    with pytest.raises(rw.ThriftCompilerError, match="too long a chain") as caught:
        Loader().load(directory / "f0.thrift")
    assert caught.value.path == str(directory / "f0.thrift")


def test_an_included_file_that_is_not_utf_8_is_named(files):
    directory = files({"top.thrift": 'include "./latin.thrift"'})
    latin = directory / "latin.thrift"
    latin.write_bytes("// Größe".encode("latin-1"))
    with pytest.raises(UnicodeDecodeError, match=re.escape(f"UTF-8, but {latin} is not")):
        Loader().load(directory / "top.thrift")
