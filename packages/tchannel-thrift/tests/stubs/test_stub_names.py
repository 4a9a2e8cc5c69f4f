"""Stubs of files whose names are no names in Python, or that several files or things have."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from tchannel_thrift.__main__ import main


@pytest.fixture
def tree(tmp_path):
    """A function that writes Thrift files, given by path, and returns the path of the first."""

    def write(texts):
        for name, text in texts.items():
            path = tmp_path / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "source" / next(iter(texts))

    return write


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """A function that writes a package for a Thrift file and imports modules of it."""

    def run(path, *names, options=()):
        package = tmp_path / "made" / "named_package"
        assert main(["stubs", str(path), "--package", str(package), *options]) == 0
        for source in (tmp_path / "source").rglob("*.thrift"):
            source.unlink()
        monkeypatch.syspath_prepend(str(tmp_path / "made"))
        return [importlib.import_module(f"named_package.{name}") for name in names]

    yield run
    for name in [name for name in sys.modules if name.startswith("named_package")]:
        del sys.modules[name]


def mypy_accepts(directory, code):
    (directory / "uses.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-error-summary",
         "--python-executable", sys.executable, "uses.py"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return (done.stdout, done.stderr) == ("", "") or done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("my-service", "my_service"),
        ("ns.types", "ns_types"),
        ("pass", "pass_"),
        ("2fast", "_2fast"),
        ("a b", "a_b"),
        ("__init__", "__init___"),
    ],
)
def test_a_name_that_python_does_not_have_is_changed_and_that_is_said(tree, capsys, file, module):
    path = tree({f"{file}.thrift": "struct S { 1: i32 a }"})
    assert main(["stubs", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{path.with_name(module)}.pyi\n"
    assert f"{file}.thrift is the module {module}" in said.err
    assert "class S" in path.with_name(f"{module}.pyi").read_text()


def test_a_name_that_python_has_stays_and_nothing_is_said(tree, capsys):
    path = tree({"service.thrift": ""})
    assert main(["stubs", str(path)]) == 0
    assert capsys.readouterr().err == ""


def test_a_place_that_was_asked_for_is_not_commented_on(tree, tmp_path, capsys):
    path = tree({"my-service.thrift": ""})
    assert main(["stubs", str(path), "-o", str(tmp_path / "other.pyi")]) == 0
    assert capsys.readouterr().err == ""


ODD = {
    "my-main.thrift": 'include "ns.types.thrift"\ninclude "pass.thrift"\n'
    'include "one/shared.thrift"\ninclude "two/shared.thrift"\n'
    "struct M { 1: ns.types.Pair pair, 2: pass.P p, 3: shared.First f, 4: shared.Second s }\n"
    "service V extends ns.types.Base { M get() }",
    "ns.types.thrift": "struct Pair { 1: i32 a }\nservice Base { i32 ping() }",
    "pass.thrift": "struct P { 1: i32 a }",
    "one/shared.thrift": "struct First { 1: i32 a }",
    "two/shared.thrift": "struct Second { 1: i32 b }",
}


def test_a_package_has_modules_for_odd_names(tree, imported, capsys):
    main_module, types, keyword, one, two = imported(
        tree(ODD), "my_main", "ns_types", "pass_", "shared", "shared_2"
    )
    value = main_module.M(types.Pair(1), keyword.P(2), one.First(3), two.Second(4))
    assert main_module.loads(main_module.M, main_module.dumps(value)) == value
    assert main_module.V.service_spec.parent.name == "Base"
    assert main_module.shared is two
    assert "two/shared.thrift".rpartition("/")[2] in capsys.readouterr().err


@pytest.mark.once
@pytest.mark.timeout(300)
def test_the_stubs_of_odd_names_are_typed(tree, imported, tmp_path):
    imported(tree(ODD))
    accepted = mypy_accepts(
        tmp_path / "made",
        "from named_package import my_main, ns_types, shared, shared_2\n"
        "value = my_main.M(pair=ns_types.Pair(1), f=shared.First(1), s=shared_2.Second(2))\n"
        "pair: ns_types.Pair | None = value.pair\n"
        "my_main.V.ping()\n"
        "my_main.M(f=shared_2.Second(1))  # type: ignore[arg-type]\n",
    )
    assert accepted is True


CLASHES = (
    'include "Foo.thrift"\nconst i32 Foo = 1\nstruct Foo { 1: i32 a }\n'
    "struct loads { 1: i32 a }\nstruct Bar { 1: Foo foo, 2: loads hidden, 3: Foo.In inner }"
)


@pytest.mark.once
@pytest.mark.timeout(300)
def test_of_several_things_of_one_name_the_stub_has_what_the_module_has(tree, imported, tmp_path):
    [module] = imported(
        tree({"main.thrift": CLASHES, "Foo.thrift": "struct In { 1: i32 n }"}), "main"
    )
    assert module.Bar(module.Foo(1)).foo.a == 1
    accepted = mypy_accepts(
        tmp_path / "made",
        "from named_package import main, Foo\n"
        "value = main.Bar(foo=main.Foo(1), inner=Foo.In(2))\n"
        "foo: main.Foo | None = value.foo\n"
        "payload: bytes = main.dumps(value)\n"
        "value = main.loads(main.Bar, payload)\n",
    )
    assert accepted is True


def test_include_directories_are_taken_along(tree, imported, tmp_path):
    path = tree(
        {
            "app/main.thrift": 'include "common/base.thrift"\nstruct M { 1: base.B b }',
            "root/common/base.thrift": 'include "common/ids.thrift"\nstruct B { 1: ids.Id i }',
            "root/common/ids.thrift": "typedef i32 Id",
        }
    )
    root = tmp_path / "source/root"
    assert main(["stubs", str(path)]) == 1
    main_module, base = imported(path, "main", "base", options=["-I", str(root)])
    value = main_module.M(base.B(3))
    assert main_module.loads(main_module.M, main_module.dumps(value)) == value


def test_include_directories_above_all_files_are_taken_along(tree, imported, tmp_path):
    path = tree(
        {
            "common/base.thrift": 'include "common/ids.thrift"\nstruct B { 1: ids.Id i }',
            "common/ids.thrift": "typedef i32 Id",
        }
    )
    [base] = imported(path, "base", options=["--include", str(tmp_path / "source")])
    assert base.B(3).i == 3


OVERRIDING = """
struct Answer { 1: i32 a }
service A { string get(1: string key) }
service B extends A { Answer get(1: i32 key) }
"""


@pytest.mark.once
@pytest.mark.timeout(300)
def test_a_service_may_override_a_function_of_its_parent(tree, imported, tmp_path):
    imported(tree({"service.thrift": OVERRIDING}))
    accepted = mypy_accepts(
        tmp_path / "made",
        "from named_package import service\n"
        'service.A.get("key")\nservice.B.get(5)\n'
        'service.B.get("key")  # type: ignore[arg-type]\n',
    )
    assert accepted is True


@pytest.mark.once
@pytest.mark.timeout(300)
def test_enums_may_be_int_enums(tree, imported, tmp_path):
    path = tree({"service.thrift": "enum E { A = 1 } struct S { 1: required E e = E.A }"})
    [module] = imported(path, "service", options=["--int-enum"])
    assert module.S().e is module.E.A
    accepted = mypy_accepts(
        tmp_path / "made",
        "from named_package import service\n"
        "member: service.E = service.E.A\n"
        "name: str = member.name\n"
        "value: service.E | int = service.S(service.E.A).e\n"
        "service.S(5)\n",
    )
    assert accepted is True
