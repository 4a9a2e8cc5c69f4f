"""Entry points: contract section 1."""

import pathlib
import subprocess
import sys
import threading

import pytest

from tchannel_thrift import rw
from tchannel_thrift.rw import Loader
from tchannel_thrift.rw.protocol import BinaryProtocol, Protocol

GOOD = "struct S { 1: required string a }"


def test_import_is_light():
    code = (
        "import sys; import tchannel_thrift.rw; "
        "print([m for m in ('tornado', 'tchannel', 'asyncio', 'thriftrw') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_loader_takes_protocol_strict_and_include_as_by_position(files):
    directory = files({"a.thrift": 'include t "./b.thrift"\n', "b.thrift": "struct S {1: i32 x}"})
    module = Loader(BinaryProtocol(), False, True).load(directory / "a.thrift")
    assert module.t.S(5).x == 5


def test_loader_refuses_other_protocols():
    with pytest.raises(TypeError, match="BinaryProtocol"):
        Loader(Protocol())


def test_name_is_that_of_the_file_without_extension(files):
    directory = files({"my-svc.thrift": GOOD, "plain.txt": GOOD})
    loader = Loader()
    assert loader.load(directory / "my-svc.thrift").__name__ == "my-svc"
    assert loader.load(str(directory / "plain.txt")).__name__ == "plain"


def test_name_can_be_given(files):
    assert Loader().load(files({"a.thrift": GOOD}) / "a.thrift", name="other").__name__ == "other"


def test_same_path_is_the_same_module_whatever_the_name(files, monkeypatch):
    directory = files({"a.thrift": GOOD})
    loader = Loader()
    module = loader.load(directory / "a.thrift")
    monkeypatch.chdir(directory)
    assert loader.load("a.thrift", name="other") is module
    (directory / "a.thrift").write_text("changed")
    assert loader.load(pathlib.Path("a.thrift")) is module
    assert Loader is not None
    with pytest.raises(rw.ThriftParserError):
        Loader().load("a.thrift")


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        rw.load(tmp_path / "nope.thrift")


def test_files_are_utf_8_whatever_the_locale(files):
    module = Loader().load(files({"a.thrift": 'const string C = "żółć"'}) / "a.thrift")
    assert module.C == "żółć"


def test_other_encodings_are_a_unicode_error(tmp_path):
    (tmp_path / "a.thrift").write_bytes(b'const string C = "\xff"')
    with pytest.raises(UnicodeDecodeError):
        Loader().load(tmp_path / "a.thrift")


@pytest.mark.parametrize("bad", ["struct {", "struct S { 1: required Nope n }", "const i32 A = A"])
def test_failed_load_leaves_nothing_behind(files, bad):
    directory = files(
        {
            "top.thrift": 'include "./middle.thrift"\nstruct T { 1: required middle.M m }',
            "middle.thrift": 'include "./bad.thrift"\nstruct M { 1: required i32 x }',
            "bad.thrift": bad,
        }
    )
    loader = Loader()
    for name in ("bad", "top", "middle", "bad", "top"):
        with pytest.raises(rw.errors.ThriftError) as caught:
            loader.load(directory / f"{name}.thrift")
        assert caught.value.path == str(directory / "bad.thrift")
    (directory / "bad.thrift").write_text("")
    assert loader.load(directory / "top.thrift").T


def test_loads_compiles_text_and_keeps_nothing():
    loader = Loader()
    assert loader.loads("m", GOOD) is not loader.loads("m", GOOD)


def test_loads_needs_a_name():
    with pytest.raises(AssertionError):
        Loader().loads("", GOOD)


def test_loads_takes_only_str():
    with pytest.raises(TypeError, match="bytes"):
        Loader().loads("m", GOOD.encode())


def test_loads_refuses_includes():
    with pytest.raises(rw.ThriftCompilerError, match=r'Include of "./a.thrift" found on line 2\.'):
        Loader().loads("m", '\ninclude "./a.thrift"')


def test_install_returns_what_is_installed(files, monkeypatch):
    directory = files({"a.thrift": GOOD})
    caller = {"__name__": "some.caller", "__file__": str(directory / "caller.py")}
    install = "from tchannel_thrift.rw import install; m = install('a.thrift')"
    try:
        exec(install, caller)
        first = caller["m"]
        exec(install, caller)
        assert caller["m"] is first
        assert sys.modules["some.caller.a"] is first
    finally:
        sys.modules.pop("some.caller.a", None)


def test_install_works_at_a_prompt(files, monkeypatch):
    monkeypatch.chdir(files({"a.thrift": GOOD}))
    caller = {"__name__": "prompt"}
    try:
        exec("from tchannel_thrift.rw import install; m = install('a.thrift', 'b')", caller)
        assert sys.modules["prompt.b"] is caller["m"]
    finally:
        sys.modules.pop("prompt.b", None)


def test_failed_install_installs_nothing(files):
    directory = files({"a.thrift": "struct"})
    caller = {"__name__": "failing", "__file__": str(directory / "x.py")}
    with pytest.raises(rw.ThriftParserError):
        exec("from tchannel_thrift.rw import install; install('a.thrift')", caller)
    assert "failing.a" not in sys.modules


def test_many_threads_load_the_same_files(files):
    directory = files(
        {
            "a.thrift": 'include "./b.thrift"\nstruct A { 1: required b.B b }',
            "b.thrift": 'include "./a.thrift"\nstruct B { 1: optional a.A a }',
        }
    )
    loader = Loader()
    barrier = threading.Barrier(16)
    modules, errors = [], []

    def work(number):
        try:
            barrier.wait(10)
            first, second = ("a", "b") if number % 2 else ("b", "a")
            a, b = loader.load(directory / f"{first}.thrift"), None
            b = loader.load(directory / f"{second}.thrift")
            if first == "b":
                a, b = b, a
            value = a.A(b.B())
            assert a.loads(a.A, a.dumps(value)) == value
            assert loader.loads(f"m{number}", GOOD).S("x").a == "x"
            modules.append((a, b))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert len(modules) == 16
    assert len({(id(a), id(b)) for a, b in modules}) == 1
