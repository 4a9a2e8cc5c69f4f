"""IDL texts under names that fit together."""

import pytest

from tchannel_thrift import rw
from tchannel_thrift.idl_texts import collect


@pytest.fixture
def write(tmp_path):
    """A function that writes Thrift files, by their paths."""

    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_name(f"{path.name}.thrift")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def load(path):
    return rw.Loader(strict=False).load(path)


def reloaded(idl, folder):
    """Write the texts where their names say, and load the entry point."""
    for name, text in idl.texts.items():
        path = folder / "again" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load(folder / "again" / idl.entry_point)


def test_a_file_alone_goes_by_its_name(write):
    folder = write(one="struct S {}")

    idl = collect([load(folder / "one.thrift")])

    assert (idl.entry_point, idl.texts) == ("one.thrift", {"one.thrift": "struct S {}"})


def test_includes_go_by_their_paths(write):
    folder = write(
        main='include "sub/a.thrift"\nstruct S { 1: a.A a }',
        sub__a='include "./b.thrift"\ninclude "../c.thrift"\nstruct A { 1: b.B b, 2: c.C c }',
        sub__b="struct B {}",
        c="struct C {}",
    )

    idl = collect([load(folder / "main.thrift")])

    assert idl.entry_point == "main.thrift"
    assert sorted(idl.texts) == ["c.thrift", "main.thrift", "sub/a.thrift", "sub/b.thrift"]
    assert reloaded(idl, folder).S.type_spec.fields[0].spec.name == "A"


def test_includes_from_above_leave_room_for_the_entry_point(write):
    folder = write(
        x__y__main='include "../../shared.thrift"\ninclude "../z/b.thrift"\nstruct S { 1: b.B b }',
        x__z__b='include "../../shared.thrift"\nstruct B { 1: shared.T t }',
        shared="struct T {}",
    )

    idl = collect([load(folder / "x" / "y" / "main.thrift")])

    assert "shared.thrift" in idl.texts
    assert len(idl.texts) == 3
    assert str(folder) not in str(idl)
    assert reloaded(idl, folder).S is not None


def test_files_that_include_each_other_are_told_once(write):
    folder = write(
        a='include "b.thrift"\nstruct A { 1: optional b.B b }',
        b='include "a.thrift"\nstruct B { 1: optional a.A a }',
    )

    assert sorted(collect([load(folder / "a.thrift")]).texts) == ["a.thrift", "b.thrift"]


def test_aliases_of_includes_are_understood(write):
    folder = write(main='include t "./other.thrift"\nstruct S { 1: t.T t }', other="struct T {}")

    idl = collect([rw.Loader(strict=False, include_as=True).load(folder / "main.thrift")])

    assert sorted(idl.texts) == ["main.thrift", "other.thrift"]


def test_several_modules_are_told_behind_the_first(write):
    folder = write(one="struct S {}", two="struct T {}", sub__one="struct U {}")
    modules = [load(folder / name) for name in ("one.thrift", "two.thrift", "sub/one.thrift")]

    idl = collect(modules)

    assert idl.entry_point == "one.thrift"
    assert sorted(idl.texts) == ["one-2.thrift", "one.thrift", "two.thrift"]


def test_a_module_that_another_includes_is_told_once(write):
    folder = write(main='include "other.thrift"\nstruct S {}', other="struct T {}")
    main = load(folder / "main.thrift")

    assert sorted(collect([main, main.other]).texts) == ["main.thrift", "other.thrift"]
